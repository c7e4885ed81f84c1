/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's functions, as lines of /proc/kallsyms. Modules come and go: a second reading
 * gives only what the first one did not.
 */
#ifndef LIB_SYMBOLS_H
#define LIB_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* The message if @hidden. */
#define SYMBOLS_HIDDEN "the kernel hides its addresses: '/proc/kallsyms'; functions will be numbers, unless sysctl kernel.kptr_restrict=1"

/* Zeroed before the first reading. */
struct symbols {
	void *seen;	/* private: tsearch(3) of the lines of modules */
	bool again;	/* private: this is not the first reading */
	bool hidden;	/* all addresses are 0: the caller may not see them */
};

/* Return text of @len bytes, to be freed; NULL after an error. */
char *symbols_read(struct symbols *s, size_t *len, struct error *e);
void symbols_free(struct symbols *s);

#endif
