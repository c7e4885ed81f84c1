/* SPDX-License-Identifier: GPL-2.0 */
/* The functions of the kernel and its modules, by name. */
#ifndef LIB_FUNCTIONS_H
#define LIB_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/*
 * Set *@start to the start addresses of the functions that match, and *@nr to their number. The caller frees
 * *@start. Each of the @nr_globs globs is NAME, GLOB or [GLOB]:mod:MODULE. Return: false if one of them matches nothing, or if
 * addresses are hidden.
 */
bool functions_matching(const char *const *globs, unsigned int nr_globs, uint64_t **start, size_t *nr,
			struct error *e);

#endif
