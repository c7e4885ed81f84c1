// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/kallsyms.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/symbols.h"

#define PAGE		4096
#define READ_SIZE	65536

/* A symbol of kallsyms outside of the kernel: a module's, or code that the kernel made. */
struct other {
	struct symbol symbol;
	bool is_module;
	bool wrong;		/* two readings differ: it is another's at another time */
};

static int compare(const void *a, const void *b)
{
	const struct other *x = a, *y = b;

	return (x->symbol.start > y->symbol.start) - (x->symbol.start < y->symbol.start);
}

/* Add a symbol, unless this reading or an earlier one had it. */
static void add_other(struct symbols *s, uint64_t start, const char *name, const char *module,
		      bool again)
{
	struct other *new = xzalloc(1, sizeof(*new)), **old;

	new->symbol.start = start;
	old = tsearch(new, &s->others, compare);
	if (!old)
		out_of_memory();
	if (*old != new) {
		free(new);
		(*old)->wrong |= again && strcmp((*old)->symbol.name, name);
		return;
	}
	/* code that the kernel made itself is no module */
	new->is_module = strcmp(module, "bpf") && strncmp(module, "__builtin__", 11);
	new->symbol.name = xstrdup(name);
	new->symbol.module = xstrdup(module);
}

/* Write a line as kallsyms has it; without stdio's formats, as kallsyms_parse(). */
static void put(FILE *out, uint64_t start, char type, const char *name, const char *module)
{
	char head[] = "0000000000000000 t ";
	char *digit = head + 16;

	for (; start; start >>= 4)
		*--digit = "0123456789abcdef"[start & 15];
	head[17] = type;
	fwrite(head, 1, sizeof(head) - 1, out);
	fputs(name, out);
	if (module) {
		fputs("\t[", out);
		fputs(module, out);
		putc(']', out);
	}
	putc('\n', out);
}

/* Is this where the code ends? */
static bool is_end(const char *name)
{
	return !strcmp(name, "_etext") || !strcmp(name, "_einittext");
}

/* Take a line of the kernel itself. The lines are in the order of their addresses. */
static void put_kernel(FILE *out, uint64_t start, char type, const char *name, bool *open)
{
	if (kallsyms_is_function(type) && !is_end(name)) {
		put(out, start, type, name, NULL);
		*open = true;
	} else if (*open && type != 'a' && type != 'A') {
		put(out, start, 't', SYMBOLS_NONE, NULL);
		*open = false;
	}
}

bool symbols_read(struct symbols *s, struct error *e)
{
	FILE *in = fopen("/proc/kallsyms", "r"), *out = NULL;
	bool open = false, again = s->kernel;
	struct kallsyms_line line;
	char *text = NULL;
	size_t size = 0;

	if (!in)
		return error_set_errno(e, "cannot read '/proc/kallsyms'");
	if (!again)
		out = xmemstream(&s->kernel, &s->kernel_len);
	/* stdio would take the block size of proc, 1 KiB, and make 7000 calls */
	setvbuf(in, NULL, _IOFBF, READ_SIZE);
	s->hidden = true;
	while (getline(&text, &size, in) > 0) {
		if (!kallsyms_parse(text, &line))
			continue;
		if (line.start)
			s->hidden = false;
		if (!line.module && !again)
			put_kernel(out, line.start, line.type, line.name, &open);
		else if (line.module && kallsyms_is_function(line.type))
			add_other(s, line.start, line.name, line.module, again);
	}
	free(text);
	fclose(in);
	if (out)
		fclose(out);
	return true;
}

static void add(void *arg, const struct symbol *symbol)
{
	struct symbols *s = arg;

	s->list = xgrow(s->list, s->nr, sizeof(*s->list));
	s->list[s->nr] = *symbol;
	s->list[s->nr].order = s->nr;
	s->nr++;
}

static void add_node(const void *node, VISIT visit, void *arg)
{
	const struct other *other = *(const struct other *const *)node;
	struct symbols *s = arg;

	if ((visit != postorder && visit != leaf) || other->wrong)
		return;
	if (!s->modules || (!other->is_module && !modules_cover(s->modules, other->symbol.start)))
		add(arg, &other->symbol);
}

static int by_start(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

char *symbols_text(struct symbols *s, bool aliases, size_t *len)
{
	const struct symbol *at;
	uint64_t end = 0;
	char *text;
	FILE *out = xmemstream(&text, len);

	fwrite(s->kernel, 1, s->kernel_len, out);
	twalk_r(s->others, add_node, s);
	if (s->modules)
		modules_symbols(s->modules, aliases, add, s);
	if (s->nr)
		qsort(s->list, s->nr, sizeof(*s->list), by_start);
	for (at = s->list; at < s->list + s->nr; at++) {
		/* the first of several names, as in the kernel */
		if (at > s->list && at->start == at[-1].start)
			continue;
		if (end && end < at->start)
			put(out, end, 't', SYMBOLS_NONE, NULL);
		put(out, at->start, 't', at->name, at->module);
		end = at->size ? at->start + at->size : (at->start & -(uint64_t)PAGE) + PAGE;
	}
	if (end)
		put(out, end, 't', SYMBOLS_NONE, NULL);
	/* libtraceevent takes the last symbol to be one byte long */
	put(out, UINT64_MAX, 't', SYMBOLS_NONE, NULL);
	fclose(out);
	free(s->list);
	s->list = NULL;
	s->nr = 0;
	return text;
}

static void free_other(void *arg)
{
	struct other *other = arg;

	free((char *)other->symbol.name);
	free((char *)other->symbol.module);
	free(other);
}

void symbols_free(struct symbols *s)
{
	tdestroy(s->others, free_other);
	free(s->kernel);
}
