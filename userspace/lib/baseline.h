/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The findings of earlier audits: a text file, in which a line is the words of one, with tabs between them. Lines that begin
 * with # are comments.
 */
#ifndef LIB_BASELINE_H
#define LIB_BASELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* Zeroed: empty. */
struct baseline {
	char **line;		/* sorted once it is read */
	size_t nr, sorted;
};

/* Add the lines of a file. @may_miss: it need not exist. */
bool baseline_read(struct baseline *b, const char *path, bool may_miss, struct error *e);
/* Does it have this line, not counting those of baseline_add()? */
bool baseline_has(const struct baseline *b, const char *line);
void baseline_add(struct baseline *b, const char *line);
/* Write all lines to a new file that takes the place of the old one. */
bool baseline_write(struct baseline *b, const char *path, struct error *e);
void baseline_free(struct baseline *b);

#endif
