// SPDX-License-Identifier: GPL-2.0
/* nestrace status: what the module can do on this kernel, in sentences. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/events.h"
#include "cmd/message.h"
#include "cmd/parse.h"
#include "lib/device.h"
#include "lib/ftrace_users.h"
#include "lib/names.h"
#include "lib/symbols.h"

static const char help[] =
	"usage: nestrace status\n\n"
	"Print the version of the loaded module, what it can do on this kernel, the\n"
	"number of sessions, what the trace events trace, and how many traced functions\n"
	"are shared with other users of ftrace.\n\n"
	"  -h, --help  print this help\n";

static void show_rcu(const struct nestrace_info *info)
{
	switch ((enum nestrace_rcu_mode)info->rcu_mode) {
	case NESTRACE_RCU_PAIR:
		printf("RCU: entered with ct_nmi_enter or ct_irq_enter, by context\n");
		break;
	case NESTRACE_RCU_WARN:
		printf("RCU: entered with warn_rcu_enter, because %s\n",
		       info->features & NESTRACE_FEATURE_RCU_PAIR ? "rcu=warn is set" :
		       "ct_nmi_enter and ct_irq_enter were not found");
		break;
	case NESTRACE_RCU_OFF:
		printf("RCU: not entered, because rcu=off is set; hits where RCU is not watching are lost\n");
		break;
	}
}

/* Print whether the kernel has a feature, and if not, what that means. */
static void show_feature(const struct nestrace_info *info, unsigned int feature, const char *name,
			 const char *with, const char *without)
{
	printf("%s: %s\n", name, info->features & feature ? with : without);
}

static bool lock_is_asked_for(void)
{
	FILE *f = fopen("/sys/module/nestrace/parameters/global", "r");
	char order[8] = "";

	if (f) {
		if (!fgets(order, sizeof(order), f))
			order[0] = '\0';
		fclose(f);
	}
	return !strcmp(order, "lock\n");
}

static void show_features(const struct nestrace_info *info)
{
	show_feature(info, NESTRACE_FEATURE_IRQ_STACK, "interrupt stacks", "known",
		     "not known, because hardirq_stack_ptr was not found; the first and last functions of an interrupt count for the context that it interrupted");
	show_feature(info, NESTRACE_FEATURE_MOD_FILTER, "filter by :mod:NAME", "yes",
		     "no, because find_module and ftrace_location were not found");
	show_feature(info, NESTRACE_FEATURE_TASKS,
		     "processes (-P, -F), children (-c) and names of tasks that are gone", "yes",
		     "no, because the scheduler's tracepoints were not found");
	show_feature(info, NESTRACE_FEATURE_FINE_CLOCK, "clock global", "fine",
		     "as coarse as the tick, because the kernel's sched_clock() does not use the TSC; -C mono or -C tsc is finer");
	show_feature(info, NESTRACE_FEATURE_TSC_ORDER, "clock global, order of the CPUs",
		     "by the TSC, which the kernel trusts",
		     lock_is_asked_for() ? "by a lock, because global=lock is set; nestrace(7) says what that costs" :
		     "by a lock, because the kernel's sched_clock() is not a TSC that it trusts; nestrace(7) says what that costs");
	show_feature(info, NESTRACE_FEATURE_EARLY_OOPS, "flight recordings end at an oops or a panic",
		     "at its first function, before it is printed",
		     "late, after it is printed and not if a crash kernel is loaded, because its first functions cannot be traced");
	show_feature(info, NESTRACE_FEATURE_RETURNS, "returns (--ret)", "yes",
		     "no, because the kernel has no rethook or no function_graph, or their symbols were not found");
	show_feature(info, NESTRACE_FEATURE_LIVEPATCH, "livepatches (nestrace livepatch)", "yes",
		     "no, because the kernel has none, or their symbols were not found");
	if (info->test & NESTRACE_INFO_TEST_RECURSE)
		printf("test build: the hook recurses on purpose\n");
	if (info->test & NESTRACE_INFO_TEST_NO_GUARD)
		printf("test build: the guard is DISABLED, this module can hang the machine\n");
}

/* Print the functions that are not traced with --stack, if they have been found. */
static void show_left_out(const __u64 *ip)
{
	struct symbols symbols = { 0 };
	struct tep_handle *tep = NULL;
	struct error e;
	char *text;
	size_t len;
	int i;

	if (!ip[0])
		return;
	if (symbols_read(&symbols, &e)) {
		text = symbols_text(&symbols, true, &len);
		tep = names_of_symbols(text);
		free(text);
	}
	for (i = 0; i < NESTRACE_STACK_LEFT_OUT && ip[i]; i++) {
		printf(i ? ", " : "; not traced, because the unwinder calls them: ");
		if (tep)
			printf("%s", names_function(tep, ip[i]));
		else
			printf("0x%llx", ip[i]);
	}
	tep_free(tep);
	symbols_free(&symbols);
}

static void show_stacks(int fd, const struct nestrace_info *info)
{
	struct nestrace_stack_config stack;

	if (!(info->features & NESTRACE_FEATURE_STACKS)) {
		printf("stacks (--stack): no, because the kernel has no ORC unwinder\n");
		return;
	}
	printf("stacks (--stack): yes");
	device_stack(fd, &stack);
	show_left_out(stack.left_out);
	printf("\n");
}

struct users {
	unsigned long traced, shared;
};

static void count_users(void *arg, const char *function, unsigned int users)
{
	struct users *u = arg;

	u->traced++;
	u->shared += users > 1;
}

static void show_shared(void)
{
	struct users u = { 0 };

	if (!ftrace_users_each(count_users, &u)) {
		printf("functions traced now: not known, because tracefs cannot be read\n");
		return;
	}
	printf("functions traced now, by any user of ftrace: %lu; shared by two or more: %lu\n",
	       u.traced, u.shared);
	if (u.shared)
		printf("  the kernel's list function drops some recursion in shared functions; it is not counted here\n");
}

int cmd_status(int argc, char **argv)
{
	struct nestrace_info info;
	struct error e;
	int fd;

	if (parse_help_only(argc, argv, help))
		return finish_output();

	fd = device_open(&e);
	if (fd < 0 || !device_info(fd, &info, &e))
		die_error(&e);
	printf("module: nestrace %.32s (ABI %u), loaded\n", info.version, info.abi);
	/* without the session that asks */
	printf("sessions: %u open, %u running\n", info.sessions - 1, info.running);
	events_print(&info);
	show_rcu(&info);
	show_features(&info);
	show_stacks(fd, &info);
	show_shared();
	close(fd);
	return finish_output();
}
