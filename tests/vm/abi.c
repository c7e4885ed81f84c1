// SPDX-License-Identifier: GPL-2.0
/* The ABI of /dev/nestrace as include/uapi/nestrace.h promises it; run in the guest. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uapi/nestrace.h"

static int nr;

static void ok(int passed, const char *name)
{
	printf("%sok %s\n", passed ? "" : "not ", name);
	nr++;
}

/* The errno of a refused ioctl, 0 if it was not refused. */
static int refused(int fd, unsigned long cmd, const void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? errno : 0;
}

static int session(void)
{
	int fd = open(NESTRACE_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		perror(NESTRACE_DEVICE);
	return fd;
}

static int set_filter(int fd, const char *glob, unsigned int flags)
{
	struct nestrace_filter f = { .size = sizeof(f), .flags = flags,
			       .glob = (uintptr_t)glob, .len = strlen(glob) };

	return refused(fd, NESTRACE_IOC_FILTER, &f);
}

static int stream(int fd, unsigned int cpu, unsigned int flags)
{
	struct nestrace_stream_open s = { .size = sizeof(s), .cpu = cpu, .flags = flags };

	return ioctl(fd, NESTRACE_IOC_STREAM, &s);
}

static void test_refusals(void)
{
	struct nestrace_info info = { 0 };
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 64 };
	struct nestrace_filter filter = { .size = sizeof(filter) };
	struct nestrace_pid pid = { .size = sizeof(pid), .pid = getpid() };
	struct nestrace_stats stats = { .size = sizeof(stats) };
	uint8_t mask[4] = { 0 };
	struct nestrace_cpus cpus = { .size = sizeof(cpus), .mask = (uintptr_t)mask, .len = 4 };
	int fd = session();

	ok(!refused(fd, NESTRACE_IOC_INFO, &info) && info.abi == NESTRACE_ABI_VERSION &&
	   info.size == sizeof(info) && info.nr_cpus >= 1, "info tells the ABI and its size");
	ok(refused(fd, _IO(NESTRACE_IOC_MAGIC, 99), NULL) == ENOTTY, "unknown ioctl: ENOTTY");
	ok(refused(fd, NESTRACE_IOC_CONFIG, (void *)8) == EFAULT, "bad address: EFAULT");

	config.size--;
	ok(refused(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "wrong size: EINVAL");
	config.size++;
	config.flags = 1U << 31;
	ok(refused(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "unknown flag: EINVAL");
	config.flags = 0;
	config.clock = NESTRACE_NR_CLOCKS;
	ok(refused(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "unknown clock: EINVAL");
	config.clock = 0;
	config.ring_kb = 0;
	ok(refused(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "no ring: EINVAL");
	config.ring_kb = NESTRACE_RING_KB_MAX + 1;
	ok(refused(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "absurd ring: EINVAL");
	config.ring_kb = NESTRACE_RING_KB_MAX;
	ok(!refused(fd, NESTRACE_IOC_CONFIG, &config), "the largest ring is a valid wish");
	ok(refused(fd, NESTRACE_IOC_START, NULL) == ENOMEM, "but no memory for it: ENOMEM");
	config.ring_kb = 64;
	ok(!refused(fd, NESTRACE_IOC_CONFIG, &config), "and the session can be configured anew");

	ok(refused(fd, NESTRACE_IOC_FILTER, &filter) == EINVAL, "empty glob: EINVAL");
	filter.reserved = 1;
	ok(refused(fd, NESTRACE_IOC_FILTER, &filter) == EINVAL, "reserved field: EINVAL");
	ok(set_filter(fd, "no_such_function", 0) == ENOENT, "glob without a match: ENOENT");
	ok(set_filter(fd, "!vfs_read", 0) == EINVAL, "a removing glob: EINVAL");
	ok(set_filter(fd, ":mod:no_such_module", 0) == ENODEV, "unknown module: ENODEV");
	ok(set_filter(fd, "a:b", 0) == EINVAL, "another command of set_ftrace_filter: EINVAL");
	ok(set_filter(fd, "x*:mod:nt_calls", NESTRACE_FILTER_NOTRACE) == EINVAL,
	   "a glob in a module's notrace: EINVAL");

	pid.pid = -1;
	ok(refused(fd, NESTRACE_IOC_PID, &pid) == EINVAL, "negative pid: EINVAL");
	pid.pid = 4000000;
	ok(refused(fd, NESTRACE_IOC_PID, &pid) == ESRCH, "no such pid: ESRCH");
	pid.pid = 1;
	pid.flags = NESTRACE_PID_CLEAR;
	ok(refused(fd, NESTRACE_IOC_PID, &pid) == EINVAL, "clear with a pid: EINVAL");

	ok(refused(fd, NESTRACE_IOC_CPUS, &cpus) == EINVAL, "empty CPU mask: EINVAL");
	mask[3] = 0x80;
	ok(refused(fd, NESTRACE_IOC_CPUS, &cpus) == EINVAL, "mask of CPUs that are not there: EINVAL");

	stats.cpu = 100000;
	ok(refused(fd, NESTRACE_IOC_STATS, &stats) == EINVAL, "stats of no CPU: EINVAL");
	ok(refused(fd, NESTRACE_IOC_STOP, NULL) == EINVAL, "stop before start: EINVAL");
	ok(stream(fd, 100000, 0) < 0 && errno == EINVAL, "stream of no CPU: EINVAL");
	ok(stream(fd, 0, 2) < 0 && errno == EINVAL, "unknown stream flag: EINVAL");
	close(fd);
}

/* Each struct ioctl checks its size, its flags, and that it is there at all. */
static void test_each_struct(void)
{
	static const struct {
		unsigned long cmd;
		uint32_t size;
		const char *name;
	} all[] = {
		{ NESTRACE_IOC_FILTER, sizeof(struct nestrace_filter), "filter" },
		{ NESTRACE_IOC_PID, sizeof(struct nestrace_pid), "pid" },
		{ NESTRACE_IOC_CPUS, sizeof(struct nestrace_cpus), "cpus" },
		{ NESTRACE_IOC_CONFIG, sizeof(struct nestrace_config), "config" },
		{ NESTRACE_IOC_STATS, sizeof(struct nestrace_stats), "stats" },
		{ NESTRACE_IOC_RECURSIONS, sizeof(struct nestrace_recursions), "refused" },
		{ NESTRACE_IOC_STREAM, sizeof(struct nestrace_stream_open), "stream" },
		{ NESTRACE_IOC_TASKS, sizeof(struct nestrace_tasks_take), "tasks" },
	};
	static uint32_t arg[4096];
	char name[64];
	unsigned int i;
	int fd = session(), passed;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		memset(arg, 0, sizeof(arg));
		arg[0] = all[i].size - 4;
		passed = refused(fd, all[i].cmd, arg) == EINVAL;
		arg[0] = all[i].size + 4;
		passed &= refused(fd, all[i].cmd, arg) == EINVAL;
		arg[0] = all[i].size;
		arg[1] = 1U << 30;
		passed &= refused(fd, all[i].cmd, arg) == EINVAL;
		passed &= refused(fd, all[i].cmd, (void *)16) == EFAULT;
		snprintf(name, sizeof(name), "%s: size, flags and address are checked", all[i].name);
		ok(passed, name);
	}
	close(fd);
}

static uint64_t sum(int fd, int column);

/* What was set is forgotten by its CLEAR. */
static void test_clear(void)
{
	struct nestrace_filter clear = { .size = sizeof(clear), .flags = NESTRACE_FILTER_CLEAR };
	struct nestrace_pid pid = { .size = sizeof(pid), .pid = 1 };
	int fd = session(), i;

	ok(!set_filter(fd, "*_sys_getppid", 0) && !set_filter(fd, "*_sys_getuid", NESTRACE_FILTER_NOTRACE) &&
	   !refused(fd, NESTRACE_IOC_PID, &pid), "filter, notrace and pid set");
	pid.pid = 0;
	pid.flags = NESTRACE_PID_CLEAR;
	ok(!refused(fd, NESTRACE_IOC_FILTER, &clear), "filter cleared");
	clear.flags |= NESTRACE_FILTER_NOTRACE;
	ok(!refused(fd, NESTRACE_IOC_FILTER, &clear), "notrace cleared");
	ok(!refused(fd, NESTRACE_IOC_PID, &pid), "pids cleared");
	ok(!set_filter(fd, "*_sys_getuid", 0), "another filter set");
	ok(!refused(fd, NESTRACE_IOC_START, NULL), "started");
	for (i = 0; i < 100; i++) {
		getppid();
		getuid();
	}
	ioctl(fd, NESTRACE_IOC_STOP, 0);
	ok(sum(fd, 0) == 100 && sum(fd, 1) == 0, "only the new filter counts, for all pids");
	close(fd);
}

static void test_life(void)
{
	static char buf[64 * NESTRACE_SUBBUF_SIZE];
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 64 };
	struct nestrace_info info = { 0 };
	struct pollfd p = { .events = POLLIN };
	int fd = session(), other = session(), st, i;
	ssize_t n = 0, got = 0;

	ok(!set_filter(fd, "*_sys_getppid", 0), "filter set");
	ok(!refused(fd, NESTRACE_IOC_CONFIG, &config), "rings set");
	st = stream(fd, 0, NESTRACE_STREAM_NONBLOCK);
	ok(st >= 0, "stream opens before the start");
	ok(stream(fd, 0, 0) < 0 && errno == EBUSY, "a second stream of that CPU: EBUSY");
	ok(read(st, buf, sizeof(buf)) < 0 && errno == EAGAIN, "nothing yet: EAGAIN");
	ok(refused(fd, NESTRACE_IOC_CONFIG, &config) == EBUSY, "configured once a stream is open: EBUSY");
	ok(!refused(fd, NESTRACE_IOC_START, NULL), "start");
	ok(refused(fd, NESTRACE_IOC_START, NULL) == EBUSY, "start again: EBUSY");
	ok(read(st, buf, 100) < 0 && errno == EINVAL, "read of less than a sub-buffer: EINVAL");
	p.fd = st;
	ok(poll(&p, 1, 0) == 0, "poll: nothing to read");

	for (i = 0; i < 1000; i++)
		getppid();
	ok(poll(&p, 1, 2000) == 1 && p.revents == POLLIN, "poll: something to read");
	while ((n = read(st, buf, sizeof(buf))) > 0 && got < 1 << 20)
		got += n;
	ok(got > 0 && got % NESTRACE_SUBBUF_SIZE == 0 && errno == EAGAIN, "whole sub-buffers, then EAGAIN");

	ok(!refused(other, NESTRACE_IOC_INFO, &info) && info.sessions == 2 && info.running == 1,
	   "info counts the sessions");
	ok(!refused(fd, NESTRACE_IOC_STOP, NULL), "stop");
	ok(refused(fd, NESTRACE_IOC_STOP, NULL) == EINVAL, "stop again: EINVAL");
	ok(poll(&p, 1, 0) == 1 && p.revents & POLLHUP, "poll: hung up");
	ok(read(st, buf, sizeof(buf)) == 0, "end of the stream");
	ok(!refused(fd, NESTRACE_IOC_START, NULL), "start once more");
	getppid();
	ok(!refused(fd, NESTRACE_IOC_STOP, NULL), "and stop");
	ok(read(st, buf, sizeof(buf)) == NESTRACE_SUBBUF_SIZE, "the stream goes on");
	ok(!refused(fd, NESTRACE_IOC_START, NULL), "started a third time");
	getppid();
	close(fd);
	/* the session is closed, its stream is not */
	ok(!refused(other, NESTRACE_IOC_INFO, &info) && info.running == 0, "close disarms");
	ok(read(st, buf, sizeof(buf)) == NESTRACE_SUBBUF_SIZE && read(st, buf, sizeof(buf)) == 0,
	   "what was recorded can still be read");
	close(other);
	ok(syscall(SYS_delete_module, "nestrace", O_NONBLOCK) < 0 && errno == EWOULDBLOCK,
	   "no unloading while a stream is open");
	close(st);
}

static uint64_t sum(int fd, int column)
{
	struct nestrace_info info;
	uint64_t total = 0;
	unsigned int cpu, i;

	ioctl(fd, NESTRACE_IOC_INFO, &info);
	for (cpu = 0; cpu < info.nr_cpus; cpu++) {
		struct nestrace_stats s = { .size = sizeof(s), .cpu = cpu };

		if (ioctl(fd, NESTRACE_IOC_STATS, &s))
			continue;
		for (i = 0; i < NESTRACE_NR_SLOTS; i++)
			total += column ? s.slot[i].filtered : s.slot[i].recorded;
	}
	return total;
}

static void test_two_sessions(void)
{
	struct nestrace_pid pid = { .size = sizeof(pid), .pid = 1 };
	int a = session(), b = session(), c = session(), i;

	set_filter(a, "*_sys_getppid", 0);
	set_filter(b, "*_sys_getppid", 0);
	set_filter(b, "*_sys_getuid", 0);
	set_filter(c, "*_sys_getppid", 0);
	ok(!refused(c, NESTRACE_IOC_PID, &pid), "pid set");
	ok(!refused(a, NESTRACE_IOC_START, NULL) && !refused(b, NESTRACE_IOC_START, NULL) &&
	   !refused(c, NESTRACE_IOC_START, NULL), "three sessions run at once");
	for (i = 0; i < 500; i++) {
		getppid();
		getuid();
	}
	ioctl(a, NESTRACE_IOC_STOP, 0);
	ioctl(b, NESTRACE_IOC_STOP, 0);
	ioctl(c, NESTRACE_IOC_STOP, 0);
	ok(sum(a, 0) == 500, "the first recorded its function, 500 times");
	ok(sum(b, 0) == 1000, "the second recorded both, 500 times each");
	ok(sum(c, 0) == 0 && sum(c, 1) == 500, "the third filtered all, by pid");
	close(a);
	close(b);
	close(c);
}

int main(void)
{
	cpu_set_t cpus;

	/* whose stream is read */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		perror("sched_setaffinity");
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_refusals();
	test_each_struct();
	test_clear();
	test_life();
	test_two_sessions();
	printf("abi: %d tests\n", nr);
	return 0;
}
