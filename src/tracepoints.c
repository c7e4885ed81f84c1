// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "tracepoints.h"
#include "uapi/nestrace.h"

struct nt_search {
	const char *name;
	struct tracepoint *found;
};

static void nt_compare(struct tracepoint *tp, void *data)
{
	struct nt_search *search = data;

	if (!strcmp(tp->name, search->name))
		search->found = tp;
}

static struct tracepoint *nt_tracepoint(const char *name)
{
	struct nt_search search = { .name = name };

	for_each_kernel_tracepoint(nt_compare, &search);
	return search.found;
}

int __init nt_tracepoints_init(void)
{
	return nt_tracepoint("task_newtask") && nt_tracepoint("task_rename") &&
	       nt_tracepoint("sched_process_exit") ? NESTRACE_FEATURE_TASKS : 0;
}

int nt_probe(const char *name, void *probe, void *data)
{
	struct tracepoint *tp = nt_tracepoint(name);

	return tp ? tracepoint_probe_register(tp, probe, data) : -ENOENT;
}

void nt_unprobe(const char *name, void *probe, void *data)
{
	struct tracepoint *tp = nt_tracepoint(name);

	if (tp)
		tracepoint_probe_unregister(tp, probe, data);
}
