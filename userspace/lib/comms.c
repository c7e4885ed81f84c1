// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/comms.h"
#include "lib/memory.h"
#include "uapi/nestrace.h"

struct name {
	int pid;
	char comm[16];
};

struct comms {
	void *tree;		/* tsearch(3), of struct name */
	FILE *out;		/* while comms_text() walks the tree */
};

static int compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

struct comms *comms_new(void)
{
	return xzalloc(1, sizeof(struct comms));
}

void comms_set(struct comms *c, int pid, const char *comm)
{
	struct name *new = xrealloc(NULL, sizeof(*new)), **old;

	new->pid = pid;
	snprintf(new->comm, sizeof(new->comm), "%s", comm);
	new->comm[strcspn(new->comm, "\n")] = '\0';
	/* trace-cmd stops reading at a line without a name */
	if (!*new->comm)
		strcpy(new->comm, "?");
	old = tsearch(new, &c->tree, compare);
	if (!old)
		out_of_memory();
	if (*old != new) {
		memcpy((*old)->comm, new->comm, sizeof(new->comm));
		free(new);
	}
}

static void add_threads(struct comms *c, const char *pid)
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
			comms_set(c, atoi(d->d_name), comm);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
}

void comms_add_running(struct comms *c)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			add_threads(c, d->d_name);
	if (dir)
		closedir(dir);
}

void comms_take_gone(struct comms *c, int fd)
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
		if (ioctl(fd, NESTRACE_IOC_TASKS, &arg))
			return;
		for (i = 0; i < arg.nr; i++)
			comms_set(c, task[i].pid, task[i].comm);
	} while (arg.nr);
}

static void print(const void *node, VISIT visit, void *arg)
{
	const struct name *name = *(const struct name *const *)node;
	struct comms *c = arg;

	if (visit == postorder || visit == leaf)
		fprintf(c->out, "%d %s\n", name->pid, name->comm);
}

char *comms_text(struct comms *c, size_t *len)
{
	char *text;

	c->out = open_memstream(&text, len);
	if (!c->out)
		out_of_memory();
	twalk_r(c->tree, print, c);
	fclose(c->out);
	return text;
}

void comms_free(struct comms *c)
{
	tdestroy(c->tree, free);
	free(c);
}
