/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data of one CPU until the file is made, in files of a directory. Chunks end as trace.dat
 * version 7 wants them: each its compressed size (u32), its size (u32) and a zstd frame. zstd takes
 * longer than the rest of recording. So a chunk first waits in a short form (lib/shorthand.h), as
 * long as the budget has room. The files are enough to read the data after a kill -9.
 */
#ifndef LIB_SPOOL_H
#define LIB_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

#define SPOOL_CHUNK	(128 << 10)	/* bytes of data; a multiple of a sub-buffer */
#define SPOOL_LEVEL	1		/* of zstd: compression must keep up once the budget is used up */

struct spool;

/* The bytes of the disk that are left for chunks that wait; several spools share them. */
typedef _Atomic int64_t spool_budget;

/*
 * Make one in the directory @dir, which has no file of it before the first data. @segment:
 * the bytes of each of its files, the units in which a disk without holes gets room back.
 * @budget: NULL: chunks are compressed at once.
 */
struct spool *spool_new(int dir, unsigned int cpu, uint64_t segment, spool_budget *budget);
/* Take the data that a killed process left in @dir. Return: NULL if it cannot be read. */
struct spool *spool_recover(int dir, unsigned int cpu, uint64_t segment, struct error *e);
/* Take the data whose size is known. The first bytes of it may have been released. */
struct spool *spool_reopen(int dir, unsigned int cpu, uint64_t segment, uint64_t size,
			   uint32_t chunks);
/*
 * Return a buffer for the next data, and its size in @len, so that spool_append() need not copy;
 * NULL: there is none.
 */
void *spool_room(struct spool *s, size_t *len);
/*
 * Add data. Return: false if it cannot be written, with only the reason in @e; all that was
 * added before is kept.
 */
bool spool_append(struct spool *s, const void *data, size_t len, struct error *e);
/* Write the unfinished chunk, so that a kill does not lose it; at any time. */
void spool_save(struct spool *s);
/*
 * Before spool_end(), return the last @len bytes that were added, at most a chunk; NULL if
 * there are none.
 */
const void *spool_last(const struct spool *s, size_t len);
/*
 * Compress what waits for that. It takes a while; other threads may call spool_save() and
 * spool_waiting(). Return: as spool_append() does.
 */
bool spool_compress(struct spool *s, struct error *e);
/* Return the bytes of the disk that this process has put there to wait. */
uint64_t spool_waiting(const struct spool *s);
/* After spool_end(): are the last chunks missing, because they were damaged, as by a power loss? */
bool spool_is_damaged(const struct spool *s);
/* Return true if there is a whole chunk. */
bool spool_has_chunk(const struct spool *s);
/* Compress the rest, and write the last chunk with @data at its end. Nothing can be added after that. */
bool spool_end(struct spool *s, const void *data, size_t len, struct error *e);
/* After spool_end(): all data is in chunks. */
void spool_remove_tail(struct spool *s);
uint32_t spool_chunks(const struct spool *s);
/* Return the bytes of all chunks that are compressed. */
uint64_t spool_size(const struct spool *s);
/* Read bytes from @at on. Return: their number, -1 with errno set. */
ssize_t spool_read(struct spool *s, uint64_t at, void *buf, size_t len);
/* Give back the room of the first @len bytes, which are elsewhere now. */
void spool_release(struct spool *s, uint64_t len);
void spool_free(struct spool *s);

#endif
