// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/message.h"
#include "cmd/parse.h"
#include "cmd/session_options.h"
#include "lib/clock.h"
#include "lib/memory.h"
#include "lib/module_name.h"

#define PID_MAX		(1 << 22)

void session_option_add(const char ***list, unsigned int *nr, const char *arg)
{
	*list = xrealloc(*list, (*nr + 1) * sizeof(**list));
	(*list)[(*nr)++] = arg;
}

static void add_pid(struct session_config *s, int pid, bool thread)
{
	s->pids = xrealloc(s->pids, (s->nr_pids + 1) * sizeof(*s->pids));
	s->pids[s->nr_pids++] = (struct pid_selection){ .pid = pid, .thread = thread };
}

static void add_process(void *config, long pid)
{
	add_pid(config, pid, false);
}

static void add_thread(void *config, long tid)
{
	add_pid(config, tid, true);
}

/* Take a mask as taskset and trace-cmd do: hexadecimal digits, perhaps with commas or 0x. */
static void take_mask(struct session_config *s, const char *arg)
{
	const char *digit = arg;
	size_t digits = 0, i;
	bool any = false;

	free(s->cpus);
	s->cpus = NULL;
	s->cpus_len = 0;
	if (!strcmp(arg, "-1"))
		return;
	if (digit[0] == '0' && (digit[1] == 'x' || digit[1] == 'X'))
		digit += 2;
	for (i = 0; digit[i]; i++) {
		if (digit[i] == ',')
			continue;
		if (!isxdigit((unsigned char)digit[i]))
			usage("not a CPU mask: '-M %s'; use a hexadecimal number, bit 0 for CPU 0, or -1 for all",
			      arg);
		digits++;
	}
	s->cpus_len = (digits + 1) / 2;
	s->cpus = xzalloc(s->cpus_len, 1);
	for (digits = 0; i-- > 0;) {
		int c = tolower((unsigned char)digit[i]);
		int v = isdigit(c) ? c - '0' : c - 'a' + 10;

		if (c == ',')
			continue;
		s->cpus[digits / 2] |= v << 4 * (digits % 2);
		any |= v;
		digits++;
	}
	while (s->cpus_len > 1 && !s->cpus[s->cpus_len - 1])
		s->cpus_len--;
	if (!any)
		usage("the mask selects no CPU: '-M %s'; bit 0 is CPU 0", arg);
}

void session_options_init(struct capture_config *c)
{
	memset(c, 0, sizeof(*c));
	c->session.ring_kb = SESSION_RING_KB;
	c->session.wait = true;
}

void session_option_trigger(struct capture_config *c, const char *glob)
{
	session_option_add(&c->session.trigger, &c->session.nr_trigger, glob);
}

void session_option_stack_of(struct capture_config *c, const char *glob)
{
	session_option_add(&c->session.stack_of, &c->session.nr_stack_of, glob);
}

bool session_option(struct capture_config *c, int opt, const char *arg)
{
	struct session_config *s = &c->session;

	switch (opt) {
	case 'l':
		session_option_add(&s->filter, &s->nr_filter, arg);
		return true;
	case 'n':
		session_option_add(&s->notrace, &s->nr_notrace, arg);
		return true;
	case 'P':
		parse_list(arg, "-P", 1, PID_MAX, false, add_process, s);
		return true;
	case SESSION_TID:
		parse_list(arg, "--tid", 1, PID_MAX, false, add_thread, s);
		return true;
	case SESSION_CGROUP:
		if (s->cgroup)
			usage("only one cgroup at a time: '--cgroup %s'; those in it are traced, too", arg);
		s->cgroup = arg;
		return true;
	case 'M':
		take_mask(s, arg);
		return true;
	case 'C':
		if (!clock_find(arg, &s->clock))
			usage("no such clock: '%s'; choose one of:" CLOCK_LIST, arg);
		return true;
	case 'b':
		s->ring_kb = parse_size_kb(arg, "-b", NESTRACE_RING_KB_MIN, NESTRACE_RING_KB_MAX);
		s->sized = true;
		return true;
	case 'F':
		c->follow_command = true;
		return true;
	case 'c':
		s->follow_forks = true;
		return true;
	}
	return false;
}

/* Say which modules are waited for, and what for: their names may be misspelt. */
static void note_waiting(const char **globs, unsigned int nr, const char *what)
{
	const char *at;
	char *name;

	for (; nr--; globs++) {
		at = strstr(*globs, ":mod:");
		if (!at || !at[strlen(":mod:")])
			continue;
		name = xstrdup(at + strlen(":mod:"));
		module_name_fix(name);
		if (!module_is_loaded(name) && !module_is_built_in(name))
			warn("no such module is loaded: '%s'; its functions will be %s once it is loaded",
			     name, what);
		free(name);
	}
}

void session_options_finish(struct capture_config *c, char **command)
{
	c->command = *command ? command : NULL;
	if (c->follow_command && !c->command)
		usage("-F traces COMMAND, but there is none; name a command, or a process with -P");
	if (c->session.follow_forks && !c->follow_command && !c->session.nr_pids)
		usage("-c follows the children of -F, -P or --tid, but none is given; add one of them");
	if (c->session.cgroup && (c->follow_command || c->session.nr_pids))
		usage("--cgroup selects the tasks: '%s'; leave out -F, -P and --tid", c->session.cgroup);
	if (c->command)
		set_failure_status(EXIT_OWN);
	note_waiting(c->session.filter, c->session.nr_filter, "traced");
	note_waiting(c->session.trigger, c->session.nr_trigger, "triggers");
}

void session_options_free(struct capture_config *c)
{
	free(c->session.filter);
	free(c->session.notrace);
	free(c->session.trigger);
	free(c->session.stack_of);
	free(c->session.pids);
	free(c->session.cpus);
}
