// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/device.h"
#include "lib/memory_dump.h"
#include "lib/region.h"

/* Return: what the ioctl returns, or -1 after an error. */
static int ask(const char *name, uint32_t flags, struct nestrace_region *region, struct error *e)
{
	int fd, ret, error;

	if (!*name || strlen(name) >= sizeof(region->name)) {
		error_set(e, REGION_NO_NAME, name);
		return -1;
	}
	fd = device_open(e);
	if (fd < 0)
		return -1;
	*region = (struct nestrace_region){ .size = sizeof(*region), .flags = flags };
	snprintf(region->name, sizeof(region->name), "%s", name);
	ret = ioctl(fd, NESTRACE_IOC_REGION, region);
	error = errno;
	close(fd);
	if (ret >= 0)
		return ret;
	errno = error;
	if (error == EOPNOTSUPP)
		error_set(e, REGION_NO_KERNEL, name);
	else if (error == EACCES)
		error_set(e, REGION_NO_NAME, name);
	else if (error == ENOENT)
		error_set(e, REGION_MISSING, name, name);
	else if (error == EBUSY)
		error_set(e, "a recording uses the reserved memory: '%s'; end it first", name);
	else if (error == ENODATA)
		error_set(e, "nothing is kept in the reserved memory: '%s'; the recording ended, or a power cycle cleared it; if KASLR moved it, boot with nokaslr", name);
	else
		error_set_errno(e, "cannot query the reserved memory '%s'", name);
	return -1;
}

uint64_t region_bytes(const char *name, struct error *e)
{
	struct nestrace_region region;

	return ask(name, 0, &region, e) < 0 ? 0 : region.bytes;
}

bool region_holds(const char *name)
{
	struct nestrace_region region;
	struct error e;

	return ask(name, 0, &region, &e) >= 0 && region.holds;
}

struct memory_dump *region_open(const char *name, struct error *e)
{
	struct nestrace_region region;
	int fd = ask(name, NESTRACE_REGION_OPEN, &region, e);

	return fd < 0 ? NULL : memory_dump_of(fd, region.at, region.bytes);
}

bool region_forget(const char *name, struct error *e)
{
	struct nestrace_region region;

	return ask(name, NESTRACE_REGION_FORGET, &region, e) >= 0;
}
