/* SPDX-License-Identifier: GPL-2.0 */
/* The functions of the kernel and its modules, by name. */
#ifndef LIB_FUNCTIONS_H
#define LIB_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct kallsyms_line;

/* NAME, GLOB or [GLOB]:mod:MODULE, taken apart. */
struct function_glob {
	char *name, *module;		/* @module NULL: of the kernel and every module */
};

/* Take @text apart, which may be "NAME [MODULE]", too. The caller frees @name. */
void function_glob_set(struct function_glob *g, const char *text);
bool function_glob_matches(const struct function_glob *g, const struct kallsyms_line *line);

/*
 * Set *@start to the start addresses of the functions that match, and *@nr to their number. The caller frees
 * *@start. Each of the @nr_globs globs is NAME, GLOB or [GLOB]:mod:MODULE. Return: false if one of them matches nothing, or if
 * addresses are hidden.
 */
bool functions_matching(const char *const *globs, unsigned int nr_globs, uint64_t **start, size_t *nr,
			struct error *e);

/*
 * Call @each for each function that matches one of the globs; @nr_globs 0: for all. Each of @found becomes true
 * if its glob matches; NULL: not wanted. Return: false if the kernel gives no list; it has no addresses without
 * CAP_SYSLOG, and then @each is not called.
 */
bool functions_each(const char *const *globs, unsigned int nr_globs, bool *found,
		    void (*each)(void *arg, const struct kallsyms_line *line), void *arg, struct error *e);

/*
 * Return true if there are functions that match @globs, or any with @nr_globs 0, and all of them match
 * @left_out. Return false also if the kernel gives no list.
 */
bool functions_none_left(const char *const *globs, unsigned int nr_globs, const char *const *left_out,
			 unsigned int nr_left_out);

/* Return true if the kernel has a function of the name. */
bool functions_exist(const char *name);

#endif
