/* SPDX-License-Identifier: GPL-2.0 */
/* The hits of a trace file, all CPUs merged by time, a chunk of each in memory. */
#ifndef HITS_H
#define HITS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "nestrace.h"
#include "subbuf.h"
#include "tracedat.h"
#include "uapi/nestrace.h"

struct tep_event_filter;
struct tep_handle;

/* What is wanted; of each kind any that is given, and all kinds that are. */
struct wanted {
	unsigned int *cpus, nr_cpus;
	int *pids;
	unsigned int nr_pids;
	const char **comms;
	unsigned int nr_comms;
	uint32_t slots;			/* a bit for each; 0: all */
	const char **filters;		/* in libtraceevent's language */
	unsigned int nr_filters;
};

/* For getopt_long(), in the options of who reads files. */
enum { WANTED_CPU = 512, WANTED_PID, WANTED_COMM, WANTED_SLOT };
#define WANTED_LETTERS "F:"
#define WANTED_OPTIONS						\
	{ "cpu", required_argument, NULL, WANTED_CPU },		\
	{ "pid", required_argument, NULL, WANTED_PID },		\
	{ "comm", required_argument, NULL, WANTED_COMM },	\
	{ "slot", required_argument, NULL, WANTED_SLOT }

/* True if @opt was one of these; dies on a bad value. */
bool wanted_take(struct wanted *w, int opt, const char *arg);

struct hits {
	struct tracedat *file;
	struct tep_handle *tep;		/* the names in it */
	bool ours;			/* nestrace recorded it, with its @accounting */
	struct accounting accounting;
	bool cycles;			/* times are no nanoseconds */
	bool failed;			/* and said so: not all could be read */
	struct wanted wanted;
	/* may be NULL; that so many events are missing here, or at the end (-1: an unknown number) */
	void (*gap)(void *arg, unsigned int cpu, int64_t missed);
	void (*show)(void *arg, unsigned int cpu, const struct hit *hit);
	void *arg;
	struct hits_cpu *cpu;
	struct tep_event_filter **filter;	/* one for each of @wanted's */
};

/* False, and a message, if @path is no function trace; then nothing is left to close. */
bool hits_open(struct hits *h, const char *path);
/* Until the end, or until nobody reads standard output any more. */
void hits_read(struct hits *h);
/* After that: events that are no hits. */
uint64_t hits_others(const struct hits *h);
void hits_close(struct hits *h);

#endif
