/* SPDX-License-Identifier: GPL-2.0 */
/* Which events of a file to show: those that match each kind of condition that is set. */
#ifndef LIB_HIT_FILTER_H
#define LIB_HIT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct hit;
struct tep_event_filter;
struct tep_handle;
struct tracedat;

#define HIT_FILTER_CPUS	65536

/* Zeroed it lets all events pass. The strings are the caller's. */
struct hit_filter {
	uint8_t *cpus;			/* bitmap of HIT_FILTER_CPUS; NULL: all */
	int *pids;			/* of threads */
	unsigned int nr_pids;
	const char **comms;		/* names of tasks */
	unsigned int nr_comms;
	uint32_t slots;			/* a bit for each; 0: all */
	const char **texts;		/* expressions in libtraceevent's language */
	unsigned int nr_texts;
	struct tep_event_filter **parsed;	/* private: @texts, once compiled */
};

/* Return a copy of a filter that is not compiled. */
struct hit_filter hit_filter_copy(const struct hit_filter *f);
void hit_filter_add_cpu(struct hit_filter *f, unsigned int cpu);
void hit_filter_add_pid(struct hit_filter *f, int pid);
void hit_filter_add_comm(struct hit_filter *f, const char *comm);
void hit_filter_add_text(struct hit_filter *f, const char *text);
/*
 * Parse the expressions, for this file, whose formats @tep has. An expression that names no
 * event is about hits. @tep stays in use until hit_filter_free().
 */
bool hit_filter_compile(struct hit_filter *f, struct tep_handle *tep, const struct tracedat *t,
			struct error *e);
bool hit_filter_match(const struct hit_filter *f, struct tep_handle *tep, unsigned int cpu,
		      const struct hit *hit);
void hit_filter_free(struct hit_filter *f);

#endif
