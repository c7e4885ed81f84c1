// SPDX-License-Identifier: GPL-2.0
#include <event-parse.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/comms.h"
#include "lib/kallsyms.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/subbuf.h"
#include "lib/symbols.h"
#include "lib/tracedat_read.h"
#include "lib/utf8.h"
#include "uapi/nestrace.h"

/*
 * Where a function that function_graph, a kretprobe or a fprobe traces returns to. A function
 * that it ends with a jump to has this as its caller.
 */
static const char *const trampolines[] = {
	"return_to_handler", "arch_rethook_trampoline", "__kretprobe_trampoline",
};

static bool is_trampoline(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(trampolines) / sizeof(trampolines[0]); i++)
		if (!strcmp(name, trampolines[i]))
			return true;
	return false;
}

/* A table of symbols, before libtraceevent has it. */
struct table {
	struct entry {
		uint64_t start;
		size_t order;
		const char *name, *module;
		bool none;	/* a function ends here */
	} *entry;
	size_t nr;
};

static void add(struct table *t, uint64_t start, const char *name, const char *module)
{
	if (!(t->nr & (t->nr - 1)))
		t->entry = xrealloc(t->entry, (t->nr ? 2 * t->nr : 1) * sizeof(*t->entry));
	t->entry[t->nr] = (struct entry){
		.start = start, .order = t->nr, .name = name, .module = module,
		.none = !strcmp(name, SYMBOLS_NONE),
	};
	t->nr++;
}

/* By address. The first of several symbols there counts; an end counts only without one. */
static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->none != y->none)
		return x->none - y->none;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Give the table to libtraceevent, and free it. It must not have two symbols at an address. */
static struct tep_handle *table_end(struct table *t)
{
	struct tep_handle *tep = tep_alloc();
	char marked[128];
	size_t i;

	if (!tep)
		out_of_memory();
	if (t->nr)
		qsort(t->entry, t->nr, sizeof(*t->entry), compare);
	for (i = 0; i < t->nr; i++) {
		const struct entry *e = &t->entry[i];
		char *name = (char *)e->name;

		if (i && e->start == e[-1].start)
			continue;
		/* no function is called by a trampoline: mark it */
		if (is_trampoline(name)) {
			snprintf(marked, sizeof(marked), "[%.100s]", name);
			name = marked;
		}
		if (tep_register_function(tep, name, e->start, (char *)e->module))
			out_of_memory();
	}
	free(t->entry);
	return tep;
}

/* Take a line of kallsyms, which is taken apart. Return: false if it is none. */
static bool add_line(struct table *t, char *text)
{
	struct kallsyms_line line;

	if (!kallsyms_parse(text, &line))
		return false;
	/* arm has a symbol '$a' at each function, and x86-64 offsets of per-CPU variables */
	if (*line.name != '$' && line.type != 'a' && line.type != 'A')
		add(t, line.start, line.name, line.module);
	return true;
}

/* Take the lines of @text. Return: false if one is none of kallsyms; then nothing is taken. */
static bool add_text(struct table *t, char *text)
{
	char *line, *save;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!add_line(t, line)) {
			t->nr = 0;
			return false;
		}
	}
	return true;
}

static void add_symbol(void *table, const struct symbol *s)
{
	add(table, s->start, s->name, s->module);
	add(table, s->start + s->size, SYMBOLS_NONE, NULL);
}

struct tep_handle *names_of_symbols(const char *symbols)
{
	char *text = utf8_clean(symbols, "\n\t");
	struct table table = { 0 };
	bool complete = add_text(&table, text);
	struct tep_handle *tep = table_end(&table);

	free(text);
	if (complete)
		return tep;
	tep_free(tep);
	return NULL;
}

/* Take what a recorder of ours knows of times. */
static void load_times(struct names *n, char *text)
{
	char *line, *save;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (*line == 't')
			comms_load(n->comms, line);
		else
			modules_load(n->modules, line);
	}
}

char *names_times_text(struct modules *m, struct comms *c, size_t *len)
{
	char *text;
	FILE *out = open_memstream(&text, len);

	if (!out)
		out_of_memory();
	modules_save(m, out);
	comms_save(c, out);
	fclose(out);
	return text;
}

struct names *names_load(struct tracedat *t)
{
	struct names *n = xzalloc(1, sizeof(*n));
	char *symbols = utf8_clean(t->kallsyms, "\n\t"), *times = NULL, *line, *save, *comm;
	struct table table = { 0 };

	n->comms = comms_new();
	n->modules = modules_new();
	/* first, because comms are added by time */
	if (t->times) {
		times = utf8_clean(t->times, "\n");
		load_times(n, times);
	}
	for (line = strtok_r(t->cmdlines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		comm = strchr(line, ' ');
		if (comm)
			comms_set(n->comms, atoi(line), comm + 1);
	}
	n->complete = add_text(&table, symbols);
	modules_symbols(n->modules, true, add_symbol, &table);
	n->tep = table_end(&table);
	free(symbols);
	free(times);
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	tep_free(n->tep);
	modules_free(n->modules);
	comms_free(n->comms);
	free(n);
}

void names_place(struct names *n, struct hit *hit)
{
	if (hit->is_hit) {
		hit->ip = modules_place(n->modules, hit->ip, hit->ts);
		hit->parent_ip = modules_place(n->modules, hit->parent_ip, hit->ts);
	}
	hit->comm = comms_at(n->comms, hit->pid, hit->ts);
	if (!hit->comm)
		hit->comm = hit->pid ? "<...>" : "<idle>";
}

/* Change the address at @at, if the hit's has become an alias, and is there. */
static void place(char *at, uint64_t ip)
{
	uint64_t there;

	memcpy(&there, at, sizeof(there));
	if (there != ip && there == modules_address(ip))
		memcpy(at, &ip, sizeof(ip));
}

void names_of_event(struct names *n, const struct hit *hit)
{
	/* the buffer is that of the sub-buffer's reader, which needs it no more */
	char *data = (char *)hit->data;

	if (hit->is_hit && hit->size >= NESTRACE_EVENT_SIZE) {
		place(data + offsetof(struct nestrace_function, ip), hit->ip);
		place(data + offsetof(struct nestrace_function, parent_ip), hit->parent_ip);
	}
	if (comms_switch(n->comms, hit->pid, hit->comm) && hit->pid)
		tep_override_comm(n->tep, hit->comm, hit->pid);
}

const char *names_find(struct tep_handle *tep, uint64_t ip)
{
	const char *name = tep_find_function(tep, ip);

	return name && strcmp(name, SYMBOLS_NONE) ? name : NULL;
}

uint64_t names_start(struct tep_handle *tep, uint64_t ip)
{
	return names_find(tep, ip) ? tep_find_function_address(tep, ip) : ip;
}

bool names_is_trampoline(struct tep_handle *tep, uint64_t ip)
{
	const char *name = tep_find_function(tep, ip);
	size_t i;

	for (i = 0; name && *name == '[' && i < sizeof(trampolines) / sizeof(trampolines[0]); i++)
		if (!strncmp(name + 1, trampolines[i], strlen(trampolines[i])))
			return true;
	return false;
}

const char *names_function(struct tep_handle *tep, uint64_t ip)
{
	static char number[2][24];
	static int turn;
	const char *name = names_find(tep, ip);

	if (name)
		return name;
	turn = !turn;
	snprintf(number[turn], sizeof(number[turn]), "0x%" PRIx64, modules_address(ip));
	return number[turn];
}
