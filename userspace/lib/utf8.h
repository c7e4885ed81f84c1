/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names as valid UTF-8 that is safe for a terminal, the same in every output. A control
 * character becomes '?', and bytes that are no UTF-8 become U+FFFD.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stddef.h>

/* Return @text as a valid text, to be freed. @keep: control characters that stay. */
char *utf8_clean(const char *text, const char *keep);
/* Return the bytes of the first @max characters of a valid text, or of all if it is shorter. */
size_t utf8_bytes(const char *text, size_t max);
/* Return the number of characters of a valid text. */
size_t utf8_length(const char *text);

#endif
