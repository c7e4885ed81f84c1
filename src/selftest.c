// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "clock.h"
#include "guard.h"
#include "rcu.h"
#include "ring.h"
#include "selftest.h"

static char *selftest_fail = "";
module_param(selftest_fail, charp, 0444);
MODULE_PARM_DESC(selftest_fail, "for tests: make the self-test of guard, ring, clock or rcu fail");

static bool __init nt_ok(const char *what, bool ok)
{
	if (!strcmp(selftest_fail, what))
		ok = false;
	if (!ok)
		pr_err("self-test failed: '%s'; the module is not loaded\n", what);
	return ok;
}

static bool __init nt_test_guard(void)
{
	const unsigned long ip = (unsigned long)nt_test_guard;
	unsigned long irq_flags;
	bool ok;

	/* nothing is traced yet, so the slot is free */
	preempt_disable();
	ok = !nt_guard_held(NESTRACE_SLOT_TASK);
	nt_guard_take(NESTRACE_SLOT_TASK, ip, arch_local_save_flags());
	ok = ok && nt_guard_ip(NESTRACE_SLOT_TASK) == ip && nt_guard_irqs_on(NESTRACE_SLOT_TASK);
	ok = ok && (IS_ENABLED(NT_TEST_NO_GUARD) || nt_guard_held(NESTRACE_SLOT_TASK));
	raw_local_irq_save(irq_flags);
	nt_guard_irqs(NESTRACE_SLOT_TASK, arch_local_save_flags());
	raw_local_irq_restore(irq_flags);
	ok = ok && nt_guard_ip(NESTRACE_SLOT_TASK) == ip && !nt_guard_irqs_on(NESTRACE_SLOT_TASK);
	nt_guard_leave(NESTRACE_SLOT_TASK);
	ok = ok && !nt_guard_held(NESTRACE_SLOT_TASK);
	preempt_enable();
	return ok;
}

/* Write a record as the hook does. Return: false if it is lost. */
static bool __init nt_test_write(struct nt_ring *r, u64 ts, u64 ip)
{
	struct nt_record *rec;

	if (!nt_ring_has_room(r)) {
		if (nt_ring_full(r)) {
			nt_local_inc(&r->full);
			return false;
		}
		nt_ring_next(r, ts);
	}
	rec = nt_ring_room(r);
	rec->event.ip = ip;
	return nt_ring_commit(r, rec, ts) || nt_ring_commit_late(r, rec, ts);
}

/* Fill two sub-buffers until a third would be needed, and check them. */
static bool __init nt_test_ring(void)
{
	struct nt_ring ring = { };
	const u64 per_subbuf = (NT_SUBBUF_END - NESTRACE_SUBBUF_HEADER) / sizeof(struct nt_record);
	char *base = kzalloc(2 * NESTRACE_SUBBUF_SIZE, GFP_KERNEL);
	struct nt_subbuf *sb;
	struct nt_record *rec;
	u64 i, ts = 0;
	bool ok;

	if (!base)
		return false;
	nt_ring_init(&ring, base, 2 * NESTRACE_SUBBUF_SIZE, false);
	for (i = 0; ring.full < 2 && i < 1000; ) {
		ts += 7;
		i += nt_test_write(&ring, ts, i);
	}
	sb = nt_ring_subbuf(&ring, 1);
	rec = (struct nt_record *)sb->data;
	ok = ring.written == 2 * per_subbuf && ring.full == 2 &&
	     nt_ring_subbuf(&ring, 0)->commit == per_subbuf * sizeof(*rec) &&
	     sb->first == per_subbuf && sb->time_stamp == 7 * (per_subbuf + 1) &&
	     rec[0].event.ip == per_subbuf && rec[1].head >> NT_TYPE_BITS == 7;

	/* once one is read there is room, and @first says how many were lost */
	ring.read = 1;
	ok = ok && nt_test_write(&ring, ts, i) &&
	     nt_ring_subbuf(&ring, 2)->first == 2 * per_subbuf + 2 &&
	     nt_ring_subbuf(&ring, 2)->time_stamp == ts;

	/* a time that does not fit into a record comes in a time extend before it */
	sb = nt_ring_subbuf(&ring, 2);
	rec = (struct nt_record *)(sb->data + sizeof(*rec) + 2 * sizeof(u32));
	ok = ok && nt_test_write(&ring, ts + (3ULL << NT_DELTA_BITS) + 5, i + 1) &&
	     rec->event.ip == i + 1 && rec[-1].head != rec->head && rec->head >> NT_TYPE_BITS == 0 &&
	     ((u32 *)rec)[-2] == (NT_TYPE_TIME_EXTEND | 5 << NT_TYPE_BITS) &&
	     ((u32 *)rec)[-1] == 3;
	kfree(base);
	return ok;
}

/* Check that no clock goes back on this CPU, or stands still for long. */
static bool __init nt_test_clock(void)
{
	struct nt_clock_order order = {};
	u64 first, last, now, behind = 0;
	enum nt_reader reader;
	bool ok = true;
	int i;

	preempt_disable();
	for (reader = 0; reader < NT_NR_READERS; reader++) {
		/* each has a time of its own */
		order = (struct nt_clock_order){ .lock = __ARCH_SPIN_LOCK_UNLOCKED };
		first = nt_clock_read(reader, &order, &behind);
		for (last = first, i = 0; i < 1000; i++, last = now) {
			now = nt_clock_read(reader, &order, &behind);
			ok = ok && now >= last;
		}
		/* the coarsest clock moves with the tick, which may be another CPU's */
		for (i = 0; i < 1000 && nt_clock_read(reader, &order, &behind) == first; i++)
			udelay(100);
		ok = ok && nt_clock_read(reader, &order, &behind) > first &&
		     !order.lock.locked && !order.unlocked;
	}
	preempt_enable();
	return ok;
}

/*
 * RCU is watching here, so the pairs nest: they must raise the nesting that RCU keeps and
 * lower it again. That shows that the functions found are the right ones.
 */
static bool __init nt_test_rcu(void)
{
	struct nt_rcu_saved saved;
	enum nestrace_slot slots[] = { NESTRACE_SLOT_NMI, NESTRACE_SLOT_TASK };
	long before, inside;
	unsigned int i;
	bool ok = nt_rcu_watching();

	if (nt_rcu_mode != NESTRACE_RCU_PAIR)
		return ok;
	preempt_disable();
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		enum nt_rcu_entry entry;

		before = nt_rcu_nmi_nesting();
		entry = nt_rcu_enter(slots[i], &saved);
		inside = nt_rcu_nmi_nesting();
		nt_rcu_exit(slots[i], entry, &saved);
		ok = ok && inside == before + 2 && nt_rcu_nmi_nesting() == before &&
		     nt_rcu_watching() && !irqs_disabled();
	}
	preempt_enable();
	return ok;
}

int __init nt_selftest(void)
{
	return nt_ok("guard", nt_test_guard()) && nt_ok("ring", nt_test_ring()) &&
	       nt_ok("clock", nt_test_clock()) && nt_ok("rcu", nt_test_rcu()) ? 0 : -EIO;
}
