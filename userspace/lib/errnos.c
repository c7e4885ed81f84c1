// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/errnos.h"

#define ERRNO_MAX	4095	/* a pointer has no higher one */

/* include/linux/errno.h of the kernel, and second names */
static const struct { int number; const char *name; } others[] = {
	{ 512, "ERESTARTSYS" }, { 513, "ERESTARTNOINTR" }, { 514, "ERESTARTNOHAND" }, { 515, "ENOIOCTLCMD" },
	{ 516, "ERESTART_RESTARTBLOCK" }, { 517, "EPROBE_DEFER" }, { 518, "EOPENSTALE" }, { 519, "ENOPARAM" },
	{ 521, "EBADHANDLE" }, { 522, "ENOTSYNC" }, { 523, "EBADCOOKIE" }, { 524, "ENOTSUPP" },
	{ 525, "ETOOSMALL" }, { 526, "ESERVERFAULT" }, { 527, "EBADTYPE" }, { 528, "EJUKEBOX" },
	{ 529, "EIOCBQUEUED" }, { 530, "ERECALLCONFLICT" }, { 531, "ENOGRACE" },
	{ EAGAIN, "EWOULDBLOCK" }, { EDEADLK, "EDEADLOCK" }, { EOPNOTSUPP, "ENOTSUP" },
};

const char *errno_name(int number)
{
	const char *name = strerrorname_np(number);
	size_t i;

	for (i = 0; !name && i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].number == number)
			name = others[i].name;
	return name;
}

int errno_number(const char *name)
{
	const char *known;
	size_t i;
	int number;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(others[i].name, name))
			return others[i].number;
	for (number = 1; number <= ERRNO_MAX; number++) {
		known = strerrorname_np(number);
		if (known && !strcmp(known, name))
			return number;
	}
	return 0;
}
