/* SPDX-License-Identifier: GPL-2.0 */
/* A file that takes the place of another at once, so that a reader sees a whole one. */
#ifndef LIB_NEW_FILE_H
#define LIB_NEW_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct new_file {
	FILE *out;
	char *path, *temporary;		/* private */
};

/* Begin a file beside @path. Return: false with errno set. */
bool new_file_begin(struct new_file *f, const char *path, mode_t mode);
/*
 * Put it in its place if @good and all of it can be written; else remove it. Return: true if it is in its place;
 * false with errno set.
 */
bool new_file_end(struct new_file *f, bool good);

#endif
