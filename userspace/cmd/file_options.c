// SPDX-License-Identifier: GPL-2.0
#include "cmd/file_options.h"
#include "cmd/message.h"
#include "cmd/parse.h"
#include "lib/context.h"

static void add_cpu(void *filter, long cpu)
{
	hit_filter_add_cpu(filter, cpu);
}

static void add_pid(void *filter, long pid)
{
	hit_filter_add_pid(filter, pid);
}

static void take_moment(struct periods_time *t, const char *opt, const char *arg)
{
	if (!periods_moment(t, arg))
		usage("not a time: '%s %s'; use one that nestrace report prints, as 12.345678", opt, arg);
}

bool period_option(struct periods *p, int opt, const char *arg)
{
	switch (opt) {
	case PERIOD_SINCE:
		take_moment(&p->since, "--since", arg);
		return true;
	case PERIOD_UNTIL:
		take_moment(&p->until, "--until", arg);
		return true;
	case PERIOD_AROUND:
		if (!periods_add_around(p, arg))
			usage("not a function and a length of time: '--around %s'; an example is vfs_read:10ms",
			      arg);
		return true;
	}
	return false;
}

bool filter_option(struct hit_filter *f, int opt, const char *arg)
{
	uint32_t slots;

	switch (opt) {
	case FILTER_CPU:
		parse_list(arg, "--cpu", 0, HIT_FILTER_CPUS - 1, true, add_cpu, f);
		return true;
	case FILTER_PID:
		parse_list(arg, "--pid", 0, 1 << 22, false, add_pid, f);
		return true;
	case FILTER_COMM:
		hit_filter_add_comm(f, arg);
		return true;
	case FILTER_CONTEXT:
		slots = context_slots(arg);
		if (!slots)
			usage("no such context: '--context %s'; choose one of: " CONTEXT_LIST, arg);
		f->slots |= slots;
		return true;
	case 'F':
		hit_filter_add_text(f, arg);
		return true;
	}
	return false;
}

void input_option(const char **path, const char *arg)
{
	if (*path)
		usage("only one file can be read: '-i %s' and '-i %s'; read them one at a time",
		      *path, arg);
	*path = arg;
}

const char *input_file(const char *path, char **rest)
{
	if (!path && *rest)
		path = *rest++;
	if (*rest)
		usage("only one file can be read: '%s' and '%s'; read them one at a time", path, *rest);
	return path ? path : "trace.dat";
}
