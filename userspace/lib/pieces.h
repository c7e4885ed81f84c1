/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files of a recording that goes on: each gets a name of its own, and only the newest are kept. In a pattern
 * %h is the name of the host, %t the time in UTC as YYYYMMDD-HHMMSS, and %% a %.
 */
#ifndef LIB_PIECES_H
#define LIB_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "lib/error.h"

struct pieces;

/* Begin with the files that match @pattern; without %t, it comes before the suffix. @keep: files at most, 0: all. */
struct pieces *pieces_new(const char *pattern, unsigned int keep, struct error *e);
/* Return the name of a file that does not exist, to be freed. */
char *pieces_name(const struct pieces *p, time_t now);
/* The file is complete. Remove the oldest ones that are too many. Any thread may call this and the next ones. */
void pieces_add(struct pieces *p, const char *name);
/* Remove the oldest file, to make room on the disk. Return: false if there is none. */
bool pieces_drop_oldest(struct pieces *p);
/* Return how many files were dropped for room. */
unsigned long pieces_dropped(struct pieces *p);
void pieces_free(struct pieces *p);

#endif
