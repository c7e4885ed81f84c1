// SPDX-License-Identifier: GPL-2.0
/*
 * Make wild calls of /dev/nestrace and its streams, with structures that are nearly right:
 *   fuzz_abi CALLS SEED
 * The kernel's own checks find the bugs. This program only reports that it has ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uapi/nestrace.h"

#define NR_FDS 12

static int sessions[NR_FDS], streams[NR_FDS];
static unsigned int seed;
static char *edge;		/* the end of the memory before an unmapped page */
static char buf[16 * NESTRACE_SUBBUF_SIZE];

static unsigned int any(unsigned int n)
{
	return rand_r(&seed) % n;
}

static uint64_t number(void)
{
	static const uint64_t odd[] = {
		0, 1, 2, 3, 4, 64, 255, 256, 1024, 4096, 1ULL << 22, 1ULL << 31, 1ULL << 32,
		-1ULL, -2ULL, 1ULL << 63, 0x7fffffff,
	};

	return any(3) ? odd[any(sizeof(odd) / sizeof(odd[0]))] : rand_r(&seed);
}

/* Sometimes overwrite one of the words of @arg. */
static void spoil(void *arg, size_t size)
{
	uint32_t *word = arg;

	if (!any(4))
		word[any(size / 4)] = number();
}

/* Return: an address for @arg, sometimes a bad one or one too close to the unmapped page. */
static void *place(const void *arg, size_t size)
{
	char *at = edge - (any(8) ? size : any(size));

	if (!any(32))
		return (void *)(uintptr_t)number();
	memcpy(at, arg, edge - at < (ptrdiff_t)size ? (size_t)(edge - at) : size);
	return at;
}

static const char *const globs[] = {
	"nt_called", "vfs_read", "*_sys_getppid", "nt_*:mod:nt_calls", ":mod:nt_calls",
	":mod:none", "!x", "*:mod:", ":", "a:b:c", "[", "[a-", "*", "", "\\", "**?",
};

static void one_ioctl(int fd)
{
	union {
		struct nestrace_info info;
		struct nestrace_filter filter;
		struct nestrace_pid pid;
		struct nestrace_cpus cpus;
		struct nestrace_config config;
		struct nestrace_stats stats;
		struct nestrace_recursions recursions;
		struct nestrace_stream_open stream;
		struct nestrace_tasks_take tasks;
		struct nestrace_modules_take modules;
		struct nestrace_time time;
		struct nestrace_counts counts;
		struct nestrace_returns returns;
		struct nestrace_stack_config stack;
		struct nestrace_args args;
		struct nestrace_persist persist;
		struct nestrace_region region;
		uint32_t word[2];
	} a;
	static struct nestrace_step step[12];
	static uint8_t mask[1025];
	const char *glob = globs[any(sizeof(globs) / sizeof(globs[0]))];
	unsigned long cmd = 0;
	size_t size = 0;
	int i, ret;

	memset(&a, 0, sizeof(a));
	switch (any(300)) {
	case 0:
		ioctl(fd, NESTRACE_IOC_START, number());
		return;
	case 1 ... 3:
		ioctl(fd, NESTRACE_IOC_STOP, number());
		return;
	case 4 ... 9:
		/* few functions, because it takes long to arm all of them */
		a.filter = (struct nestrace_filter){ .glob = (uintptr_t)place(glob, strlen(glob) + 1),
			.len = strlen(glob), .flags = any(4) ? 0 : any(4) };
		cmd = NESTRACE_IOC_FILTER;
		size = sizeof(a.filter);
		break;
	case 10 ... 39:
		a.pid = (struct nestrace_pid){ .pid = any(2) ? getpid() : (int)number(), .flags = any(4) };
		cmd = NESTRACE_IOC_PID;
		size = sizeof(a.pid);
		break;
	case 40 ... 59:
		for (i = 0; i < 4; i++)
			mask[i] = number();
		a.cpus = (struct nestrace_cpus){ .mask = (uintptr_t)place(mask, 8), .len = any(2) ? 1 : number() };
		cmd = NESTRACE_IOC_CPUS;
		size = sizeof(a.cpus);
		break;
	case 60 ... 89:
		a.config = (struct nestrace_config){ .flags = any(2) ? any(2) : number() & 127, .clock = any(4),
			.ring_kb = any(8) ? 1 + any(256) : number() };
		cmd = NESTRACE_IOC_CONFIG;
		size = sizeof(a.config);
		break;
	case 90 ... 119:
		a.stats.cpu = any(3);
		cmd = NESTRACE_IOC_STATS;
		size = sizeof(a.stats);
		break;
	case 120 ... 139:
		a.recursions.cpu = any(3);
		a.recursions.slot = any(NESTRACE_NR_SLOTS + 1);
		cmd = NESTRACE_IOC_RECURSIONS;
		size = sizeof(a.recursions);
		break;
	case 140 ... 159:
		if (any(2)) {
			a.modules.notes = (uintptr_t)place(buf, any(2000));
			a.modules.len = any(2) ? any(2000) : number();
			a.modules.flags = any(2);
			if (any(2))
				strcpy(a.modules.name, "nt_calls");
			cmd = NESTRACE_IOC_MODULES;
			size = sizeof(a.modules);
			break;
		}
		a.tasks.flags = any(2);
		a.tasks.tasks = (uintptr_t)place(buf, any(2000));
		a.tasks.nr = any(2) ? any(100) : number();
		cmd = NESTRACE_IOC_TASKS;
		size = sizeof(a.tasks);
		break;
	case 160 ... 179:
		a.stream.cpu = any(3);
		a.stream.flags = NESTRACE_STREAM_NONBLOCK;
		a.stream.size = sizeof(a.stream);
		spoil(&a, sizeof(a.stream));
		a.stream.flags |= NESTRACE_STREAM_NONBLOCK;
		ret = ioctl(fd, NESTRACE_IOC_STREAM, place(&a, sizeof(a.stream)));
		if (ret >= 0) {
			i = any(NR_FDS);
			if (streams[i] >= 0)
				close(streams[i]);
			streams[i] = ret;
		}
		return;
	case 180 ... 189:
		cmd = NESTRACE_IOC_INFO;
		size = sizeof(a.info);
		break;
	case 190 ... 199:
		cmd = NESTRACE_IOC_TIME;
		size = sizeof(a.time);
		break;
	case 200 ... 219:
		a.counts.cpu = any(3);
		a.counts.flags = any(4);
		a.counts.next = any(2) ? any(100) : number();
		a.counts.counts = (uintptr_t)place(buf, any(2000));
		a.counts.nr = any(2) ? any(80) : number();
		cmd = NESTRACE_IOC_COUNTS;
		size = sizeof(a.counts);
		break;
	case 220 ... 229:
		a.returns.cpu = any(3);
		cmd = NESTRACE_IOC_RETURNS;
		size = sizeof(a.returns);
		break;
	case 230 ... 239:
		for (i = 0; i < 16; i++)
			memcpy(buf + 8 * i, &(uint64_t){ number() }, 8);
		a.stack.depth = any(2) ? any(NESTRACE_STACK_MAX + 2) : number();
		a.stack.nr = any(2) ? 0 : any(2) ? any(17) : number();
		a.stack.addrs = (uintptr_t)place(buf, any(129));
		cmd = NESTRACE_IOC_STACK;
		size = sizeof(a.stack);
		break;
	case 240 ... 259:
		for (i = 0; i < 16; i++)
			memcpy(buf + 8 * i, &(uint64_t){ number() }, 8);
		for (i = 0; i < 12; i++)
			step[i] = (struct nestrace_step){ .op = any(NESTRACE_NR_OPS + 1), .a = any(2) ? any(10) : number(),
				.b = any(4) ? 0 : any(70), .c = any(4) ? 0 : any(3), .value = any(2) ? any(64) : number() };
		a.args = (struct nestrace_args){ .words = any(27), .values = any(3) ? any(4) : any(70),
			.nr_if = any(2) ? any(5) : 0, .nr_exit_if = any(3) ? 0 : any(5), .nr_fetch = any(2) ? any(5) : 0,
			.steps = (uintptr_t)place(step, sizeof(step)), .nr = any(2) ? 0 : any(2) ? any(17) : number(),
			.addrs = (uintptr_t)place(buf, any(129)) };
		cmd = NESTRACE_IOC_ARGS;
		size = sizeof(a.args);
		break;
	case 260 ... 269:
		strcpy(a.persist.name, any(4) ? "nestrace_abi" : "nestrace_none");
		cmd = NESTRACE_IOC_PERSIST;
		size = sizeof(a.persist);
		break;
	case 270 ... 279:
		strcpy(a.region.name, any(4) ? "nestrace_abi" : "nestrace_none");
		a.region.flags = any(4);
		size = sizeof(a.region);
		a.word[0] = size;
		spoil(&a, size);
		ret = ioctl(fd, NESTRACE_IOC_REGION, place(&a, size));
		if (ret > 2) {
			pread(ret, buf, any(5000), any(2) ? any(1 << 21) : number());
			close(ret);
		}
		return;
	default:
		ioctl(fd, any(2) ? number() : _IO(NESTRACE_IOC_MAGIC, any(32)), place(&a, sizeof(a)));
		return;
	}
	a.word[0] = size;
	spoil(&a, size);
	ioctl(fd, cmd, place(&a, size));
}

static void one_stream(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = any(2) ? sizeof(buf) : number() % (2 * sizeof(buf));

	if (any(8))
		fcntl(fd, F_SETFL, O_NONBLOCK);
	switch (any(6)) {
	case 0 ... 2:
		if (read(fd, any(4) ? buf : edge - any(9000), len > sizeof(buf) ? sizeof(buf) : len) < 0)
			break;
		break;
	case 3:
		poll(&p, 1, 0);
		break;
	case 4:
		lseek(fd, number(), any(4));
		if (write(fd, buf, any(100)) < 0)
			break;
		break;
	default:
		ioctl(fd, number(), buf);
		munmap(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), 4096);
	}
}

int main(int argc, char **argv)
{
	long n, calls = argc > 1 ? atol(argv[1]) : 1000;
	unsigned int i, open_failed = 0;
	pid_t pid;

	seed = argc > 2 ? atol(argv[2]) : 1;
	printf("# fuzz_abi: %ld calls, seed %u\n", calls, seed);
	edge = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	edge += 4 * 4096;
	munmap(edge, 4096);
	memset(sessions, -1, sizeof(sessions));
	memset(streams, -1, sizeof(streams));
	/* the guest has little memory: rings of 4 GiB fail */
	for (n = 0; n < calls; n++) {
		i = any(NR_FDS);
		if (sessions[i] < 0) {
			sessions[i] = open(NESTRACE_DEVICE, O_RDWR | O_CLOEXEC);
			open_failed += sessions[i] < 0;
			continue;
		}
		if (!any(150)) {
			close(sessions[i]);
			sessions[i] = -1;
		} else if (!any(20000)) {
			/* a child keeps all descriptors open for a while */
			pid = fork();
			if (!pid) {
				one_ioctl(sessions[i]);
				usleep(any(20000));
				_exit(0);
			}
			if (any(2))
				waitpid(pid, NULL, 0);
		} else if (any(4)) {
			one_ioctl(sessions[i]);
		} else if (streams[i] >= 0) {
			one_stream(streams[i]);
			if (!any(50)) {
				close(streams[i]);
				streams[i] = -1;
			}
		} else {
			syscall(SYS_getppid);
		}
	}
	printf("%sok the fuzzer came to its end\n", open_failed ? "not " : "");
	return 0;
}
