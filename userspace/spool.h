/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data of one CPU until the file is made: compressed as it comes, in a temporary file.
 * As trace.dat version 7 wants it: chunks, each of its compressed size, its size (u32
 * each), and a zstd frame. One thread at a time.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SPOOL_CHUNK	(128 << 10)	/* of data; a multiple of a sub-buffer */
#define SPOOL_LEVEL	1		/* of zstd: recording must not wait for it */

struct spool;

/* @fd: an open file without a name, which becomes the spool's. */
struct spool *spool_new(int fd);
/* False, errno set, if a chunk can't be written: it is dropped, what came before is kept. */
bool spool_append(struct spool *s, const void *data, size_t len);
/* Before the end: the last @len bytes that were appended, at most a chunk; NULL if there are none. */
const void *spool_last(const struct spool *s, size_t len);
/* No more comes: the chunk that was begun is closed, with @data at its end, in memory. */
void spool_end(struct spool *s, const void *data, size_t len);
uint32_t spool_chunks(const struct spool *s);
uint64_t spool_size(const struct spool *s);
/*
 * The next bytes of at most @len, and 0 at the end; -1, errno set, if they can't be read.
 * They are gone from the disk then, so that it need not hold the data twice.
 */
ssize_t spool_take(struct spool *s, void *buf, size_t len);
void spool_free(struct spool *s);

#endif
