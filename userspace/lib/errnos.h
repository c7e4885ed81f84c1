/* SPDX-License-Identifier: GPL-2.0 */
/* Names of errors, those that only the kernel has included. */
#ifndef LIB_ERRNOS_H
#define LIB_ERRNOS_H

/* Return: the name of an error, as ENOENT; NULL: it has none. @number: above 0. */
const char *errno_name(int number);
/* Return: the number of an error; 0: there is none with this name. */
int errno_number(const char *name);

#endif
