/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kinds of events. Each make_*() makes @nr events, whose numbers begin with @first and are
 * their ip. Where events are recorded, another function checks that.
 */
#ifndef NT_BENCH_H
#define NT_BENCH_H

#include <stdbool.h>
#include <stdint.h>

/* plain.c */
void make_memcpy(uint64_t first, uint64_t nr);
void make_rdtsc(uint64_t first, uint64_t nr);
void make_memcpy_rdtsc(uint64_t first, uint64_t nr);
void make_clock_gettime(uint64_t first, uint64_t nr);

#define THREADS_MAX	2

/* nestrace.c */
/* Return: false if memory is short. */
bool nestrace_init(unsigned long ring_size);
/* This thread is CPU @cpu, below THREADS_MAX. */
void nestrace_cpu(unsigned int cpu);
void make_nestrace_untimed(uint64_t first, uint64_t nr);
void make_sched_clock(uint64_t first, uint64_t nr);
void make_nestrace_tsc(uint64_t first, uint64_t nr);
void make_nestrace_global(uint64_t first, uint64_t nr);
void make_nestrace_lock(uint64_t first, uint64_t nr);
/* Return: true if each ring of @cpu has all of @made events. */
bool nestrace_recorded(unsigned int cpu, uint64_t made);

/* lttng.c */
bool lttng_enabled(void);
void make_lttng(uint64_t first, uint64_t nr);

/* The size of each ring; tests/bench/userspace/run gives LTTng the same. */
#define RING_SIZE	(1UL << 20)

#endif
