// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/message.h"
#include "cmd/vmcore.h"
#include "lib/capture.h"
#include "lib/dead_recording.h"
#include "lib/memory.h"
#include "lib/partial.h"
#include "lib/region.h"
#include "lib/tracedat_write.h"

#define DEFAULT_NAME	"trace.dat"

static bool has_problems;
static char *scratch;		/* a directory for what is made on the way; NULL: not yet */

static void note_problem(const struct error *e)
{
	warn_error(e);
	has_problems = true;
}

bool vmcore_has_problems(void)
{
	return has_problems;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	remove(path);
	return 0;
}

static void remove_scratch(void)
{
	nftw(scratch, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Let a process of its own remove the directory when this one is gone, however it ends. */
static void guard_scratch(void)
{
	int ends[2];
	char c;

	if (pipe2(ends, O_CLOEXEC))
		die_errno("cannot make a pipe");
	switch (fork()) {
	case -1:
		remove_scratch();
		die_errno("cannot make a process");
	case 0:
		close(ends[1]);
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		/* whoever waits for our output need not wait for this */
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		while (read(ends[0], &c, 1) < 0 && errno == EINTR)
			;
		remove_scratch();
		_exit(EXIT_SUCCESS);
	}
	/* the other end stays open as long as this process lives */
	close(ends[0]);
}

static void make_scratch(void)
{
	const char *const places[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!places[i] || !*places[i])
			continue;
		if (asprintf(&scratch, "%s/nestrace-vmcore-XXXXXX", places[i]) < 0)
			out_of_memory();
		if (mkdtemp(scratch)) {
			guard_scratch();
			return;
		}
		free(scratch);
	}
	die_errno("cannot make a directory in $TMPDIR, /var/tmp or /tmp; set TMPDIR");
}

/* Return the path of a file in the scratch directory, to be freed. */
static char *in_scratch(const char *name)
{
	char *path;

	if (!scratch)
		make_scratch();
	if (asprintf(&path, "%s/%s", scratch, name) < 0)
		out_of_memory();
	return path;
}

static void copy_file(int from_dir, int to_dir, const char *name)
{
	int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), to;
	struct stat st;
	ssize_t n;

	if (from < 0 || fstat(from, &st) || !S_ISREG(st.st_mode)) {
		if (from >= 0)
			close(from);
		return;
	}
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	do {
		n = to < 0 ? -1 : sendfile(to, from, NULL, 1 << 30);
	} while (n > 0);
	if (n < 0)
		die_errno("cannot copy '%s'; set TMPDIR to where there is room", name);
	close(from);
	close(to);
}

/* Copy the directory of an interrupted recording. */
static void copy_partial(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	struct dirent *d;
	int fd;

	if (!dir)
		die_errno("no interrupted recording: '%s'; name its directory, FILE.nestrace", from);
	if (mkdir(to, 0700))
		die_errno("cannot copy '%s'", from);
	fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while ((d = readdir(dir)))
		copy_file(dirfd(dir), fd, d->d_name);
	close(fd);
	closedir(dir);
}

/* Return the file that has what the recorder had written, to be freed. */
static char *recorded_file(const char *recording)
{
	char *partial, *file, *copy;
	struct stat st;
	struct error e;

	/* an earlier recording may have the file's name */
	if (asprintf(&partial, "%s" PARTIAL_SUFFIX, recording) < 0)
		out_of_memory();
	if (stat(partial, &st)) {
		free(partial);
		if (!stat(recording, &st) && !S_ISDIR(st.st_mode))
			return xstrdup(recording);
		partial = xstrdup(recording);
	}
	copy = in_scratch("recorded" PARTIAL_SUFFIX);
	copy_partial(partial, copy);
	file = in_scratch("recorded");
	free(partial);
	partial = tracedat_restore(copy, file, true, &e);
	if (!partial)
		die_error(&e);
	if (*e.text)
		note_problem(&e);
	free(partial);
	free(copy);
	return file;
}

/* Is there what a recorder has left, under the name that it takes without -o? */
static bool has_default(void)
{
	struct stat st;

	return !stat(DEFAULT_NAME PARTIAL_SUFFIX, &st);
}

char *vmcore_file(const struct vmcore_options *o, const char *recording, const char *output)
{
	const char *left = recording ?: has_default() ? DEFAULT_NAME : NULL;
	struct dead_recording r = { .dump = o->dump, .region = o->region, .name = left, .session = o->session, .problem = note_problem };
	char *file = NULL, *made;
	struct error e;

	capture_allow_files();
	signal(SIGXFSZ, SIG_IGN);
	if (left)
		r.file = file = recorded_file(left);
	r.output = made = output ? xstrdup(output) : in_scratch("trace.dat");
	if (!dead_recording_make(&r, &e)) {
		if (r.other)
			set_failure_status(VMCORE_OTHER_RECORDING);
		die_error(&e);
	}
	if (!left)
		warn("functions and tasks are numbers without what the recorder left: '%s'; name its directory, FILE.nestrace",
		     o->dump);
	free(file);
	return made;
}

void vmcore_saved(const struct vmcore_options *o)
{
	struct error e;

	if (o->region && !region_forget(o->dump, &e))
		note_problem(&e);
}

void vmcore_discard(const struct vmcore_options *o)
{
	struct error e;

	if (!o->region)
		usage("--discard is for reserved memory: '%s'; add --last-boot NAME", o->dump ?: "");
	if (!region_forget(o->dump, &e))
		die_error(&e);
}

char *vmcore_output(const char *recording)
{
	char *name = xstrdup(recording ?: DEFAULT_NAME), *at, *suffix = NULL;
	struct stat st;

	while (strlen(name) > 1 && name[strlen(name) - 1] == '/')
		name[strlen(name) - 1] = '\0';
	for (at = strstr(name, PARTIAL_SUFFIX); at; at = strstr(at + 1, PARTIAL_SUFFIX))
		suffix = at;
	if (suffix && suffix != name && suffix[-1] != '/' && !strchr(suffix, '/'))
		*suffix = '\0';
	else if (!stat(name, &st) && S_ISDIR(st.st_mode))
		die("that directory names no file: '%s'; add -o FILE", name);
	if (!stat(name, &st))
		die("that file exists already: '%s'; name another with -o FILE", name);
	return name;
}

static unsigned int session_number(const char *arg)
{
	unsigned long nr;
	char *end;

	nr = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || !nr || nr > 1000)
		usage("not the number of a session: '--session %s'; use 1 or more", arg);
	return nr;
}

bool vmcore_option(struct vmcore_options *o, int opt, const char *arg)
{
	if (opt == VMCORE_DUMP || opt == VMCORE_REGION) {
		if (o->dump)
			usage("only one memory can be read: '%s' and '%s'", o->dump, arg);
		o->dump = arg;
		o->region = opt == VMCORE_REGION;
	} else if (opt == VMCORE_SESSION)
		o->session = session_number(arg);
	else
		return false;
	return true;
}

bool vmcore_wanted(const struct vmcore_options *o)
{
	if (o->session && o->region)
		usage("reserved memory has one session only: '--session %u'; leave it out", o->session);
	if (o->session && !o->dump)
		usage("--session is for a dump: '--session %u'; add --vmcore DUMP", o->session);
	return o->dump;
}
