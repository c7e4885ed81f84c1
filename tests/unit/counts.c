// SPDX-License-Identifier: GPL-2.0
/*
 * The counting hook and its tables, built in userspace from the module's own sources. Threads
 * are CPUs, nested signals are their interrupts. Functions of a module that comes and goes share
 * their addresses with those of the next one. Its loading retires their counts.
 *   counts SECONDS SEED [small]
 * The test counts each call itself, and compares. With small the tables are too
 * small for all functions: then each call is counted or lost.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "counts.h"
#include "fetch.h"
#include "session.h"
#include "stack.h"
#include "thread_cpus.h"

/* no session here records stacks or arguments */
void nt_arch_walk(const struct pt_regs *entry, unsigned long ip, struct nt_stack *stack, u32 max)
{
}

void nt_fetch(const struct nt_program *p, const struct pt_regs *entry, enum nestrace_slot slot, struct nt_args *to)
{
}

bool nt_fetch_call_passes(const struct nt_program *p, const struct pt_regs *entry, enum nestrace_slot slot)
{
	return true;
}

bool nt_fetch_return_passes(const struct nt_program *p, u64 retval, enum nestrace_slot slot)
{
	return true;
}

#define CPUS		2
#define FUNCTIONS	600	/* of the kernel */
#define OF_MODULE	40	/* after them */
#define SLOTS		3	/* task, hardirq and nmi */
#define EPOCHS		4096

static const enum nestrace_slot slots[SLOTS] = {
	NESTRACE_SLOT_TASK, NESTRACE_SLOT_HARDIRQ, NESTRACE_SLOT_NMI,
};
static unsigned int epoch = 1;		/* of the module; even: there is none */

static struct cpu {
	pthread_t thread;
	unsigned int seed;
	unsigned int epoch;		/* as the task saw it */
	u64 rounds;
	u64 made[FUNCTIONS][SLOTS];
	u64 made_in_module[EPOCHS];
} cpus[CPUS];

void unit_taking(void)
{
}

void nt_test_traced(void)
{
}

static u64 ip_of(unsigned int function)
{
	return 0xffffffff81000000ULL + function * 16;
}

static void call(unsigned int slot)
{
	struct cpu *c = &cpus[this_cpu];
	/* from the calls made so far: an interrupt shares no other state */
	unsigned int function = (c->made[0][slot] * 2654435761U >> 7) % (FUNCTIONS + OF_MODULE);

	nt_local_inc(&c->made[0][slot]);
	session.hook.ops.func(ip_of(0), 0, &session.hook.ops, NULL);
	if (!function)
		return;
	if (function < FUNCTIONS)
		nt_local_inc(&c->made[function][slot]);
	else if (c->epoch % 2)
		nt_local_inc(&c->made_in_module[c->epoch]);
	else
		return;
	session.hook.ops.func(ip_of(function), 0, &session.hook.ops, NULL);
}

static void on_interrupt(int sig)
{
	unsigned long sp = current_stack_pointer, flags = irq_flags;
	unsigned int count = __preempt_count;
	bool nmi = sig == SIGUSR2;

	if (this_cpu < 0 || count & NMI_MASK || (!nmi && count & HARDIRQ_MASK))
		return;
	irq_flags = 0;
	current_stack_pointer = nmi ? nt_stacks.exceptions + 0x3100 : nt_stacks.irq + 0x3000;
	__preempt_count += nmi ? NMI_OFFSET + HARDIRQ_OFFSET : HARDIRQ_OFFSET;
	call(nmi ? 2 : 1);
	__preempt_count = count;
	current_stack_pointer = sp;
	irq_flags = flags;
}

/* Called where an entry is about to be taken: interrupt exactly here. */
void unit_counting(void)
{
	sigset_t all, old;

	if (this_cpu < 0 || __preempt_count & NMI_MASK || rand_r(&cpus[this_cpu].seed) % 4)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	on_interrupt(SIGUSR2);
	on_interrupt(SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void *cpu_thread(void *arg)
{
	struct cpu *c = arg;
	sigset_t set;

	current = &tasks[c - cpus];
	current->stack = (void *)0x700000UL;
	current_stack_pointer = 0x702000UL;
	nt_stacks.irq = 0x100000UL;
	nt_stacks.exceptions = 0x200000UL;
	__atomic_store_n(&this_cpu, c - cpus, __ATOMIC_RELEASE);
	sigemptyset(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
		__atomic_store_n(&c->epoch, __atomic_load_n(&epoch, __ATOMIC_ACQUIRE), __ATOMIC_RELAXED);
		call(0);
		__atomic_store_n(&c->rounds, c->rounds + 1, __ATOMIC_RELEASE);
	}
	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	return NULL;
}

static void *interrupter(void *arg)
{
	unsigned int i = 0;

	while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
		pthread_kill(cpus[i % CPUS].thread, i / CPUS % 3 ? SIGUSR1 : SIGUSR2);
		i++;
		usleep(10);
	}
	return NULL;
}

/* Wait until each CPU has begun a round after this call. */
static void synchronize(void)
{
	u64 rounds;
	int i;

	for (i = 0; i < CPUS; i++) {
		rounds = __atomic_load_n(&cpus[i].rounds, __ATOMIC_ACQUIRE);
		while (__atomic_load_n(&cpus[i].rounds, __ATOMIC_ACQUIRE) < rounds + 2)
			sched_yield();
	}
}

static u64 counted[CPUS][FUNCTIONS + OF_MODULE][NESTRACE_NR_SLOTS], counted_in_module[EPOCHS];

/* Read all counts; with @keep, for the comparison. Return: the moves. */
static u32 read_all(bool keep)
{
	struct nestrace_count part[50], *n;
	struct nestrace_counts arg;
	unsigned int function;
	u32 moves = 0;
	int cpu;

	for (cpu = -1; cpu < CPUS; cpu++) {
		arg = (struct nestrace_counts){
			.flags = cpu < 0 ? NESTRACE_COUNTS_GONE : 0,
			.cpu = cpu < 0 ? 0 : cpu,
		};
		for (;;) {
			arg.nr = 50;
			nt_counts_read(&session, &arg, part);
			moves = arg.moves;
			if (!arg.nr)
				break;
			for (n = part; n < part + arg.nr; n++) {
				function = (n->ip - ip_of(0)) / 16;
				if (n->ip != ip_of(function) || function >= FUNCTIONS + OF_MODULE ||
				    n->slot >= NESTRACE_NR_SLOTS || !n->until != (cpu >= 0)) {
					FAIL("an unexpected entry: %llx", (unsigned long long)n->ip);
					continue;
				}
				if (keep && function >= FUNCTIONS)
					counted_in_module[n->until ?: epoch] += n->calls;
				else if (keep && cpu >= 0)
					counted[cpu][function][n->slot] += n->calls;
			}
		}
	}
	return moves;
}

/* Compare what was counted on a CPU. Return: the calls that its table had no room for. */
static u64 compare(int cpu, u64 *made, u64 *found)
{
	unsigned int function, slot;
	u64 lost = 0;

	for (slot = 0; slot < SLOTS; slot++) {
		lost += rings[cpu].slot[slots[slot]].full;
		for (function = 0; function < FUNCTIONS; function++) {
			*made += cpus[cpu].made[function][slot];
			*found += counted[cpu][function][slots[slot]];
			if (counted[cpu][function][slots[slot]] > cpus[cpu].made[function][slot] ||
			    (!lost && counted[cpu][function][slots[slot]] != cpus[cpu].made[function][slot]))
				FAIL("function %u, slot %u: %llu calls, %llu counted", function, slots[slot],
				     (unsigned long long)cpus[cpu].made[function][slot],
				     (unsigned long long)counted[cpu][function][slots[slot]]);
		}
	}
	return lost;
}

int main(int argc, char **argv)
{
	bool small = argc > 3;
	size_t bytes = small ? 4096 : 65536;
	u64 end, made = 0, found = 0, lost = 0;
	struct sigaction sa = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };
	const struct nt_text text = { .start = ip_of(FUNCTIONS), .size = OF_MODULE * 16 };
	unsigned int i, e;
	pthread_t other;

	sigaddset(&sa.sa_mask, SIGUSR1);
	sigaction(SIGUSR2, &sa, NULL);
	sigemptyset(&sa.sa_mask);
	sigaction(SIGUSR1, &sa, NULL);
	nt_counts_gone_init(&session.gone);
	session.hook.rings = rings;
	session.hook.counts = true;
	session.hook.ops.func = nt_hook_func(&session.hook, false);
	end = unit_ns() + atoi(argv[1]) * 1000000000ULL;
	for (i = 0; i < CPUS; i++) {
		nt_counts_init(&rings[i].counts, calloc(1, bytes), bytes);
		cpus[i].seed = atoi(argv[2]) * 100 + i;
		pthread_create(&cpus[i].thread, NULL, cpu_thread, &cpus[i]);
	}
	pthread_create(&other, NULL, interrupter, NULL);
	while (unit_ns() < end && epoch + 3 < EPOCHS) {
		usleep(500);
		read_all(false);
		/* the module goes, and another one comes */
		__atomic_store_n(&epoch, epoch + 1, __ATOMIC_RELEASE);
		synchronize();
		nt_counts_retire(&session, &text, epoch - 1);
		__atomic_store_n(&epoch, epoch + 1, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&running, false, __ATOMIC_RELAXED);
	for (i = 0; i < CPUS; i++)
		pthread_join(cpus[i].thread, NULL);
	pthread_join(other, NULL);

	/* without room, the module may never have had an entry */
	if (read_all(true) < 2 && !small)
		FAIL("no counts were retired");
	for (i = 0; i < CPUS; i++)
		lost += compare(i, &made, &found);
	for (e = 0; e < EPOCHS; e++) {
		u64 made_here = 0;

		for (i = 0; i < CPUS; i++)
			made_here += cpus[i].made_in_module[e];
		made += made_here;
		found += counted_in_module[e];
		if (counted_in_module[e] > made_here || (!lost && counted_in_module[e] != made_here))
			FAIL("module %u: %llu calls, %llu counted", e, (unsigned long long)made_here,
			     (unsigned long long)counted_in_module[e]);
	}
	if (made != found + lost)
		FAIL("%llu calls, %llu counted and %llu lost", (unsigned long long)made,
		     (unsigned long long)found, (unsigned long long)lost);
	if (!lost == small)
		FAIL("%llu calls are lost", (unsigned long long)lost);
	printf("# %llu calls, %llu lost, %u modules\n", (unsigned long long)made,
	       (unsigned long long)lost, epoch / 2);
	nt_counts_gone_free(&session.gone);
	return failures != 0;
}
