/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a recording goes: the file that -o names, through symbolic links, and how the
 * finished file takes its place.
 */
#ifndef LIB_OUTPUT_H
#define LIB_OUTPUT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "lib/error.h"

struct output {
	const char *name;	/* as the user gave it */
	char *path;		/* absolute, without symbolic links */
	int fd;			/* what exists there, for writing; negative: nothing */
	struct stat st;		/* of @fd */
	bool beside;		/* its directory can have files of ours */
};

/* Find the file, without changing it. Return: false after an error. */
bool output_open(struct output *o, const char *name, struct error *e);
/*
 * Return true if a file in the directory @dir can take its place by rename(): it is not a
 * mount point, has no other name, and its owner can stay.
 */
bool output_can_rename(const struct output *o, int dir);
/* Put @fd, which is @from in the directory @dir, in its place. Return: false with errno set. */
bool output_rename(const struct output *o, int fd, int dir, const char *from);
/* After that: let its name survive a crash of the machine. */
void output_sync_name(const struct output *o);
/* Open it for writing, empty. Return: a descriptor, or -1 with errno set. */
int output_truncate(const struct output *o);
void output_free(struct output *o);

#endif
