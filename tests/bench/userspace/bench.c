// SPDX-License-Identifier: GPL-2.0
/*
 * Measure the nanoseconds per event of nestrace's hook, of LTTng-UST's tracepoint, and of the
 * operations that both need, on one CPU and in turns:
 *   bench ROUNDS EVENTS      ROUNDS rounds of EVENTS events of each kind
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

#define ROUNDS_MAX	1001
#define EVENTS_MIN	10000

enum { MEMCPY, RDTSC, MEMCPY_RDTSC, SCHED_CLOCK, CLOCK_GETTIME, UNTIMED, TSC, GLOBAL, LTTNG, NR_KINDS };

static struct kind {
	const char *name;
	void (*make)(uint64_t first, uint64_t nr);
	double ns[ROUNDS_MAX], median;
} kinds[NR_KINDS] = {
	[MEMCPY] = { "memcpy of the record", make_memcpy },
	[RDTSC] = { "rdtsc", make_rdtsc },
	[MEMCPY_RDTSC] = { "memcpy and rdtsc", make_memcpy_rdtsc },
	[SCHED_CLOCK] = { "sched_clock()", make_sched_clock },
	[CLOCK_GETTIME] = { "clock_gettime()", make_clock_gettime },
	[UNTIMED] = { "nestrace without a clock", make_nestrace_untimed },
	[TSC] = { "nestrace, clock tsc", make_nestrace_tsc },
	[GLOBAL] = { "nestrace, clock global", make_nestrace_global },
	[LTTNG] = { "LTTng-UST", make_lttng },
};

/* Return the CPU time of this thread. Nothing here waits. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Move to the last allowed CPU: the first gets more interrupts. Return: the CPU, or -1. */
static int pin(void)
{
	cpu_set_t set;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	while (cpu >= 0 && !CPU_ISSET(cpu, &set))
		cpu--;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -1 : cpu;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void table(int rounds)
{
	struct kind *k;

	printf("                                              medians as multiples of\n");
	printf("ns per event              median  lowest  LTTng-UST  memcpy  memcpy and rdtsc\n");
	for (k = kinds; k < kinds + NR_KINDS; k++)
		printf("%-24s %7.1f %7.1f %10.2f %7.1f %17.2f\n", k->name, k->median, k->ns[0],
		       k->median / kinds[LTTNG].median, k->median / kinds[MEMCPY].median,
		       k->median / kinds[MEMCPY_RDTSC].median);
}

/* Compare the measured cost of @k with the promised one. */
static void verdict(struct kind *k)
{
	double lttng = k->median / kinds[LTTNG].median, copy = k->median / kinds[MEMCPY].median;

	printf("%s: %.2f of LTTng-UST (lowest: %.2f), promised at most 0.25: %s\n", k->name,
	       lttng, k->ns[0] / kinds[LTTNG].ns[0], lttng <= 0.25 ? "met" : "missed");
	printf("%s: %.1f times the memcpy, promised at most 3: %s\n", k->name, copy,
	       copy <= 3 ? "met" : "missed");
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[1]) : 0, cpu, round, i;
	long events = argc == 3 ? atol(argv[2]) : 0;
	struct kind *k;
	uint64_t start;

	if (rounds < 1 || rounds > ROUNDS_MAX || events < EVENTS_MIN) {
		fprintf(stderr, "usage: bench ROUNDS EVENTS, up to %d rounds of %d or more events\n",
			ROUNDS_MAX, EVENTS_MIN);
		return 2;
	}
	cpu = pin();
	if (cpu < 0) {
		perror("bench: cannot stay on one CPU");
		return 1;
	}
	if (!lttng_enabled()) {
		fprintf(stderr, "bench: LTTng's tracepoint is not enabled; start a session for it\n");
		return 1;
	}
	nestrace_init(RING_SIZE);

	for (round = 0; round < rounds; round++) {
		for (i = 0; i < NR_KINDS; i++) {
			/* each kind starts a round once in a while */
			k = &kinds[(i + round) % NR_KINDS];
			start = cpu_ns();
			k->make((uint64_t)round * events, events);
			k->ns[round] = (double)(cpu_ns() - start) / events;
		}
	}
	if (!nestrace_recorded((uint64_t)rounds * events))
		return 1;

	for (k = kinds; k < kinds + NR_KINDS; k++) {
		qsort(k->ns, rounds, sizeof(k->ns[0]), by_value);
		k->median = k->ns[rounds / 2];
	}
	printf("CPU %d, %d rounds of %ld events, rings of %lu KiB that overwrite\n", cpu, rounds,
	       events, RING_SIZE >> 10);
	table(rounds);
	verdict(&kinds[TSC]);
	verdict(&kinds[GLOBAL]);
	if (kinds[RDTSC].median > 3 * kinds[MEMCPY].median)
		printf("no event with a TSC can do that on this CPU: rdtsc itself takes %.1f times the memcpy\n",
		       kinds[RDTSC].median / kinds[MEMCPY].median);
	return 0;
}
