// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trace-seq.h>

#include "lib/args_show.h"
#include "lib/context.h"
#include "lib/errnos.h"
#include "lib/formats.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/reader.h"
#include "lib/source_lines.h"
#include "lib/utf8.h"
#include "output/text.h"

/*
 * The sizes of the caches of names, powers of two. A newer name replaces an older one, so
 * that memory is bounded whatever the file holds.
 */
#define FUNCTIONS	16384
#define TASKS		256
#define CPUS		256	/* those beyond have no text of theirs */

#define ARGS_SIZE	1200	/* of a call; what is longer is cut */

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

/* A line in @out of an entry that its return may still complete. */
struct open_line {
	size_t column, tail;	/* where the times and what follows the name are; 0: there is none */
	unsigned int nr;	/* of @open_lines */
	uint64_t ip, depth, begin;
	int pid;
};

struct text {
	struct text *next;		/* of all */
	struct open_line *open;		/* by source */
	unsigned int nr_open;
	struct tep_handle *tep;
	struct text_look look;
	struct trace_seq seq;		/* of an event that is no hit */
	uint64_t second;		/* of the last line */
	struct piece second_text;
	struct piece context[NESTRACE_NR_SLOTS];	/* by slot, with its colour */
	struct piece cpu[CPUS];
	struct function function[FUNCTIONS];
	struct task task[TASKS];
	char args[ARGS_SIZE];
};

/* The lines of all files on their way to stdout. */
static struct {
	bool kept;		/* is printed at exit, too */
	uint64_t flushes;
	size_t len;
	char text[1 << 16];
} out;

static struct text *all_texts;
/* The lines that were opened since the last flush, in their order; some are closed. */
static struct { struct text *text; unsigned int source; } open_lines[sizeof(out.text) / 32];
static unsigned int nr_open_lines;

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
	struct text *t;

	fwrite_unlocked(out.text, 1, out.len, stdout);
	out.len = 0;
	out.flushes++;
	nr_open_lines = 0;
	for (t = all_texts; t; t = t->next)
		if (t->nr_open)
			memset(t->open, 0, t->nr_open * sizeof(*t->open));
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
	t->next = all_texts;
	all_texts = t;
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

/* Make the arguments of a call in brackets. Return: false if it recorded none. */
static __attribute__((noinline)) bool make_args(struct text *t, const struct hit *hit)
{
	size_t len;

	strcpy(t->args, "(");
	if (!args_text(t->look.args, hit, names_find(t->tep, hit->ip), t->args + 1, sizeof(t->args) - 2))
		return false;
	len = strlen(t->args);
	strcpy(t->args + len, ")");
	return true;
}

/* Put a line of source code. @line: NULL: it is not known. */
static __attribute__((noinline)) void put_line(const char *line)
{
	if (!line)
		return;
	put_string(" [");
	put_string(line);
	put_string("]");
	begin_line();
}

void text_hit(struct text *t, const struct source *from, const struct hit *hit,
	      unsigned int indent)
{
	static const struct piece arrow = { 4, " <- " };

	put_head(t, from, hit);
	put_spaces(indent);
	put_function(t, hit->ip);
	if (t->look.args && make_args(t, hit)) {
		put_string(t->args);
		begin_line();
	}
	if (t->look.lines)
		put_line(source_lines_function(t->look.lines, hit->ip));
	put_piece(&arrow);
	put_function(t, hit->parent_ip);
	if (t->look.lines)
		put_line(source_lines_call(t->look.lines, hit->parent_ip));
	put_char('\n');
}

#define INDENT		2	/* columns for each call */
#define DEPTH_SHOWN	40	/* deeper calls are indented no more */
#define TIME_WIDTH	15	/* columns of a time with its unit */
#define TIMES_WIDTH	(2 + TIME_WIDTH + 1 + TIME_WIDTH + 3)

/* Write a time, in at most TIME_WIDTH columns for any that a machine can measure. */
static void time_text(char *to, size_t size, uint64_t time, bool cycles)
{
	if (cycles)
		snprintf(to, size, "%" PRIu64, time);
	else if (time < 100000000000ULL)
		snprintf(to, size, "%" PRIu64 ".%03u us", time / 1000, (unsigned int)(time % 1000));
	else
		snprintf(to, size, "%" PRIu64 ".%03u s", time / 1000000000,
			 (unsigned int)(time / 1000000 % 1000));
}

/* Return the mark that function_graph gives a time. */
static char mark_of(uint64_t ns)
{
	static const struct { uint64_t above; char mark; } marks[] = {
		{ 1000000000, '$' }, { 100000000, '@' }, { 10000000, '*' }, { 1000000, '#' },
		{ 100000, '!' }, { 10000, '+' },
	};
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (ns > marks[i].above)
			return marks[i].mark;
	return ' ';
}

/* Write the columns of times, TIMES_WIDTH of them. */
static void times_text(char *to, const struct text_return *r)
{
	char total[64] = "", self[64] = "", text[160];

	if (r && r->has_total)
		time_text(total, sizeof(total), r->total, r->cycles);
	if (r && r->has_self)
		time_text(self, sizeof(self), r->self, r->cycles);
	snprintf(text, sizeof(text), "%c %*.*s %*.*s | ",
		 r && r->has_total && !r->cycles ? mark_of(r->total) : ' ',
		 TIME_WIDTH, TIME_WIDTH, total, TIME_WIDTH, TIME_WIDTH, self);
	memcpy(to, text, TIMES_WIDTH);
}

/* Write a return value: what may be an error as such, small numbers in decimal. */
static void value_text(char *to, size_t size, uint64_t value)
{
	int64_t error = value >> 32 ? (int64_t)value : (int32_t)value;
	const char *name = error < 0 && error >= -4095 ? errno_name(-error) : NULL;

	if (error < 0 && error >= -4095)
		snprintf(to, size, name ? "%d (%s)" : "%d", (int)error, name);
	else if (value < 1000000)
		snprintf(to, size, "%" PRIu64, value);
	else
		snprintf(to, size, "0x%" PRIx64, value);
}

/* Write what a function returned. Return: false if it returns nothing. */
static bool return_text(struct text *t, const struct hit *hit, const struct text_return *r, char *to, size_t size)
{
	const char *text = NULL;
	bool known = false;

	if (!r->has_value)
		return false;
	if (t->look.args)
		text = args_return_text(t->look.args, names_find(t->tep, hit->ip), r->value, &known);
	if (known && !text)
		return false;
	if (known)
		snprintf(to, size, "%s", text);
	else
		value_text(to, size, r->value);
	return true;
}

void text_return(struct text *t, const struct source *from, const struct hit *hit,
		 const struct text_return *r)
{
	char text[128];

	put_head(t, from, hit);
	put_function(t, hit->ip);
	put_string(" ->");
	if (return_text(t, hit, r, text, sizeof(text))) {
		put_string(" ");
		put_string(text);
	}
	if (r->has_total) {
		time_text(text, sizeof(text), r->total, r->cycles);
		put_string(" (");
		put_string(text);
		put_string(")");
	}
	put("\n", 1);
}

static struct open_line *open_line(struct text *t, const struct source *from)
{
	unsigned int nr = t->nr_open;

	if (from->nr >= nr) {
		t->nr_open = from->nr + 1;
		t->open = xrealloc(t->open, t->nr_open * sizeof(*t->open));
		memset(t->open + nr, 0, (t->nr_open - nr) * sizeof(*t->open));
	}
	return &t->open[from->nr];
}

/* Put what stands before the name. Return where the columns of times are. */
static size_t put_graph_head(struct text *t, const struct source *from, const struct hit *hit,
			     uint64_t depth, const struct text_return *r)
{
	char times[TIMES_WIDTH];
	size_t column;

	put_head(t, from, hit);
	column = out.len;
	times_text(times, r);
	put(times, TIMES_WIDTH);
	put_spaces(INDENT * (depth < DEPTH_SHOWN ? depth : DEPTH_SHOWN));
	return column;
}

/* Put a call in a graph, with its arguments and its line. */
static void put_call(struct text *t, const struct hit *hit)
{
	put_function(t, hit->ip);
	put_string(t->look.args && make_args(t, hit) ? t->args : "()");
	if (t->look.lines)
		put_line(source_lines_function(t->look.lines, hit->ip));
}

void text_graph_entry(struct text *t, const struct source *from, const struct hit *hit,
		      uint64_t depth)
{
	struct open_line *line = open_line(t, from);
	uint64_t flushes;
	size_t column;

	line->column = 0;
	begin_line();
	flushes = out.flushes;
	column = put_graph_head(t, from, hit, depth, NULL);
	put_call(t, hit);
	/* a name may be long: then the line may be on its way already */
	if (flushes == out.flushes && nr_open_lines < sizeof(open_lines) / sizeof(open_lines[0])) {
		*line = (struct open_line){
			.column = column, .tail = out.len, .ip = hit->ip, .depth = depth,
			.begin = hit->ts, .pid = hit->pid, .nr = nr_open_lines,
		};
		open_lines[nr_open_lines].text = t;
		open_lines[nr_open_lines++].source = from->nr;
	}
	put_string(" {\n");
}

void text_graph_call(struct text *t, const struct source *from, const struct hit *hit,
		     uint64_t depth)
{
	open_line(t, from)->column = 0;
	put_graph_head(t, from, hit, depth, NULL);
	put_call(t, hit);
	put_string("; /* its return is not recorded */\n");
}

/* Let an open line end with @tail. */
static void close_line(const struct open_line *closed, const char *tail)
{
	size_t at = closed->tail, end = at + strlen(" {\n"), len = strlen(tail);
	struct open_line *line;
	unsigned int i;

	memmove(out.text + at + len, out.text + end, out.len - end);
	memcpy(out.text + at, tail, len);
	out.len += len - (end - at);
	for (i = closed->nr + 1; i < nr_open_lines; i++) {
		line = &open_lines[i].text->open[open_lines[i].source];
		/* closed, or there is a newer line of that source */
		if (!line->column || line->nr != i)
			continue;
		line->column += len - (end - at);
		line->tail += len - (end - at);
	}
}

void text_graph_exit(struct text *t, const struct source *from, const struct hit *hit,
		     uint64_t depth, const struct text_return *r)
{
	struct open_line *line = open_line(t, from), was = *line;
	char value[128] = "", tail[192], times[TIMES_WIDTH];

	line->column = 0;
	return_text(t, hit, r, value, sizeof(value));
	/* room for the longer line */
	begin_line();
	if (was.column && line->tail && was.ip == hit->ip && was.depth == depth && was.pid == hit->pid &&
	    r->has_self && was.begin == r->begin) {
		times_text(times, r);
		memcpy(out.text + was.column, times, TIMES_WIDTH);
		snprintf(tail, sizeof(tail), ";%s%s\n", *value ? " = " : "", value);
		close_line(&was, tail);
		return;
	}
	put_graph_head(t, from, hit, depth, r);
	put_string("} /* ");
	put_function(t, hit->ip);
	put_string(*value ? " = " : "");
	put_string(value);
	put_string(" */\n");
}

void text_event(struct text *t, const struct source *from, const struct hit *event)
{
	char *text;

	open_line(t, from)->column = 0;
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

	open_line(t, from)->column = 0;
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
	struct text **at = &all_texts;

	if (!t)
		return;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	trace_seq_destroy(&t->seq);
	free(t->open);
	free(t);
}
