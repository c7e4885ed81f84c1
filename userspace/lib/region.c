// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/device.h"
#include "lib/memory_dump.h"
#include "lib/region.h"

static bool not_a_name(const char *name, struct error *e)
{
	return error_set(e, "not a name of reserved memory for nestrace: '%s'; use one that begins with nestrace, of 15 characters at most", name);
}

/* Copy a name into a struct. Return: false after an error. */
static bool put_name(char to[NESTRACE_REGION_NAME], const char *name, struct error *e)
{
	if (!*name || strlen(name) >= NESTRACE_REGION_NAME)
		return not_a_name(name, e);
	memcpy(to, name, strlen(name) + 1);
	return true;
}

/* Say why there is no such memory. Return: false if errno has another reason. */
static bool is_not_there(const char *name, struct error *e)
{
	if (errno == EOPNOTSUPP)
		error_set(e, "this kernel cannot reserve memory by name: '%s'; use Linux 6.11 or later, and build the module for it", name);
	else if (errno == EACCES)
		not_a_name(name, e);
	else if (errno == ENOENT)
		error_set(e, "no reserved memory has that name: '%s'; boot with reserve_mem=64M:2M:%s", name, name);
	else
		return false;
	return true;
}

/* Return: what the ioctl returns, or -1 after an error. */
static int ask(const char *name, uint32_t flags, struct nestrace_region *region, struct error *e)
{
	int fd, ret, error;

	*region = (struct nestrace_region){ .size = sizeof(*region), .flags = flags };
	if (!put_name(region->name, name, e))
		return -1;
	fd = device_open(e);
	if (fd < 0)
		return -1;
	ret = ioctl(fd, NESTRACE_IOC_REGION, region);
	error = errno;
	close(fd);
	if (ret >= 0)
		return ret;
	errno = error;
	if (is_not_there(name, e))
		return -1;
	if (error == EBUSY)
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

bool region_use(int session, const char *name, struct error *e)
{
	struct nestrace_persist arg = { .size = sizeof(arg) };

	if (!put_name(arg.name, name, e))
		return false;
	if (!ioctl(session, NESTRACE_IOC_PERSIST, &arg))
		return true;
	if (is_not_there(name, e))
		return false;
	if (errno == EBUSY)
		return error_set(e, "another recording uses the reserved memory: '--persist %s'; end it first, or reserve more under another name", name);
	if (errno == EEXIST)
		return error_set(e, "the reserved memory holds an earlier recording: '--persist %s'; nestrace restore --last-boot %s -o FILE DIRECTORY saves it; DIRECTORY is its FILE.nestrace",
				 name, name);
	return error_set_errno(e, "cannot use the memory '--persist %s'", name);
}
