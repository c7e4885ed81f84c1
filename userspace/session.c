// SPDX-License-Identifier: GPL-2.0
/* /dev/nestrace, with a sentence for everything that can fail. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "nestrace.h"

#ifndef COMMAND_ABI
#define COMMAND_ABI NESTRACE_ABI_VERSION	/* but in a test build */
#endif

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

static _Noreturn void cant_open(void)
{
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		die("the module is not loaded (no " NESTRACE_DEVICE "); as root: insmod nestrace.ko, or modprobe nestrace");
	case EACCES:
		die("not allowed to open " NESTRACE_DEVICE ": tracing the kernel needs root");
	case EPERM:
		if (locked_down())
			die("the kernel is locked down (confidentiality, see /sys/kernel/security/lockdown), which forbids tracing");
		die("not allowed to trace: it needs CAP_PERFMON or CAP_SYS_ADMIN");
	}
	die_errno("can't open " NESTRACE_DEVICE);
}

void session_info(int fd, struct nestrace_info *info)
{
	memset(info, 0, sizeof(*info));
	if (ioctl(fd, NESTRACE_IOC_INFO, info))
		die_errno(NESTRACE_DEVICE " does not answer as nestrace does");
}

int session_open(void)
{
	struct nestrace_info info;
	int fd = open(NESTRACE_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		cant_open();
	session_info(fd, &info);
	if (info.abi != COMMAND_ABI)
		die("the loaded module (version %.32s, ABI %u) is too %s for this command (version %s, ABI %d): install both from one source and load the module again",
		    info.version, info.abi, info.abi > COMMAND_ABI ? "new" : "old",
		    NESTRACE_VERSION, COMMAND_ABI);
	return fd;
}

static void filter(int fd, const char *glob, uint32_t flags, const char *opt)
{
	struct nestrace_filter arg = {
		.size = sizeof(arg),
		.flags = flags,
		.glob = (uintptr_t)glob,
		.len = strlen(glob),
	};

	if (!ioctl(fd, NESTRACE_IOC_FILTER, &arg))
		return;
	switch (errno) {
	case ENOENT:
		die("%s '%s': no function that can be traced matches; nestrace list '%s' looks for some",
		    opt, glob, glob);
	case ENODEV:
		die("%s '%s': no such module is loaded; :mod: takes a name that lsmod shows", opt, glob);
	case EINVAL:
		die("%s '%s': it must be a function name, a glob, or [GLOB]:mod:MODULE (with -n the glob of :mod: must be empty), and at most 255 bytes",
		    opt, glob);
	case EOPNOTSUPP:
		die("%s '%s': this kernel hides what :mod: needs (see nestrace status)", opt, glob);
	case ENOSPC:
		die("%s '%s': at most 16 modules can be left out", opt, glob);
	}
	die_errno("%s '%s'", opt, glob);
}

void session_add_pid(int fd, int pid, bool follow)
{
	struct nestrace_pid arg = {
		.size = sizeof(arg),
		.flags = follow ? NESTRACE_PID_FOLLOW : 0,
		.pid = pid,
	};

	if (!ioctl(fd, NESTRACE_IOC_PID, &arg))
		return;
	if (errno == ESRCH)
		die("pid %d: there is no such process or thread", pid);
	if (errno == EOPNOTSUPP)
		die("this kernel has no tracepoints to follow forks by");
	die_errno("pid %d", pid);
}

void session_configure(int fd, const struct options *o)
{
	struct nestrace_config config = {
		.size = sizeof(config),
		.flags = (o->overwrite ? NESTRACE_CONFIG_OVERWRITE : 0) | (o->empty ? NESTRACE_CONFIG_EMPTY : 0) |
			 (o->itself ? 0 : NESTRACE_CONFIG_IGNORE_SELF) | (o->flight ? NESTRACE_CONFIG_OOPS : 0),
		.clock = o->clock,
		.ring_kb = o->ring_kb,
	};
	struct nestrace_cpus cpus = {
		.size = sizeof(cpus),
		.mask = (uintptr_t)o->cpus,
		.len = o->cpus_len,
	};
	unsigned int i;

	if (ioctl(fd, NESTRACE_IOC_CONFIG, &config))
		die_errno("clock %s with %u KiB per CPU", clock_words[o->clock], o->ring_kb);
	if (o->cpus && ioctl(fd, NESTRACE_IOC_CPUS, &cpus))
		die(errno == EINVAL ? "the CPU mask names no CPU of this machine" :
				      "setting the CPU mask failed");
	for (i = 0; i < o->nr_filter; i++)
		filter(fd, o->filter[i], 0, "-l");
	for (i = 0; i < o->nr_notrace; i++)
		filter(fd, o->notrace[i], NESTRACE_FILTER_NOTRACE, "-n");
	for (i = 0; i < o->nr_trigger; i++)
		filter(fd, o->trigger[i], NESTRACE_FILTER_TRIGGER, "--trigger");
	for (i = 0; i < o->nr_pids; i++)
		session_add_pid(fd, o->pids[i], o->follow_forks);
}

static bool ftrace_is_off(void)
{
	FILE *f = fopen("/proc/sys/kernel/ftrace_enabled", "r");
	int c = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return c == '0';
}

void session_start(int fd, const struct options *o)
{
	if (ioctl(fd, NESTRACE_IOC_START, 0))
		session_cant_start(o);
}

void session_cant_start(const struct options *o)
{
	if (errno == ENOMEM)
		die("not enough free memory for rings of %u KiB per CPU; -b takes a smaller size", o->ring_kb);
	if (errno == EBUSY && ftrace_is_off())
		die("function tracing is switched off: sysctl kernel.ftrace_enabled=1");
	if (errno == ENODEV)
		die("ftrace has shut itself down after an error (see dmesg); only a reboot brings it back");
	die_errno("can't start tracing");
}

bool session_stop(int fd)
{
	return !ioctl(fd, NESTRACE_IOC_STOP, 0);
}

int session_stream(int fd, unsigned int cpu)
{
	struct nestrace_stream_open arg = { .size = sizeof(arg), .cpu = cpu };

	return ioctl(fd, NESTRACE_IOC_STREAM, &arg);
}

bool session_stats(int fd, unsigned int cpu, struct nestrace_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	stats->cpu = cpu;
	return !ioctl(fd, NESTRACE_IOC_STATS, stats);
}
