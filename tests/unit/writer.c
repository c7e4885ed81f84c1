// SPDX-License-Identifier: GPL-2.0
/*
 * A recording that is killed, or cannot write, at each of its system calls that change a
 * file: userspace/lib/tracedat_write.c with its directory and spools. The file is restored,
 * is killed again meanwhile, and has all that was saved.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/accounting.h"
#include "lib/tracedat_write.h"
#include "spec.h"
#include "uapi/nestrace.h"

enum { CPUS = 4, SUBBUFS = 264, HITS = 8, EVERY = 60 };

/* The behaviour of the calls below, shared by the processes. */
static struct {
	int calls;		/* so far */
	int kill_at;		/* the number of the call that kills; 0: none */
	int full_from;		/* calls from this one on find a full disk; 0: none */
	int full_to;
	bool no_holes;
	int saved;		/* hits that a kill must not lose */
} *world;

static bool disk_is_full(void)
{
	world->calls++;
	if (world->calls == world->kill_at)
		kill(getpid(), SIGKILL);
	return world->full_from && world->calls >= world->full_from && world->calls < world->full_to;
}

#define CALL(may_fill, ...)					\
	do {							\
		if (disk_is_full() && may_fill) {		\
			errno = ENOSPC;				\
			return -1;				\
		}						\
		return syscall(__VA_ARGS__);			\
	} while (0)

ssize_t pwrite(int fd, const void *buf, size_t len, off_t at)
{
	/* half of it is written if it kills */
	if (world->calls + 1 == world->kill_at)
		syscall(SYS_pwrite64, fd, buf, len / 2, at);
	CALL(true, SYS_pwrite64, fd, buf, len, at);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	CALL(true, SYS_write, fd, buf, len);
}

int ftruncate(int fd, off_t len)
{
	CALL(false, SYS_ftruncate, fd, len);
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
	if (world->no_holes) {
		errno = EOPNOTSUPP;
		return -1;
	}
	CALL(false, SYS_fallocate, fd, mode, at, len);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	CALL(false, SYS_renameat, from_dir, from, to_dir, to);
}

int unlinkat(int dir, const char *name, int flags)
{
	CALL(false, SYS_unlinkat, dir, name, flags);
}

static void make_subbuf(char *subbuf, unsigned int nr)
{
	uint64_t ts = 1000 + nr * 100000ULL, commit = HITS * 32;
	uint32_t head = 7 | 100 << 5;		/* its words, and the time since the event before */
	struct nestrace_function hit = { .type = 1, .pid = 7 };
	char *at = subbuf + 16;
	unsigned int i;

	memset(subbuf, 0, NESTRACE_SUBBUF_SIZE);
	memcpy(subbuf, &ts, sizeof(ts));
	memcpy(subbuf + 8, &commit, sizeof(commit));
	for (i = 0; i < HITS; i++, at += 32) {
		/* numbers that do not compress, so that there is much to move */
		hit.ip = (nr * 100 + i) * 0x9e3779b97f4a7c15ULL;
		hit.parent_ip = hit.ip * 0x9e3779b97f4a7c15ULL;
		memcpy(at, &head, sizeof(head));
		memcpy(at + 4, &hit, sizeof(hit));
	}
}

/* Record into @path. Return: true if the file is complete. */
static bool record(const char *path)
{
	char *symbols = strdup("ffffffff81000000 t first\nffffffffffffffff t end\n");
	struct nestrace_slot_stats slot[CPUS][NESTRACE_NR_SLOTS] = { 0 };
	uint32_t ring_kb[CPUS] = { 0, 64, 0, 64 };
	struct accounting a = { .nr_cpus = CPUS, .slot = slot, .ring_kb = ring_kb };
	char subbuf[NESTRACE_SUBBUF_SIZE];
	struct tracedat_writer *w;
	struct error e;
	unsigned int i;
	int hits = 0;

	w = tracedat_create(path, CPUS, "global", symbols, strlen(symbols), &(struct tracedat_contents){ 0 }, &e);
	if (!w)
		return false;
	for (i = 0; i < SUBBUFS; i++) {
		make_subbuf(subbuf, i);
		if (!tracedat_append(w, i % 2 ? 1 : 3, subbuf, sizeof(subbuf), &e))
			break;
		hits += HITS;
		slot[1][0].hits = slot[1][0].recorded = hits;
		if (i % EVERY)
			continue;
		tracedat_save(w, "7 task\n", 7, &a);
		/* without room, a kill loses what is not yet in a chunk */
		if (!world->full_from)
			world->saved = hits;
	}
	if (world->full_from)
		world->saved = hits;
	return tracedat_finish(w, "7 task\n", 7, &a, &e);
}

static bool in_place;		/* the file has another name, and so it cannot be replaced */
static bool by_other_name;	/* restore is given that name */

/* Print the other name of the file @path to @other. */
static void name_other(const char *path, char *other, size_t size)
{
	snprintf(other, size, "%.*s/other.dat", (int)(strrchr(path, '/') - path), path);
}

static bool restore(const char *path)
{
	struct error e = { "" };
	char other[300];
	bool ok;

	name_other(path, other, sizeof(other));
	ok = tracedat_restore(path, by_other_name ? other : NULL, false, &e);

	if (!ok)
		printf("# %s\n", e.text);
	return ok;
}

/* Run @act in a process that is killed at call @kill_at. Return: true if it was done. */
static bool run(bool (*act)(const char *path), const char *path, int kill_at)
{
	int status;
	pid_t pid;

	world->calls = 0;
	world->kill_at = kill_at;
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(!act(path));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Return the number of hits in the file; -1 if the file is not whole. */
static int hits_of(const char *path)
{
	char command[512];
	int hits = -1;
	FILE *f;

	snprintf(command, sizeof(command),
		 "userspace/nestrace report %s 2> %s.err | grep -c ' <- '; test ! -s %s.err || echo; rm -f %s.err",
		 path, path, path, path);
	f = popen(command, "r");
	if (fscanf(f, "%d", &hits) != 1 || (fgetc(f), fgetc(f)) != EOF)
		hits = -1;
	pclose(f);
	return hits;
}

static bool exists(const char *path, const char *suffix)
{
	char name[300];

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return !access(name, F_OK);
}

static void expect_saved(const char *path, int step)
{
	int hits = hits_of(path);
	char text[64];

	snprintf(text, sizeof(text), "killed at call %d: %d hits", step, hits);
	if (hits < world->saved || hits > SUBBUFS * HITS)
		is(text, "all that was saved");
	if (exists(path, ".nestrace"))
		is(text, "no directory is left");
}

static void begin_anew(const char *path)
{
	char other[300];

	unlink(path);
	world->saved = 0;
	if (!in_place)
		return;
	name_other(path, other, sizeof(other));
	unlink(other);
	close(open(path, O_CREAT | O_WRONLY | O_EXCL, 0600));
	if (link(path, other))
		abort();
}

static void remove_left(const char *path)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s.nestrace*", path);
	if (system(command))
		abort();
}

/* Kill a recording at each @stride-th call, and what restores it at several. */
static void kill_everywhere(const char *path, int stride)
{
	int step, again;
	bool done;

	for (step = 1;; step += stride) {
		begin_anew(path);
		done = run(record, path, step);
		/* before the beginning nothing is lost, and at the end nothing is left */
		if (!exists(path, ".nestrace")) {
			if (world->saved)
				expect_saved(path, step);
			if (done)
				break;
			continue;
		}
		if (!world->saved) {
			remove_left(path);
			continue;
		}
		by_other_name = in_place && step % 4 == 1;
		for (again = 1 + step % 5; again < 60; again += 5 + step % 7)
			if (run(restore, path, again) || !exists(path, ".nestrace/about"))
				break;
		if (exists(path, ".nestrace/about"))
			run(restore, path, 0);
		by_other_name = false;
		/* killed while it removed the directory: the file is whole */
		if (!exists(path, ".nestrace/facts"))
			remove_left(path);
		expect_saved(path, step);
	}
	is_number(hits_of(path), SUBBUFS * HITS);
}

/* Fill the disk at each call, for some calls, and give it room again. */
static void fill_everywhere(const char *path)
{
	int step;
	bool done;

	for (step = 1;; step++) {
		begin_anew(path);
		world->full_from = step;
		world->full_to = step + 1;
		done = run(record, path, 0);
		if (world->calls < step) {
			world->full_from = 0;
			break;
		}
		world->full_from = 0;
		if (!done && exists(path, ".nestrace"))
			done = run(restore, path, 0);
		if (done || world->saved)
			expect_saved(path, step);
	}
	is_number(hits_of(path), SUBBUFS * HITS);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/nestrace-writer-XXXXXX", path[64], other[64];
	struct stat st;

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!mkdtemp(dir))
		return 2;
	snprintf(path, sizeof(path), "%s/t.dat", dir);
	snprintf(other, sizeof(other), "%s/other.dat", dir);

	spec("writer: a kill at any moment loses nothing that was saved");
	kill_everywhere(path, 2);
	spec("writer: so where no holes can be punched");
	world->no_holes = true;
	kill_everywhere(path, 5);
	spec("writer: so with a file that has two names, which is written in place");
	in_place = true;
	kill_everywhere(path, 2);
	in_place = false;
	spec("writer: a full disk at any moment loses nothing that was recorded");
	world->no_holes = false;
	fill_everywhere(path);
	spec_end();

	unlink(path);
	unlink(other);
	if (rmdir(dir) || !stat(dir, &st))
		printf("not ok unit: writer: nothing is left in %s\n", dir);
	return specs_failed != 0;
}
