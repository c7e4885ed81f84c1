// SPDX-License-Identifier: GPL-2.0
/* Chunks that wait for compression, and what is left of them: userspace/lib/spool.c. */
#include <fcntl.h>
#include <unistd.h>

#include "lib/spool.h"
#include "spec.h"
#include "uapi/nestrace.h"

#define PLENTY	(64 << 20)
#define SLOT	(256 << 10)

static int dir;
static char chunk[SPOOL_CHUNK];
static struct error e;

/* A chunk of empty sub-buffers, which @nr tells apart. */
static const char *chunk_of(uint64_t nr)
{
	size_t at;

	memset(chunk, 0, sizeof(chunk));
	for (at = 0; at < sizeof(chunk); at += NESTRACE_SUBBUF_SIZE)
		memcpy(chunk + at, &nr, sizeof(nr));
	return chunk;
}

/* A spool with @nr chunks, and half of one more, as a kill leaves it. */
static void leave(unsigned int nr, spool_budget *budget)
{
	struct spool *s = spool_new(dir, 0, 1ULL << 62, budget);
	unsigned int i;

	for (i = 0; i < nr; i++)
		is_number(spool_append(s, chunk_of(i), SPOOL_CHUNK, &e), true);
	is_number(spool_append(s, chunk_of(nr), SPOOL_CHUNK / 2, &e), true);
	spool_save(s);
	spool_free(s);
}

/* Return the chunks that are restored; the last may be half of one. */
static unsigned int restore(bool damaged)
{
	struct spool *s = spool_recover(dir, 0, 1ULL << 62, &e);
	unsigned int chunks;

	if (!s)
		return 0;
	is_number(spool_end(s, NULL, 0, &e), true);
	is_number(spool_is_damaged(s), damaged);
	chunks = spool_chunks(s);
	spool_remove_tail(s);
	spool_free(s);
	is_number(faccessat(dir, "cpu0.brief.0", F_OK, 0), -1);
	unlinkat(dir, "cpu0.0", 0);
	return chunks;
}

static void damage(off_t at, size_t len)
{
	int fd = openat(dir, "cpu0.brief.0", O_RDWR);
	char zeroes[4096] = { 0 };

	if (pwrite(fd, zeroes, len, at) != (ssize_t)len)
		abort();
	close(fd);
}

int main(void)
{
	char path[] = "/tmp/nestrace-spool-XXXXXX";
	spool_budget budget = PLENTY;
	struct spool *s;
	unsigned int i;

	if (!mkdtemp(path))
		return 2;
	dir = open(path, O_RDONLY | O_DIRECTORY);

	spec("spool: chunks wait while there is a budget, and give it back");
	s = spool_new(dir, 0, 1ULL << 62, &budget);
	for (i = 0; i < 10; i++)
		is_number(spool_append(s, chunk_of(i), SPOOL_CHUNK, &e), true);
	is_number(spool_waiting(s), PLENTY - budget);
	is_number(spool_size(s), 0);
	is_number(spool_end(s, NULL, 0, &e), true);
	is_number(spool_chunks(s), 10);
	is_number(budget, PLENTY);
	spool_free(s);
	unlinkat(dir, "cpu0.0", 0);

	spec("spool: when the budget is used up, the oldest chunks are compressed");
	budget = SLOT + 100000;
	s = spool_new(dir, 0, 1ULL << 62, &budget);
	for (i = 0; i < 10; i++)
		is_number(spool_append(s, chunk_of(i), SPOOL_CHUNK, &e), true);
	is_number(spool_waiting(s) > 0 && spool_waiting(s) <= 200000, true);
	is_number(spool_chunks(s) > 5, true);
	is_number(spool_end(s, NULL, 0, &e), true);
	is_number(spool_chunks(s), 10);
	spool_free(s);
	unlinkat(dir, "cpu0.0", 0);

	spec("spool: after a kill, all chunks that waited are restored");
	budget = PLENTY;
	leave(10, &budget);
	is_number(restore(false), 11);

	spec("spool: after a kill, chunks that were compressed and that waited are restored");
	budget = SLOT + 100000;
	leave(10, &budget);
	is_number(restore(false), 11);

	spec("spool: a chunk that a kill cut is left out, the others are restored");
	budget = PLENTY;
	leave(10, &budget);
	s = NULL;
	if (truncate(strcat(strcpy(chunk, path), "/cpu0.brief.0"), 9 * SLOT + 100))
		abort();
	is_number(restore(false), 9);

	spec("spool: a damaged chunk ends the restored ones, and is reported");
	leave(10, &budget);
	damage(4 * SLOT + 20, 100);
	is_number(restore(true), 4);

	spec("spool: an empty slot ends the restored chunks, and is reported");
	leave(10, &budget);
	damage(4 * SLOT, 4096);
	is_number(restore(true), 4);

	spec("spool: a slot of another chunk ends the restored ones, and is reported");
	leave(10, &budget);
	damage(4 * SLOT, 1);
	is_number(restore(true), 4);
	spec_end();
	close(dir);
	rmdir(path);
	return !!specs_failed;
}
