/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data of one CPU until the file is made, compressed as it comes, in a temporary file.
 * It has the form that trace.dat version 7 wants: chunks, each of its compressed size (u32),
 * its size (u32) and a zstd frame. A spool is used by one thread at a time.
 */
#ifndef LIB_SPOOL_H
#define LIB_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

#define SPOOL_CHUNK	(128 << 10)	/* bytes of data; a multiple of a sub-buffer */
#define SPOOL_LEVEL	1		/* of zstd, the fastest: it must keep up with recording */

struct spool;

/* Make one. @fd: an open file without a name, which the spool takes over. */
struct spool *spool_new(int fd);
/*
 * Add data. Return: false if a chunk cannot be written, with only the reason in @e; it is
 * lost, those before are kept.
 */
bool spool_append(struct spool *s, const void *data, size_t len, struct error *e);
/*
 * Before spool_end(), return the last @len bytes that were added, at most a chunk; NULL if
 * there are none.
 */
const void *spool_last(const struct spool *s, size_t len);
/* Close the last chunk with @data at its end, in memory. Nothing can be added after that. */
bool spool_end(struct spool *s, const void *data, size_t len, struct error *e);
uint32_t spool_chunks(const struct spool *s);
/* Return the bytes of all chunks. */
uint64_t spool_size(const struct spool *s);
/*
 * Move out the next bytes, at most @len. They leave the disk, which need not hold the data
 * twice. Return: their number, 0 at the end, -1 with errno set.
 */
ssize_t spool_take(struct spool *s, void *buf, size_t len);
void spool_free(struct spool *s);

#endif
