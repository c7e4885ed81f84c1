// SPDX-License-Identifier: GPL-2.0
/*
 * unprivileged EVENT: try to count the tracepoint with number EVENT in the own task, without
 * any right. Prints "counted" or "refused".
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .exclude_kernel = 1,
		.config = argc > 1 ? strtoul(argv[1], NULL, 0) : 0,
	};

	if (setgid(65534) || setuid(65534)) {
		perror("setuid");
		return 1;
	}
	puts(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) < 0 ? "refused" : "counted");
	return 0;
}
