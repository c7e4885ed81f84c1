// SPDX-License-Identifier: GPL-2.0
/* Many lines a second: names are remembered, and nothing is formatted by printf. */
#define _GNU_SOURCE
#include <event-parse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "nestrace.h"
#include "subbuf.h"

/*
 * What was looked up lately; a newer name takes the place of an older, so that memory
 * is bounded whatever the file holds. Powers of two.
 */
#define FUNCTIONS	16384
#define TASKS		256

#define TASK_WIDTH	16

/* @name NULL: nothing yet; no_name: there is none. */
struct function {
	uint64_t ip;
	const char *name;
	size_t len;
};

struct task {
	int pid;
	const char *comm;
	size_t len;
	char tail[16];		/* the pid, as it stands in a line */
	size_t tail_len;
};

struct lines {
	struct tep_handle *tep;
	struct lines_look look;
	char slot[NESTRACE_NR_SLOTS][32];
	size_t slot_len[NESTRACE_NR_SLOTS];
	struct function function[FUNCTIONS];
	struct task task[TASKS];
	/* of the line that is being made; names that do not fit go ahead of it */
	size_t len;
	char text[1024];
};

static const char no_name[] = "";

static const char *const colours[NESTRACE_NR_SLOTS] = {
	[NESTRACE_SLOT_TASK] = "\033[32m", [NESTRACE_SLOT_SOFTIRQ] = "\033[33m",
	[NESTRACE_SLOT_HARDIRQ] = "\033[31m", [NESTRACE_SLOT_NMI] = "\033[35m",
	[NESTRACE_SLOT_NMI_INLINE] = "\033[35m", [NESTRACE_SLOT_DF] = "\033[31;1m",
	[NESTRACE_SLOT_DB] = "\033[36m", [NESTRACE_SLOT_MCE] = "\033[31;1m",
	[NESTRACE_SLOT_VC] = "\033[34m", [NESTRACE_SLOT_VC2] = "\033[34m",
};

struct lines *lines_new(struct tep_handle *tep, const struct lines_look *look)
{
	/* full lines to a terminal are not worth a system call each */
	static char buffer[1 << 16];
	struct lines *l = xzalloc(1, sizeof(*l));
	unsigned int i;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	l->tep = tep;
	l->look = *look;
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		l->slot_len[i] = snprintf(l->slot[i], sizeof(l->slot[i]), "%s%-8s%s ",
					  look->colour ? colours[i] : "", slot_words[i],
					  look->colour ? "\033[m" : "");
	return l;
}

static void flush(struct lines *l)
{
	fwrite_unlocked(l->text, 1, l->len, stdout);
	l->len = 0;
}

static void put(struct lines *l, const char *text, size_t len)
{
	if (len > sizeof(l->text) - l->len) {
		flush(l);
		if (len > sizeof(l->text)) {
			fwrite_unlocked(text, 1, len, stdout);
			return;
		}
	}
	memcpy(l->text + l->len, text, len);
	l->len += len;
}

static void put_spaces(struct lines *l, unsigned int nr)
{
	static const char spaces[] = "                                ";
	unsigned int some;

	for (; nr; nr -= some) {
		some = nr < sizeof(spaces) - 1 ? nr : sizeof(spaces) - 1;
		put(l, spaces, some);
	}
}

/* At least @width characters, filled with @fill on the left. */
static void put_number(struct lines *l, uint64_t number, unsigned int width, char fill)
{
	char text[24], *end = text + sizeof(text), *at = end;

	do {
		*--at = '0' + number % 10;
		number /= 10;
	} while (number);
	while (at > end - width)
		*--at = fill;
	put(l, at, end - at);
}

static void put_hex(struct lines *l, uint64_t number)
{
	char text[24], *end = text + sizeof(text), *at = end;

	do {
		*--at = "0123456789abcdef"[number % 16];
		number /= 16;
	} while (number);
	*--at = 'x';
	*--at = '0';
	put(l, at, end - at);
}

static void put_task(struct lines *l, int pid)
{
	struct task *t = &l->task[(unsigned int)pid % TASKS];

	if (t->pid != pid || !t->comm) {
		t->pid = pid;
		t->comm = tep_data_comm_from_pid(l->tep, pid);
		t->len = strlen(t->comm);
		t->tail_len = snprintf(t->tail, sizeof(t->tail), "-%-7d ", pid);
	}
	put_spaces(l, t->len < TASK_WIDTH ? TASK_WIDTH - t->len : 0);
	put(l, t->comm, t->len);
	put(l, t->tail, t->tail_len);
}

static void put_function(struct lines *l, uint64_t ip)
{
	struct function *f = &l->function[(ip * 0x9e3779b97f4a7c15ULL >> 32) % FUNCTIONS];

	if (f->ip != ip || !f->name) {
		f->ip = ip;
		f->name = tep_find_function(l->tep, ip);
		if (!f->name)
			f->name = no_name;
		f->len = strlen(f->name);
	}
	if (f->name == no_name)
		put_hex(l, ip);
	else
		put(l, f->name, f->len);
}

static void put_time(struct lines *l, uint64_t ts)
{
	if (l->look.cycles) {
		put_number(l, ts, 14, ' ');
	} else if (l->look.full_time) {
		put_number(l, ts / 1000000000, 6, ' ');
		put(l, ".", 1);
		put_number(l, ts % 1000000000, 9, '0');
	} else {
		/* rounded as trace-cmd rounds */
		ts = (ts + 500) / 1000;
		put_number(l, ts / 1000000, 6, ' ');
		put(l, ".", 1);
		put_number(l, ts % 1000000, 6, '0');
	}
	put(l, ": ", 2);
}

void lines_hit(struct lines *l, unsigned int cpu, const struct hit *hit, unsigned int indent)
{
	put_task(l, hit->pid);
	put(l, "[", 1);
	put_number(l, cpu, 3, '0');
	put(l, "] ", 2);
	put_time(l, hit->ts);
	put(l, l->slot[hit->slot], l->slot_len[hit->slot]);
	put_spaces(l, indent);
	put_function(l, hit->ip);
	put(l, " <- ", 4);
	put_function(l, hit->parent_ip);
	put(l, "\n", 1);
	flush(l);
}

void lines_free(struct lines *l)
{
	free(l);
}
