// SPDX-License-Identifier: GPL-2.0
/*
 * Measure the nanoseconds per event of nestrace's hook, of LTTng-UST's tracepoint, and of the
 * operations that both need, on one CPU and on two at once, in turns:
 *   bench ROUNDS EVENTS      ROUNDS rounds of EVENTS events of each kind
 * Exit status: MISSED if a hit takes longer than promised, which the table then shows.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

#define ROUNDS_MAX	1001
#define EVENTS_MIN	10000
#define MISSED		3

enum { MEMCPY, RDTSC, MEMCPY_RDTSC, SCHED_CLOCK, CLOCK_GETTIME, UNTIMED, TSC, GLOBAL, LOCK, LTTNG,
       NR_KINDS };

static struct kind {
	const char *name;
	void (*make)(uint64_t first, uint64_t nr);
	/* by the number of threads, less one; then by round */
	double ns[THREADS_MAX][ROUNDS_MAX], median[THREADS_MAX];
} kinds[NR_KINDS] = {
	[MEMCPY] = { "memcpy of the record", make_memcpy },
	[RDTSC] = { "rdtsc", make_rdtsc },
	[MEMCPY_RDTSC] = { "memcpy and rdtsc", make_memcpy_rdtsc },
	[SCHED_CLOCK] = { "sched_clock()", make_sched_clock },
	[CLOCK_GETTIME] = { "clock_gettime()", make_clock_gettime },
	[UNTIMED] = { "nestrace without a clock", make_nestrace_untimed },
	[TSC] = { "nestrace, clock tsc", make_nestrace_tsc },
	[GLOBAL] = { "nestrace, clock global", make_nestrace_global },
	[LOCK] = { "nestrace, global by lock", make_nestrace_lock },
	[LTTNG] = { "LTTng-UST", make_lttng },
};

static struct thread {
	pthread_t id;
	unsigned int nr;
	int cpu;
	uint64_t made;		/* events of each kind so far */
	double ns;		/* of an event, in the current turn */
} threads[THREADS_MAX];

static pthread_barrier_t both;
static struct kind *turn;	/* what both threads make; NULL: they end */
static long events;

/* Return the CPU time of this thread. Nothing here waits. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void make(struct thread *t, struct kind *k, uint64_t first)
{
	uint64_t start = cpu_ns();

	k->make(first, events);
	t->ns = (double)(cpu_ns() - start) / events;
}

/* Find the last allowed CPUs: the first gets more interrupts. Return: how many, THREADS_MAX at most. */
static unsigned int find_cpus(void)
{
	unsigned int nr = 0;
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 0;
	for (cpu = CPU_SETSIZE - 1; cpu >= 0 && nr < THREADS_MAX; cpu--)
		if (CPU_ISSET(cpu, &set))
			threads[nr++].cpu = cpu;
	return nr;
}

static void begin(struct thread *t)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(t->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("bench: cannot stay on one CPU");
		exit(1);
	}
	nestrace_cpu(t->nr);
}

/* The second thread: make what the first one makes, at the same time. */
static void *second(void *arg)
{
	struct thread *t = arg;

	begin(t);
	for (;;) {
		pthread_barrier_wait(&both);
		if (!turn)
			return NULL;
		make(t, turn, t->made);
		pthread_barrier_wait(&both);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void table(void)
{
	struct kind *k;

	printf("                                 1 thread                  2 threads\n");
	printf("ns per event, medians       ns  of LTTng-UST       ns  of LTTng-UST  of 1 thread\n");
	for (k = kinds; k < kinds + NR_KINDS; k++) {
		printf("%-24s %5.1f %13.2f ", k->name, k->median[0], k->median[0] / kinds[LTTNG].median[0]);
		if (threads[1].nr)
			printf(" %7.1f %13.2f %12.2f", k->median[1], k->median[1] / kinds[LTTNG].median[1],
			       k->median[1] / k->median[0]);
		printf("\n");
	}
}

static bool promise(const char *name, const char *what, double is, double most)
{
	printf("%s: %.2f %s, promised at most %.2f: %s\n", name, is, what, most,
	       is <= most ? "met" : "missed");
	return is <= most;
}

/* Compare the measured cost of @k with the promised one. Return: true if it is as promised. */
static bool verdict(struct kind *k)
{
	bool met = promise(k->name, "of LTTng-UST", k->median[0] / kinds[LTTNG].median[0], 0.25);

	if (!threads[1].nr)
		return met;
	met &= promise(k->name, "of LTTng-UST, 2 threads", k->median[1] / kinds[LTTNG].median[1], 0.25);
	met &= promise(k->name, "of 1 thread, 2 threads", k->median[1] / k->median[0], 1.3);
	return met;
}

/* Events of @k on one CPU, and then, if there are two, on both at once. */
static void measure(struct kind *k, int round)
{
	/* the number of events that every kind has made before in this round is the same */
	uint64_t first = threads[0].made;

	make(&threads[0], k, first);
	k->ns[0][round] = threads[0].ns;
	if (!threads[1].nr)
		return;
	turn = k;
	pthread_barrier_wait(&both);
	make(&threads[0], k, first + events);
	pthread_barrier_wait(&both);
	k->ns[1][round] = (threads[0].ns + threads[1].ns) / 2;
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[1]) : 0, round, i;
	unsigned int nr_threads;
	struct kind *k;
	bool met;

	events = argc == 3 ? atol(argv[2]) : 0;
	if (rounds < 1 || rounds > ROUNDS_MAX || events < EVENTS_MIN) {
		fprintf(stderr, "usage: bench ROUNDS EVENTS, up to %d rounds of %d or more events\n",
			ROUNDS_MAX, EVENTS_MIN);
		return 2;
	}
	nr_threads = find_cpus();
	if (!nr_threads || !nestrace_init(RING_SIZE)) {
		fprintf(stderr, "bench: no CPU that is allowed, or not enough memory\n");
		return 1;
	}
	if (!lttng_enabled()) {
		fprintf(stderr, "bench: LTTng's tracepoint is not enabled; start a session for it\n");
		return 1;
	}
	begin(&threads[0]);
	threads[1].nr = nr_threads - 1;
	pthread_barrier_init(&both, NULL, THREADS_MAX);
	if (threads[1].nr && pthread_create(&threads[1].id, NULL, second, &threads[1])) {
		perror("bench: cannot create a thread");
		return 1;
	}

	for (round = 0; round < rounds; round++) {
		/* each kind starts a round once in a while */
		for (i = 0; i < NR_KINDS; i++)
			measure(&kinds[(i + round) % NR_KINDS], round);
		threads[0].made += nr_threads * events;
		threads[1].made += events;
	}
	turn = NULL;
	if (threads[1].nr) {
		pthread_barrier_wait(&both);
		pthread_join(threads[1].id, NULL);
	}
	for (i = 0; i < (int)nr_threads; i++)
		if (!nestrace_recorded(i, threads[i].made))
			return 1;

	for (k = kinds; k < kinds + NR_KINDS; k++) {
		for (i = 0; i < (int)nr_threads; i++) {
			qsort(k->ns[i], rounds, sizeof(k->ns[i][0]), by_value);
			k->median[i] = k->ns[i][rounds / 2];
		}
	}
	printf("CPU %d", threads[0].cpu);
	if (threads[1].nr)
		printf(" and CPU %d", threads[1].cpu);
	printf(", %d rounds of %ld events, rings of %lu KiB that overwrite\n", rounds, events,
	       RING_SIZE >> 10);
	table();
	met = verdict(&kinds[TSC]);
	met &= verdict(&kinds[GLOBAL]);
	return met ? 0 : MISSED;
}
