/* SPDX-License-Identifier: GPL-2.0 */
/* The sessions in a dump of a machine's memory: uapi/nestrace_dump.h. */
#ifndef LIB_DEAD_SESSIONS_H
#define LIB_DEAD_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "uapi/nestrace_dump.h"

struct accounting;
struct memory_dump;

/* The rings of one CPU. */
struct dead_cpu {
	unsigned int cpu;
	uint64_t count[NESTRACE_NR_SLOTS][NESTRACE_DUMP_NR_FIELDS];
	uint64_t *page;			/* physical addresses of the rings' pages */
	uint64_t nr_pages;
};

struct dead_session {
	struct nestrace_dump_session about;
	/* after dead_session_load() */
	struct dead_cpu *cpu;
	unsigned int nr_cpus;
};

struct dead_sessions {
	struct dead_session *session;
	size_t nr;
};

/*
 * Find the sessions. @magic: NESTRACE_DUMP_ANCHOR_MAGIC, or that of a region. @name: of the dump, for @e. Return: false if there is none, or none of this version of nestrace. One
 * that is damaged is left out; then @e says so, else its text is empty.
 */
bool dead_sessions_read(struct dead_sessions *s, struct memory_dump *d, const char *magic, const char *name, struct error *e);
/* Read where the rings of a session are, and its counters. Return: false if these are damaged. */
bool dead_session_load(struct dead_session *s, struct memory_dump *d, const char *name, struct error *e);
void dead_sessions_free(struct dead_sessions *s);

/* The records of a slot that a file has, and the returns among them. */
struct dead_kept {
	uint64_t records, exits;
	uint64_t followed, followed_exits;	/* those that its counters do not have yet; the file need not have them */
};

void dead_kept_add(struct dead_kept *to, const struct dead_kept *k);
/*
 * Set the counters of @a to those of the session; of its records a file has @kept, by CPU of @s. The others are lost.
 * Hits in flight when the machine stopped do not count, except in @a->in_flight. Counters and @kept are those of
 * contexts afterwards.
 */
void dead_session_account(struct dead_session *s, struct dead_kept (*kept)[NESTRACE_NR_SLOTS], struct accounting *a);

#endif
