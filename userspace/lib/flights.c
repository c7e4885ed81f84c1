// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/flights.h"
#include "lib/memory.h"

struct flights {
	char path[64];
	int fd;
};

struct flights *flights_open(const char *pattern, struct error *e)
{
	struct flights *f = xzalloc(1, sizeof(*f));

	snprintf(f->path, sizeof(f->path), FLIGHTS_DIRECTORY "/%d", getpid());
	/* as a service it is there already */
	if (mkdir(FLIGHTS_DIRECTORY, 0755) && errno != EEXIST) {
		error_set_errno(e, "nestrace snapshot will not find this recording: '" FLIGHTS_DIRECTORY "'");
		free(f);
		return NULL;
	}
	f->fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (f->fd < 0 || flock(f->fd, LOCK_EX | LOCK_NB)) {
		error_set_errno(e, "nestrace snapshot will not find this recording: '%s'", f->path);
		if (f->fd >= 0)
			close(f->fd);
		free(f);
		return NULL;
	}
	return f;
}

void flights_written(struct flights *f, const char *name)
{
	char *absolute = realpath(name, NULL);

	dprintf(f->fd, "%s\n", absolute ?: name);
	free(absolute);
}

void flights_close(struct flights *f)
{
	unlink(f->path);
	close(f->fd);
	free(f);
}

/* Does the process of a file live? One that does not has left it by a kill. */
static bool is_locked(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool locked;

	if (fd < 0)
		return false;
	locked = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return locked;
}

unsigned int flights_each(void (*each)(void *arg, pid_t pid, const char *written), void *arg)
{
	DIR *dir = opendir(FLIGHTS_DIRECTORY);
	char path[PATH_MAX], *end;
	struct dirent *entry;
	unsigned int nr = 0;
	long pid;

	while (dir && (entry = readdir(dir))) {
		pid = strtol(entry->d_name, &end, 10);
		snprintf(path, sizeof(path), FLIGHTS_DIRECTORY "/%s", entry->d_name);
		if (pid <= 0 || *end || !is_locked(path))
			continue;
		nr++;
		each(arg, pid, path);
	}
	if (dir)
		closedir(dir);
	return nr;
}
