// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/memory.h"
#include "lib/shorthand.h"
#include "lib/spool.h"

#define NO_SEGMENT	UINT64_MAX
#define SLOT		(256ULL << 10)	/* bytes for a chunk that waits: struct slot_head, its short form, a hole */
/*
 * A slot takes at least this much of the disk, so that its room suffices for the compressed chunk:
 * 20 KiB of a short form may become 32 KiB of zstd.
 */
#define SLOT_MIN	(36U << 10)
#define BLOCK		4096		/* of a disk */

/* A row of files of one kind, which are one sequence of bytes. */
struct files {
	const char *kind;		/* in their names */
	uint64_t segment;		/* bytes of each */
	uint64_t open;			/* number of the one that @fd is, or NO_SEGMENT */
	int fd;
	uint64_t released;		/* files that are removed */
};

/*
 * The head of the tail's file; the data of the unfinished chunk follows. The length is first:
 * if a kill cuts the head, the length is right, or the chunk is another.
 */
struct tail_head {
	uint32_t len;
	uint32_t chunk;			/* the number of that chunk */
};

struct slot_head {
	uint32_t chunk;			/* its number */
	uint32_t len;			/* of the short form */
	uint32_t sum;			/* of it: sum_of() */
};

struct spool {
	pthread_mutex_t lock;		/* spool_save() comes from another thread */
	int dir;
	unsigned int cpu;
	struct files packed;		/* chunks as in trace.dat */
	struct files brief;		/* one file; chunk N is in slot N */
	int tail;			/* its file, or negative */
	uint64_t written;		/* bytes in @packed */
	uint32_t chunks;		/* in @packed */
	_Atomic uint32_t waiting;	/* those after them, in @brief */
	_Atomic uint64_t waiting_bytes;	/* that these take, of this process only */
	spool_budget *budget;
	ZSTD_CCtx *zstd;
	size_t filled;			/* bytes of @data */
	size_t saved;			/* those that the tail's file has, too */
	size_t out_size;
	char *out;
	char *data;			/* of the chunk that is being filled; NULL: none yet */
	bool damaged;			/* something is lost that a killed process had written */
	char *slot;			/* what is written to a slot, or read from it; NULL: none yet */
	char *again;			/* a chunk that was there; NULL: none yet */
};

static void name_of(const struct spool *s, const struct files *f, uint64_t segment, char *name,
		    size_t size)
{
	snprintf(name, size, "cpu%u.%s%llu", s->cpu, f->kind, (unsigned long long)segment);
}

static void close_segment(struct files *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->open = NO_SEGMENT;
}

static bool remove_segment(const struct spool *s, const struct files *f, uint64_t segment)
{
	char name[64];

	name_of(s, f, segment, name, sizeof(name));
	return !unlinkat(s->dir, name, 0);
}

static bool open_segment(const struct spool *s, struct files *f, uint64_t segment, int flags)
{
	char name[64];

	if (f->open == segment)
		return true;
	close_segment(f);
	name_of(s, f, segment, name, sizeof(name));
	f->fd = openat(s->dir, name, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	f->open = f->fd < 0 ? NO_SEGMENT : segment;
	return f->fd >= 0;
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

/* CPUs that nobody reads cost nothing: many that are possible are not there. */
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

struct spool *spool_new(int dir, unsigned int cpu, uint64_t segment, spool_budget *budget)
{
	struct spool *s = xzalloc(1, sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	s->dir = dir;
	s->cpu = cpu;
	s->budget = budget;
	s->packed = (struct files){ .kind = "", .segment = segment, .open = NO_SEGMENT, .fd = -1 };
	s->brief = s->packed;
	s->brief.kind = "brief.";
	s->brief.segment = UINT64_MAX;
	s->tail = -1;
	return s;
}

static ssize_t read_files(const struct spool *s, struct files *f, uint64_t at, void *buf, size_t len)
{
	uint64_t in = at % f->segment;
	ssize_t n;

	if (!open_segment(s, f, at / f->segment, 0))
		return -1;
	if (len > f->segment - in)
		len = f->segment - in;
	do
		n = pread(f->fd, buf, len, in);
	while (n < 0 && errno == EINTR);
	/* a file that a loss of power has cut */
	if (!n)
		errno = ENODATA;
	return n ? n : -1;
}

ssize_t spool_read(struct spool *s, uint64_t at, void *buf, size_t len)
{
	return read_files(s, &s->packed, at, buf, len);
}

/* Return the size of a file; -1: there is none. */
static off_t size_of(const struct spool *s, const struct files *f, uint64_t segment)
{
	struct stat st;
	char name[64];

	name_of(s, f, segment, name, sizeof(name));
	return fstatat(s->dir, name, &st, 0) ? -1 : st.st_size;
}

/* Return the bytes in all files, of which the last chunk may be cut. */
static uint64_t bytes_left(const struct spool *s, const struct files *f)
{
	uint64_t segment, sum = 0;
	off_t size;

	for (segment = 0; (size = size_of(s, f, segment)) >= 0; segment++)
		sum += size;
	return sum;
}

static bool read_all(const struct spool *s, struct files *f, uint64_t at, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read_files(s, f, at + done, (char *)buf + done, len - done);
		if (n < 0)
			return false;
		done += n;
	}
	return true;
}

/*
 * Remove what an unfinished write left from @to on. Otherwise a shorter write over it could pass for
 * a whole chunk after a kill. Return: false with errno set.
 */
static bool cut(const struct spool *s, struct files *f, uint64_t to)
{
	uint64_t segment = to / f->segment, last = segment;

	while (size_of(s, f, last + 1) >= 0)
		last++;
	/* the last one first: a kill must leave no gap */
	for (; last > segment; last--) {
		if (f->open == last)
			close_segment(f);
		if (!remove_segment(s, f, last))
			return false;
	}
	return size_of(s, f, segment) <= (off_t)(to % f->segment) ||
	       (open_segment(s, f, segment, 0) && !ftruncate(f->fd, to % f->segment));
}

/* Write at the end of the files. Return: false with errno set; then nothing of it is there. */
static bool write_all(const struct spool *s, struct files *f, uint64_t to, const void *data, size_t len)
{
	size_t done = 0, part;
	uint64_t at;
	ssize_t n;
	int err;

	while (done < len) {
		at = to + done;
		part = len - done;
		if (part > f->segment - at % f->segment)
			part = f->segment - at % f->segment;
		n = !open_segment(s, f, at / f->segment, O_CREAT) ? -1 :
		    pwrite(f->fd, (const char *)data + done, part, at % f->segment);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = errno;
			/* give its room back, too */
			if (!cut(s, f, to))
				err = errno;
			errno = err;
			return false;
		}
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
	if (n == sizeof(head) && head.chunk == s->chunks + s->waiting && head.len <= SPOOL_CHUNK) {
		n = pread(s->tail, s->data, head.len, sizeof(head));
		if (n == (ssize_t)head.len)
			s->filled = s->saved = head.len;
	}
	return n >= 0;
}

/* Return: 1; 0 if chunk @nr is not in its slot; -1 with errno set. */
static int read_slot(struct spool *s, uint32_t nr, struct slot_head *head)
{
	if (!read_all(s, &s->brief, nr * SLOT, head, sizeof(*head)))
		return errno == ENOENT || errno == ENODATA ? 0 : -1;
	return head->chunk == nr && head->len && head->len <= SLOT - sizeof(*head);
}

/* Count the chunks that wait. Return: false with errno set if they cannot be read. */
static bool recover_waiting(struct spool *s)
{
	uint64_t end = bytes_left(s, &s->brief), at;
	struct slot_head head;
	int found;

	for (;;) {
		at = (s->chunks + s->waiting) * SLOT;
		found = at < end ? read_slot(s, s->chunks + s->waiting, &head) : 0;
		if (found < 0)
			return false;
		if (!found || at + sizeof(head) + head.len > end)
			break;
		s->waiting++;
	}
	/* a kill cuts the last one; a loss of power may take any */
	s->damaged = at + SLOT < end;
	return true;
}

/* Count the whole chunks. Return: false with errno set if they cannot be read. */
static bool recover_chunks(struct spool *s)
{
	uint64_t end = bytes_left(s, &s->packed);
	uint32_t head[2];

	while (end - s->written >= sizeof(head)) {
		if (!read_all(s, &s->packed, s->written, head, sizeof(head)))
			return errno == ENODATA;
		if (!head[0] || !head[1] || head[0] > end - s->written - sizeof(head))
			break;
		s->written += sizeof(head) + head[0];
		s->chunks++;
	}
	if (!cut(s, &s->packed, s->written))
		return false;
	return recover_waiting(s);
}

struct spool *spool_recover(int dir, unsigned int cpu, uint64_t segment, struct error *e)
{
	struct spool *s = spool_new(dir, cpu, segment, NULL);

	if (recover_chunks(s) && recover_tail(s))
		return s;
	error_set_errno(e, "cannot read the data of CPU %u", cpu);
	spool_free(s);
	return NULL;
}

struct spool *spool_reopen(int dir, unsigned int cpu, uint64_t segment, uint64_t size,
			   uint32_t chunks)
{
	struct spool *s = spool_new(dir, cpu, segment, NULL);

	s->written = size;
	s->chunks = chunks;
	return s;
}

/* Give back the room of the first @len bytes of files, of which there are @all. */
static void release(const struct spool *s, struct files *f, uint64_t len, uint64_t all)
{
	/* the last file goes as a whole, too */
	uint64_t last = len < all ? len / f->segment : all / f->segment + 1;

	/* its room is given back once it is closed */
	if (f->open < last)
		close_segment(f);
	for (; f->released < last; f->released++)
		remove_segment(s, f, f->released);
	if (len < all && len % f->segment && open_segment(s, f, last, 0))
		fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, len % f->segment);
}

/* Compress @data and write it as the next chunk. */
static bool put(struct spool *s, const char *data, size_t len, struct error *e)
{
	uint32_t head[2] = { 0, len };
	size_t n = ZSTD_compress2(s->zstd, s->out + sizeof(head), s->out_size - sizeof(head), data, len);

	if (ZSTD_isError(n))
		return error_set(e, "cannot compress (%s)", ZSTD_getErrorName(n));
	head[0] = n;
	memcpy(s->out, head, sizeof(head));
	if (!write_all(s, &s->packed, s->written, s->out, n + sizeof(head)))
		return error_set(e, "%s", strerror(errno));
	s->written += n + sizeof(head);
	s->chunks++;
	return true;
}

/*
 * Return a checksum, which finds what an interrupted machine leaves: blocks of zeros or of other data.
 * zlib's crc32() takes 25 instructions for each hit, this three.
 */
static uint32_t sum_of(const char *data, size_t len)
{
	const uint64_t odd = 0x9e3779b97f4a7c15ULL;
	uint64_t sum = len, word[4];
	size_t i;

	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(word, data + i, sizeof(word));
		sum = sum * odd + word[0];
		sum = sum * odd + word[1];
		sum = sum * odd + word[2];
		sum = sum * odd + word[3];
	}
	for (; i < len; i++)
		sum = sum * odd + (unsigned char)data[i];
	return sum * odd >> 32;
}

/* Return the bytes of the disk that a slot takes. */
static uint32_t slot_size(const struct slot_head *head)
{
	uint32_t size = (sizeof(*head) + head->len + BLOCK - 1) / BLOCK * BLOCK;

	return size < SLOT_MIN ? SLOT_MIN : size;
}

static void prepare_slot(struct spool *s)
{
	_Static_assert(SPOOL_CHUNK <= SHORTHAND_MAX, "SPOOL_CHUNK is too large for a short form");

	if (!s->slot)
		s->slot = xzalloc(1, SLOT);
}

/* Let the chunk wait. Return: false if there is no budget for it, or no room. */
static bool defer(struct spool *s)
{
	struct slot_head head = { .chunk = s->chunks + s->waiting };
	char *brief;

	if (!s->budget || atomic_load_explicit(s->budget, memory_order_relaxed) < (int64_t)SLOT)
		return false;
	prepare_slot(s);
	brief = s->slot + sizeof(head);
	head.len = shorthand_make(brief, s->data, SPOOL_CHUNK);
	head.sum = sum_of(brief, head.len);
	memcpy(s->slot, &head, sizeof(head));
	if (!write_all(s, &s->brief, head.chunk * SLOT, s->slot, slot_size(&head)))
		return false;
	atomic_fetch_sub(s->budget, slot_size(&head));
	s->waiting_bytes += slot_size(&head);
	s->waiting++;
	return true;
}

/* Read the chunk that has waited longest to @again. Return: as read_slot() does. */
static int read_waiting(struct spool *s, struct slot_head *head)
{
	int found = read_slot(s, s->chunks, head);

	prepare_slot(s);
	if (!s->again)
		s->again = xrealloc(NULL, SPOOL_CHUNK);
	if (found <= 0)
		return found;
	if (!read_all(s, &s->brief, s->chunks * SLOT + sizeof(*head), s->slot, head->len))
		return -1;
	return sum_of(s->slot, head->len) == head->sum &&
	       shorthand_undo(s->again, SPOOL_CHUNK, s->slot, head->len);
}

/* Compress the chunk that has waited longest. */
static bool compress_one(struct spool *s, struct error *e)
{
	struct slot_head head;
	int found = read_waiting(s, &head);

	if (found < 0)
		return error_set(e, "cannot read a chunk that waits (%s)", strerror(errno));
	if (!found && s->budget)
		return error_set(e, "a chunk on the disk is damaged");
	if (!found) {
		/* after a loss of power; nothing behind it has its place any more */
		s->damaged = true;
		s->waiting = 0;
		s->filled = s->saved = 0;
		return true;
	}
	if (!put(s, s->again, SPOOL_CHUNK, e))
		return false;
	s->waiting--;
	/* the file may still grow, so keep it */
	release(s, &s->brief, s->chunks * SLOT, UINT64_MAX - 1);
	if (s->budget) {
		s->waiting_bytes -= slot_size(&head);
		atomic_fetch_add(s->budget, slot_size(&head));
	}
	return true;
}

/* Write the full chunk in @data. */
static bool write_chunk(struct spool *s, struct error *e)
{
	bool deferred = defer(s);

	/* chunks stay in order: the older ones come first */
	while (!deferred && s->waiting) {
		if (!compress_one(s, e))
			return false;
		deferred = defer(s);
	}
	if (!deferred && !put(s, s->data, s->filled, e))
		return false;
	s->filled = s->saved = 0;
	return true;
}

void *spool_room(struct spool *s, size_t *len)
{
	void *room;

	pthread_mutex_lock(&s->lock);
	prepare(s);
	*len = SPOOL_CHUNK - s->filled;
	room = *len ? s->data + s->filled : NULL;
	pthread_mutex_unlock(&s->lock);
	return room;
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
		if (data != s->data + s->filled)
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
		head = (struct tail_head){ .chunk = s->chunks + s->waiting, .len = s->filled };
		if (pwrite(s->tail, &head, sizeof(head), 0) == sizeof(head))
			s->saved = s->filled;
	}
	pthread_mutex_unlock(&s->lock);
}

bool spool_compress(struct spool *s, struct error *e)
{
	bool ok = true;

	while (ok && s->waiting) {
		pthread_mutex_lock(&s->lock);
		ok = compress_one(s, e);
		pthread_mutex_unlock(&s->lock);
	}
	return ok;
}

uint64_t spool_waiting(const struct spool *s)
{
	return s->waiting_bytes;
}

bool spool_is_damaged(const struct spool *s)
{
	return s->damaged;
}

bool spool_has_chunk(const struct spool *s)
{
	return s->chunks || s->waiting;
}

const void *spool_last(const struct spool *s, size_t len)
{
	size_t end = s->filled ? s->filled : spool_has_chunk(s) ? SPOOL_CHUNK : 0;

	return s->data && end >= len ? s->data + end - len : NULL;
}

bool spool_end(struct spool *s, const void *data, size_t len, struct error *e)
{
	uint64_t brief = (uint64_t)(s->chunks + s->waiting) * SLOT;

	if (!spool_compress(s, e))
		return false;
	release(s, &s->brief, brief, brief);
	if (len) {
		prepare(s);
		make_room(s, s->filled + len);
		memcpy(s->data + s->filled, data, len);
		s->filled += len;
	}
	if (s->filled && !put(s, s->data, s->filled, e))
		return false;
	s->filled = s->saved = 0;
	return true;
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
	release(s, &s->packed, len, s->written);
}

void spool_free(struct spool *s)
{
	close_segment(&s->packed);
	close_segment(&s->brief);
	if (s->tail >= 0)
		close(s->tail);
	ZSTD_freeCCtx(s->zstd);
	free(s->data);
	free(s->out);
	free(s->slot);
	free(s->again);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
