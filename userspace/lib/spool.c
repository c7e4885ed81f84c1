// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/memory.h"
#include "lib/spool.h"

#define NO_SEGMENT	UINT64_MAX

/*
 * The head of the tail's file; the data of the unfinished chunk follows. The length is first:
 * if a kill cuts the head, the length is right, or the chunk is another.
 */
struct tail_head {
	uint32_t len;
	uint32_t chunk;			/* the number of that chunk */
};

struct spool {
	pthread_mutex_t lock;		/* spool_save() comes from another thread */
	int dir;
	unsigned int cpu;
	uint64_t segment;		/* bytes of each file */
	uint64_t open;			/* number of the file that @fd is, or NO_SEGMENT */
	int fd;
	int tail;			/* its file, or negative */
	uint64_t written;		/* bytes of all files */
	uint64_t released;		/* files that are removed */
	uint32_t chunks;
	ZSTD_CCtx *zstd;
	size_t filled;			/* bytes of @data */
	size_t saved;			/* those that the tail's file has, too */
	size_t out_size;
	char *out;
	char *data;			/* of the chunk that is being filled; NULL: none yet */
};

static void name_of(const struct spool *s, uint64_t segment, char *name, size_t size)
{
	snprintf(name, size, "cpu%u.%llu", s->cpu, (unsigned long long)segment);
}

static bool open_segment(struct spool *s, uint64_t segment, int flags)
{
	char name[64];

	if (s->open == segment)
		return true;
	if (s->fd >= 0)
		close(s->fd);
	name_of(s, segment, name, sizeof(name));
	s->fd = openat(s->dir, name, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	s->open = s->fd < 0 ? NO_SEGMENT : segment;
	return s->fd >= 0;
}

static void name_of_tail(const struct spool *s, char *name, size_t size)
{
	snprintf(name, size, "cpu%u.tail", s->cpu);
}

static int open_tail(struct spool *s, int flags)
{
	char name[64];

	name_of_tail(s, name, sizeof(name));
	return openat(s->dir, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Allocate for a chunk of @len bytes. */
static void make_room(struct spool *s, size_t len)
{
	s->data = xrealloc(s->data, len);
	s->out_size = ZSTD_compressBound(len) + 2 * sizeof(uint32_t);
	s->out = xrealloc(s->out, s->out_size);
}

/* CPUs without data must cost nothing: many that are possible are not there. */
static void prepare(struct spool *s)
{
	if (s->data)
		return;
	make_room(s, SPOOL_CHUNK);
	s->zstd = ZSTD_createCCtx();
	if (!s->zstd ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_compressionLevel, SPOOL_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_checksumFlag, 1)))
		out_of_memory();
}

struct spool *spool_new(int dir, unsigned int cpu, uint64_t segment)
{
	struct spool *s = xzalloc(1, sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	s->dir = dir;
	s->cpu = cpu;
	s->segment = segment;
	s->open = NO_SEGMENT;
	s->fd = s->tail = -1;
	return s;
}

ssize_t spool_read(struct spool *s, uint64_t at, void *buf, size_t len)
{
	uint64_t in = at % s->segment;
	ssize_t n;

	if (!open_segment(s, at / s->segment, 0))
		return -1;
	if (len > s->segment - in)
		len = s->segment - in;
	do
		n = pread(s->fd, buf, len, in);
	while (n < 0 && errno == EINTR);
	/* a file that a loss of power has cut */
	if (!n)
		errno = ENODATA;
	return n ? n : -1;
}

/* Return the bytes in all files, of which the last chunk may be cut. */
static uint64_t bytes_left(struct spool *s)
{
	uint64_t segment, sum = 0;
	struct stat st;
	char name[64];

	for (segment = 0;; segment++) {
		name_of(s, segment, name, sizeof(name));
		if (fstatat(s->dir, name, &st, 0))
			return sum;
		sum += st.st_size;
	}
}

static bool read_all(struct spool *s, uint64_t at, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = spool_read(s, at + done, (char *)buf + done, len - done);
		if (n < 0)
			return false;
		done += n;
	}
	return true;
}

/* Take the data that waited for a full chunk. Return: false with errno set if that fails. */
static bool recover_tail(struct spool *s)
{
	struct tail_head head;
	ssize_t n;

	s->tail = open_tail(s, O_RDWR);
	if (s->tail < 0)
		return errno == ENOENT;
	prepare(s);
	n = pread(s->tail, &head, sizeof(head), 0);
	if (n == sizeof(head) && head.chunk == s->chunks && head.len <= SPOOL_CHUNK) {
		n = pread(s->tail, s->data, head.len, sizeof(head));
		if (n == (ssize_t)head.len)
			s->filled = s->saved = head.len;
	}
	return n >= 0;
}

/* Count the whole chunks. Return: false with errno set if they cannot be read. */
static bool recover_chunks(struct spool *s)
{
	uint64_t end = bytes_left(s);
	uint32_t head[2];

	while (end - s->written >= sizeof(head)) {
		if (!read_all(s, s->written, head, sizeof(head)))
			return errno == ENODATA;
		if (!head[0] || !head[1] || head[0] > end - s->written - sizeof(head))
			break;
		s->written += sizeof(head) + head[0];
		s->chunks++;
	}
	return true;
}

struct spool *spool_recover(int dir, unsigned int cpu, uint64_t segment, struct error *e)
{
	struct spool *s = spool_new(dir, cpu, segment);

	if (recover_chunks(s) && recover_tail(s))
		return s;
	error_set_errno(e, "cannot read the data of CPU %u", cpu);
	spool_free(s);
	return NULL;
}

struct spool *spool_reopen(int dir, unsigned int cpu, uint64_t segment, uint64_t size,
			   uint32_t chunks)
{
	struct spool *s = spool_new(dir, cpu, segment);

	s->written = size;
	s->chunks = chunks;
	return s;
}

/* Make a chunk of @data, in @out. Return: its length, or 0 after an error. */
static size_t pack(struct spool *s, struct error *e)
{
	uint32_t head[2] = { 0, s->filled };
	size_t n = ZSTD_compress2(s->zstd, s->out + sizeof(head), s->out_size - sizeof(head),
				  s->data, s->filled);

	if (ZSTD_isError(n)) {
		error_set(e, "cannot compress (%s)", ZSTD_getErrorName(n));
		return 0;
	}
	head[0] = n;
	memcpy(s->out, head, sizeof(head));
	return n + sizeof(head);
}

/* Write @out at the end. */
static bool put(struct spool *s, size_t len, struct error *e)
{
	size_t done = 0, part;
	uint64_t at;
	ssize_t n;

	while (done < len) {
		at = s->written + done;
		part = len - done;
		if (part > s->segment - at % s->segment)
			part = s->segment - at % s->segment;
		n = !open_segment(s, at / s->segment, O_CREAT) ? -1 :
		    pwrite(s->fd, s->out + done, part, at % s->segment);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set(e, "%s", strerror(errno));
			/* a part of a chunk is of no use, but its room is */
			if (s->fd >= 0 && s->open == s->written / s->segment &&
			    ftruncate(s->fd, s->written % s->segment))
				return false;
			return false;
		}
		done += n;
	}
	return true;
}

static bool write_chunk(struct spool *s, struct error *e)
{
	size_t len = pack(s, e);

	if (!len || !put(s, len, e))
		return false;
	s->written += len;
	s->chunks++;
	s->filled = s->saved = 0;
	return true;
}

bool spool_append(struct spool *s, const void *data, size_t len, struct error *e)
{
	bool ok = true;
	size_t n;

	pthread_mutex_lock(&s->lock);
	prepare(s);
	while (len && ok) {
		n = SPOOL_CHUNK - s->filled;
		if (n > len)
			n = len;
		memcpy(s->data + s->filled, data, n);
		s->filled += n;
		data = (const char *)data + n;
		len -= n;
		/* if this fails, spool_end() tries again */
		if (s->filled == SPOOL_CHUNK)
			ok = write_chunk(s, e);
	}
	pthread_mutex_unlock(&s->lock);
	return ok;
}

void spool_save(struct spool *s)
{
	struct tail_head head;
	size_t len;

	pthread_mutex_lock(&s->lock);
	len = s->filled - s->saved;
	if (len && s->tail < 0)
		s->tail = open_tail(s, O_CREAT | O_RDWR);
	/* its head last: until then the file holds less, or an earlier chunk */
	if (len && pwrite(s->tail, s->data + s->saved, len, sizeof(head) + s->saved) == (ssize_t)len) {
		head = (struct tail_head){ .chunk = s->chunks, .len = s->filled };
		if (pwrite(s->tail, &head, sizeof(head), 0) == sizeof(head))
			s->saved = s->filled;
	}
	pthread_mutex_unlock(&s->lock);
}

const void *spool_last(const struct spool *s, size_t len)
{
	size_t end = s->filled ? s->filled : s->chunks ? SPOOL_CHUNK : 0;

	return s->data && end >= len ? s->data + end - len : NULL;
}

bool spool_end(struct spool *s, const void *data, size_t len, struct error *e)
{
	if (len) {
		prepare(s);
		make_room(s, s->filled + len);
		memcpy(s->data + s->filled, data, len);
		s->filled += len;
	}
	return !s->filled || write_chunk(s, e);
}

void spool_remove_tail(struct spool *s)
{
	char name[64];

	if (s->tail >= 0)
		close(s->tail);
	s->tail = -1;
	name_of_tail(s, name, sizeof(name));
	unlinkat(s->dir, name, 0);
}

uint32_t spool_chunks(const struct spool *s)
{
	return s->chunks;
}

uint64_t spool_size(const struct spool *s)
{
	return s->written;
}

void spool_release(struct spool *s, uint64_t len)
{
	/* the last file goes as a whole, too */
	uint64_t last = len < s->written ? len / s->segment : s->written / s->segment + 1;
	char name[64];

	/* its room is given back once it is closed */
	if (s->fd >= 0 && s->open < last) {
		close(s->fd);
		s->fd = -1;
		s->open = NO_SEGMENT;
	}
	for (; s->released < last; s->released++) {
		name_of(s, s->released, name, sizeof(name));
		unlinkat(s->dir, name, 0);
	}
	if (len < s->written && len % s->segment && open_segment(s, last, 0))
		fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, len % s->segment);
}

void spool_free(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->tail >= 0)
		close(s->tail);
	ZSTD_freeCCtx(s->zstd);
	free(s->data);
	free(s->out);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
