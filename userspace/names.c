// SPDX-License-Identifier: GPL-2.0
/* The names in a trace file: of functions from kallsyms, of tasks. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <event-parse.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "nestrace.h"
#include "tracedat.h"

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Is this module's function new? Then it is noted. */
static bool symbol_is_new(struct symbols *s, const char *line)
{
	char *copy = xstrdup(line), **found;

	found = tsearch(copy, &s->seen, compare_lines);
	if (!found)
		die("out of memory");
	if (*found != copy)
		free(copy);
	return *found == copy;
}

/* Modules come and go: read again, it gives only what it has not given yet. */
char *symbols_read(struct symbols *s, size_t *len)
{
	FILE *in = fopen("/proc/kallsyms", "r");
	char *text, *line = NULL;
	bool hidden = true;
	size_t size = 0;
	FILE *out;
	char type;

	if (!in)
		die_errno("can't read /proc/kallsyms");
	out = open_memstream(&text, len);
	if (!out)
		die("out of memory");
	while (getline(&line, &size, in) > 0) {
		if (sscanf(line, "%*x %c", &type) != 1 || !strchr("tTwW", type))
			continue;
		hidden &= !strncmp(line, "0000000000000000", 16);
		if (strchr(line, '[') ? symbol_is_new(s, line) : !s->again)
			fputs(line, out);
	}
	/* libtraceevent takes the last symbol to be one byte long */
	if (!s->again)
		fputs("ffffffffffffffff t _end_of_functions\n", out);
	free(line);
	fclose(in);
	fclose(out);
	if (hidden && !s->again)
		warn("/proc/kallsyms hides the addresses: functions will be shown as numbers (sysctl kernel.kptr_restrict=1)");
	s->again = true;
	return text;
}

void symbols_free(struct symbols *s)
{
	tdestroy(s->seen, free);
}

struct name {
	int pid;
	char comm[16];
};

struct names {
	void *tree;		/* tsearch(3), of struct name */
	FILE *out;		/* while names_text() walks */
};

static int compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

struct names *names_new(void)
{
	return xzalloc(1, sizeof(struct names));
}

void names_set(struct names *n, int pid, const char *comm)
{
	struct name *new = xrealloc(NULL, sizeof(*new)), **old;

	new->pid = pid;
	snprintf(new->comm, sizeof(new->comm), "%s", comm);
	new->comm[strcspn(new->comm, "\n")] = '\0';
	/* readers stop at a line without a name */
	if (!*new->comm)
		strcpy(new->comm, "?");
	old = tsearch(new, &n->tree, compare);
	if (!old)
		die("out of memory");
	if (*old != new) {
		memcpy((*old)->comm, new->comm, sizeof(new->comm));
		free(new);
	}
}

static void snapshot_threads(struct names *n, const char *pid)
{
	char path[64], comm[32];
	struct dirent *d;
	DIR *dir;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/task/%.16s/comm", pid, d->d_name);
		f = fopen(path, "r");
		if (f && fgets(comm, sizeof(comm), f))
			names_set(n, atoi(d->d_name), comm);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
}

void names_snapshot(struct names *n)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			snapshot_threads(n, d->d_name);
	if (dir)
		closedir(dir);
}

void names_take(struct names *n, int session)
{
	struct nestrace_task task[256];
	struct nestrace_tasks_take arg;
	unsigned int i;

	do {
		arg = (struct nestrace_tasks_take){
			.size = sizeof(arg),
			.tasks = (uintptr_t)task,
			.nr = sizeof(task) / sizeof(task[0]),
		};
		if (ioctl(session, NESTRACE_IOC_TASKS, &arg))
			return;
		for (i = 0; i < arg.nr; i++)
			names_set(n, task[i].pid, task[i].comm);
	} while (arg.nr);
}

static void print(const void *node, VISIT visit, void *arg)
{
	const struct name *name = *(const struct name *const *)node;
	struct names *n = arg;

	if (visit == postorder || visit == leaf)
		fprintf(n->out, "%d %s\n", name->pid, name->comm);
}

char *names_text(struct names *n, size_t *len)
{
	char *text;

	n->out = open_memstream(&text, len);
	if (!n->out)
		die("out of memory");
	twalk_r(n->tree, print, n);
	fclose(n->out);
	return text;
}

void names_free(struct names *n)
{
	tdestroy(n->tree, free);
	free(n);
}

/* A name from the file, for a terminal to be safe with. */
static void clean(char *text)
{
	for (; *text; text++) {
		unsigned char c = *text, next = text[1];

		/* in UTF-8 controls are also of two bytes */
		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ||
		    (c == 0xc2 && next >= 0x80 && next <= 0x9f))
			*text = '?';
	}
}

struct tep_handle *names_load(struct tracedat *t)
{
	struct tep_handle *tep = tep_alloc();
	char *line, *save, *comm;

	if (!tep)
		die("out of memory");
	clean(t->kallsyms);
	clean(t->cmdlines);
	if (*t->kallsyms && tep_parse_kallsyms(tep, t->kallsyms))
		warn("%s: its symbols can't be read: functions are shown as numbers", t->path);
	for (line = strtok_r(t->cmdlines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		comm = strchr(line, ' ');
		if (comm)
			tep_register_comm(tep, comm + 1, atoi(line));
	}
	return tep;
}

const char *names_function(void *tep, uint64_t ip)
{
	static char number[2][24];
	static int turn;
	const char *name = tep_find_function(tep, ip);

	if (name)
		return name;
	turn = !turn;
	snprintf(number[turn], sizeof(number[turn]), "0x%" PRIx64, ip);
	return number[turn];
}
