// SPDX-License-Identifier: GPL-2.0
/* The longest stretches with interrupts or preemption off: userspace/output/stretches.c. */
#include <stdint.h>

#include "lib/function_traits.h"
#include "output/stretches.h"
#include "spec.h"

enum { TASK = NESTRACE_SLOT_TASK, HARDIRQ = NESTRACE_SLOT_HARDIRQ, NMI = NESTRACE_SLOT_NMI };
enum {
	WORK = 0xffffffff81000010, CALLER = 0xffffffff81000110, UNLOCK = 0xffffffff81000210, ENTRY = 0xffffffff81000310,
	EXIT = 0xffffffff81000410, USER = 0xffffffff81000590, SOFTIRQS = 0xffffffff81000650, SWITCH = 0xffffffff81000510, MODULE = 0xffffffffc0000010,
};

static const char symbols[] =
	"ffffffff81000000 t work\nffffffff81000100 t caller\nffffffff81000200 T _raw_spin_unlock_irqrestore\n"
	"ffffffff81000300 t asm_sysvec_apic_timer_interrupt\nffffffff81000400 t irqentry_exit\n"
	"ffffffff81000500 t finish_task_switch.isra.0\nffffffff81000580 t do_syscall_64\nffffffff81000600 t end\nffffffff81000640 t handle_softirqs\nffffffffc0000000 t mutex_lock\t[evil]\n";

static struct function_traits traits;
static struct stretches s;

static void at_of(uint64_t ts, uint64_t ip, uint64_t parent_ip, unsigned int slot, int pid, bool irqs,
		  unsigned int preempt)
{
	const struct stretch_hit hit = {
		.ts = ts, .ip = ip, .parent_ip = parent_ip, .slot = slot, .pid = pid, .irqs_off = irqs, .preempt = preempt,
	};

	stretches_take(&s, &traits, &hit);
}

/* A call of work() by a task, with interrupts off or on. */
static void at(uint64_t ts, bool irqs_off)
{
	at_of(ts, WORK, CALLER, TASK, 7, irqs_off, false);
}

/* Return: the ns of the longest stretch, 0: there is none. */
static uint64_t longest(enum stretch_kind kind)
{
	stretches_end(&s);
	stretches_sort(&s);
	return s.nr[kind] ? s.longest[kind][0].end - s.longest[kind][0].begin : 0;
}

static void begin(const char *name)
{
	spec(name);
	s = (struct stretches){ 0 };
}

int main(void)
{
	unsigned int i;

	traits = function_traits_of(symbols);

	begin("stretches: traits by address, not those of modules");
	is_number(function_traits_at(&traits, UNLOCK), TRAIT_IRQS_ON | TRAIT_PREEMPT_ON);
	is_number(function_traits_at(&traits, SWITCH), TRAIT_SWITCH | TRAIT_ENABLES);
	is_number(function_traits_at(&traits, 0xffffffff81000610), 0);
	is_number(function_traits_at(&traits, MODULE), 0);
	is_number(function_traits_at(&traits, 1), 0);

	begin("stretches: from the first call with interrupts off to the last");
	at(100, false);
	at(110, true);
	at(150, true);
	at(160, true);
	at(900, false);
	is_number(longest(STRETCH_IRQS), 50);
	is_number(longest(STRETCH_PREEMPT), 0);
	is_number(s.longest[STRETCH_IRQS][0].ip == WORK && s.longest[STRETCH_IRQS][0].parent_ip == CALLER, 1);

	begin("stretches: a single call has no length");
	at(110, true);
	is_number(longest(STRETCH_IRQS), 0);

	begin("stretches: an unlock ends it");
	at(110, true);
	at_of(120, UNLOCK, CALLER, TASK, 7, true, false);
	at(500, true);
	is_number(longest(STRETCH_IRQS), 10);

	begin("stretches: so does what an unlock calls");
	at(110, true);
	at_of(120, WORK, UNLOCK, TASK, 7, true, false);
	at(500, true);
	is_number(longest(STRETCH_IRQS), 10);

	begin("stretches: another task ends it");
	at(110, true);
	at_of(120, WORK, CALLER, TASK, 8, true, false);
	at(500, true);
	is_number(longest(STRETCH_IRQS), 0);

	begin("stretches: an interrupt proves that they were on");
	at(110, true);
	at_of(120, WORK, CALLER, HARDIRQ, 7, true, false);
	at(500, true);
	is_number(longest(STRETCH_IRQS), 0);

	begin("stretches: an NMI proves nothing");
	at(110, true);
	at_of(120, WORK, CALLER, NMI, 7, true, false);
	at(500, true);
	is_number(longest(STRETCH_IRQS), 390);

	begin("stretches: the way in begins anew, the way out ends");
	at(110, true);
	at_of(500, WORK, ENTRY, TASK, 7, true, false);
	at_of(520, WORK, EXIT, TASK, 7, true, false);
	at(900, true);
	is_number(longest(STRETCH_IRQS), 20);

	begin("stretches: tasks that are not traced may have run before a switch");
	at_of(110, WORK, CALLER, TASK, 7, true, true);
	at_of(900, SWITCH, CALLER, TASK, 7, true, true);
	is_number(longest(STRETCH_IRQS), 0);
	is_number(longest(STRETCH_PREEMPT), 0);

	begin("stretches: two interrupts are two");
	at_of(100, WORK, CALLER, HARDIRQ, 7, true, false);
	at_of(110, WORK, CALLER, HARDIRQ, 7, true, false);
	at_of(900, WORK, ENTRY, HARDIRQ, 7, true, false);
	is_number(longest(STRETCH_IRQS), 10);

	begin("stretches: the idle task waits");
	at_of(110, WORK, CALLER, TASK, 0, true, true);
	at_of(900, WORK, CALLER, TASK, 0, true, true);
	is_number(longest(STRETCH_IRQS), 0);
	is_number(longest(STRETCH_PREEMPT), 0);

	begin("stretches: preemption stays off on an interrupt's way in and out");
	at_of(110, WORK, CALLER, TASK, 7, false, 1);
	at_of(120, WORK, ENTRY, TASK, 7, true, 1);
	at_of(130, WORK, EXIT, TASK, 7, true, 1);
	at_of(300, WORK, CALLER, TASK, 7, false, 1);
	at_of(310, WORK, USER, TASK, 7, false, 1);
	at_of(900, WORK, CALLER, TASK, 7, false, 1);
	is_number(longest(STRETCH_PREEMPT), 190);

	begin("stretches: preemption off, with interrupts in between");
	at_of(110, WORK, CALLER, TASK, 7, false, true);
	at_of(120, WORK, ENTRY, HARDIRQ, 7, true, 1);
	at_of(300, WORK, CALLER, TASK, 7, false, true);
	at_of(400, WORK, CALLER, TASK, 7, false, false);
	is_number(longest(STRETCH_PREEMPT), 190);

	begin("stretches: an unlock inside another section does not turn preemption on");
	at_of(110, WORK, CALLER, TASK, 7, false, 1);
	at_of(120, UNLOCK, CALLER, TASK, 7, false, 2);
	at_of(300, WORK, CALLER, TASK, 7, false, 1);
	at_of(310, UNLOCK, CALLER, TASK, 7, false, 1);
	at_of(900, WORK, CALLER, TASK, 7, false, 1);
	is_number(longest(STRETCH_PREEMPT), 200);

	begin("stretches: nothing is known across missing hits");
	at(110, true);
	stretches_end(&s);
	at(500, true);
	is_number(longest(STRETCH_IRQS), 0);

	begin("stretches: those of one caller are counted, and the longest is kept");
	for (i = 1; i <= 3; i++) {
		at(1000 * i, true);
		at(1000 * i + 10 * (i % 3), true);
		at(1000 * i + 500, false);
	}
	is_number(longest(STRETCH_IRQS), 20);
	is_number(s.nr[STRETCH_IRQS], 1);
	is_number(s.longest[STRETCH_IRQS][0].count, 2);

	begin("stretches: with a limit, those that reach it are counted");
	s.limit[STRETCH_IRQS] = 15;
	for (i = 1; i <= 5; i++) {
		at(1000 * i, true);
		at(1000 * i + 5 * i, true);
		at(1000 * i + 500, false);
	}
	is_number(longest(STRETCH_IRQS), 25);
	is_number(s.longest[STRETCH_IRQS][0].count, 3);

	begin("stretches: an interrupt that sees no count ends one with preemption off");
	at_of(110, WORK, CALLER, TASK, 7, false, 1);
	at_of(120, WORK, CALLER, TASK, 7, false, 1);
	at_of(130, WORK, ENTRY, HARDIRQ, 7, true, 0);
	at_of(900, WORK, CALLER, TASK, 7, false, 1);
	is_number(longest(STRETCH_PREEMPT), 10);

	begin("stretches: a task's call ends those of interrupts");
	at_of(100, WORK, CALLER, HARDIRQ, 7, true, 0);
	at_of(110, WORK, CALLER, HARDIRQ, 7, true, 0);
	at(120, false);
	at_of(900, WORK, CALLER, HARDIRQ, 7, true, 0);
	is_number(longest(STRETCH_IRQS), 10);

	begin("stretches: a softirq cannot be preempted");
	at_of(100, WORK, CALLER, NESTRACE_SLOT_SOFTIRQ, 7, false, 0);
	at_of(140, WORK, CALLER, NESTRACE_SLOT_SOFTIRQ, 7, false, 0);
	is_number(longest(STRETCH_PREEMPT), 40);

	begin("stretches: nor does a timer's interrupt end a softirq, but another row of softirqs begins anew");
	at_of(100, WORK, CALLER, NESTRACE_SLOT_SOFTIRQ, 7, false, 0);
	at_of(120, WORK, ENTRY, NESTRACE_SLOT_SOFTIRQ, 7, true, 0);
	at_of(130, WORK, CALLER, HARDIRQ, 7, true, 0);
	at_of(140, WORK, EXIT, NESTRACE_SLOT_SOFTIRQ, 7, true, 0);
	at_of(150, WORK, CALLER, NESTRACE_SLOT_SOFTIRQ, 7, false, 0);
	at_of(900, WORK, SOFTIRQS, NESTRACE_SLOT_SOFTIRQ, 7, false, 0);
	is_number(longest(STRETCH_PREEMPT), 50);

	begin("stretches: an interrupt of a section with softirqs off sees that");
	{
		struct stretch_hit hit = { .ts = 100, .ip = WORK, .parent_ip = CALLER, .pid = 7, .bh_off = true };

		stretches_take(&s, &traits, &hit);
		hit.slot = HARDIRQ;
		hit.irqs_off = true;
		stretches_take(&s, &traits, &hit);
		hit.slot = TASK;
		hit.ts = 170;
		stretches_take(&s, &traits, &hit);
	}
	is_number(longest(STRETCH_PREEMPT), 70);

	begin("stretches: the longest stay");
	for (i = 0; i < 2 * STRETCHES_KEPT; i++) {
		at_of(10000 * i + 1, WORK + 0x1000 * i, CALLER, TASK, 7, true, false);
		at_of(10000 * i + 1 + (i ^ 5) + 1, WORK + 0x1000 * i, CALLER, TASK, 7, true, false);
		at(10000 * i + 5000, false);
	}
	is_number(longest(STRETCH_IRQS), 2 * STRETCHES_KEPT);
	is_number(s.nr[STRETCH_IRQS], STRETCHES_KEPT);
	function_traits_free(&traits);
	spec_end();
	return !!specs_failed;
}
