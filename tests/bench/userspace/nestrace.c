// SPDX-License-Identifier: GPL-2.0
/*
 * The module's own way of a hit, in a task, into a ring that overwrites, with one hook per
 * clock. A thread is a CPU. It leaves out what is not in the module's sources: ftrace's
 * trampoline, and the return thunks of the kernel's mitigations.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "clock.h"
#include "rcu.h"
#include "hook.h"
#include "stack.h"

/* hook_more.c is left out: no hook here records returns */
void nt_hook_more(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		  struct ftrace_regs *fregs)
{
}

ftrace_func_t nt_hook_more_func(const struct nt_hook *h)
{
	return NULL;
}

/* hook.c once more, with a TSC that costs nothing; built by run */
ftrace_func_t nt_hook_func_untimed(const struct nt_hook *h, bool empty);

enum { GLOBAL, LOCK, TSC, UNTIMED, NR_HOOKS };

static struct nt_hook hooks[NR_HOOKS] = {
	[GLOBAL] = { .reader = NT_READER_GLOBAL_TSC, .ignored_mm = NT_NO_MM },
	[LOCK] = { .reader = NT_READER_GLOBAL_LOCK, .ignored_mm = NT_NO_MM },
	[TSC] = { .reader = NT_READER_TSC, .ignored_mm = NT_NO_MM },
	[UNTIMED] = { .reader = NT_READER_TSC, .ignored_mm = NT_NO_MM },
};
static struct nt_rings rings[THREADS_MAX][NR_HOOKS];
static struct nt_clock_order order;
static u32 cycles_mul;		/* ns are cycles * this >> 31 */

/* Return: the function that the module registers with ftrace for @h. */
static ftrace_func_t hook_func(const struct nt_hook *h)
{
	return h == &hooks[UNTIMED] ? nt_hook_func_untimed(h, false) : nt_hook_func(h, false);
}

__thread unsigned long this_cpu_off, irq_flags = 0x200;
__thread unsigned int __preempt_count = PREEMPT_NEED_RESCHED;
__thread struct task_struct *current;
__thread struct context_tracking context_tracking = { { RCU_DYNTICKS_IDX } };
DEFINE_PER_CPU(struct nt_stacks, nt_stacks);
enum nestrace_rcu_mode nt_rcu_mode;
struct nt_tsc nt_tsc = { .mask = ~0ULL };
DEFINE_PER_CPU(u64, nt_clock_mono_prev);

static struct task_struct tasks[THREADS_MAX] = { { .pid = 1 }, { .pid = 2 } };

/* The kernel keeps this for each CPU; bit 0 of the sequence count selects the factors. */
static __thread struct {
	struct {
		u32 mul, shift;
		u64 offset;
	} factors[2];
	u32 seq;
} cyc2ns;

/* The kernel's on x86 with a TSC: the cycles times a factor, with preemption off. */
u64 sched_clock(void)
{
	u64 cycles, ns;
	u32 seq;

	preempt_disable_notrace();
	cycles = rdtsc();
	do {
		seq = raw_cpu_read_4(cyc2ns.seq);
		ns = (u64)((unsigned __int128)cycles * cyc2ns.factors[seq & 1].mul >>
			   cyc2ns.factors[seq & 1].shift) + cyc2ns.factors[seq & 1].offset;
		barrier();
	} while (unlikely(seq != raw_cpu_read_4(cyc2ns.seq)));
	preempt_enable_notrace();
	return ns;
}

u64 nt_sched_clock_target(void)
{
	return sched_clock();
}

bool nestrace_init(unsigned long ring_size)
{
	u64 ns = unit_ns(), cycles = rdtsc(), passed;
	unsigned int cpu, i;

	do
		passed = unit_ns() - ns;
	while (passed < 20000000);
	cycles_mul = (passed << 31) / (rdtsc() - cycles);

	for (i = 0; i < NR_HOOKS; i++) {
		struct nt_hook *h = &hooks[i];

		h->rings = &rings[0][i];
		h->ops.func = hook_func(h);
		for (cpu = 0; cpu < THREADS_MAX; cpu++) {
			struct nt_ring *ring = &rings[cpu][i].slot[NESTRACE_SLOT_TASK];
			char *base = aligned_alloc(4096, ring_size);

			if (!base)
				return false;
			/* touch its pages before the first hit */
			memset(base, 0xff, ring_size);
			nt_ring_init(ring, base, ring_size, true);
			ring->order = &order;
		}
	}
	return true;
}

void nestrace_cpu(unsigned int cpu)
{
	this_cpu_off = sizeof(rings[0]) * cpu;
	cyc2ns.factors[0].shift = 31;
	cyc2ns.factors[0].mul = cycles_mul;
	/* the stack of the caller and what it calls, in the middle of what a task would have */
	tasks[cpu].stack = (void *)(current_stack_pointer - THREAD_SIZE / 2);
	current = &tasks[cpu];
}

void make_sched_clock(uint64_t first, uint64_t nr)
{
	while (nr--)
		asm volatile("" : : "r" (sched_clock()));
}

/* No hook here filters by pid. */
void of_this_cpu_inc(u64 *percpu)
{
	abort();
}

/* As from ftrace's trampoline: by an address. */
static __always_inline void make(struct nt_hook *h, u64 first, u64 nr)
{
	u64 ip;

	for (ip = first; ip < first + nr; ip++)
		((ftrace_func_t)READ_ONCE(h->ops.func))(ip << 4, first, &h->ops, NULL);
}

void make_nestrace_tsc(uint64_t first, uint64_t nr)
{
	make(&hooks[TSC], first, nr);
}

void make_nestrace_global(uint64_t first, uint64_t nr)
{
	make(&hooks[GLOBAL], first, nr);
}

void make_nestrace_lock(uint64_t first, uint64_t nr)
{
	make(&hooks[LOCK], first, nr);
}

void make_nestrace_untimed(uint64_t first, uint64_t nr)
{
	make(&hooks[UNTIMED], first, nr);
}

static const char *not_recorded(unsigned int cpu, struct nt_ring *ring, u64 made)
{
	struct nt_record last;

	if (ring->written != made)
		return "it did not write as many as were made";
	memcpy(&last, ring->base + ((ring->pos - sizeof(last)) & ring->mask), sizeof(last));
	if (last.event.ip != (made - 1) << 4 || last.event.pid != tasks[cpu].pid)
		return "the last record is not of the last event";
	if (ring->hits != made || ring->recursed || ring->full ||
	    ring->not_watching)
		return "its counters do not add up";
	return NULL;
}

bool nestrace_recorded(unsigned int cpu, uint64_t made)
{
	static const char * const words[] = { "clock global", "clock global by lock", "clock tsc", "no clock" };
	unsigned int i;
	const char *why;

	for (i = 0; i < NR_HOOKS; i++) {
		why = not_recorded(cpu, &rings[cpu][i].slot[NESTRACE_SLOT_TASK], made);
		if (!why)
			continue;
		fprintf(stderr, "bench: nestrace, %s: %s\n", words[i], why);
		return false;
	}
	return true;
}
