// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/memory.h"
#include "lib/output.h"
#include "lib/partial.h"

#define ABOUT		"about"
#define VERSION_LINE	"unfinished recording of nestrace, format 1\n"
#define SEGMENT_WHOLE	(1ULL << 62)	/* one file: a hole in it gives room back */
#ifndef SEGMENT
#define SEGMENT		(2ULL << 20)	/* where there are no holes */
#endif
#define NAMES_MAX	1000
#define WAIT_MS		3000

static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		out_of_memory();
	va_end(args);
	return text;
}

static int open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/*
 * Return true if no other user can have put files into the directory. File systems without
 * owners, or with those of another machine, say nothing about that.
 */
static bool is_own(int dir)
{
	struct statfs fs;
	struct stat st;

	if (fstat(dir, &st) || fstatfs(dir, &fs))
		return false;
	switch ((unsigned int)fs.f_type) {
	case MSDOS_SUPER_MAGIC:
	case EXFAT_SUPER_MAGIC:
	case NFS_SUPER_MAGIC:
	case SMB_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC:
	case CIFS_SUPER_MAGIC:
	case V9FS_MAGIC:
	case FUSE_SUPER_MAGIC:
		return true;
	}
	return st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Return true unless a living process holds the lock of the directory @path. */
static bool is_left(const char *path)
{
	char *about = format("%s/" ABOUT, path);
	int fd = open(about, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool left = fd < 0 || !flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	free(about);
	return left;
}

static bool has_file(const char *path, const char *name)
{
	char *file = format("%s/%s", path, name);
	bool has = !access(file, F_OK);

	free(file);
	return has;
}

/* Make a directory that no other process uses, where files may not be made beside the output. */
static bool make_elsewhere(struct partial *p, const struct output *o)
{
	const char *const places[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!places[i] || !*places[i])
			continue;
		p->path = format("%s/nestrace-XXXXXX", places[i]);
		if (mkdtemp(p->path))
			return true;
		free(p->path);
		p->path = NULL;
	}
	return false;
}

static bool make_beside(struct partial *p, const struct output *o, struct error *e)
{
	unsigned int i;

	for (i = 0; i < NAMES_MAX; i++) {
		p->path = i ? format("%s" PARTIAL_SUFFIX ".%u", o->path, i) :
			  format("%s" PARTIAL_SUFFIX, o->path);
		if (!mkdir(p->path, 0700))
			return true;
		if (errno != EEXIST)
			break;
		if (!is_left(p->path))
			return error_set(e, "another recording writes that file: '%s'; choose another with -o, or end the other one",
					 o->name);
		if (has_file(p->path, PARTIAL_TARGET))
			return error_set(e, "an interrupted recording is partly in that file: '%s'; complete it with nestrace restore FILE",
					 o->name);
		/* nestrace restore can use it */
		if (!p->kept && has_file(p->path, "facts"))
			p->kept = xstrdup(p->path);
		free(p->path);
		p->path = NULL;
	}
	free(p->path);
	p->path = NULL;
	return false;
}

/* Return true if a file in the directory can give back room from its beginning. */
static bool has_holes(const struct partial *p)
{
	return !fallocate(p->lock, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 1 << 20);
}

bool partial_create(struct partial *p, const struct output *o, const char *clock,
		    unsigned int nr_cpus, unsigned int nr_streams, struct error *e)
{
	char *about;
	size_t len;
	bool ok;

	*p = (struct partial){ .fd = -1, .lock = -1, .nr_cpus = nr_cpus, .nr_streams = nr_streams };
	snprintf(p->clock, sizeof(p->clock), "%s", clock);
	p->output = xstrdup(o->path);
	*e->text = '\0';
	/* a file can be written in a directory that takes no other one */
	if (o->beside && !make_beside(p, o, e) &&
	    (*e->text || (errno != ENAMETOOLONG && (o->fd < 0 || errno == ENOSPC)))) {
		if (!*e->text)
			error_set_errno(e, "cannot write '%s'", o->name);
		return false;
	}
	if (!p->path && !make_elsewhere(p, o))
		return error_set_errno(e, "cannot make a directory for the recording into '%s'; set TMPDIR",
				       o->name);
	p->fd = open_directory(p->path);
	if (p->fd >= 0 && !is_own(p->fd))
		errno = EPERM;
	else if (p->fd >= 0)
		p->lock = openat(p->fd, ABOUT, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (p->lock < 0)
		return error_set_errno(e, "cannot write '%s'", o->name);
	/* without locks, as on some network file systems, two recorders do not see each other */
	flock(p->lock, LOCK_EX | LOCK_NB);
	p->holes = has_holes(p);
	p->segment = p->holes ? SEGMENT_WHOLE : SEGMENT;
	about = format(VERSION_LINE "cpus %u\nstreams %u\nclock %s\nsegment %llu\noutput %s\n", nr_cpus,
		       nr_streams, clock,
		       (unsigned long long)p->segment, o->path);
	len = strlen(about);
	ok = pwrite(p->lock, about, len, 0) == (ssize_t)len;
	free(about);
	return ok || error_set_errno(e, "cannot write '%s'", o->name);
}

static bool read_about(struct partial *p)
{
	unsigned long long segment;
	char *text, *output;
	size_t len;
	bool ok;

	text = partial_get(p, ABOUT, &len);
	if (!text)
		return false;
	output = strstr(text, "\noutput ");
	ok = output && len && text[len - 1] == '\n' &&
	     sscanf(text, VERSION_LINE "cpus %u\nstreams %u\nclock %31s\nsegment %llu\n", &p->nr_cpus,
		    &p->nr_streams, p->clock, &segment) == 4 && p->nr_cpus &&
	     p->nr_cpus <= 65536 && segment &&
	     (p->nr_streams == p->nr_cpus || p->nr_streams == 2 * p->nr_cpus);
	if (ok) {
		text[len - 1] = '\0';
		p->output = xstrdup(output + strlen("\noutput "));
		p->segment = segment;
	}
	free(text);
	return ok;
}

bool partial_open(struct partial *p, const char *path, struct error *e)
{
	struct stat st;
	unsigned int i;

	*p = (struct partial){ .fd = -1, .lock = -1 };
	p->path = xstrdup(path);
	p->fd = open_directory(path);
	if (p->fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		free(p->path);
		p->path = format("%s" PARTIAL_SUFFIX, path);
		p->fd = open_directory(p->path);
	}
	if (p->fd < 0 && errno == ENOENT)
		return error_set(e, "no interrupted recording: '%s'; name its directory: FILE" PARTIAL_SUFFIX ", FILE" PARTIAL_SUFFIX ".N, or nestrace-XXXXXX in TMPDIR, /var/tmp or /tmp",
				 p->path);
	if (p->fd < 0)
		return error_set_errno(e, "cannot read '%s'", p->path);
	if (!is_own(p->fd))
		return error_set(e, "another user can write there: '%s'; the user who recorded can restore it",
				 p->path);
	p->lock = openat(p->fd, ABOUT, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (p->lock < 0)
		p->lock = openat(p->fd, ABOUT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (p->lock < 0)
		return error_set(e, "not an interrupted recording of nestrace: '%s'; it has no file '" ABOUT "'",
				 p->path);
	/* a recorder that was just killed may take a moment to end */
	for (i = 0; flock(p->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK && i < WAIT_MS / 100; i++)
		usleep(100000);
	if (i == WAIT_MS / 100)
		return error_set(e, "the recorder is still running: '%s'; end it with SIGINT, and it makes the file",
				 p->path);
	/* the machine died before it was on the disk */
	if (!fstat(p->lock, &st) && !st.st_size)
		return error_set(e, PARTIAL_NOT_BEGUN, p->path);
	if (!read_about(p))
		return error_set(e, "not an interrupted recording of this nestrace: '%s'; its file '" ABOUT "' says what made it",
				 p->path);
	return true;
}

char *partial_target(const struct partial *p)
{
	char *name = xstrdup(p->path), *suffix;

	while (strlen(name) > 1 && name[strlen(name) - 1] == '/')
		name[strlen(name) - 1] = '\0';
	suffix = strstr(name, PARTIAL_SUFFIX);
	while (suffix && strstr(suffix + 1, PARTIAL_SUFFIX))
		suffix = strstr(suffix + 1, PARTIAL_SUFFIX);
	/* a directory that was moved names its file itself */
	if (suffix && suffix != name && suffix[-1] != '/' && !strchr(suffix, '/') &&
	    strspn(suffix + strlen(PARTIAL_SUFFIX), ".0123456789") ==
	    strlen(suffix + strlen(PARTIAL_SUFFIX))) {
		*suffix = '\0';
		return name;
	}
	free(name);
	return xstrdup(p->output);
}

bool partial_put(const struct partial *p, const char *name, const void *data, size_t len)
{
	char *new = format("%s.new", name);
	size_t done = 0;
	ssize_t n = 0;
	bool ok;
	int fd;

	unlinkat(p->fd, new, 0);
	fd = openat(p->fd, new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (fd >= 0 && n >= 0 && done < len) {
		n = write(fd, (const char *)data + done, len - done);
		if (n < 0 && errno == EINTR)
			n = 0;
		done += n > 0 ? n : 0;
	}
	ok = fd >= 0 && n >= 0;
	if (fd >= 0 && close(fd))
		ok = false;
	ok = ok && !renameat(p->fd, new, p->fd, name);
	if (!ok && fd >= 0) {
		int err = errno;

		unlinkat(p->fd, new, 0);
		errno = err;
	}
	free(new);
	return ok;
}

char *partial_get(const struct partial *p, const char *name, size_t *len)
{
	int fd = openat(p->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char *data = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st)) {
		data = xrealloc(NULL, st.st_size + 1);
		for (*len = 0; (off_t)*len < st.st_size; *len += n) {
			n = read(fd, data + *len, st.st_size - *len);
			if (n <= 0)
				break;
		}
		data[*len] = '\0';
	}
	close(fd);
	return data;
}

void partial_sync(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	int fd;

	while (dir && (d = readdir(dir))) {
		if (d->d_type != DT_REG && d->d_type != DT_UNKNOWN)
			continue;
		fd = openat(dirfd(dir), d->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			continue;
		fdatasync(fd);
		close(fd);
	}
	if (!dir)
		return;
	fsync(dirfd(dir));
	closedir(dir);
}

void partial_remove(struct partial *p)
{
	int copy = p->fd < 0 ? -1 : openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *d;

	/* first what makes it worth restoring, last what says what it is */
	if (p->fd >= 0) {
		unlinkat(p->fd, "facts", 0);
		unlinkat(p->fd, PARTIAL_TARGET, 0);
	}
	while (dir && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, "..") &&
		    strcmp(d->d_name, ABOUT) && strcmp(d->d_name, PARTIAL_DONE))
			unlinkat(p->fd, d->d_name, 0);
	if (p->lock >= 0) {
		unlinkat(p->fd, PARTIAL_DONE, 0);
		unlinkat(p->fd, ABOUT, 0);
	}
	if (dir)
		closedir(dir);
	if (p->path)
		rmdir(p->path);
}

void partial_free(struct partial *p)
{
	if (p->lock >= 0)
		close(p->lock);
	if (p->fd >= 0)
		close(p->fd);
	free(p->path);
	free(p->kept);
	free(p->output);
}
