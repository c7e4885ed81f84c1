// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/comms.h"
#include "lib/memory.h"
#include "lib/utf8.h"
#include "uapi/nestrace.h"

/* In the kernel's own bytes; none is a control character that would end a line. */
struct name {
	uint64_t until;		/* UINT64_MAX: it has not ended */
	char *comm;
	char *clean;		/* as it is shown; NULL: not yet asked for */
};

struct task {
	int pid;
	struct name *name;	/* by time; NULL: this entry is free */
	unsigned int nr;
	const char *current;	/* of comms_switch() */
};

struct comms {
	struct task *task;	/* hash table */
	size_t size, used;
	size_t ended, max;	/* names that have ended */
};

struct comms *comms_new(void)
{
	struct comms *c = xzalloc(1, sizeof(*c));

	c->size = 1024;
	c->task = xzalloc(c->size, sizeof(*c->task));
	return c;
}

void comms_limit(struct comms *c, size_t max)
{
	c->max = max;
}

static struct task *find(const struct comms *c, int pid)
{
	size_t i = ((unsigned int)pid * 0x9e3779b1U >> 8) & (c->size - 1);

	while (c->task[i].name && c->task[i].pid != pid)
		i = (i + 1) & (c->size - 1);
	return &c->task[i];
}

static struct task *find_or_add(struct comms *c, int pid)
{
	struct task *old = c->task, *t = find(c, pid);
	size_t size = c->size, i;

	if (t->name)
		return t;
	if (2 * ++c->used >= size) {
		c->size *= 2;
		c->task = xzalloc(c->size, sizeof(*c->task));
		for (i = 0; i < size; i++)
			if (old[i].name)
				*find(c, old[i].pid) = old[i];
		free(old);
		t = find(c, pid);
	}
	t->pid = pid;
	return t;
}

static void set_comm(struct name *n, const char *comm)
{
	char *c;

	/* trace-cmd stops reading at a line without a name */
	n->comm = xstrdup(*comm ? comm : "?");
	for (c = n->comm; *c; c++)
		if (*c == '\n')
			*c = '?';
}

static void free_name(struct name *n)
{
	free(n->comm);
	free(n->clean);
}

static struct name *append(struct task *t, uint64_t until, const char *comm)
{
	struct name *n;

	t->name = xrealloc(t->name, (t->nr + 1) * sizeof(*t->name));
	n = &t->name[t->nr++];
	*n = (struct name){ .until = until };
	set_comm(n, comm);
	return n;
}

void comms_set(struct comms *c, int pid, const char *comm)
{
	struct task *t = find_or_add(c, pid);
	struct name *last = t->nr ? &t->name[t->nr - 1] : NULL;

	if (!last || last->until != UINT64_MAX) {
		append(t, UINT64_MAX, comm);
		return;
	}
	t->nr--;
	free_name(last);
	append(t, UINT64_MAX, comm);
}

/* Drop the older half of the names that have ended. */
static void drop_old(struct comms *c)
{
	uint64_t sum = 0, nr = 0;
	unsigned int k, gone;
	struct task *t;
	size_t i;

	/* half of them are about before the mean */
	for (i = 0; i < c->size; i++)
		for (k = 0; k < c->task[i].nr; k++)
			if (c->task[i].name[k].until != UINT64_MAX && ++nr)
				sum += (int64_t)(c->task[i].name[k].until - sum) / (int64_t)nr;
	for (i = 0; i < c->size; i++) {
		t = &c->task[i];
		/* the last one keeps the entry */
		for (gone = 0; gone + 1 < t->nr && t->name[gone].until <= sum; gone++)
			free_name(&t->name[gone]);
		memmove(t->name, t->name + gone, (t->nr - gone) * sizeof(*t->name));
		t->nr -= gone;
		c->ended -= gone;
	}
}

void comms_add(struct comms *c, int pid, const char *comm, uint64_t until)
{
	struct task *t = find_or_add(c, pid);
	struct name *last = t->nr ? &t->name[t->nr - 1] : NULL;

	/* it was set as the name of a task that was there, and has ended after all */
	if (last && last->until == UINT64_MAX) {
		free_name(last);
		t->nr--;
		last = t->nr ? last - 1 : NULL;
	}
	if (last && !strcmp(last->comm, comm)) {
		last->until = until;
		return;
	}
	append(t, until, comm);
	c->ended++;
	if (c->max && c->ended > c->max)
		drop_old(c);
}

void comms_renew(struct comms *c, int pid, uint64_t ts)
{
	struct task *t = find(c, pid);
	struct name *last = t->name && t->nr ? &t->name[t->nr - 1] : NULL;

	/* a task that ends makes calls for a while */
	if (last && last->until != UINT64_MAX && last->until < ts)
		last->until = ts;
}

void comms_add_running(struct comms *c, int fd)
{
	struct nestrace_tasks_take arg = {
		.size = sizeof(arg), .flags = NESTRACE_TASKS_RUNNING, .nr = 1024,
	};
	struct nestrace_task *task = NULL;
	unsigned int room, i;
	int ret;

	do {
		/* there may be more of them by then */
		room = arg.nr + arg.nr / 8;
		task = xrealloc(task, room * sizeof(*task));
		arg.tasks = (uintptr_t)task;
		arg.nr = room;
		ret = ioctl(fd, NESTRACE_IOC_TASKS, &arg);
	} while (!ret && arg.nr > room);
	for (i = 0; !ret && i < arg.nr; i++)
		comms_set(c, task[i].pid, task[i].comm);
	free(task);
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
			if (task[i].flags & NESTRACE_TASK_NEW)
				comms_renew(c, task[i].pid, task[i].until);
			else
				comms_add(c, task[i].pid, task[i].comm, task[i].until);
	} while (arg.nr);
}

const char *comms_at(struct comms *c, int pid, uint64_t ts)
{
	struct task *t = find(c, pid);
	unsigned int i = 0;
	struct name *n;

	if (!t->name)
		return NULL;
	while (i + 1 < t->nr && t->name[i].until < ts)
		i++;
	n = &t->name[i];
	if (!n->clean)
		n->clean = utf8_clean(n->comm, "");
	return n->clean;
}

bool comms_switch(struct comms *c, int pid, const char *comm)
{
	struct task *t = find(c, pid);
	bool other = t->current != comm;

	t->current = comm;
	return other;
}

static int by_pid(const void *a, const void *b)
{
	const struct task *x = *(const struct task *const *)a, *y = *(const struct task *const *)b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Call @print for each task, in the order of pids. */
static void for_each(struct comms *c, void (*print)(const struct task *t, FILE *out), FILE *out)
{
	struct task **order = xrealloc(NULL, (c->used + 1) * sizeof(*order));
	size_t i, nr = 0;

	for (i = 0; i < c->size; i++)
		if (c->task[i].name)
			order[nr++] = &c->task[i];
	qsort(order, nr, sizeof(*order), by_pid);
	for (i = 0; i < nr; i++)
		print(order[i], out);
	free(order);
}

static void print_last(const struct task *t, FILE *out)
{
	fprintf(out, "%d %s\n", t->pid, t->name[t->nr - 1].comm);
}

char *comms_text(struct comms *c, size_t *len)
{
	char *text;
	FILE *out = xmemstream(&text, len);

	for_each(c, print_last, out);
	fclose(out);
	return text;
}

static void save(const struct task *t, FILE *out)
{
	unsigned int i;

	/* the last one is in the other list */
	for (i = 0; i + 1 < t->nr; i++)
		fprintf(out, "t %d %" PRIx64 " %s\n", t->pid, t->name[i].until, t->name[i].comm);
}

void comms_save(struct comms *c, FILE *out)
{
	for_each(c, save, out);
}

void comms_load(struct comms *c, const char *line)
{
	uint64_t until;
	int pid, at = 0;

	if (sscanf(line, "t %d %" SCNx64 "%n", &pid, &until, &at) == 2 && line[at] == ' ')
		comms_add(c, pid, line + at + 1, until);
}

void comms_free(struct comms *c)
{
	unsigned int k;
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->size; i++) {
		for (k = 0; k < c->task[i].nr; k++)
			free_name(&c->task[i].name[k]);
		free(c->task[i].name);
	}
	free(c->task);
	free(c);
}
