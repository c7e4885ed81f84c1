// SPDX-License-Identifier: GPL-2.0
/* Test that /dev/nestrace keeps the promises of include/uapi/nestrace.h. Runs in the guest. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "uapi/nestrace.h"

static int nr;

static void ok(int passed, const char *name)
{
	printf("%sok %s\n", passed ? "" : "not ", name);
	nr++;
}

/* Return: the errno of the ioctl, 0 if it succeeds. */
static int errno_of(int fd, unsigned long cmd, const void *arg)
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

	return errno_of(fd, NESTRACE_IOC_FILTER, &f);
}

static int stream(int fd, unsigned int cpu, unsigned int flags)
{
	struct nestrace_stream_open s = { .size = sizeof(s), .cpu = cpu, .flags = flags };

	return ioctl(fd, NESTRACE_IOC_STREAM, &s);
}

static void test_errors(void)
{
	struct nestrace_info info = { 0 };
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 64 };
	struct nestrace_filter filter = { .size = sizeof(filter) };
	struct nestrace_pid pid = { .size = sizeof(pid), .pid = getpid() };
	struct nestrace_stats stats = { .size = sizeof(stats) };
	uint8_t mask[4] = { 0 };
	struct nestrace_cpus cpus = { .size = sizeof(cpus), .mask = (uintptr_t)mask, .len = 4 };
	int fd = session();

	ok(!errno_of(fd, NESTRACE_IOC_INFO, &info) && info.abi == NESTRACE_ABI_VERSION &&
	   info.size == sizeof(info) && info.nr_cpus >= 1,
	   "info: it holds the ABI version and the size");
	ok(errno_of(fd, _IO(NESTRACE_IOC_MAGIC, 99), NULL) == ENOTTY,
	   "an unknown ioctl gives ENOTTY");
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, (void *)8) == EFAULT,
	   "config: a bad address gives EFAULT");

	config.size--;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL,
	   "config: a wrong size gives EINVAL");
	config.size++;
	config.flags = 1U << 31;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL,
	   "config: an unknown flag gives EINVAL");
	config.flags = 0;
	config.clock = NESTRACE_NR_CLOCKS;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL,
	   "config: an unknown clock gives EINVAL");
	config.clock = 0;
	config.ring_kb = 0;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL,
	   "config: a ring of 0 KiB gives EINVAL");
	config.ring_kb = NESTRACE_RING_KB_MAX + 1;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL,
	   "config: a ring beyond the maximum gives EINVAL");
	config.ring_kb = NESTRACE_RING_KB_MAX;
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config), "config: the largest ring is valid");
	ok(errno_of(fd, NESTRACE_IOC_START, NULL) == ENOMEM,
	   "start: a ring larger than the memory gives ENOMEM");
	config.ring_kb = 64;
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config),
	   "config: it can follow a start that failed");

	ok(errno_of(fd, NESTRACE_IOC_FILTER, &filter) == EINVAL,
	   "filter: an empty glob gives EINVAL");
	filter.reserved = 1;
	ok(errno_of(fd, NESTRACE_IOC_FILTER, &filter) == EINVAL,
	   "filter: a reserved field that is not 0 gives EINVAL");
	ok(set_filter(fd, "no_such_function", 0) == ENOENT,
	   "filter: a glob without a match gives ENOENT");
	ok(set_filter(fd, "!vfs_read", 0) == EINVAL,
	   "filter: a glob that begins with ! gives EINVAL");
	ok(set_filter(fd, ":mod:no_such_module", 0) == ENODEV,
	   "filter: a module that is not loaded gives ENODEV");
	ok(set_filter(fd, "a:b", 0) == EINVAL,
	   "filter: another command of set_ftrace_filter gives EINVAL");
	ok(set_filter(fd, "x*:mod:nt_calls", NESTRACE_FILTER_NOTRACE) == EINVAL,
	   "filter: notrace of a glob in a module gives EINVAL");

	pid.pid = -1;
	ok(errno_of(fd, NESTRACE_IOC_PID, &pid) == EINVAL, "pid: a negative one gives EINVAL");
	pid.pid = 4000000;
	ok(errno_of(fd, NESTRACE_IOC_PID, &pid) == ESRCH,
	   "pid: one that does not exist gives ESRCH");
	pid.pid = 1;
	pid.flags = NESTRACE_PID_CLEAR;
	ok(errno_of(fd, NESTRACE_IOC_PID, &pid) == EINVAL, "pid: clear with a pid gives EINVAL");

	ok(errno_of(fd, NESTRACE_IOC_CPUS, &cpus) == EINVAL, "cpus: an empty mask gives EINVAL");
	mask[3] = 0x80;
	ok(errno_of(fd, NESTRACE_IOC_CPUS, &cpus) == EINVAL,
	   "cpus: a mask of CPUs that do not exist gives EINVAL");

	stats.cpu = 100000;
	ok(errno_of(fd, NESTRACE_IOC_STATS, &stats) == EINVAL,
	   "stats: a CPU that does not exist gives EINVAL");
	ok(errno_of(fd, NESTRACE_IOC_STOP, NULL) == EINVAL, "stop: before a start it gives EINVAL");
	ok(stream(fd, 100000, 0) < 0 && errno == EINVAL,
	   "stream: a CPU that does not exist gives EINVAL");
	ok(stream(fd, 0, 2) < 0 && errno == EINVAL, "stream: an unknown flag gives EINVAL");
	close(fd);
}

/* Each ioctl with a struct checks its size, its flags and its address. */
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
		{ NESTRACE_IOC_RECURSIONS, sizeof(struct nestrace_recursions), "recursions" },
		{ NESTRACE_IOC_STREAM, sizeof(struct nestrace_stream_open), "stream" },
		{ NESTRACE_IOC_TASKS, sizeof(struct nestrace_tasks_take), "tasks" },
		{ NESTRACE_IOC_MODULES, sizeof(struct nestrace_modules_take), "modules" },
		{ NESTRACE_IOC_TIME, sizeof(struct nestrace_time), "time" },
		{ NESTRACE_IOC_COUNTS, sizeof(struct nestrace_counts), "counts" },
		{ NESTRACE_IOC_RETURNS, sizeof(struct nestrace_returns), "returns" },
		{ NESTRACE_IOC_STACK, sizeof(struct nestrace_stack_config), "stack" },
		{ NESTRACE_IOC_ARGS, sizeof(struct nestrace_args), "args" },
		{ NESTRACE_IOC_LIVEPATCH, sizeof(struct nestrace_livepatch), "livepatch" },
		{ NESTRACE_IOC_COOKIE, sizeof(struct nestrace_cookie), "cookie" },
		{ NESTRACE_IOC_BOOT, sizeof(struct nestrace_boot), "boot" },
		{ NESTRACE_IOC_CGROUP, sizeof(struct nestrace_cgroup), "cgroup" },
		{ NESTRACE_IOC_PERSIST, sizeof(struct nestrace_persist), "persist" },
		{ NESTRACE_IOC_REGION, sizeof(struct nestrace_region), "region" },
	};
	static uint32_t arg[4096];
	char name[64];
	unsigned int i;
	int fd = session(), passed;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		memset(arg, 0, sizeof(arg));
		arg[0] = all[i].size - 4;
		passed = errno_of(fd, all[i].cmd, arg) == EINVAL;
		arg[0] = all[i].size + 4;
		passed &= errno_of(fd, all[i].cmd, arg) == EINVAL;
		arg[0] = all[i].size;
		arg[1] = 1U << 30;
		passed &= errno_of(fd, all[i].cmd, arg) == EINVAL;
		passed &= errno_of(fd, all[i].cmd, (void *)16) == EFAULT;
		snprintf(name, sizeof(name), "%s: size, flags and address are checked",
			 all[i].name);
		ok(passed, name);
	}
	close(fd);
}

/* The notes of modules and the names of tasks. */
static void test_names(void)
{
	struct nestrace_modules_take arg = {
		.size = sizeof(arg), .flags = NESTRACE_MODULES_NOTE, .name = "nt_calls",
	};
	static uint64_t notes[1 << 15];
	const struct nestrace_module *note = (const void *)notes;
	struct nestrace_task self[4096];
	struct nestrace_tasks_take tasks = {
		.size = sizeof(tasks), .flags = NESTRACE_TASKS_RUNNING, .tasks = (uintptr_t)self,
		.nr = 4096,
	};
	const struct nestrace_symbol *symbol;
	int fd = session(), found = 0;
	uint32_t at, needed, i;

	ok(!errno_of(fd, NESTRACE_IOC_MODULES, &arg), "modules: a loaded module is noted");
	arg.flags = 0;
	ok(errno_of(fd, NESTRACE_IOC_MODULES, &arg) == EINVAL, "modules: a name without its flag is refused");
	memset(arg.name, 0, sizeof(arg.name));
	arg.notes = (uintptr_t)notes;
	arg.len = 8;
	ok(errno_of(fd, NESTRACE_IOC_MODULES, &arg) == EMSGSIZE && arg.len > sizeof(*note),
	   "modules: a buffer that is too small gets the size that is needed");
	needed = arg.len;
	arg.len = sizeof(notes);
	ok(!errno_of(fd, NESTRACE_IOC_MODULES, &arg) && arg.len == needed && note->length == needed,
	   "modules: the note is taken");
	for (at = sizeof(*note); at < note->length; at += symbol->length) {
		symbol = (const void *)((const char *)note + at);
		found += !strcmp(symbol->name, "nt_called") && symbol->size &&
			 symbol->start - note->text < note->text_size;
	}
	ok(found == 1 && at == note->length, "modules: the note has the symbols of the module");
	arg.len = sizeof(notes);
	ok(!errno_of(fd, NESTRACE_IOC_MODULES, &arg) && !arg.len, "modules: a note is taken once");
	arg = (struct nestrace_modules_take){
		.size = sizeof(arg), .flags = NESTRACE_MODULES_NOTE, .name = "nonsense",
	};
	ok(errno_of(fd, NESTRACE_IOC_MODULES, &arg) == ENOENT, "modules: one that is not loaded gives ENOENT");
	memset(arg.name, 'x', sizeof(arg.name));
	ok(errno_of(fd, NESTRACE_IOC_MODULES, &arg) == EINVAL, "modules: a name without an end is refused");

	ok(!errno_of(fd, NESTRACE_IOC_TASKS, &tasks) && tasks.nr > 1, "tasks: those that there are are listed");
	for (found = 0, i = 0; i < tasks.nr && i < 4096; i++)
		found += self[i].pid == getpid() && !strcmp(self[i].comm, "abi");
	ok(found == 1, "tasks: the caller is one of them");
	needed = tasks.nr;
	tasks.nr = 1;
	ok(!errno_of(fd, NESTRACE_IOC_TASKS, &tasks) && tasks.nr + 8 > needed,
	   "tasks: the number of all is given if they do not fit");
	close(fd);
}

/* Return: the errno of a description of reserved memory with these flags, which is in @r then. */
static int region(int fd, const char *name, unsigned int flags, struct nestrace_region *r)
{
	*r = (struct nestrace_region){ .size = sizeof(*r), .flags = flags };
	snprintf(r->name, sizeof(r->name), "%s", name);
	return errno_of(fd, NESTRACE_IOC_REGION, r);
}

static int persist(int fd, const char *name)
{
	struct nestrace_persist p = { .size = sizeof(p) };

	snprintf(p.name, sizeof(p.name), "%s", name);
	return errno_of(fd, NESTRACE_IOC_PERSIST, &p);
}

/* The kernel has reserved 2 MiB as nestrace_abi, if it can. */
static void test_regions(void)
{
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 1 << 14 };
	struct nestrace_region r = { .size = sizeof(r) };
	struct nestrace_persist p = { .size = sizeof(p) };
	int fd = session(), other = session(), content, err;
	char magic[16];

	memset(r.name, 'x', sizeof(r.name));
	memset(p.name, 'x', sizeof(p.name));
	ok(errno_of(fd, NESTRACE_IOC_REGION, &r) == EINVAL && errno_of(fd, NESTRACE_IOC_PERSIST, &p) == EINVAL,
	   "regions: a name without an end is refused");
	ok(region(fd, "nestrace_abi", NESTRACE_REGION_OPEN | NESTRACE_REGION_FORGET, &r) == EINVAL,
	   "regions: both flags at once are refused");
	err = region(fd, "nestrace_none", 0, &r);
	ok((err == ENOENT || err == EOPNOTSUPP) && persist(fd, "nestrace_none") == err,
	   "regions: one that is not there gives ENOENT, or EOPNOTSUPP on kernels without any");
	if (err == EOPNOTSUPP)
		goto out;
	ok(region(fd, "oops", 0, &r) == EACCES && persist(fd, "oops") == EACCES, "regions: memory of others gives EACCES");
	ok(!region(fd, "nestrace_abi", 0, &r) && r.bytes == 2 << 20 && r.at && !r.holds, "regions: it is described");
	ok(region(fd, "nestrace_abi", NESTRACE_REGION_OPEN, &r) == ENODATA && region(fd, "nestrace_abi", NESTRACE_REGION_FORGET, &r) == ENODATA,
	   "regions: it holds nothing");
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config) && !persist(fd, "nestrace_abi") && persist(fd, "nestrace_abi") == EINVAL,
	   "persist: a session takes one region");
	ok(persist(other, "nestrace_abi") == EBUSY && region(other, "nestrace_abi", NESTRACE_REGION_OPEN, &r) == EBUSY &&
	   region(other, "nestrace_abi", NESTRACE_REGION_FORGET, &r) == EBUSY, "persist: and nobody else can");
	config.flags = NESTRACE_CONFIG_COUNT;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "persist: it cannot count");
	ok(errno_of(fd, NESTRACE_IOC_START, NULL) == ENOSPC && errno_of(fd, NESTRACE_IOC_START, NULL) == ENOSPC,
	   "persist: rings that do not fit give ENOSPC, each time");
	ok(stream(fd, 0, 0) < 0 && errno == ENOSPC, "persist: for a stream, too");
	close(fd);
	ok(!region(other, "nestrace_abi", 0, &r) && !r.holds, "persist: a session that never ran leaves nothing");
	fd = session();
	config.flags = 0;
	config.ring_kb = 256;
	set_filter(fd, "*_sys_getppid", 0);
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config) && !persist(fd, "nestrace_abi") && !errno_of(fd, NESTRACE_IOC_START, NULL),
	   "persist: it runs");
	getppid();
	ok(persist(other, "nestrace_abi") == EBUSY, "persist: while it runs, nobody else can");
	close(fd);
	ok(!region(other, "nestrace_abi", 0, &r) && r.holds, "persist: its end leaves what it had");
	ok(persist(other, "nestrace_abi") == EEXIST, "persist: another session cannot have it then");
	r = (struct nestrace_region){ .size = sizeof(r), .flags = NESTRACE_REGION_OPEN, .name = "nestrace_abi" };
	content = ioctl(other, NESTRACE_IOC_REGION, &r);
	ok(content >= 0 && pread(content, magic, sizeof(magic), 0) == sizeof(magic) && !memcmp(magic, "nestrace-region", 16),
	   "regions: its content can be read");
	ok(pread(content, magic, sizeof(magic), 2 << 20) == 0 && write(content, magic, 1) < 0, "regions: it ends, and is not written");
	close(content);
	ok(!region(other, "nestrace_abi", NESTRACE_REGION_FORGET, &r) && !region(other, "nestrace_abi", 0, &r) && !r.holds,
	   "regions: it can be forgotten");
	ok(!persist(other, "nestrace_abi"), "regions: and used again");
out:
	close(fd);
	close(other);
}

static uint64_t sum(int fd, int column);

/* CLEAR drops what was set. */
static void test_clear(void)
{
	struct nestrace_filter clear = { .size = sizeof(clear), .flags = NESTRACE_FILTER_CLEAR };
	struct nestrace_pid pid = { .size = sizeof(pid), .pid = 1 };
	int fd = session(), i;

	ok(!set_filter(fd, "*_sys_getppid", 0) &&
	   !set_filter(fd, "*_sys_getuid", NESTRACE_FILTER_NOTRACE) &&
	   !errno_of(fd, NESTRACE_IOC_PID, &pid), "clear: filter, notrace and pid are set before");
	pid.pid = 0;
	pid.flags = NESTRACE_PID_CLEAR;
	ok(!errno_of(fd, NESTRACE_IOC_FILTER, &clear), "clear: the filter is cleared");
	clear.flags |= NESTRACE_FILTER_NOTRACE;
	ok(!errno_of(fd, NESTRACE_IOC_FILTER, &clear), "clear: notrace is cleared");
	ok(!errno_of(fd, NESTRACE_IOC_PID, &pid), "clear: the pids are cleared");
	ok(!set_filter(fd, "*_sys_getuid", 0), "clear: another filter is set after");
	ok(!errno_of(fd, NESTRACE_IOC_START, NULL), "clear: the session starts");
	for (i = 0; i < 100; i++) {
		getppid();
		getuid();
	}
	ioctl(fd, NESTRACE_IOC_STOP, 0);
	ok(sum(fd, 0) == 100 && sum(fd, 1) == 0,
	   "clear: only the new filter has hits, of all pids");
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

	ok(!set_filter(fd, "*_sys_getppid", 0), "life: the filter is set");
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config), "life: the rings are set");
	st = stream(fd, 0, NESTRACE_STREAM_NONBLOCK);
	ok(st >= 0, "stream: it can be opened before the start");
	ok(stream(fd, 0, 0) < 0 && errno == EBUSY, "stream: a second one of the CPU gives EBUSY");
	ok(read(st, buf, sizeof(buf)) < 0 && errno == EAGAIN, "read: without data it gives EAGAIN");
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EBUSY,
	   "config: with an open stream it gives EBUSY");
	ok(!errno_of(fd, NESTRACE_IOC_START, NULL), "start: it succeeds");
	ok(errno_of(fd, NESTRACE_IOC_START, NULL) == EBUSY,
	   "start: of a running session it gives EBUSY");
	ok(read(st, buf, 100) < 0 && errno == EINVAL,
	   "read: of less than a sub-buffer it gives EINVAL");
	p.fd = st;
	ok(poll(&p, 1, 0) == 0, "poll: without data it reports nothing");

	for (i = 0; i < 1000; i++)
		getppid();
	ok(poll(&p, 1, 2000) == 1 && p.revents == POLLIN, "poll: with data it reports POLLIN");
	while ((n = read(st, buf, sizeof(buf))) > 0 && got < 1 << 20)
		got += n;
	ok(got > 0 && got % NESTRACE_SUBBUF_SIZE == 0 && errno == EAGAIN,
	   "read: it returns whole sub-buffers, then EAGAIN");

	ok(!errno_of(other, NESTRACE_IOC_INFO, &info) && info.sessions == 2 && info.running == 1,
	   "info: it counts the sessions");
	ok(!errno_of(fd, NESTRACE_IOC_STOP, NULL), "stop: it succeeds");
	ok(errno_of(fd, NESTRACE_IOC_STOP, NULL) == EINVAL,
	   "stop: of a stopped session it gives EINVAL");
	ok(poll(&p, 1, 0) == 1 && p.revents & POLLHUP,
	   "poll: of a stopped session it reports POLLHUP");
	ok(read(st, buf, sizeof(buf)) == 0, "read: of a stopped session it returns 0 at the end");
	ok(!errno_of(fd, NESTRACE_IOC_START, NULL), "start: it can follow a stop");
	getppid();
	ok(!errno_of(fd, NESTRACE_IOC_STOP, NULL), "stop: it can follow a second start");
	ok(read(st, buf, sizeof(buf)) == NESTRACE_SUBBUF_SIZE,
	   "read: the stream continues after a second start");
	ok(!errno_of(fd, NESTRACE_IOC_START, NULL), "start: it can follow a second stop");
	getppid();
	close(fd);
	/* the session is closed, but its stream is open */
	ok(!errno_of(other, NESTRACE_IOC_INFO, &info) && info.running == 0,
	   "close: it stops the session");
	ok(read(st, buf, sizeof(buf)) == NESTRACE_SUBBUF_SIZE && read(st, buf, sizeof(buf)) == 0,
	   "close: an open stream can be read to its end");
	close(other);
	ok(syscall(SYS_delete_module, "nestrace", O_NONBLOCK) < 0 && errno == EWOULDBLOCK,
	   "the module cannot be unloaded while a stream is open");
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
	ok(!errno_of(c, NESTRACE_IOC_PID, &pid), "three sessions: the third has a pid");
	ok(!errno_of(a, NESTRACE_IOC_START, NULL) && !errno_of(b, NESTRACE_IOC_START, NULL) &&
	   !errno_of(c, NESTRACE_IOC_START, NULL), "three sessions: they run at once");
	for (i = 0; i < 500; i++) {
		getppid();
		getuid();
	}
	ioctl(a, NESTRACE_IOC_STOP, 0);
	ioctl(b, NESTRACE_IOC_STOP, 0);
	ioctl(c, NESTRACE_IOC_STOP, 0);
	ok(sum(a, 0) == 500, "three sessions: the first records 500 calls of its function");
	ok(sum(b, 0) == 1000,
	   "three sessions: the second records 500 calls of each of its functions");
	ok(sum(c, 0) == 0 && sum(c, 1) == 500,
	   "three sessions: the third filters all calls by pid");
	close(a);
	close(b);
	close(c);
}

/* Return: the calls that @fd has counted on CPU 0, read in parts of @nr entries; -1: an error. */
static long counted(int fd, unsigned int nr)
{
	struct nestrace_count part[8];
	struct nestrace_counts arg = { .size = sizeof(arg), .counts = (uintptr_t)part };
	long calls = 0;
	unsigned int i;

	do {
		arg.nr = nr;
		if (ioctl(fd, NESTRACE_IOC_COUNTS, &arg))
			return -1;
		for (i = 0; i < arg.nr; i++) {
			if (part[i].slot != NESTRACE_SLOT_TASK || part[i].until)
				return -1;
			calls += part[i].calls;
		}
	} while (arg.nr);
	return calls;
}

static void test_counts(void)
{
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 64 };
	struct nestrace_count count;
	struct nestrace_counts arg = { .size = sizeof(arg), .nr = 1, .counts = (uintptr_t)&count };
	int fd = session(), other = session(), i;

	config.flags = NESTRACE_CONFIG_COUNT | NESTRACE_CONFIG_OVERWRITE;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "counts: with overwrite it gives EINVAL");
	config.flags = NESTRACE_CONFIG_COUNT;
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config), "counts: a session is configured to count");
	ok(errno_of(other, NESTRACE_IOC_COUNTS, &arg) == EINVAL,
	   "counts: of a session that records they give EINVAL");
	set_filter(fd, "*_sys_getppid", 0);
	set_filter(fd, "*_sys_getuid", 0);
	ok(counted(fd, 1) == 0, "counts: before the start there are none");
	ok(stream(fd, 0, 0) < 0 && errno == EINVAL, "counts: there is no stream");
	ok(!errno_of(fd, NESTRACE_IOC_START, NULL), "counts: the session starts");
	for (i = 0; i < 500; i++) {
		getppid();
		getuid();
	}
	ok(counted(fd, 1) == 1000, "counts: while it runs they are read, entry by entry");
	ioctl(fd, NESTRACE_IOC_STOP, 0);
	getppid();
	ok(counted(fd, 8) == 1000, "counts: after the stop they stay");
	ok(sum(fd, 0) == 1000, "counts: the statistics have them as recorded");
	ok(!errno_of(fd, NESTRACE_IOC_START, NULL), "counts: the session starts again");
	getppid();
	ioctl(fd, NESTRACE_IOC_FREEZE, 0);
	getppid();
	ioctl(fd, NESTRACE_IOC_STOP, 0);
	ok(counted(fd, 8) == 1001, "counts: once frozen it counts no more");
	ok(sum(fd, 1) == 1, "counts: that hit is filtered");
	arg.nr = 0;
	ok(errno_of(fd, NESTRACE_IOC_COUNTS, &arg) == EINVAL, "counts: room for none gives EINVAL");
	arg.nr = 1;
	arg.cpu = 100000;
	ok(errno_of(fd, NESTRACE_IOC_COUNTS, &arg) == EINVAL,
	   "counts: a CPU that does not exist gives EINVAL");
	arg.cpu = 0;
	arg.counts = 16;
	ok(errno_of(fd, NESTRACE_IOC_COUNTS, &arg) == EFAULT, "counts: a bad address gives EFAULT");
	arg.next = UINT64_MAX;
	ok(!errno_of(fd, NESTRACE_IOC_COUNTS, &arg) && !arg.nr, "counts: beyond the end there are none");
	arg.flags = NESTRACE_COUNTS_GONE;
	arg.next = 0;
	arg.nr = 1;
	ok(!errno_of(fd, NESTRACE_IOC_COUNTS, &arg) && !arg.nr && !arg.moves,
	   "counts: no function is gone");
	close(fd);
	close(other);
}

/* Return the sum over all CPUs of calls, or of their returns. */
static uint64_t returns_of(int fd, int calls)
{
	struct nestrace_returns arg = { .size = sizeof(arg) };
	uint64_t n = 0;
	int slot;

	for (arg.cpu = 0; !ioctl(fd, NESTRACE_IOC_RETURNS, &arg); arg.cpu++, arg.flags = 0)
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			n += calls ? arg.slot[slot].calls : arg.slot[slot].returned;
	return n;
}

static void test_returns(void)
{
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 1024 };
	struct nestrace_returns arg = { .size = sizeof(arg) };
	int fd = session(), other = session(), i;

	config.flags = NESTRACE_CONFIG_COUNT | NESTRACE_CONFIG_RET;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "returns: a session that counts has none");
	config.flags = NESTRACE_CONFIG_EXIT;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "returns: EXIT is about RET only");
	config.flags = NESTRACE_CONFIG_RET | NESTRACE_CONFIG_AUDIT;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "audit: a session that audits records no returns");
	config.flags = NESTRACE_CONFIG_COUNT | NESTRACE_CONFIG_AUDIT;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "audit: nor does it count");
	config.flags = NESTRACE_CONFIG_RET;
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config), "returns: a session is configured to record them");
	ok(errno_of(other, NESTRACE_IOC_RETURNS, &arg) == EINVAL,
	   "returns: of another session they give EINVAL");
	arg.cpu = 100000;
	ok(errno_of(fd, NESTRACE_IOC_RETURNS, &arg) == EINVAL,
	   "returns: a CPU that does not exist gives EINVAL");
	set_filter(fd, "*_sys_getppid", 0);
	ok(!errno_of(fd, NESTRACE_IOC_START, NULL), "returns: the session starts");
	for (i = 0; i < 500; i++)
		getppid();
	ok(returns_of(fd, 1) >= 500 && returns_of(fd, 1) == returns_of(fd, 0),
	   "returns: while it runs they are counted");
	ioctl(fd, NESTRACE_IOC_STOP, 0);
	ok(!errno_of(fd, NESTRACE_IOC_START, NULL), "returns: the session starts again");
	getppid();
	ioctl(fd, NESTRACE_IOC_STOP, 0);
	ok(returns_of(fd, 1) >= 501 && returns_of(fd, 1) == returns_of(fd, 0),
	   "returns: after a second run there are more");
	close(fd);
	close(other);
}

static int set_stack(int fd, uint32_t depth, const uint64_t *addrs, uint32_t nr)
{
	struct nestrace_stack_config arg = { .size = sizeof(arg), .depth = depth,
					     .addrs = (uintptr_t)addrs, .nr = nr };

	return errno_of(fd, NESTRACE_IOC_STACK, &arg);
}

static void test_stack(void)
{
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 64 };
	struct nestrace_stack_config arg = { .size = sizeof(arg) };
	static const uint64_t no_function[] = { 0, 8, UINT64_MAX };
	int fd = session(), i, nr = 0;

	ok(!errno_of(fd, NESTRACE_IOC_STACK, &arg) && !arg.depth, "stack: a session has none at first");
	ok(set_stack(fd, NESTRACE_STACK_MAX + 1, NULL, 0) == EINVAL, "stack: too many callers give EINVAL");
	ok(set_stack(fd, 8, no_function, UINT32_MAX) == EINVAL, "stack: too many functions give EINVAL");
	ok(set_stack(fd, 8, (void *)16, 1) == EFAULT, "stack: a bad address of functions gives EFAULT");
	ok(set_stack(fd, 8, no_function, 3) == ENOENT, "stack: functions that do not exist give ENOENT");
	config.flags = NESTRACE_CONFIG_COUNT;
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config) && set_stack(fd, 8, NULL, 0) == EINVAL,
	   "stack: a session that counts has none");
	config.flags = NESTRACE_CONFIG_RET | NESTRACE_CONFIG_EXIT;
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config) && set_stack(fd, 8, NULL, 0) == EINVAL,
	   "stack: a session that records returns only has none");
	config.flags = 0;
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config) && !set_stack(fd, 8, NULL, 0),
	   "stack: a session is configured to record them");
	ok(set_stack(fd, 9, NULL, 0) == EBUSY, "stack: a second time gives EBUSY");
	config.flags = NESTRACE_CONFIG_COUNT;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "stack: such a session cannot count");
	config.flags = NESTRACE_CONFIG_RET | NESTRACE_CONFIG_EXIT;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL,
	   "stack: such a session cannot record returns only");
	set_filter(fd, "*_sys_getppid", 0);
	ok(!errno_of(fd, NESTRACE_IOC_START, NULL), "stack: the session starts");
	ok(!errno_of(fd, NESTRACE_IOC_STACK, &arg) && arg.depth == 8, "stack: the depth is read while it runs");
	while (nr < NESTRACE_STACK_LEFT_OUT && arg.left_out[nr])
		nr++;
	for (i = nr; i < NESTRACE_STACK_LEFT_OUT; i++)
		nr += !!arg.left_out[i];
	ok(nr > 0 && nr < NESTRACE_STACK_LEFT_OUT, "stack: the functions that are left out are listed, 0 ends them");
	ok(set_stack(fd, 8, NULL, 0) == EBUSY, "stack: while it runs a change gives EBUSY");
	close(fd);
}

static int set_args(int fd, struct nestrace_args arg, const uint64_t *addrs, uint32_t nr,
		    const struct nestrace_step *steps)
{
	arg.size = sizeof(arg);
	arg.addrs = (uintptr_t)addrs;
	arg.nr = nr;
	arg.steps = (uintptr_t)steps;
	return errno_of(fd, NESTRACE_IOC_ARGS, &arg);
}

/* nestrace record --args and --if, in other tests, show what programs do. */
static void test_args(void)
{
	static const struct nestrace_step test[] = { { .op = NESTRACE_OP_ARG }, { .op = NESTRACE_OP_TEST } };
	static const struct nestrace_step at_exit[] = { { .op = NESTRACE_OP_RETVAL }, { .op = NESTRACE_OP_TEST } };
	static const struct nestrace_step store[] = { { .op = NESTRACE_OP_ARG }, { .op = NESTRACE_OP_STORE } };
	static const uint64_t no_function[] = { 0, 8, UINT64_MAX };
	const struct nestrace_args words = { .words = 6 }, exit_if = { .nr_exit_if = 2 };
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 64 };
	int fd = session(), i, failed = 0;

	ok(set_args(fd, (struct nestrace_args){ .words = NESTRACE_ARGS_WORDS + 1 }, NULL, 0, NULL) == EINVAL,
	   "args: too many words give EINVAL");
	ok(set_args(fd, (struct nestrace_args){ .values = NESTRACE_ARGS_VALUES + 1 }, NULL, 0, NULL) == EINVAL,
	   "args: too many values give EINVAL");
	ok(set_args(fd, (struct nestrace_args){ .reserved = { [6] = 1 } }, NULL, 0, NULL) == EINVAL,
	   "args: a reserved byte gives EINVAL");
	ok(set_args(fd, words, no_function, UINT32_MAX, NULL) == EINVAL, "args: too many functions give EINVAL");
	ok(set_args(fd, words, (void *)16, 1, NULL) == EFAULT, "args: a bad address of functions gives EFAULT");
	ok(set_args(fd, words, no_function, 3, NULL) == ENOENT, "args: functions that do not exist give ENOENT");
	ok(set_args(fd, (struct nestrace_args){ .nr_if = 2 }, NULL, 0, (void *)16) == EFAULT,
	   "args: a bad address of steps gives EFAULT");
	ok(set_args(fd, (struct nestrace_args){ .nr_if = 1 }, NULL, 0, test) == EINVAL,
	   "args: steps without an answer give EINVAL");
	ok(set_args(fd, (struct nestrace_args){ .nr_if = 2 }, NULL, 0, at_exit) == EINVAL,
	   "args: a return value at the entry gives EINVAL");
	ok(set_args(fd, (struct nestrace_args){ .nr_fetch = 2 }, NULL, 0, store) == EINVAL,
	   "args: a value without room gives EINVAL");
	ok(set_args(fd, exit_if, NULL, 0, at_exit) == EINVAL, "args: a test of returns needs CONFIG_EXIT");
	config.flags = NESTRACE_CONFIG_COUNT;
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config) && set_args(fd, words, NULL, 0, NULL) == EINVAL,
	   "args: a session that counts has none");
	config.flags = NESTRACE_CONFIG_RET | NESTRACE_CONFIG_EXIT;
	ok(!errno_of(fd, NESTRACE_IOC_CONFIG, &config) && set_args(fd, words, NULL, 0, NULL) == EINVAL,
	   "args: a session that records returns only has none");
	ok(!set_args(fd, exit_if, NULL, 0, at_exit), "args: but it tests returns");
	config.flags = 0;
	ok(errno_of(fd, NESTRACE_IOC_CONFIG, &config) == EINVAL, "args: such a session is not configured anew");
	close(fd);

	fd = session();
	for (i = 0; i < NESTRACE_ARGS_PROGRAMS; i++)
		failed += !!set_args(fd, words, NULL, 0, NULL);
	ok(!failed && set_args(fd, words, NULL, 0, NULL) == E2BIG, "args: too many programs give E2BIG");
	set_filter(fd, "*_sys_getppid", 0);
	ok(!errno_of(fd, NESTRACE_IOC_START, NULL), "args: the session starts");
	ok(set_args(fd, words, NULL, 0, NULL) == EBUSY, "args: while it runs a change gives EBUSY");
	close(fd);
}

/* Memory that is not there is a fault in the hook: none of these calls passes, and nothing else happens. */
static void test_args_fault(void)
{
	static const struct nestrace_step test[] = {
		{ .op = NESTRACE_OP_ARG }, { .op = NESTRACE_OP_AND },
		/* a hole, whatever the number of page table levels */
		{ .op = NESTRACE_OP_ADD, .value = 0xffff800000000000ULL },
		{ .op = NESTRACE_OP_READ, .a = 8 }, { .op = NESTRACE_OP_TEST },
		{ .op = NESTRACE_OP_ARG }, { .op = NESTRACE_OP_AND },
		/* not even an address */
		{ .op = NESTRACE_OP_ADD, .value = 0x0123456789abcdefULL },
		{ .op = NESTRACE_OP_READ, .a = 4 }, { .op = NESTRACE_OP_TEST, .a = NESTRACE_NOT_EQUAL },
		{ .op = NESTRACE_OP_EITHER },
	};
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 64 };
	const struct nestrace_args arg = { .nr_if = sizeof(test) / sizeof(test[0]) };
	uint64_t hits = 0, filtered = 0, other = 0;
	struct nestrace_stats stats;
	int fd = session(), cpu, i;

	errno_of(fd, NESTRACE_IOC_CONFIG, &config);
	set_filter(fd, "*_sys_getppid", 0);
	ok(!set_args(fd, arg, NULL, 0, test) && !errno_of(fd, NESTRACE_IOC_START, NULL), "args: faults: the session starts");
	for (i = 0; i < 1000; i++)
		syscall(SYS_getppid);
	errno_of(fd, NESTRACE_IOC_STOP, NULL);
	for (cpu = 0; cpu < 2; cpu++) {
		memset(&stats, 0, sizeof(stats));
		stats.size = sizeof(stats);
		stats.cpu = cpu;
		if (errno_of(fd, NESTRACE_IOC_STATS, &stats))
			continue;
		for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
			hits += stats.slot[i].hits;
			filtered += stats.slot[i].filtered;
			other += stats.slot[i].recorded + stats.slot[i].recursed + stats.slot[i].lost;
		}
	}
	ok(hits >= 1000 && filtered == hits && !other, "args: faults: tests of what is not there do not pass");
	close(fd);
}

static void nothing(int sig)
{
}

/* A reader that waits for a page of its buffer. */
struct held {
	int stream, faults;
	char *page;
	ssize_t got;
	pthread_t thread;
};

static void *read_held(void *arg)
{
	struct held *h = arg;

	h->got = read(h->stream, h->page, NESTRACE_SUBBUF_SIZE);
	return NULL;
}

/* Return: 1 once the reader waits, 0 if it does not, -1 if this kernel cannot let it wait. */
static int hold(struct held *h, int fd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct pollfd p = { .events = POLLIN };

	h->faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (h->faults < 0 && errno == ENOSYS)
		return -1;
	h->page = mmap(NULL, NESTRACE_SUBBUF_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	area.range.start = (uintptr_t)h->page;
	area.range.len = NESTRACE_SUBBUF_SIZE;
	h->stream = stream(fd, 0, 0);
	if (ioctl(h->faults, UFFDIO_API, &api) || ioctl(h->faults, UFFDIO_REGISTER, &area) ||
	    pthread_create(&h->thread, NULL, read_held, h))
		return 0;
	p.fd = h->faults;
	return poll(&p, 1, 10000) == 1;
}

static void let_go(struct held *h)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)h->page, .len = NESTRACE_SUBBUF_SIZE },
	};

	ioctl(h->faults, UFFDIO_ZEROPAGE, &zero);
	pthread_join(h->thread, NULL);
	munmap(h->page, NESTRACE_SUBBUF_SIZE);
	close(h->stream);
	close(h->faults);
}

/* A reader may wait for a page. A caller that reads the statistics must not wait for that reader. */
static void test_held(void)
{
	const struct itimerval timer = { .it_value.tv_sec = 2 }, off = { 0 };
	struct sigaction alarm = { .sa_handler = nothing };
	struct nestrace_config config = { .size = sizeof(config), .ring_kb = 64 };
	struct nestrace_stats stats;
	struct held h;
	int fd, overwrite, err, i;

	sigaction(SIGALRM, &alarm, NULL);
	for (overwrite = 0; overwrite <= 1; overwrite++) {
		fd = session();
		set_filter(fd, "*_sys_getppid", 0);
		config.flags = overwrite ? NESTRACE_CONFIG_OVERWRITE : 0;
		errno_of(fd, NESTRACE_IOC_CONFIG, &config);
		errno_of(fd, NESTRACE_IOC_START, NULL);
		for (i = 0; i < 1000; i++)
			getppid();
		switch (hold(&h, fd)) {
		case -1:
			close(fd);
			return;
		case 0:
			ok(0, "held: a reader waits for a page");
			break;
		}
		stats = (struct nestrace_stats){ .size = sizeof(stats) };
		setitimer(ITIMER_REAL, &timer, NULL);
		err = errno_of(fd, NESTRACE_IOC_STATS, &stats);
		setitimer(ITIMER_REAL, &off, NULL);
		if (overwrite)
			ok(err == EINTR, "held: in a session that overwrites, a signal ends the wait for the statistics");
		else
			ok(!err && stats.slot[NESTRACE_SLOT_TASK].recorded == 1000,
			   "held: the statistics do not wait for a reader that waits for a page");
		let_go(&h);
		ok(h.got == NESTRACE_SUBBUF_SIZE, "held: the reader goes on once it has the page");
		close(fd);
	}
}

int main(void)
{
	cpu_set_t cpus;

	/* the tests read the stream of CPU 0 */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		perror("sched_setaffinity");
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_errors();
	test_each_struct();
	test_names();
	test_clear();
	test_life();
	test_two_sessions();
	test_regions();
	test_counts();
	test_returns();
	test_stack();
	test_args();
	test_args_fault();
	test_held();
	printf("abi: %d tests\n", nr);
	return 0;
}
