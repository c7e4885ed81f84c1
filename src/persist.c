// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/percpu.h>
#include <linux/reboot.h>
#include <linux/workqueue.h>

#include "describe.h"
#include "guard.h"
#include "persist.h"
#include "region.h"
#include "session.h"
#include "uapi/nestrace_dump.h"
#include "wq.h"

#define NT_PERSIST_TRIES	10
#define NT_COPIES_BYTES		(NESTRACE_NR_SLOTS * NT_RING_COPIES * sizeof(struct nt_ring))

/* As many as the kernel can reserve regions. A panic reads them without the lock. */
static struct nt_session *nt_persisted[8];
static DEFINE_MUTEX(nt_persist_lock);

static void nt_persist_work_func(struct work_struct *work);
static DECLARE_DELAYED_WORK(nt_persist_work, nt_persist_work_func);

/* Return: true if @copy has the counters of one moment, at which no hit was in flight. @guard: the slot's. */
static bool nt_persist_snapshot(struct nt_ring *copy, const struct nt_ring *r, const s32 *guard)
{
	u64 hits = READ_ONCE(r->hits);

	/* some counters are counted last, before the guard is left */
	if (READ_ONCE(*guard))
		return false;
	smp_rmb();
	nt_ring_copy(copy, r);
	smp_rmb();
	/* no hit has begun, and those that had begun are over */
	return READ_ONCE(r->hits) == hits && READ_ONCE(r->pos) == copy->pos && copy->hits == hits && nt_ring_hits_over(copy);
}

/* Copy the counters of a ring into the older of its copies, or leave them if the ring is too busy. */
static void nt_persist_refresh_ring(const struct nt_ring *r, const s32 *guard)
{
	struct nt_ring *to = r->copies ? &r->copies[2] : NULL, copy;
	unsigned int i;

	if (!to)
		return;
	if (to[1].pos < to[0].pos)
		to++;
	for (i = 0; i < NT_PERSIST_TRIES; i++) {
		if (!nt_persist_snapshot(&copy, r, guard))
			continue;
		nt_ring_copy(to, &copy);
		break;
	}
}

static void nt_persist_refresh(struct nt_session *s)
{
	enum nestrace_slot slot;
	unsigned int cpu;

	for_each_cpu(cpu, s->cpus)
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			nt_persist_refresh_ring(&per_cpu_ptr(s->hook.rings, cpu)->slot[slot],
						&per_cpu(nt_guards, cpu).half[nt_guard_half(slot)].ip);
}

/* Return: true if there is one. Context: any. */
static bool nt_persist_refresh_all(void)
{
	struct nt_session *s;
	bool any = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nt_persisted); i++) {
		/* pairs with nt_persist_add() */
		s = smp_load_acquire(&nt_persisted[i]);
		if (s)
			nt_persist_refresh(s);
		any |= s != NULL;
	}
	return any;
}

static void nt_persist_work_func(struct work_struct *work)
{
	mutex_lock(&nt_persist_lock);
	if (nt_persist_refresh_all())
		queue_delayed_work(nt_wq, &nt_persist_work, HZ);
	mutex_unlock(&nt_persist_lock);
}

static int nt_persist_on_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	/* the other CPUs have stopped */
	nt_persist_refresh_all();
	return NOTIFY_DONE;
}

static int nt_persist_on_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	mutex_lock(&nt_persist_lock);
	nt_persist_refresh_all();
	mutex_unlock(&nt_persist_lock);
	return NOTIFY_DONE;
}

static struct notifier_block nt_persist_panic = {
	.notifier_call = nt_persist_on_panic,
};

static struct notifier_block nt_persist_reboot = {
	.notifier_call = nt_persist_on_reboot,
};

static void nt_persist_replace(struct nt_session *from, struct nt_session *to)
{
	unsigned int i;

	mutex_lock(&nt_persist_lock);
	for (i = 0; i < ARRAY_SIZE(nt_persisted) && nt_persisted[i] != from; i++)
		;
	/* after its copies exist: pairs with nt_persist_refresh_all() */
	if (i < ARRAY_SIZE(nt_persisted))
		smp_store_release(&nt_persisted[i], to);
	mutex_unlock(&nt_persist_lock);
}

int nt_persist_add(struct nt_session *s)
{
	struct nestrace_dump_session *d;
	enum nestrace_slot slot;
	struct nt_ring *copies, *r;
	unsigned int cpu;

	lockdep_assert_held(&s->lock);
	for_each_cpu(cpu, s->cpus) {
		copies = nt_region_take(s->region, NT_COPIES_BYTES);
		if (!copies)
			return -ENOSPC;
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
			r = &per_cpu_ptr(s->hook.rings, cpu)->slot[slot];
			r->copies = copies + slot * NT_RING_COPIES;
			nt_ring_copy(r->copies, r);
		}
	}
	d = nt_describe(s, s->region);
	if (IS_ERR(d))
		return PTR_ERR(d);
	s->kept = d;
	nt_region_publish(s->region, d->head.self);
	nt_persist_replace(NULL, s);
	queue_delayed_work(nt_wq, &nt_persist_work, HZ);
	return 0;
}

void nt_persist_set_cookie(struct nt_session *s, u64 cookie)
{
	lockdep_assert_held(&s->lock);
	if (s->kept)
		WRITE_ONCE(s->kept->cookie, cookie);
}

void nt_persist_remove(struct nt_session *s)
{
	if (!s->region)
		return;
	if (s->kept) {
		nt_persist_replace(s, NULL);
		nt_persist_refresh(s);
		/* it has never run */
		if (!s->has_run)
			nt_region_forget(s->region);
	}
	nt_region_release(s->region);
	s->region = NULL;
}

int nt_persist_init(void)
{
	int ret = register_reboot_notifier(&nt_persist_reboot);

	if (ret)
		return ret;
	ret = atomic_notifier_chain_register(&panic_notifier_list, &nt_persist_panic);
	if (ret)
		unregister_reboot_notifier(&nt_persist_reboot);
	return ret;
}

void nt_persist_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &nt_persist_panic);
	unregister_reboot_notifier(&nt_persist_reboot);
	cancel_delayed_work_sync(&nt_persist_work);
}
