// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/memory.h"
#include "lib/spool.h"

struct spool {
	int fd;
	uint64_t written, taken;	/* bytes of @fd */
	uint32_t chunks;
	ZSTD_CCtx *zstd;
	size_t filled;			/* bytes of @data */
	size_t packed, packed_taken;	/* bytes of @out, after spool_end() */
	size_t out_size;
	char *out;
	char *data;			/* of the chunk that is being filled */
};

/* Allocate for a chunk of @len bytes. */
static void make_room(struct spool *s, size_t len)
{
	s->data = xrealloc(s->data, len);
	s->out_size = ZSTD_compressBound(len) + 2 * sizeof(uint32_t);
	s->out = xrealloc(s->out, s->out_size);
}

struct spool *spool_new(int fd)
{
	struct spool *s = xzalloc(1, sizeof(*s));

	s->fd = fd;
	s->zstd = ZSTD_createCCtx();
	make_room(s, SPOOL_CHUNK);
	if (!s->zstd ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_compressionLevel, SPOOL_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_checksumFlag, 1)))
		out_of_memory();
	return s;
}

/* Make a chunk of @data, in @out. Return: its length, or 0 after an error. */
static size_t pack(struct spool *s, struct error *e)
{
	uint32_t head[2] = { 0, s->filled };
	size_t n = ZSTD_compress2(s->zstd, s->out + sizeof(head), s->out_size - sizeof(head),
				  s->data, s->filled);

	s->filled = 0;
	if (ZSTD_isError(n)) {
		error_set(e, "cannot compress (%s)", ZSTD_getErrorName(n));
		return 0;
	}
	head[0] = n;
	memcpy(s->out, head, sizeof(head));
	return n + sizeof(head);
}

static bool write_chunk(struct spool *s, struct error *e)
{
	size_t len = pack(s, e), done = 0;
	ssize_t n;

	if (!len)
		return false;
	while (done < len) {
		n = pwrite(s->fd, s->out + done, len - done, s->written + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(e, "%s", strerror(errno));
		done += n;
	}
	s->written += len;
	s->chunks++;
	return true;
}

bool spool_append(struct spool *s, const void *data, size_t len, struct error *e)
{
	size_t n;

	while (len) {
		n = SPOOL_CHUNK - s->filled;
		if (n > len)
			n = len;
		memcpy(s->data + s->filled, data, n);
		s->filled += n;
		data = (const char *)data + n;
		len -= n;
		if (s->filled == SPOOL_CHUNK && !write_chunk(s, e))
			return false;
	}
	return true;
}

const void *spool_last(const struct spool *s, size_t len)
{
	size_t end = s->filled ? s->filled : s->chunks ? SPOOL_CHUNK : 0;

	return end >= len ? s->data + end - len : NULL;
}

bool spool_end(struct spool *s, const void *data, size_t len, struct error *e)
{
	if (len) {
		make_room(s, s->filled + len);
		memcpy(s->data + s->filled, data, len);
		s->filled += len;
	}
	if (!s->filled)
		return true;
	s->packed = pack(s, e);
	if (s->packed)
		s->chunks++;
	return s->packed;
}

uint32_t spool_chunks(const struct spool *s)
{
	return s->chunks;
}

uint64_t spool_size(const struct spool *s)
{
	return s->written + s->packed;
}

ssize_t spool_take(struct spool *s, void *buf, size_t len)
{
	ssize_t n;

	if (s->taken == s->written) {
		n = s->packed - s->packed_taken;
		if ((size_t)n > len)
			n = len;
		memcpy(buf, s->out + s->packed_taken, n);
		s->packed_taken += n;
		return n;
	}
	if (len > s->written - s->taken)
		len = s->written - s->taken;
	do
		n = pread(s->fd, buf, len, s->taken);
	while (n < 0 && errno == EINTR);
	if (!n)
		errno = EIO;
	if (n <= 0)
		return -1;
	fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, s->taken, n);
	s->taken += n;
	return n;
}

void spool_free(struct spool *s)
{
	close(s->fd);
	ZSTD_freeCCtx(s->zstd);
	free(s->data);
	free(s->out);
	free(s);
}
