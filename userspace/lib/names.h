/* SPDX-License-Identifier: GPL-2.0 */
/* The names of functions and tasks, as libtraceevent looks them up. */
#ifndef LIB_NAMES_H
#define LIB_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct tep_handle;
struct tracedat;

/*
 * Take the names out of a file, made safe for a terminal. @complete: false if the symbols
 * cannot be parsed, so that functions are numbers. Return: a handle for tep_free().
 */
struct tep_handle *names_load(struct tracedat *t, bool *complete);
/*
 * Return the name of the function at @ip, or its address in hex if there is no symbol; that
 * string is valid until the second next call. Not for more than one thread.
 */
const char *names_function(struct tep_handle *tep, uint64_t ip);

#endif
