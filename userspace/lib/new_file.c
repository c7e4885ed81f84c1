// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/memory.h"
#include "lib/new_file.h"

#define SUFFIX	".XXXXXX"

static void release(struct new_file *f)
{
	free(f->temporary);
	free(f->path);
}

bool new_file_begin(struct new_file *f, const char *path, mode_t mode)
{
	int fd, why;

	f->path = xstrdup(path);
	f->temporary = xzalloc(1, strlen(path) + sizeof(SUFFIX));
	stpcpy(stpcpy(f->temporary, path), SUFFIX);
	fd = mkstemp(f->temporary);
	f->out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (f->out && !fchmod(fd, mode))
		return true;
	why = errno;
	if (f->out)
		fclose(f->out);
	if (fd >= 0)
		unlink(f->temporary);
	release(f);
	errno = why;
	return false;
}

bool new_file_end(struct new_file *f, bool good)
{
	int why;

	good = good && !fflush(f->out) && !ferror(f->out);
	why = errno;
	if (fclose(f->out) && good) {
		good = false;
		why = errno;
	}
	if (good && rename(f->temporary, f->path)) {
		good = false;
		why = errno;
	}
	if (!good)
		unlink(f->temporary);
	release(f);
	errno = why;
	return good;
}
