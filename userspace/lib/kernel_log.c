// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/kernel_log.h"

double kernel_log_age(const char *text)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unsigned long long us, last = 0;
	struct timespec now;
	char line[8192];
	ssize_t len;

	if (fd < 0)
		return -1;
	/* each read is a line: "PRIORITY,NUMBER,MICROSECONDS,...;TEXT"; EPIPE: it has been overwritten meanwhile */
	while ((len = read(fd, line, sizeof(line) - 1)) > 0 || (len < 0 && errno == EPIPE)) {
		if (len < 0)
			continue;
		line[len] = '\0';
		if (strstr(line, text) && sscanf(line, "%*u,%*u,%llu", &us) == 1)
			last = us;
	}
	close(fd);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return last ? now.tv_sec + now.tv_nsec / 1e9 - last / 1e6 : -1;
}
