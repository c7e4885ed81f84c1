/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions that ftrace traces for any user. A function with two users goes through the kernel's list
 * function, which drops some recursion before either of them sees it.
 */
#ifndef LIB_FTRACE_USERS_H
#define LIB_FTRACE_USERS_H

#include <stdbool.h>

/* Call @each for each function, without " [MODULE]". Return: false if tracefs cannot be read. */
bool ftrace_users_each(void (*each)(void *arg, const char *function, unsigned int users), void *arg);

#endif
