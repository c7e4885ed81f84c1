// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/message.h"
#include "cmd/persist.h"
#include "cmd/vmcore.h"
#include "lib/dead_recording.h"
#include "lib/device.h"
#include "lib/memory.h"
#include "lib/partial.h"
#include "lib/pieces.h"
#include "lib/region.h"

/* An earlier recording, while it is saved. */
struct saving {
	const char *region, *file;
	char *used;		/* the directory that the file was made with, or NULL */
	bool saved;
	bool failed;		/* a directory may be the right one, and could not be read */
};

/* Run nestrace restore. @left: a recorder's directory, or NULL. */
static void restore(struct saving *s, const char *left)
{
	pid_t pid = fork();
	struct stat st;
	int null, status;

	if (!pid) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(null, STDERR_FILENO);
		/* not with what is in the working directory */
		if (!left && chdir("/"))
			_exit(EXIT_FAILURE);
		execl("/proc/self/exe", "nestrace", "restore", "-q", "--last-boot", s->region, "-o", s->file, left, (char *)NULL);
		_exit(EXIT_FAILURE);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		s->failed = true;
		return;
	}
	s->saved = !stat(s->file, &st);
	s->failed |= !s->saved && WEXITSTATUS(status) != VMCORE_OTHER_RECORDING;
	if (s->saved && WEXITSTATUS(status))
		warn("a part of the earlier recording was damaged: '%s'; it is left out", s->region);
	else if (s->saved && left)
		s->used = xstrdup(left);
}

/* Try the directories beside the file: only that of the recording fits. */
static void restore_with_directory(struct saving *s)
{
	char *copy = xstrdup(s->file), *path;
	const char *beside = dirname(copy);
	DIR *dir = opendir(beside);
	struct dirent *d;

	while (dir && !s->saved && (d = readdir(dir))) {
		if (!strstr(d->d_name, PARTIAL_SUFFIX))
			continue;
		if (asprintf(&path, "%s/%s", beside, d->d_name) < 0)
			out_of_memory();
		restore(s, path);
		free(path);
	}
	if (dir)
		closedir(dir);
	free(copy);
}

static void remove_directory(const char *path)
{
	struct partial p;
	struct error e;

	if (!partial_open(&p, path, &e))
		return;
	partial_remove(&p);
	partial_free(&p);
}

/* Free memory that no restore can read. */
static bool give_up(const char *region)
{
	struct error e, ignored;

	if (dead_recording_is_readable(region, &e))
		return false;
	warn_error(&e);
	warn("the earlier recording is given up: '%s'", region);
	region_forget(region, &ignored);
	return true;
}

char *persist_save_earlier(const char *region, const char *pattern, unsigned int keep)
{
	struct saving s = { .region = region };
	struct pieces *pieces;
	struct error e;
	char *name, *full;

	if (!region_holds(region) || give_up(region))
		return NULL;
	pieces = pieces_new(pattern, keep, &e);
	if (!pieces)
		return NULL;
	name = pieces_name(pieces, time(NULL));
	full = *name == '/' ? xstrdup(name) : NULL;
	if (!full && asprintf(&full, "%s/%s", get_current_dir_name() ?: ".", name) < 0)
		out_of_memory();
	s.file = full;
	restore_with_directory(&s);
	if (!s.saved && !s.failed) {
		restore(&s, NULL);
		if (s.saved)
			warn("functions and tasks of the earlier recording are numbers: '%s'; its directory is not beside the file",
			     region);
	}
	if (s.saved) {
		warn("an earlier recording was in the reserved memory: '%s'; it is saved as %s", region, name);
		pieces_add(pieces, name);
		if (s.used)
			remove_directory(s.used);
	} else {
		warn("cannot save the earlier recording in '%s'; nestrace restore --last-boot %s says why", region, region);
		free(name);
		name = NULL;
	}
	free(s.used);
	free(full);
	pieces_free(pieces);
	return name;
}

/* Return: KiB that the rings of a CPU take there, at most: with their list, and with copies of their counters */
static uint64_t persist_kb(uint64_t ring_kb)
{
	uint64_t rings = ring_kb - ring_kb / 64, smallest = 104;

	return (rings > smallest ? rings : smallest) + ring_kb / 512 + 24;
}

/* Return: how many CPUs have rings. */
static unsigned int traced_cpus(const struct session_config *s)
{
	FILE *f = fopen("/sys/devices/system/cpu/present", "re");
	unsigned int from, to, nr = 0, cpu;
	char next = ',';

	while (f && next == ',' && fscanf(f, "%u", &from) == 1) {
		to = from;
		next = '\n';
		if (fscanf(f, "%c", &next) == 1 && next == '-' && fscanf(f, "%u%c", &to, &next) < 1)
			break;
		for (cpu = from; cpu <= to; cpu++)
			nr += !s->cpus || (cpu / 8 < s->cpus_len && s->cpus[cpu / 8] & 1 << cpu % 8);
	}
	if (f)
		fclose(f);
	return nr ? nr : 1;
}

void persist_size(struct session_config *s)
{
	uint64_t cpus, kb;
	struct error e;

	if (!s->persist)
		return;
	kb = region_bytes(s->persist, &e) / 1024;
	if (!kb)
		die_error(&e);
	if (s->sized)
		return;
	cpus = traced_cpus(s);
	for (s->ring_kb = NESTRACE_RING_KB_MAX; cpus * persist_kb(s->ring_kb) + 16 > kb; s->ring_kb /= 2)
		if (s->ring_kb == NESTRACE_RING_KB_MIN)
			die("the reserved memory is too small: '--persist %s', %" PRIu64 " KiB for %" PRIu64 " CPUs; boot with more in reserve_mem=",
			    s->persist, kb, cpus);
}

void persist_keep_unsaved(struct session_config *s)
{
	if (!s->persist || !region_holds(s->persist))
		return;
	warn("the last recording stays in the reserved memory: '%s'; the next one is in other memory", s->persist);
	s->persist = NULL;
}

void persist_forget(const struct session_config *s)
{
	struct error e;

	if (s->persist && !region_forget(s->persist, &e))
		warn_error(&e);
}
