/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The flight recordings that go on, for nestrace snapshot: each has a file in /run/nestrace, named for its process. The file is
 * locked while the process lives. Its lines are the names of the files that it has written.
 */
#ifndef LIB_FLIGHTS_H
#define LIB_FLIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

#define FLIGHTS_DIRECTORY	"/run/nestrace"

struct flights;

/* Let others find this process. Return: NULL after an error, which prevents only that. */
struct flights *flights_open(const char *pattern, struct error *e);
/* A file is complete. */
void flights_written(struct flights *f, const char *name);
void flights_close(struct flights *f);

/* Call @each for each process that is recording; @written: the file of its names. Return: their number. */
unsigned int flights_each(void (*each)(void *arg, pid_t pid, const char *written), void *arg);

#endif
