/* SPDX-License-Identifier: GPL-2.0 */
/* Text of a file, made safe for a terminal. */
#ifndef LIB_PRINTABLE_H
#define LIB_PRINTABLE_H

#include <stddef.h>

/* Replace by '?' what a terminal would take for a control character, except '\n' and '\t'. */
void make_printable(char *text, size_t len);

#endif
