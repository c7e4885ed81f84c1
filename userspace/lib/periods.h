/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of recordings that are asked for: since a time, until a time, and around the calls of
 * functions. Files that are read together share one set of periods.
 */
#ifndef LIB_PERIODS_H
#define LIB_PERIODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* A time or a length as it was given: which unit it has depends on the clock of the file. */
struct periods_time {
	const char *text;	/* NULL: not given */
	uint64_t ns;		/* if it is seconds or has a unit; after periods_begin(): in the file's unit */
	uint64_t plain;		/* if it is cycles */
	uint64_t half;		/* of the last digit's unit, as report rounds to microseconds; or 0 */
	bool has_ns, has_plain;
};

struct periods_around {
	char *glob;
	struct periods_time length;
	bool called;
};

struct period {
	uint64_t from, to;	/* both are in it */
};

/* Zeroed, it is the whole recording. The texts of times are the caller's. */
struct periods {
	struct periods_time since, until;
	struct periods_around *around;
	unsigned int nr_around;

	/* private */
	uint64_t from, to;	/* all periods are in this one */
	struct period *period;	/* in order and apart from each other after periods_end() */
	size_t nr, now;
};

/* Take a time as report prints it. Return: false if @text is none. */
bool periods_moment(struct periods_time *t, const char *text);
/* Take "GLOB:LENGTH", where LENGTH has a unit or is of cycles. Return: false if @text is none. */
bool periods_add_around(struct periods *p, const char *text);
/* Return true if it is not the whole recording. */
bool periods_given(const struct periods *p);

/* Check the times. @cycles: those of the files are plain numbers. Return: false after an error. */
bool periods_begin(struct periods *p, bool cycles, struct error *e);
/* Return the index of the first function from @i on that is called @name, or -1. */
int periods_match(const struct periods *p, unsigned int i, const char *name);
/* Take the time of a call of that function. */
void periods_add(struct periods *p, unsigned int i, uint64_t ts);
/* Sort and merge the periods after the last periods_add(). Return: false if no call matched a glob. */
bool periods_end(struct periods *p, struct error *e);
/* Return true if a period contains @ts. Fast if @ts is close to the previous @ts. */
bool periods_have(struct periods *p, uint64_t ts);
/* Return true if a period has any time from @from to @to. */
bool periods_overlap(const struct periods *p, uint64_t from, uint64_t to);
void periods_free(struct periods *p);

#endif
