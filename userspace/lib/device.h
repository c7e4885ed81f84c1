/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/nestrace: a session from open to close, each failure with a message of its own. A
 * session is its file descriptor; close() ends it. The uapi header documents the rest.
 */
#ifndef LIB_DEVICE_H
#define LIB_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "uapi/nestrace.h"

/* The message after ENODEV. */
#define FTRACE_IS_DEAD	"ftrace has shut itself down after a bug; dmesg says why, and a reboot restores it"

struct args_plan;

/* The tasks that a session traces. */
struct pid_selection {
	int pid;
	bool thread;			/* this thread only, not its whole process */
};

/* The functions to trace, and how. The arrays and strings are the caller's. */
struct session_config {
	const char **filter;		/* globs of -l; none: all functions */
	const char **notrace;		/* globs of -n */
	const char **trigger;		/* globs of functions that end the recording */
	struct pid_selection *pids;	/* none: all tasks */
	unsigned int nr_filter, nr_notrace, nr_trigger, nr_pids;
	const char *cgroup;		/* trace only its tasks: a path, or one below /sys/fs/cgroup; NULL: all */
	uint8_t *cpus;			/* bitmap, CPU 0 is bit 0 of byte 0; NULL: all */
	size_t cpus_len;		/* its bytes */
	enum nestrace_clock clock;
	unsigned int ring_kb;		/* KiB per CPU */
	bool sized;			/* the user has chosen @ring_kb */
	const char *persist;		/* the name of the memory for the rings, which outlives the machine; NULL: none */
	bool overwrite;			/* a full ring loses its oldest records */
	bool flight;			/* an oops ends the recording; streams are read after its end */
	bool warn;			/* so does a warning of the kernel */
	bool follow_forks;		/* trace what the selected tasks create, too */
	bool trace_self;		/* trace the caller's own calls, too */
	bool wait;			/* the modules of -l and --trigger may come later */
	bool count;			/* count by function: there are no streams */
	bool returns;			/* record returns, too */
	bool at_exit;			/* and each call only when it returns */
	bool audit;			/* note what is odd about a call */
	unsigned int stack;		/* callers of each stack at most; 0: no stacks */
	bool stack_first;		/* only of the first calls of a kind */
	const char **stack_of;		/* globs of the functions with stacks; none: all */
	unsigned int nr_stack_of;
	const struct args_plan *args;	/* NULL, or what is recorded of arguments, and filters by them */
	bool boot;			/* it is the one that runs since the module was loaded */
	bool empty;			/* NESTRACE_CONFIG_EMPTY, for benchmarks */
};

/* Open a session and check the ABI. Return: its descriptor, or -1. */
int device_open(struct error *e);
bool device_info(int fd, struct nestrace_info *info, struct error *e);
bool device_configure(int fd, const struct session_config *c, struct error *e);
bool device_add_pid(int fd, const struct pid_selection *pid, bool follow_forks, struct error *e);
bool device_start(int fd, const struct session_config *c, struct error *e);
/* Describe the session that runs since the module was loaded. Return: false if there is none. */
bool device_describe_boot(struct nestrace_boot *boot, struct error *e);
/* Take it over. Return: its descriptor, or -1. */
int device_take_boot(struct error *e);
/* Freeze the rings of a running session: what they hold stays. Returns at once. */
void device_freeze(int fd);
/* Return: true if the session is stopped or did not run. Its streams end if ftrace is dead, too. */
bool device_stop(int fd, struct error *e);
/*
 * Open the stream of @cpu, not before all is configured. Return: its descriptor; -1 if the
 * session does not trace that CPU; -2 after an error.
 */
int device_open_stream(int fd, const struct session_config *c, unsigned int cpu, struct error *e);
/* Return: false if the CPU has no counters. */
bool device_stats(int fd, unsigned int cpu, struct nestrace_stats *stats);
/* Return: false if the session records no stacks; @stack->left_out is set even then. */
bool device_stack(int fd, struct nestrace_stack_config *stack);
/* Let a reader of a dump recognise the session by this number; an older module does not know it. */
void device_set_cookie(int fd, uint64_t cookie);
/* Return: false if the session does not record returns. */
bool device_returns(int fd, unsigned int cpu, struct nestrace_returns *returns);

#endif
