/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's functions, as lines of /proc/kallsyms. Other readers give each address the
 * name of the symbol below it, so a line named SYMBOLS_NONE stands where a function ends and
 * no other begins.
 */
#ifndef LIB_SYMBOLS_H
#define LIB_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct modules;

#define SYMBOLS_NONE	"[unknown]"

/* The message if @hidden. */
#define SYMBOLS_HIDDEN "the kernel hides its addresses: '/proc/kallsyms'; functions will be numbers, unless you have CAP_SYSLOG and sysctl kernel.kptr_restrict is below 2"

struct symbol {
	uint64_t start, size;	/* 0: not known, it ends at the next symbol or with its page */
	const char *name;
	const char *module;	/* NULL: of the kernel */
	size_t order;		/* private */
};

/* Zeroed before the first reading. */
struct symbols {
	struct modules *modules;	/* NULL: kallsyms has their functions, too */
	bool hidden;	/* all addresses are 0: the caller may not see them */
	char *kernel;	/* private: lines that stay as they are */
	size_t kernel_len;
	void *others;	/* private: tsearch(3) of symbols outside of the kernel, by address */
	struct symbol *list;	/* private: while the text is made */
	size_t nr;
};

/* Read /proc/kallsyms, for a second time to add what came meanwhile. Return: false after an error. */
bool symbols_read(struct symbols *s, struct error *e);
/* Return text of @len bytes, to be freed. @aliases: with those of modules.h. */
char *symbols_text(struct symbols *s, bool aliases, size_t *len);
void symbols_free(struct symbols *s);

#endif
