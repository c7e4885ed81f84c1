/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A short form of sub-buffers, which takes a fraction of zstd's time to make. It is for hits. A call
 * that the chunk had before takes four bytes instead of 28: its place, and the time since the last
 * event. Other events are copied with a word before them.
 */
#ifndef LIB_SHORTHAND_H
#define LIB_SHORTHAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHORTHAND_MAX	(128U << 10)	/* bytes of a chunk */

/* Return the room that @len bytes need at most. */
size_t shorthand_bound(size_t len);
/*
 * Make the short form of @len bytes, whole sub-buffers and at most SHORTHAND_MAX. @out has room
 * for shorthand_bound(@len). Return: its length.
 */
size_t shorthand_make(void *out, const void *data, size_t len);
/* Undo that. Return: false if @in is damaged, or does not give exactly @len bytes. */
bool shorthand_undo(void *data, size_t len, const void *in, size_t in_len);

#endif
