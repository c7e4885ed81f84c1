// SPDX-License-Identifier: GPL-2.0
/* nestrace status: what the module can do on this kernel, in sentences. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>
#include <unistd.h>

#include "nestrace.h"

static const char help[] =
	"usage: nestrace status\n\n"
	"Tell which module is loaded, what it can and can't do on this kernel, how many\n"
	"sessions there are, and how many traced functions are shared with other users\n"
	"of ftrace.\n";

static void show_events(const struct nestrace_info *info)
{
	printf("trace events: %s", info->events_armed ? "armed" : "not armed");
	if (info->events_emitted || info->events_recursed || info->events_not_watching)
		printf(", %" PRIu64 " hits given out since the module's load, %" PRIu64 " refused, %" PRIu64 " skipped as RCU was asleep",
		       (uint64_t)info->events_emitted, (uint64_t)info->events_recursed,
		       (uint64_t)info->events_not_watching);
	putchar('\n');
}

static void show_rcu(const struct nestrace_info *info)
{
	switch (info->rcu_mode) {
	case NESTRACE_RCU_PAIR:
		printf("RCU: woken by context, with ct_nmi_enter or ct_irq_enter\n");
		break;
	case NESTRACE_RCU_WARN:
		printf("RCU: woken by warn_rcu_enter%s\n",
		       info->features & NESTRACE_FEATURE_RCU_PAIR ? ", as rcu=warn asked for" :
		       ", as ct_nmi_enter and ct_irq_enter can't be found");
		break;
	default:
		printf("RCU: not woken, as rcu=off asked for: hits while it sleeps are skipped and counted as lost\n");
	}
}

static void show_features(const struct nestrace_info *info)
{
	printf("interrupt stacks: %s\n", info->features & NESTRACE_FEATURE_IRQ_STACK ? "known" :
	       "not known, as hardirq_stack_ptr can't be found: an interrupt's first and last functions count for the slot of what it interrupted");
	printf("filter by :mod:NAME: %s\n", info->features & NESTRACE_FEATURE_MOD_FILTER ? "yes" :
	       "no, as find_module and ftrace_location can't be found");
	printf("following of forks, and names of tasks that are gone: %s\n",
	       info->features & NESTRACE_FEATURE_TASKS ? "yes" :
	       "no, as the scheduler's tracepoints can't be found");
	printf("clock global: %s\n", info->features & NESTRACE_FEATURE_FINE_CLOCK ? "fine" :
	       "as coarse as the tick, as the kernel's sched_clock() has no TSC here; -C mono or -C tsc is finer");
	if (info->test & NESTRACE_INFO_TEST_RECURSE)
		printf("test build: the hook recurses on purpose\n");
	if (info->test & NESTRACE_INFO_TEST_NO_GUARD)
		printf("test build: the guard is DISABLED, this module can hang the machine\n");
}

/*
 * A line of enabled_functions is "NAME (USERS) FLAGS...". What two users share goes
 * through the kernel's list function, which drops some recursion before we see it.
 */
static void show_shared(void)
{
	char *path = tracefs_get_tracing_file("enabled_functions");
	FILE *f = path ? fopen(path, "r") : NULL;
	unsigned long traced = 0, shared = 0, users;
	char *line = NULL, *paren;
	size_t size = 0;

	if (!f) {
		printf("functions traced now: not known, tracefs can't be read\n");
		tracefs_put_tracing_file(path);
		return;
	}
	while (getline(&line, &size, f) > 0) {
		paren = strstr(line, " (");
		if (!paren)
			continue;
		users = strtoul(paren + 2, NULL, 10);
		traced++;
		shared += users > 1;
	}
	printf("functions traced now, by any user of ftrace: %lu, of which shared by two or more: %lu\n",
	       traced, shared);
	if (shared)
		printf("  of the shared ones, recursion that the kernel's own list function drops is not seen here\n");
	free(line);
	fclose(f);
	tracefs_put_tracing_file(path);
}

int cmd_status(int argc, char **argv)
{
	struct nestrace_info info;
	int fd;

	if (options_help("status", argc, argv, help))
		return finish_output();

	fd = session_open();
	session_info(fd, &info);
	/* the session that asks is not one to tell of */
	printf("module: nestrace %.32s (ABI %u), loaded\n", info.version, info.abi);
	printf("sessions: %u open, %u running\n", info.sessions - 1, info.running);
	show_events(&info);
	show_rcu(&info);
	show_features(&info);
	show_shared();
	close(fd);
	return finish_output();
}
