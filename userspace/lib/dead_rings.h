/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The records in the rings of one CPU in a dump, merged into sub-buffers as the module's stream has them. The layout is
 * that of src/ring.h; what the machine had not published does not count.
 */
#ifndef LIB_DEAD_RINGS_H
#define LIB_DEAD_RINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/dead_sessions.h"

struct memory_dump;

/* The records of the CPU that a file has already. Zeroed: none. */
struct dead_joint {
	uint64_t ts;		/* of its last record; 0: it has none */
	uint64_t at_ts[NESTRACE_NR_SLOTS];	/* its records of that time, by context_slot() */
	uint64_t records;	/* all that it has, and those that it says are missing */
	bool total;		/* it has them since the session began, so that what is missing now is known */
};

struct dead_rings;

/* @d and @s must stay. */
struct dead_rings *dead_rings_open(struct memory_dump *d, const struct dead_session *s, unsigned int nr,
				   const struct dead_joint *joint);
/* Make the next sub-buffer, of NESTRACE_SUBBUF_SIZE bytes. Return: false at the end. */
bool dead_rings_next(struct dead_rings *r, void *subbuf);
/* After the end: what was made, and what follows the counters, by slot. */
const struct dead_kept *dead_rings_kept(const struct dead_rings *r);
/* After the end: has a ring been damaged, so that its later records are left out? */
bool dead_rings_damaged(const struct dead_rings *r);
void dead_rings_close(struct dead_rings *r);

#endif
