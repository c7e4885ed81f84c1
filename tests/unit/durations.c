// SPDX-License-Identifier: GPL-2.0
/* How long functions took: userspace/output/durations.c. */
#include "lib/reader.h"
#include "output/durations.h"
#include "spec.h"

enum { F = 0x1000, G = 0x2000, H = 0x3000, IRQ = 0x4000 };

static struct durations d;
static struct duration_times times;
static int pid;
static unsigned int cpu;
static uint64_t depth;
static struct source from;
static unsigned int instance;	/* the first source of it */

static void begin(const char *name)
{
	spec(name);
	durations_free(&d);
	memset(&d, 0, sizeof(d));
	pid = 7;
	cpu = 0;
	depth = 0;
	memset(&from, 0, sizeof(from));
}

static struct hit event(uint64_t ts, uint64_t ip, unsigned int slot)
{
	return (struct hit){ .ts = ts, .ip = ip, .pid = pid, .slot = slot, .is_hit = true };
}

static void enter_in(unsigned int slot, uint64_t ts, uint64_t ip)
{
	const struct open_call *below;
	struct hit hit = event(ts, ip, slot);

	from.cpu = cpu;
	from.nr = instance + cpu;
	durations_entry(&d, &from, &hit, depth++, &below);
}

static void leave_in(unsigned int slot, uint64_t ts, uint64_t ip)
{
	struct hit hit = event(ts, ip, slot);

	from.cpu = cpu;
	from.nr = instance + cpu;
	durations_exit(&d, &from, &hit, --depth, DURATION_BY_TIMES, &times);
}

static void enter(uint64_t ts, uint64_t ip)
{
	enter_in(NESTRACE_SLOT_TASK, ts, ip);
}

static void leave(uint64_t ts, uint64_t ip)
{
	leave_in(NESTRACE_SLOT_TASK, ts, ip);
}

static const struct duration *of(uint64_t ip, unsigned int slot)
{
	static const struct duration none;
	size_t i;

	for (i = 0; i < d.size; i++)
		if (d.entry[i].ip == ip && d.entry[i].slot == slot)
			return &d.entry[i];
	return &none;
}

/* Expect these numbers of a function. */
static void took(uint64_t ip, unsigned int slot, uint64_t calls, uint64_t total, uint64_t self)
{
	is_number(of(ip, slot)->calls, calls);
	is_number(of(ip, slot)->total, total);
	is_number(of(ip, slot)->self, self);
}

/* Expect that each entry is counted once. */
static void all_are_counted(void)
{
	uint64_t calls = 0;
	size_t i;

	durations_end(&d);
	for (i = 0; i < d.size; i++)
		calls += d.entry[i].calls;
	is_number(calls + d.inside + d.broken, d.entries);
}

int main(void)
{
	struct hit hit;
	uint64_t i, range;

	begin("durations: a call takes the time until its return");
	enter(100, F);
	leave(130, F);
	took(F, NESTRACE_SLOT_TASK, 1, 30, 30);
	all_are_counted();

	begin("durations: the total of a function has what it called, its self time has not");
	enter(100, F);
	enter(110, G);
	enter(115, H);
	leave(120, H);
	leave(130, G);
	enter(140, G);
	leave(145, G);
	leave(200, F);
	took(F, NESTRACE_SLOT_TASK, 1, 100, 75);
	took(G, NESTRACE_SLOT_TASK, 2, 25, 20);
	took(H, NESTRACE_SLOT_TASK, 1, 5, 5);
	is_number(of(G, NESTRACE_SLOT_TASK)->max, 20);
	all_are_counted();

	begin("durations: what the kernel says of a return counts, not the times of the events");
	enter(100, F);
	hit = event(200, F, NESTRACE_SLOT_TASK);
	durations_exit(&d, &from, &hit, 0, 60, &times);
	took(F, NESTRACE_SLOT_TASK, 1, 60, 60);

	begin("durations: an interrupt is not charged to what it interrupted");
	enter(100, F);
	enter(110, G);
	enter_in(NESTRACE_SLOT_HARDIRQ, 120, IRQ);
	enter_in(NESTRACE_SLOT_NMI, 130, H);
	leave_in(NESTRACE_SLOT_NMI, 140, H);
	leave_in(NESTRACE_SLOT_HARDIRQ, 170, IRQ);
	leave(200, G);
	leave(210, F);
	took(F, NESTRACE_SLOT_TASK, 1, 60, 20);
	took(G, NESTRACE_SLOT_TASK, 1, 40, 40);
	took(IRQ, NESTRACE_SLOT_HARDIRQ, 1, 40, 40);
	took(H, NESTRACE_SLOT_NMI, 1, 10, 10);
	all_are_counted();

	begin("durations: an interrupt ends no call, even where the kernel says that it is no deeper");
	enter(100, F);
	depth--;
	enter_in(NESTRACE_SLOT_HARDIRQ, 110, IRQ);
	leave_in(NESTRACE_SLOT_HARDIRQ, 115, IRQ);
	enter_in(NESTRACE_SLOT_HARDIRQ, 116, F);
	leave_in(NESTRACE_SLOT_HARDIRQ, 117, F);
	depth++;
	leave(130, F);
	took(F, NESTRACE_SLOT_TASK, 1, 24, 24);
	took(F, NESTRACE_SLOT_HARDIRQ, 1, 1, 1);
	took(IRQ, NESTRACE_SLOT_HARDIRQ, 1, 5, 5);
	is_number(d.broken + d.headless, 0);
	all_are_counted();

	begin("durations: a function in each context has its own numbers");
	enter(100, F);
	enter_in(NESTRACE_SLOT_HARDIRQ, 110, F);
	leave_in(NESTRACE_SLOT_HARDIRQ, 115, F);
	leave(130, F);
	took(F, NESTRACE_SLOT_TASK, 1, 25, 25);
	took(F, NESTRACE_SLOT_HARDIRQ, 1, 5, 5);

	begin("durations: what an interrupt calls after it counts as one no more is still its own");
	enter(100, F);
	enter_in(NESTRACE_SLOT_HARDIRQ, 110, IRQ);
	enter_in(NESTRACE_SLOT_TASK, 120, G);
	enter_in(NESTRACE_SLOT_SOFTIRQ, 122, H);
	leave_in(NESTRACE_SLOT_SOFTIRQ, 126, H);
	leave_in(NESTRACE_SLOT_TASK, 130, G);
	leave_in(NESTRACE_SLOT_TASK, 140, IRQ);
	leave(150, F);
	took(F, NESTRACE_SLOT_TASK, 1, 20, 20);
	took(IRQ, NESTRACE_SLOT_HARDIRQ, 1, 30, 20);
	took(G, NESTRACE_SLOT_HARDIRQ, 1, 10, 6);
	took(H, NESTRACE_SLOT_SOFTIRQ, 1, 4, 4);
	all_are_counted();

	begin("durations: a task takes its calls to another CPU, the idle tasks do not");
	enter(100, F);
	cpu = 1;
	leave(150, F);
	pid = 0;
	enter(160, G);
	cpu = 0;
	depth = 0;
	enter(161, G);
	leave(163, G);
	cpu = 1;
	depth = 1;
	leave(170, G);
	took(F, NESTRACE_SLOT_TASK, 1, 50, 50);
	took(G, NESTRACE_SLOT_TASK, 2, 12, 12);

	begin("durations: a recursive function is on the stack several times");
	enter(100, F);
	enter(110, F);
	leave(120, F);
	leave(140, F);
	took(F, NESTRACE_SLOT_TASK, 2, 50, 40);

	begin("durations: calls that began before, or have not returned, are counted as such");
	depth = 1;
	leave(90, G);
	enter(100, F);
	enter(110, G);
	all_are_counted();
	is_number(d.headless, 1);
	is_number(d.inside, 2);

	begin("durations: where returns are missing, the calls above have none");
	enter(100, F);
	enter(110, G);
	enter_in(NESTRACE_SLOT_HARDIRQ, 120, IRQ);
	leave_in(NESTRACE_SLOT_HARDIRQ, 130, IRQ);
	enter(135, H);
	depth = 1;
	leave(150, F);
	took(F, NESTRACE_SLOT_TASK, 1, 40, 40);
	is_number(d.broken, 2);
	all_are_counted();

	begin("durations: where a return and an entry are missing, the depth shows it");
	enter(100, F);
	enter(110, G);
	depth = 1;
	enter(150, H);
	leave(160, H);
	leave(200, F);
	took(F, NESTRACE_SLOT_TASK, 1, 100, 90);
	took(G, NESTRACE_SLOT_TASK, 0, 0, 0);
	is_number(d.broken, 1);
	all_are_counted();

	begin("durations: an interrupt whose return is missing is not the context of later calls");
	pid = 0;
	enter_in(NESTRACE_SLOT_HARDIRQ, 100, IRQ);
	depth = 0;
	enter(200, F);
	leave(230, F);
	took(F, NESTRACE_SLOT_TASK, 1, 30, 30);

	begin("durations: a hardirq in a softirq at the end of a hardirq is not charged to the softirq");
	enter_in(NESTRACE_SLOT_HARDIRQ, 100, IRQ);
	enter_in(NESTRACE_SLOT_TASK, 110, G);
	enter_in(NESTRACE_SLOT_SOFTIRQ, 120, H);
	enter_in(NESTRACE_SLOT_HARDIRQ, 130, F);
	leave_in(NESTRACE_SLOT_HARDIRQ, 170, F);
	leave_in(NESTRACE_SLOT_SOFTIRQ, 180, H);
	leave_in(NESTRACE_SLOT_TASK, 190, G);
	leave_in(NESTRACE_SLOT_HARDIRQ, 200, IRQ);
	took(H, NESTRACE_SLOT_SOFTIRQ, 1, 20, 20);
	took(G, NESTRACE_SLOT_HARDIRQ, 1, 40, 20);
	took(IRQ, NESTRACE_SLOT_HARDIRQ, 1, 60, 20);
	took(F, NESTRACE_SLOT_HARDIRQ, 1, 40, 40);
	all_are_counted();

	begin("durations: the same pid in two instances has two stacks");
	enter(100, F);
	instance = 5;
	depth = 0;
	enter(110, F);
	leave(120, F);
	instance = 0;
	depth = 1;
	leave(130, F);
	took(F, NESTRACE_SLOT_TASK, 2, 40, 40);

	begin("durations: address 0 is a function as any other");
	for (i = 0; i < 3000; i++) {
		enter(10 * i, 0);
		leave(10 * i + 1, 0);
	}
	took(0, NESTRACE_SLOT_TASK, 3000, 3000, 3000);
	is_number(d.used, 1);

	begin("durations: a stack without end is cut");
	for (i = 0; i < 5000; i++)
		enter(i, F);
	for (i = 0; i < 5000; i++)
		leave(5000 + i, F);
	all_are_counted();
	is_number(d.broken, 5000 - 1024);

	begin("durations: the ranges follow each other and are narrow");
	for (range = 0; range + 1 < DURATIONS_RANGES; range++) {
		uint64_t start = durations_range_start(range), next = durations_range_start(range + 1);

		is_number(next > start, true);
		is_number(next - start == 1 || (next - start) * 32 <= start, true);
	}
	is_number(durations_range_start(0), 0);

	begin("durations: percentiles");
	for (i = 1; i <= 100; i++) {
		enter(1000 * i, F);
		leave(1000 * i + i, F);
	}
	is_number(duration_percentile(of(F, NESTRACE_SLOT_TASK), 50), 50);
	is_number(duration_percentile(of(F, NESTRACE_SLOT_TASK), 99), 99);
	is_number(duration_percentile(of(F, NESTRACE_SLOT_TASK), 100), 100);
	begin("durations: a percentile is no longer than the longest call");
	enter(0, F);
	leave(1000000007, F);
	is_number(duration_percentile(of(F, NESTRACE_SLOT_TASK), 50), 1000000007);
	begin("durations: the longest time that there is has a range");
	enter(0, F);
	hit = event(5, F, NESTRACE_SLOT_TASK);
	durations_exit(&d, &from, &hit, 0, UINT64_MAX - 1, &times);
	is_number(duration_percentile(of(F, NESTRACE_SLOT_TASK), 50), UINT64_MAX - 1);

	begin("durations: returns without entries");
	{
		struct hit g = event(300, G, 0), f = event(500, F, 0);

		is_number(durations_only_exit(&d, &from, &g, 1, 100, &times), 1);
		is_number(durations_only_exit(&d, &from, &f, 0, 400, &times), 1);
		is_number(times.total, 400);
		is_number(times.self, 300);
	}

	begin("durations: returns without entries, in which an interrupt came");
	{
		struct hit irq = event(300, IRQ, NESTRACE_SLOT_HARDIRQ), f = event(500, F, 0);

		durations_only_exit(&d, &from, &irq, 1, 100, &times);
		durations_only_exit(&d, &from, &f, 0, 400, &times);
		is_number(times.total, 300);
		is_number(times.self, 300);
	}

	begin("durations: a return of a later call, whose entry is missing, does not end an older one");
	{
		struct hit f = event(1000000, F, 0);

		d.exact = true;
		enter(100, F);
		is_number(durations_exit(&d, &from, &f, 0, 400, &times), 0);
		is_number(d.broken, 1);
		is_number(d.headless, 1);
		depth = 0;
		enter(3000000, F);
		f.ts = 3000400;
		is_number(durations_exit(&d, &from, &f, 0, 400, &times), 1);
		is_number(times.total, 400);
	}

	begin("durations: a depth or a time that cannot be is no call");
	{
		struct hit f = event(500, F, 0);

		is_number(durations_only_exit(&d, &from, &f, UINT64_MAX, 400, &times), 0);
		is_number(durations_only_exit(&d, &from, &f, UINT64_MAX - 1, 400, &times), 0);
		is_number(durations_only_exit(&d, &from, &f, 0, UINT64_MAX, &times), 0);
		is_number(d.broken, 3);
	}

	spec_end();
	return specs_failed != 0;
}
