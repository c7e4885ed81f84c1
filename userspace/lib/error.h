/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the library says what went wrong. A function that can fail takes a struct error and
 * returns false, NULL or -1 after filling it in. Only a command prints the text.
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include <stdbool.h>

struct error {
	char text[1024];	/* one line without its end: "problem: 'subject'; remedy" */
};

/* Set the text. Return: false, so that a caller can return the result. */
bool error_set(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, followed by ": " and the text of errno. */
bool error_set_errno(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
