// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/memory.h"
#include "lib/output.h"

/* Return the path that the kernel has for @fd, to be freed. */
static char *path_of(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return NULL;
	path[n] = '\0';
	return xstrdup(path);
}

/* Return true if the directory of @path may get new files. */
static bool can_have_files(const char *path)
{
	char *copy = xstrdup(path);
	bool can = !access(dirname(copy), W_OK | X_OK);

	free(copy);
	return can;
}

bool output_open(struct output *o, const char *name, struct error *e)
{
	/* a pipe without a reader must not keep us */
	int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	bool is_new;
	int fd;

	*o = (struct output){ .name = name, .fd = -1 };
	/* let the kernel follow symbolic links: it knows which of them are not to be trusted */
	fd = open(name, flags);
	is_new = fd < 0 && errno == ENOENT;
	if (is_new)
		fd = open(name, flags | O_CREAT, 0666);
	if (fd < 0 && errno == ENXIO)
		return error_set(e, "cannot write to a pipe or terminal: '%s'; name a file with -o", name);
	if (fd < 0 || fstat(fd, &o->st))
		return error_set_errno(e, "cannot write '%s'", name);
	o->fd = fd;
	o->path = path_of(fd);
	if (!o->path)
		return error_set_errno(e, "cannot find out the path of '%s'", name);
	if (lseek(fd, 0, SEEK_CUR) < 0)
		return error_set(e, "cannot write to a pipe or terminal: '%s'; name a file with -o", name);
	if (is_new) {
		unlink(o->path);
		close(fd);
		o->fd = -1;
	}
	o->beside = (is_new || S_ISREG(o->st.st_mode)) && can_have_files(o->path);
	return true;
}

/* Return the ID of the mount that @path in @dir is on; 0: not known. */
static unsigned long long mount_of(int dir, const char *path)
{
	struct statx x;

	if (statx(dir, path, AT_EMPTY_PATH, STATX_MNT_ID, &x) || !(x.stx_mask & STATX_MNT_ID))
		return 0;
	return x.stx_mnt_id;
}

bool output_can_rename(const struct output *o, int dir)
{
	char *copy = xstrdup(o->path);
	unsigned long long mount;
	bool can;

	/* a file that is a mount point is on another mount than its directory */
	mount = mount_of(AT_FDCWD, o->fd < 0 ? dirname(copy) : o->path);
	free(copy);
	can = mount == mount_of(dir, "");
	if (o->fd >= 0)
		can = can && S_ISREG(o->st.st_mode) && o->st.st_nlink == 1 &&
		      (o->st.st_uid == geteuid() || !geteuid());
	return can && can_have_files(o->path);
}

bool output_rename(const struct output *o, int fd, int dir, const char *from)
{
	mode_t mask = umask(0);
	mode_t mode = o->fd < 0 ? 0666 & ~mask : o->st.st_mode & 0777;

	umask(mask);
	/* file systems without owners and modes refuse */
	if (o->fd >= 0 && fchown(fd, o->st.st_uid, o->st.st_gid))
		mode &= 0700;
	if (fchmod(fd, mode) && errno != EPERM)
		return false;
	return !renameat(dir, from, AT_FDCWD, o->path);
}

void output_sync_name(const struct output *o)
{
	char *path = xstrdup(o->path);
	int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(path);
}

int output_truncate(const struct output *o)
{
	int fd = open(o->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);

	/* one that may be written but not read */
	if (fd < 0 && errno == EACCES)
		fd = open(o->path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	return fd;
}

void output_free(struct output *o)
{
	if (o->fd >= 0)
		close(o->fd);
	free(o->path);
}
