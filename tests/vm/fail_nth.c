// SPDX-License-Identifier: GPL-2.0
/*
 * Let the n-th allocation of each step of a session fail, for n = 1, 2, ... until no
 * allocation fails. This needs a kernel with fault injection. After each failure the session
 * must be usable for another attempt on fewer CPUs, and record nothing on the other CPUs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uapi/nestrace.h"

static int nth_fd;

static void fail_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(nth_fd, text, len, 0) != len)
		perror("fail-nth");
}

/* Return: whether the n-th allocation was made, and failed. */
static int failed_nth(void)
{
	char text[16] = { 0 };

	if (pread(nth_fd, text, sizeof(text) - 1, 0) < 0)
		perror("fail-nth");
	fail_nth(0);
	return text[0] == '0';
}

static int step(int fd, int what)
{
	uint8_t mask = 3;
	struct nestrace_cpus cpus = { .size = sizeof(cpus), .mask = (uintptr_t)&mask, .len = 1 };
	struct nestrace_filter f = {
		.size = sizeof(f), .glob = (uintptr_t)"*_sys_getppid", .len = 13,
	};
	struct nestrace_pid p = {
		.size = sizeof(p), .pid = getpid(), .flags = NESTRACE_PID_FOLLOW,
	};
	struct nestrace_stream_open s = { .size = sizeof(s), .cpu = 1 };

	switch (what) {
	case 0:
		return ioctl(fd, NESTRACE_IOC_FILTER, &f);
	case 1:
		return ioctl(fd, NESTRACE_IOC_CPUS, &cpus);
	case 2:
		return ioctl(fd, NESTRACE_IOC_PID, &p);
	case 3:
		return ioctl(fd, NESTRACE_IOC_STREAM, &s);
	default:
		return ioctl(fd, NESTRACE_IOC_START, 0);
	}
}

static uint64_t recorded_on(int fd, unsigned int cpu)
{
	struct nestrace_stats s = { .size = sizeof(s), .cpu = cpu };

	return ioctl(fd, NESTRACE_IOC_STATS, &s) ? ~0ULL : s.slot[NESTRACE_SLOT_TASK].recorded;
}

static void hits_on(int cpu, int n)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	while (n--)
		syscall(SYS_getppid);
}

/* Try again, on only CPU 1; or on both CPUs, if the rings exist already. */
static int still_good(int fd)
{
	uint8_t mask = 2;
	struct nestrace_cpus cpus = { .size = sizeof(cpus), .mask = (uintptr_t)&mask, .len = 1 };
	uint64_t zero, one;
	int both = 0;

	errno = 0;
	if (ioctl(fd, NESTRACE_IOC_CPUS, &cpus)) {
		if (errno != EBUSY)
			return 0;
		both = 1;
	}
	if (ioctl(fd, NESTRACE_IOC_START, 0))
		return 0;
	hits_on(0, 100);
	hits_on(1, 100);
	ioctl(fd, NESTRACE_IOC_STOP, 0);
	zero = recorded_on(fd, 0);
	one = recorded_on(fd, 1);
	return (both ? zero >= 100 : zero == 0) && one >= 100;
}

int main(void)
{
	/* a larger ring only has more pages */
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 128 };
	int n, what, i, fd, ret, failures, bad;
	int done, err;

	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (nth_fd < 0) {
		perror("fail-nth");
		return 1;
	}
	for (what = 0; what < 5; what++) {
		failures = bad = done = 0;
		for (n = 1; !done && n < 4000; n++) {
			fd = open(NESTRACE_DEVICE, O_RDWR | O_CLOEXEC);
			if (ioctl(fd, NESTRACE_IOC_CONFIG, &config))
				perror("config");
			for (i = 0; i < what; i++)
				if (i != 2 && i != 3)
					step(fd, i);
			fail_nth(n);
			ret = step(fd, what);
			done = !failed_nth();
			if (ret < 0) {
				failures++;
				err = errno;
				if (what == 0)
					step(fd, 0);
				if (err != ENOMEM || (what != 2 && !still_good(fd))) {
					printf("# step %d, allocation %d: %s, then %s\n", what, n,
					       strerror(err), strerror(errno));
					bad++;
				}
			}
			close(fd);
			if (ret >= 0 && what == 3)
				close(ret);
		}
		printf("%sok step %d: %d allocations fail, %d of them leave an unusable session\n",
		       failures && !bad && done ? "" : "not ", what, failures, bad);
	}
	return 0;
}
