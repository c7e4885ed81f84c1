// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trace-seq.h>

#include "lib/context.h"
#include "lib/formats.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/reader.h"
#include "lib/utf8.h"
#include "output/text.h"

/*
 * The sizes of the caches of names, powers of two. A newer name replaces an older one, so
 * that memory is bounded whatever the file holds.
 */
#define FUNCTIONS	16384
#define TASKS		256

#define TASK_WIDTH	16

/* @name: NULL if this entry is free, no_name if there is no symbol. */
struct function {
	uint64_t ip;
	const char *name;
	size_t len;
};

struct task {
	int pid;
	const char *comm;
	size_t len;		/* bytes */
	size_t width;		/* characters */
	char tail[16];		/* the pid, as the line has it */
	size_t tail_len;
};

struct text {
	struct tep_handle *tep;
	struct text_look look;
	struct trace_seq seq;		/* of an event that is no hit */
	char context[NESTRACE_NR_SLOTS][32];	/* by slot, with its colour */
	size_t context_len[NESTRACE_NR_SLOTS];
	struct function function[FUNCTIONS];
	struct task task[TASKS];
	/* the line that is being made; what does not fit is printed ahead of it */
	size_t len;
	char line[1024];
};

static const char no_name[] = "";

static const char *const colours[NESTRACE_NR_SLOTS] = {
	[NESTRACE_SLOT_TASK] = "\033[32m", [NESTRACE_SLOT_SOFTIRQ] = "\033[33m",
	[NESTRACE_SLOT_HARDIRQ] = "\033[31m", [NESTRACE_SLOT_NMI] = "\033[35m",
	[NESTRACE_SLOT_NMI_INLINE] = "\033[35m", [NESTRACE_SLOT_DF] = "\033[31;1m",
	[NESTRACE_SLOT_DB] = "\033[36m", [NESTRACE_SLOT_MCE] = "\033[31;1m",
	[NESTRACE_SLOT_VC] = "\033[34m", [NESTRACE_SLOT_VC2] = "\033[34m",
};

struct text *text_new(struct tep_handle *tep, const struct text_look *look)
{
	/* do not spend a system call on each line to a terminal */
	static char buffer[1 << 16];
	struct text *t = xzalloc(1, sizeof(*t));
	unsigned int i;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	t->tep = tep;
	t->look = *look;
	trace_seq_init(&t->seq);
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		t->context_len[i] = snprintf(t->context[i], sizeof(t->context[i]), "%s%-8s%s ",
					  look->colour ? colours[i] : "", context_names[i],
					  look->colour ? "\033[m" : "");
	return t;
}

static void flush(struct text *t)
{
	fwrite_unlocked(t->line, 1, t->len, stdout);
	t->len = 0;
}

/* Print what the line has no room for. */
static __attribute__((noinline)) void put_long(struct text *t, const char *text, size_t len)
{
	flush(t);
	fwrite_unlocked(text, 1, len, stdout);
}

/* Inline, so that the compiler copies what is short without a call. */
static inline __attribute__((always_inline)) void put(struct text *t, const char *text, size_t len)
{
	if (len > sizeof(t->line) - t->len) {
		put_long(t, text, len);
		return;
	}
	memcpy(t->line + t->len, text, len);
	t->len += len;
}

static void put_spaces(struct text *t, unsigned int nr)
{
	static const char spaces[] = "                                ";
	unsigned int some;

	for (; nr; nr -= some) {
		some = nr < sizeof(spaces) - 1 ? nr : sizeof(spaces) - 1;
		put(t, spaces, some);
	}
}

/* Put at least @width characters, filled with @fill on the left. */
static void put_number(struct text *t, uint64_t number, unsigned int width, char fill)
{
	char text[24], *end = text + sizeof(text), *at = end;

	do {
		*--at = '0' + number % 10;
		number /= 10;
	} while (number);
	while (at > end - width)
		*--at = fill;
	put(t, at, end - at);
}

static void put_hex(struct text *t, uint64_t number)
{
	char text[24], *end = text + sizeof(text), *at = end;

	do {
		*--at = "0123456789abcdef"[number % 16];
		number /= 16;
	} while (number);
	*--at = 'x';
	*--at = '0';
	put(t, at, end - at);
}

static void put_task(struct text *t, int pid, const char *comm)
{
	struct task *k = &t->task[(unsigned int)pid % TASKS];

	if (k->pid != pid || k->comm != comm) {
		k->pid = pid;
		k->comm = comm;
		k->len = strlen(comm);
		k->width = utf8_length(comm);
		k->tail_len = snprintf(k->tail, sizeof(k->tail), "-%-7d ", pid);
	}
	put_spaces(t, k->width < TASK_WIDTH ? TASK_WIDTH - k->width : 0);
	put(t, k->comm, k->len);
	put(t, k->tail, k->tail_len);
}

static void put_function(struct text *t, uint64_t ip)
{
	struct function *f = &t->function[(ip * 0x9e3779b97f4a7c15ULL >> 32) % FUNCTIONS];

	if (f->ip != ip || !f->name) {
		f->ip = ip;
		f->name = names_find(t->tep, ip);
		if (!f->name)
			f->name = no_name;
		f->len = strlen(f->name);
	}
	if (f->name == no_name)
		put_hex(t, modules_address(ip));
	else
		put(t, f->name, f->len);
}

static void put_time(struct text *t, uint64_t ts)
{
	if (t->look.cycles) {
		put_number(t, ts, 14, ' ');
	} else if (t->look.full_time) {
		put_number(t, ts / 1000000000, 6, ' ');
		put(t, ".", 1);
		put_number(t, ts % 1000000000, 9, '0');
	} else {
		/* round as trace-cmd does */
		ts = (ts + 500) / 1000;
		put_number(t, ts / 1000000, 6, ' ');
		put(t, ".", 1);
		put_number(t, ts % 1000000, 6, '0');
	}
	put(t, ": ", 2);
}

/* Put the names of the file and the instance, as far as lines need them. */
static void put_origin(struct text *t, const struct source *from)
{
	size_t len;

	if (t->look.file) {
		len = strlen(t->look.file);
		put_spaces(t, len < t->look.file_width ? t->look.file_width - len : 0);
		put(t, t->look.file, len);
		put(t, ": ", 2);
	}
	if (t->look.instance_width) {
		len = strlen(from->instance);
		put_spaces(t, len < t->look.instance_width ? t->look.instance_width - len : 0);
		put(t, from->instance, len);
		put(t, *from->instance ? ": " : "  ", 2);
	}
}

/* Put all that stands before the name of the function or event. */
static inline void put_head(struct text *t, const struct source *from, const struct hit *hit)
{
	if (t->look.file || t->look.instance_width)
		put_origin(t, from);
	put_task(t, hit->pid, hit->comm);
	put(t, "[", 1);
	put_number(t, from->cpu, 3, '0');
	put(t, "] ", 2);
	put_time(t, hit->ts);
	put(t, t->context[hit->slot], t->context_len[hit->slot]);
}

void text_hit(struct text *t, const struct source *from, const struct hit *hit,
	      unsigned int indent)
{
	put_head(t, from, hit);
	put_spaces(t, indent);
	put_function(t, hit->ip);
	put(t, " <- ", 4);
	put_function(t, hit->parent_ip);
	put(t, "\n", 1);
	flush(t);
}

void text_event(struct text *t, const struct source *from, const struct hit *event)
{
	char *text;

	put_head(t, from, event);
	trace_seq_reset(&t->seq);
	formats_print(t->tep, from->cpu, event, &t->seq);
	while (t->seq.len && t->seq.buffer[t->seq.len - 1] == '\n')
		t->seq.len--;
	trace_seq_terminate(&t->seq);
	text = utf8_clean(t->seq.buffer, "\n\t");
	put(t, text, strlen(text));
	free(text);
	put(t, "\n", 1);
	flush(t);
}

void text_gap(struct text *t, const struct source *from, int64_t missed)
{
	if (t->look.file || t->look.instance_width)
		put_origin(t, from);
	flush(t);
	if (missed > 0)
		printf("CPU:%u [%" PRId64 " EVENTS DROPPED]\n", from->cpu, missed);
	else if (missed < 0)
		printf("CPU:%u [EVENTS DROPPED]\n", from->cpu);
}

void text_free(struct text *t)
{
	if (!t)
		return;
	trace_seq_destroy(&t->seq);
	free(t);
}
