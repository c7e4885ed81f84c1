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
#define CPUS		256	/* those beyond have no text of theirs */

#define TASK_WIDTH	16
#define STEP		32	/* bytes that are copied at once, whether a text has as many or not */

/* A text that is copied in steps. @len: 0 if it has no room here. */
struct piece {
	uint32_t len;
	char text[3 * STEP - sizeof(uint32_t)];
};

/* @name: NULL if this entry is free, no_name if there is no symbol. */
struct function {
	uint64_t ip;
	const char *name;
	struct piece piece;
};

struct task {
	int pid;
	const char *comm;
	struct piece piece;	/* with the spaces before it, and the pid */
};

struct text {
	struct tep_handle *tep;
	struct text_look look;
	struct trace_seq seq;		/* of an event that is no hit */
	uint64_t second;		/* of the last line */
	struct piece second_text;
	struct piece context[NESTRACE_NR_SLOTS];	/* by slot, with its colour */
	struct piece cpu[CPUS];
	struct function function[FUNCTIONS];
	struct task task[TASKS];
};

/* The lines of all files on their way to stdout. */
static struct {
	bool kept;		/* is printed at exit, too */
	size_t len;
	char text[1 << 16];
} out;

/* A text of any length ends before this, so that pieces of a line have room behind it. */
#define LIMIT	(sizeof(out.text) - 2048)

static const char no_name[] = "";

static const char *const colours[NESTRACE_NR_SLOTS] = {
	[NESTRACE_SLOT_TASK] = "\033[32m", [NESTRACE_SLOT_SOFTIRQ] = "\033[33m",
	[NESTRACE_SLOT_HARDIRQ] = "\033[31m", [NESTRACE_SLOT_NMI] = "\033[35m",
	[NESTRACE_SLOT_NMI_INLINE] = "\033[35m", [NESTRACE_SLOT_DF] = "\033[31;1m",
	[NESTRACE_SLOT_DB] = "\033[36m", [NESTRACE_SLOT_MCE] = "\033[31;1m",
	[NESTRACE_SLOT_VC] = "\033[34m", [NESTRACE_SLOT_VC2] = "\033[34m",
};

void text_flush(void)
{
	fwrite_unlocked(out.text, 1, out.len, stdout);
	out.len = 0;
}

/* Put a text of any length. */
static void put(const char *text, size_t len)
{
	/* pieces may have gone beyond the limit */
	if (out.len + len > LIMIT)
		text_flush();
	if (len > LIMIT) {
		fwrite_unlocked(text, 1, len, stdout);
		return;
	}
	memcpy(out.text + out.len, text, len);
	out.len += len;
}

static void put_string(const char *text)
{
	put(text, strlen(text));
}

/* Begin a line: there is room for its pieces, of which each is far shorter than what is behind the limit. */
static inline void begin_line(void)
{
	if (out.len > LIMIT)
		text_flush();
}

/* Copy without a call, and a bit more than asked for: what follows is put over it. */
static inline __attribute__((always_inline)) void put_piece(const struct piece *p)
{
	char *to = out.text + out.len;

	memcpy(to, p->text, STEP);
	if (p->len > STEP) {
		memcpy(to + STEP, p->text + STEP, STEP);
		if (p->len > 2 * STEP)
			memcpy(to + 2 * STEP, p->text + 2 * STEP, sizeof(p->text) - 2 * STEP);
	}
	out.len += p->len;
}

static inline void put_char(char c)
{
	out.text[out.len++] = c;
}

static void put_spaces(unsigned int nr)
{
	static const char spaces[] = "                                ";
	unsigned int some;

	for (; nr; nr -= some) {
		some = nr < sizeof(spaces) - 1 ? nr : sizeof(spaces) - 1;
		put(spaces, some);
	}
}

/* Make a piece of a text, which is empty if the text is too long for one. */
static void make_piece(struct piece *p, const char *text, size_t len)
{
	p->len = len <= sizeof(p->text) ? len : 0;
	memcpy(p->text, text, p->len);
}

/* Put at least @width characters, filled with spaces on the left. */
static void put_number(uint64_t number, unsigned int width)
{
	char text[24], *end = text + sizeof(text), *at = end;

	do {
		*--at = '0' + number % 10;
		number /= 10;
	} while (number);
	while (at > end - width)
		*--at = ' ';
	put(at, end - at);
}

/* Put exactly @digits digits, an even number. */
static inline __attribute__((always_inline)) void put_digits(uint32_t number, unsigned int digits)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";
	char *at = out.text + out.len + digits;
	unsigned int i;

	for (i = 0; i < digits; i += 2) {
		at -= 2;
		memcpy(at, pairs + 2 * (number % 100), 2);
		number /= 100;
	}
	out.len += digits;
}

static void put_hex(uint64_t number)
{
	char text[24], *end = text + sizeof(text), *at = end;

	do {
		*--at = "0123456789abcdef"[number % 16];
		number /= 16;
	} while (number);
	*--at = 'x';
	*--at = '0';
	put(at, end - at);
}

struct text *text_new(struct tep_handle *tep, const struct text_look *look)
{
	struct text *t = xzalloc(1, sizeof(*t));
	char text[STEP];
	unsigned int i;

	t->tep = tep;
	t->look = *look;
	t->second = UINT64_MAX;
	if (!out.kept)
		atexit(text_flush);
	out.kept = true;
	trace_seq_init(&t->seq);
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		make_piece(&t->context[i], text,
			   snprintf(text, sizeof(text), "%s%-8s%s ", look->colour ? colours[i] : "",
				    context_names[i], look->colour ? "\033[m" : ""));
	for (i = 0; i < CPUS; i++)
		make_piece(&t->cpu[i], text, snprintf(text, sizeof(text), "[%03u] ", i));
	return t;
}

static __attribute__((noinline)) void make_task(struct task *k, int pid, const char *comm)
{
	size_t width = utf8_length(comm);
	char text[256];
	int len;

	k->pid = pid;
	k->comm = comm;
	len = snprintf(text, sizeof(text), "%*s%s-%-7d ",
		       width < TASK_WIDTH ? (int)(TASK_WIDTH - width) : 0, "", comm, pid);
	make_piece(&k->piece, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text));
}

/* A name that is too long for a piece. */
static __attribute__((noinline)) void put_long_task(int pid, const char *comm)
{
	char tail[16];

	put_string(comm);
	snprintf(tail, sizeof(tail), "-%-7d ", pid);
	put_string(tail);
}

static inline void put_task(struct text *t, int pid, const char *comm)
{
	struct task *k = &t->task[(unsigned int)pid % TASKS];

	if (k->pid != pid || k->comm != comm)
		make_task(k, pid, comm);
	if (k->piece.len)
		put_piece(&k->piece);
	else
		put_long_task(pid, comm);
}

static __attribute__((noinline)) void make_function(struct text *t, struct function *f, uint64_t ip)
{
	f->ip = ip;
	f->name = names_find(t->tep, ip);
	if (!f->name)
		f->name = no_name;
	make_piece(&f->piece, f->name, strlen(f->name));
}

/* A name that is too long for a piece, or none. */
static __attribute__((noinline)) void put_long_function(const struct function *f)
{
	if (f->name == no_name)
		put_hex(modules_address(f->ip));
	else
		put_string(f->name);
}

static inline void put_function(struct text *t, uint64_t ip)
{
	struct function *f = &t->function[(ip * 0x9e3779b97f4a7c15ULL >> 32) % FUNCTIONS];

	if (f->ip != ip || !f->name)
		make_function(t, f, ip);
	if (f->piece.len)
		put_piece(&f->piece);
	else
		put_long_function(f);
}

static __attribute__((noinline)) void make_second(struct text *t, uint64_t second)
{
	char text[STEP];

	t->second = second;
	make_piece(&t->second_text, text, snprintf(text, sizeof(text), "%6" PRIu64 ".", second));
}

static inline void put_time(struct text *t, uint64_t ts)
{
	uint64_t part = t->look.full_time ? 1000000000 : 1000000, second;

	if (t->look.cycles) {
		put_number(ts, 14);
	} else {
		/* round as trace-cmd does */
		if (!t->look.full_time)
			ts = (ts + 500) / 1000;
		second = t->look.full_time ? ts / 1000000000 : ts / 1000000;
		if (second != t->second)
			make_second(t, second);
		put_piece(&t->second_text);
		ts -= second * part;
		if (t->look.full_time) {
			put_char('0' + ts / 100000000);
			put_digits(ts % 100000000, 8);
		} else {
			put_digits(ts, 6);
		}
	}
	put_char(':');
	put_char(' ');
}

/* Put the names of the file and the instance, as far as lines need them. */
static void put_origin(struct text *t, const struct source *from)
{
	size_t len;

	if (t->look.file) {
		len = strlen(t->look.file);
		put_spaces(len < t->look.file_width ? t->look.file_width - len : 0);
		put(t->look.file, len);
		put(": ", 2);
	}
	if (t->look.instance_width) {
		len = strlen(from->instance);
		put_spaces(len < t->look.instance_width ? t->look.instance_width - len : 0);
		put(from->instance, len);
		put(*from->instance ? ": " : "  ", 2);
	}
}

static __attribute__((noinline)) void put_high_cpu(unsigned int cpu)
{
	put("[", 1);
	put_number(cpu, 0);
	put("] ", 2);
}

/* Put all that stands before the name of the function or event. */
static inline void put_head(struct text *t, const struct source *from, const struct hit *hit)
{
	begin_line();
	if (t->look.file || t->look.instance_width)
		put_origin(t, from);
	put_task(t, hit->pid, hit->comm);
	if (from->cpu < CPUS)
		put_piece(&t->cpu[from->cpu]);
	else
		put_high_cpu(from->cpu);
	put_time(t, hit->ts);
	put_piece(&t->context[hit->slot]);
}

void text_hit(struct text *t, const struct source *from, const struct hit *hit,
	      unsigned int indent)
{
	static const struct piece arrow = { 4, " <- " };

	put_head(t, from, hit);
	put_spaces(indent);
	put_function(t, hit->ip);
	put_piece(&arrow);
	put_function(t, hit->parent_ip);
	put_char('\n');
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
	put_string(text);
	free(text);
	put("\n", 1);
}

void text_gap(struct text *t, const struct source *from, int64_t missed)
{
	char text[64];

	begin_line();
	if (t->look.file || t->look.instance_width)
		put_origin(t, from);
	if (missed > 0)
		snprintf(text, sizeof(text), "CPU:%u [%" PRId64 " EVENTS DROPPED]\n", from->cpu, missed);
	else if (missed < 0)
		snprintf(text, sizeof(text), "CPU:%u [EVENTS DROPPED]\n", from->cpu);
	else
		return;
	put_string(text);
}

void text_free(struct text *t)
{
	if (!t)
		return;
	trace_seq_destroy(&t->seq);
	free(t);
}
