// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/major.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/args_plan.h"
#include "lib/clock.h"
#include "lib/device.h"
#include "lib/functions.h"
#include "lib/memory.h"
#include "lib/module_name.h"
#include "lib/region.h"

#define FTRACE_IS_OFF	"function tracing is switched off; switch it on with sysctl kernel.ftrace_enabled=1"

#ifndef COMMAND_ABI
#define COMMAND_ABI NESTRACE_ABI_VERSION	/* except in a test build */
#endif

static bool ftrace_is_off(void)
{
	FILE *f = fopen("/proc/sys/kernel/ftrace_enabled", "r");
	int c = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return c == '0';
}

static bool locked_down(void)
{
	char mode[128];
	FILE *f = fopen("/sys/kernel/security/lockdown", "r");
	bool down = false;

	if (!f)
		return false;
	if (fgets(mode, sizeof(mode), f))
		down = strstr(mode, "[confidentiality]");
	fclose(f);
	return down;
}

/* Read the device's minor number. Return: false if the module is not loaded. */
static bool find_minor(unsigned int *minor)
{
	FILE *f = fopen("/proc/misc", "r");
	char name[64];
	bool found = false;

	while (f && !found && fscanf(f, "%u %63s", minor, name) == 2)
		found = !strcmp(name, "nestrace");
	if (f)
		fclose(f);
	return found;
}

static bool open_error(struct error *e)
{
	unsigned int minor;
	int err = errno;

	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
	case ENOTDIR:
		if (find_minor(&minor))
			return error_set(e, "the module is loaded, but its device is not %s: '" NESTRACE_DEVICE "'; make it as root with mknod " NESTRACE_DEVICE " c %d %u, or start the container with --device " NESTRACE_DEVICE,
					 err == ENOENT || err == ENOTDIR ? "here" : "that file",
					 MISC_MAJOR, minor);
		return error_set(e, "the module is not loaded: '" NESTRACE_DEVICE "'; load it as root with modprobe nestrace or insmod nestrace.ko");
	case EACCES:
		return error_set(e, "no permission to open: '" NESTRACE_DEVICE "'; it needs root or the device's group");
	case EPERM:
		if (locked_down())
			return error_set(e, "the kernel is locked down: 'confidentiality'; /sys/kernel/security/lockdown forbids tracing");
		return error_set(e, "no permission to trace: '" NESTRACE_DEVICE "'; it needs root, CAP_PERFMON or CAP_SYS_ADMIN");
	}
	return error_set_errno(e, "cannot open '" NESTRACE_DEVICE "'");
}

bool device_info(int fd, struct nestrace_info *info, struct error *e)
{
	memset(info, 0, sizeof(*info));
	if (ioctl(fd, NESTRACE_IOC_INFO, info))
		return error_set_errno(e, "not nestrace's device: '" NESTRACE_DEVICE "'");
	return true;
}

int device_open(struct error *e)
{
	struct nestrace_info info;
	int fd = open(NESTRACE_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		open_error(e);
		return -1;
	}
	if (!device_info(fd, &info, e)) {
		close(fd);
		return -1;
	}
	if (info.abi != COMMAND_ABI) {
		error_set(e, "the loaded module is too %s for this command: '%.32s', ABI %u; the command is %s, ABI %d; install both from one source and reload the module",
			  info.abi > COMMAND_ABI ? "new" : "old", info.version, info.abi,
			  NESTRACE_VERSION, COMMAND_ABI);
		close(fd);
		return -1;
	}
	return fd;
}

/* Return @glob, to be freed, with "NAME [MODULE]" as nestrace list prints it in the kernel's words. */
static char *kernel_glob(const char *glob)
{
	char *copy = xzalloc(1, strlen(glob) + sizeof(":mod:")), *module;

	strcpy(copy, glob);
	module = strstr(copy, " [");
	if (module && module > copy && copy[strlen(copy) - 1] == ']') {
		copy[strlen(copy) - 1] = '\0';
		strcpy(module, ":mod:");
		strcat(module, glob + (module - copy) + strlen(" ["));
		module[strcspn(module, "]")] = '\0';
	}
	return copy;
}

/* Is the module of GLOB:mod:MODULE a part of the kernel? */
static bool is_built_in(const char *glob)
{
	char *name = xstrdup(strstr(glob, ":mod:") + strlen(":mod:"));
	bool built_in;

	module_name_fix(name);
	built_in = module_is_built_in(name);
	free(name);
	return built_in;
}

static bool no_module(const char *glob, const char *opt, struct error *e)
{
	if (is_built_in(glob))
		return error_set(e, "the module is a part of the kernel for %s: '%s'; name its functions without :mod:",
				 opt, glob);
	return error_set(e, "no such module is loaded for %s: '%s'; lsmod lists the loaded modules",
			 opt, glob);
}

/* Say by errno why a filter was refused. */
static bool filter_error(const char *glob, const char *opt, struct error *e)
{
	switch (errno) {
	case ENOENT:
		return error_set(e, "no function matches %s: '%s'; nestrace list shows what can be traced",
				 opt, glob);
	case ENODEV:
		if (strstr(glob, ":mod:"))
			return no_module(glob, opt, e);
		return error_set(e, FTRACE_IS_DEAD);
	case EINVAL:
		return error_set(e, "not a function name or glob for %s: '%s'; use NAME, GLOB or [GLOB]:mod:MODULE, at most 255 bytes (-n takes no GLOB before :mod:)",
				 opt, glob);
	case EOPNOTSUPP:
		return error_set(e, "this kernel does not support :mod: for %s: '%s'; nestrace status says why",
				 opt, glob);
	case ENOSPC:
		return error_set(e, "too many modules for %s: '%s'; at most 16 can be left out", opt, glob);
	}
	return error_set_errno(e, "cannot set %s '%s'", opt, glob);
}

static bool add_filter(int fd, const char *glob, uint32_t flags, bool wait, const char *opt,
		       struct error *e)
{
	char *full = kernel_glob(glob);
	struct nestrace_filter arg = {
		.size = sizeof(arg),
		.flags = flags,
		.glob = (uintptr_t)full,
		.len = strlen(full),
	};
	bool added = !ioctl(fd, NESTRACE_IOC_FILTER, &arg);
	int why = errno;

	/* a module that is a part of the kernel never comes */
	if (!added && why == ENODEV && wait && strstr(full, ":mod:") &&
	    !is_built_in(full)) {
		arg.flags |= NESTRACE_FILTER_WAIT;
		added = !ioctl(fd, NESTRACE_IOC_FILTER, &arg);
		why = errno;
	}
	errno = why;
	if (!added)
		filter_error(glob, opt, e);
	free(full);
	return added;
}

bool device_add_pid(int fd, const struct pid_selection *pid, bool follow_forks, struct error *e)
{
	struct nestrace_pid arg = {
		.size = sizeof(arg),
		.flags = (pid->thread ? 0 : NESTRACE_PID_PROCESS) |
			 (follow_forks ? NESTRACE_PID_FOLLOW : 0),
		.pid = pid->pid,
	};

	if (!ioctl(fd, NESTRACE_IOC_PID, &arg))
		return true;
	if (errno == ESRCH)
		return error_set(e, "no such %s: '%d'; ps -eL lists processes and threads",
				 pid->thread ? "thread" : "process", pid->pid);
	if (errno == EOPNOTSUPP)
		return error_set(e, "this kernel cannot follow new threads and children: '%d'; --tid without -c traces one thread",
				 pid->pid);
	return error_set_errno(e, "cannot select %s '%d'", pid->thread ? "thread" : "process", pid->pid);
}

static bool add_filters(int fd, const char **globs, unsigned int nr, uint32_t flags, bool wait,
			const char *opt, struct error *e)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!add_filter(fd, globs[i], flags, wait, opt, e))
			return false;
	return true;
}

static bool stack_error(const struct session_config *c, struct error *e)
{
	switch (errno) {
	case ENOENT:
		return error_set(e, "no function of --stack-of can be traced: '%s'; nestrace list shows what can be traced",
				 c->stack_of[0]);
	case EOPNOTSUPP:
		return error_set(e, "this kernel cannot record stacks: '--stack'; it has no ORC unwinder (CONFIG_UNWINDER_ORC)");
	case EBUSY:
		if (ftrace_is_off())
			return error_set(e, FTRACE_IS_OFF);
		break;
	case ENODEV:
		return error_set(e, FTRACE_IS_DEAD);
	}
	return error_set_errno(e, "cannot record stacks of '%u' callers", c->stack);
}

static bool configure_stack(int fd, const struct session_config *c, struct error *e)
{
	struct nestrace_stack_config arg = {
		.size = sizeof(arg), .depth = c->stack, .flags = c->stack_first ? NESTRACE_STACK_FIRST : 0,
	};
	uint64_t *addrs = NULL;
	size_t nr = 0;
	bool ok;

	if (c->nr_stack_of && !functions_matching(c->stack_of, c->nr_stack_of, &addrs, &nr, e))
		return false;
	arg.addrs = (uintptr_t)addrs;
	arg.nr = nr;
	ok = !ioctl(fd, NESTRACE_IOC_STACK, &arg) || stack_error(c, e);
	free(addrs);
	return ok;
}

static bool configure_args(int fd, const struct args_plan *plan, struct error *e)
{
	struct nestrace_args arg;
	size_t i;

	for (i = 0; i < plan->nr; i++) {
		arg = plan->program[i].arg;
		arg.steps = (uintptr_t)plan->program[i].step;
		arg.addrs = (uintptr_t)plan->program[i].start;
		arg.nr = plan->program[i].nr;
		/* ENOENT: none of them can be traced */
		if (!ioctl(fd, NESTRACE_IOC_ARGS, &arg) || (errno == ENOENT && arg.nr))
			continue;
		if (errno == E2BIG)
			return error_set(e, "too many functions, or programs for them: '%zu' programs; select fewer functions with -l",
					 plan->nr);
		return error_set_errno(e, "cannot record arguments of '%u' functions", arg.nr);
	}
	return true;
}

/* Open a cgroup: by its path in the file system, or below that of all cgroups. */
static int open_cgroup(const char *path)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char full[4096];
	/* "/" is the root of the cgroups, as /proc/self/cgroup has it */
	int fd = path[0] == '/' && path[1] ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	size_t i;

	for (i = 0; fd < 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(full, sizeof(full), "%s/%s", places[i], path);
		fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd;
}

static bool configure_cgroup(int fd, const char *path, struct error *e)
{
	struct nestrace_cgroup arg = { .size = sizeof(arg), .fd = open_cgroup(path) };
	bool ok;

	if (arg.fd < 0)
		return error_set_errno(e, "cannot open the cgroup: '--cgroup %s'; name its directory, or its path below /sys/fs/cgroup",
				       path);
	ok = !ioctl(fd, NESTRACE_IOC_CGROUP, &arg);
	if (!ok && errno == EBADF)
		error_set(e, "not a cgroup of version 2: '--cgroup %s'; systemd-cgls lists them", path);
	else if (!ok && errno == EOPNOTSUPP)
		error_set(e, "this kernel cannot follow tasks into a cgroup: '--cgroup %s'; use -P PID -c", path);
	else if (!ok)
		error_set_errno(e, "cannot select the tasks of '--cgroup %s'", path);
	close(arg.fd);
	return ok;
}

bool device_configure(int fd, const struct session_config *c, struct error *e)
{
	struct nestrace_config config = {
		.size = sizeof(config),
		.flags = (c->overwrite ? NESTRACE_CONFIG_OVERWRITE : 0) |
			 (c->empty ? NESTRACE_CONFIG_EMPTY : 0) |
			 (c->trace_self ? 0 : NESTRACE_CONFIG_IGNORE_SELF) |
			 (c->flight ? NESTRACE_CONFIG_OOPS : 0) |
			 (c->warn ? NESTRACE_CONFIG_WARN : 0) |
			 (c->count ? NESTRACE_CONFIG_COUNT : 0) |
			 (c->returns ? NESTRACE_CONFIG_RET : 0) |
			 (c->at_exit ? NESTRACE_CONFIG_EXIT : 0) |
			 (c->audit ? NESTRACE_CONFIG_AUDIT : 0),
		.clock = c->clock,
		.ring_kb = c->ring_kb,
	};
	struct nestrace_cpus cpus = {
		.size = sizeof(cpus),
		.mask = (uintptr_t)c->cpus,
		.len = c->cpus_len,
	};
	unsigned int i;

	if (ioctl(fd, NESTRACE_IOC_CONFIG, &config))
		return error_set_errno(e, "cannot set clock '%s' and %u KiB per CPU",
				       clock_name(c->clock), c->ring_kb);
	if (c->cpus && ioctl(fd, NESTRACE_IOC_CPUS, &cpus)) {
		if (errno == EINVAL)
			return error_set(e, "the CPU mask selects no CPU of this machine; /sys/devices/system/cpu/possible lists them");
		return error_set_errno(e, "cannot set the CPU mask");
	}
	if (c->persist && !region_use(fd, c->persist, e))
		return false;
	if (c->cgroup && !configure_cgroup(fd, c->cgroup, e))
		return false;
	if (!add_filters(fd, c->filter, c->nr_filter, 0, c->wait, "-l", e) ||
	    !add_filters(fd, c->notrace, c->nr_notrace, NESTRACE_FILTER_NOTRACE, false, "-n", e) ||
	    !add_filters(fd, c->trigger, c->nr_trigger, NESTRACE_FILTER_TRIGGER, c->wait,
			 "--trigger", e))
		return false;
	if (c->nr_notrace && functions_none_left(c->filter, c->nr_filter, c->notrace, c->nr_notrace))
		return error_set(e, "no function is left to trace: '-n %s' leaves out all that %s; select others with -l, or leave out fewer",
				 c->notrace[c->nr_notrace - 1], c->nr_filter ? "-l selects" : "there are");
	if (c->stack && !configure_stack(fd, c, e))
		return false;
	if (c->args && !configure_args(fd, c->args, e))
		return false;
	for (i = 0; i < c->nr_pids; i++)
		if (!device_add_pid(fd, &c->pids[i], c->follow_forks, e))
			return false;
	return true;
}

/* Say by errno why NESTRACE_IOC_START or NESTRACE_IOC_STREAM failed. */
static bool start_error(const struct session_config *c, struct error *e)
{
	if (errno == ENOMEM)
		return error_set(e, "not enough free memory for the %s: '%u' KiB per CPU; choose a smaller size with -b, or raise ulimit -l; all sessions together get at most half of it",
				 c->count ? "counts" : "rings", c->ring_kb);
	if (errno == ENOSPC)
		return error_set(e, "the rings do not fit into the reserved memory: '--persist %s'; choose less than %u KiB per CPU with -b",
				 c->persist, c->ring_kb);
	if (errno == EBUSY && ftrace_is_off())
		return error_set(e, FTRACE_IS_OFF);
	if (errno == ENODEV)
		return error_set(e, FTRACE_IS_DEAD);
	if (errno == EOPNOTSUPP)
		return error_set(e, "this kernel cannot record returns: '--ret'; see dmesg, or use trace-cmd record -p function_graph");
	return error_set_errno(e, "cannot start tracing");
}

bool device_start(int fd, const struct session_config *c, struct error *e)
{
	return !ioctl(fd, NESTRACE_IOC_START, 0) || start_error(c, e);
}

void device_freeze(int fd)
{
	ioctl(fd, NESTRACE_IOC_FREEZE, 0);
}

bool device_stop(int fd, struct error *e)
{
	/* EINVAL: it has ended from within */
	if (!ioctl(fd, NESTRACE_IOC_STOP, 0) || errno == EINVAL)
		return true;
	if (errno == ENODEV)
		return error_set(e, FTRACE_IS_DEAD);
	return error_set_errno(e, "cannot stop tracing");
}

int device_open_stream(int fd, const struct session_config *c, unsigned int cpu, struct error *e)
{
	struct nestrace_stream_open arg = { .size = sizeof(arg), .cpu = cpu };
	int stream = ioctl(fd, NESTRACE_IOC_STREAM, &arg);

	if (stream >= 0)
		return stream;
	/* a CPU that is not there, or not traced */
	if (errno == EINVAL)
		return -1;
	start_error(c, e);
	return -2;
}

bool device_stats(int fd, unsigned int cpu, struct nestrace_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	stats->cpu = cpu;
	return !ioctl(fd, NESTRACE_IOC_STATS, stats);
}

bool device_stack(int fd, struct nestrace_stack_config *stack)
{
	*stack = (struct nestrace_stack_config){ .size = sizeof(*stack) };
	return !ioctl(fd, NESTRACE_IOC_STACK, stack) && stack->depth;
}

bool device_returns(int fd, unsigned int cpu, struct nestrace_returns *returns)
{
	memset(returns, 0, sizeof(*returns));
	returns->size = sizeof(*returns);
	returns->cpu = cpu;
	return !ioctl(fd, NESTRACE_IOC_RETURNS, returns);
}

void device_set_cookie(int fd, uint64_t cookie)
{
	struct nestrace_cookie arg = { .size = sizeof(arg), .cookie = cookie };

	ioctl(fd, NESTRACE_IOC_COOKIE, &arg);
}

/* Ask for the session that runs since the module was loaded. Return: what the ioctl does, with @e set. */
static int ask_boot(struct nestrace_boot *boot, uint32_t flags, struct error *e)
{
	int fd = device_open(e), ret;

	if (fd < 0)
		return -1;
	*boot = (struct nestrace_boot){ .size = sizeof(*boot), .flags = flags };
	ret = ioctl(fd, NESTRACE_IOC_BOOT, boot);
	if (ret < 0 && errno == ENOENT)
		error_set(e, "no boot recording to take over: '--boot'; it was taken over already, or dmesg says why none started");
	else if (ret < 0)
		error_set_errno(e, "cannot take over the recording of the boot");
	close(fd);
	return ret;
}

bool device_describe_boot(struct nestrace_boot *boot, struct error *e)
{
	return !ask_boot(boot, 0, e);
}

int device_take_boot(struct error *e)
{
	struct nestrace_boot boot;

	return ask_boot(&boot, NESTRACE_BOOT_TAKE, e);
}
