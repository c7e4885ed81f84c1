// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
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

/* Symbols, by address once table_sort() has run. Their texts are elsewhere. */
struct table {
	struct entry {
		uint64_t start;
		const char *name, *module;
		uint32_t order;
		bool none;	/* a function ends here */
		bool given;	/* libtraceevent has it */
	} *entry;
	size_t nr;
};

static void add(struct table *t, uint64_t start, const char *name, const char *module)
{
	t->entry = xgrow(t->entry, t->nr, sizeof(*t->entry));
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

/*
 * Sort the table, and keep the first symbol of each address. The kernel's come first and are sorted
 * already, so try to sort the rest only.
 */
static void table_sort(struct table *t)
{
	size_t nr = 0, i;

	for (i = 1; i < t->nr && compare(&t->entry[i - 1], &t->entry[i]) < 0; i++)
		;
	if (i < t->nr) {
		qsort(t->entry + i, t->nr - i, sizeof(*t->entry), compare);
		if (compare(&t->entry[i - 1], &t->entry[i]) > 0)
			qsort(t->entry, t->nr, sizeof(*t->entry), compare);
	}
	for (i = 0; i < t->nr; i++)
		if (!i || t->entry[i].start != t->entry[nr - 1].start)
			t->entry[nr++] = t->entry[i];
	t->nr = nr;
}

/* Give libtraceevent an entry, once. */
static void table_give(struct tep_handle *tep, struct entry *e)
{
	char *name = (char *)e->name, marked[128];

	if (e->given)
		return;
	e->given = true;
	/* no function is called by a trampoline: mark it */
	if (is_trampoline(name)) {
		snprintf(marked, sizeof(marked), "[%.100s]", name);
		name = marked;
	}
	if (tep_register_function(tep, name, e->start, (char *)e->module))
		out_of_memory();
}

/* Give all of them, from the last, as libtraceevent's list is sorted fastest then. */
static void table_give_all(struct tep_handle *tep, struct table *t)
{
	size_t i;

	for (i = t->nr; i--;)
		table_give(tep, &t->entry[i]);
}

static struct tep_handle *new_tep(void)
{
	struct tep_handle *tep = tep_alloc();

	if (!tep)
		out_of_memory();
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
	char *line, *end;

	for (line = text; *line; line = end) {
		end = strchrnul(line, '\n');
		if (*end)
			*end++ = '\0';
		if (*line && !add_line(t, line)) {
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
	struct tep_handle *tep = new_tep();

	table_sort(&table);
	table_give_all(tep, &table);
	free(table.entry);
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
	FILE *out = xmemstream(&text, len);

	modules_save(m, out);
	comms_save(c, out);
	fclose(out);
	return text;
}

struct names *names_load(struct tracedat *t)
{
	struct names *n = xzalloc(1, sizeof(*n));
	char *line, *save, *comm;

	n->table = xzalloc(1, sizeof(*n->table));
	n->symbols = utf8_clean(t->kallsyms, "\n\t");
	n->comms = comms_new();
	n->modules = modules_new();
	/* first, because comms are added by time */
	if (t->times) {
		n->times = utf8_clean(t->times, "\n");
		load_times(n, n->times);
	}
	for (line = strtok_r(t->cmdlines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		comm = strchr(line, ' ');
		if (comm)
			comms_set(n->comms, atoi(line), comm + 1);
	}
	n->complete = add_text(n->table, n->symbols);
	modules_symbols(n->modules, true, add_symbol, n->table);
	table_sort(n->table);
	n->tep = new_tep();
	return n;
}

static void forget_table(struct names *n)
{
	if (n->table)
		free(n->table->entry);
	free(n->table);
	free(n->symbols);
	free(n->times);
	n->table = NULL;
	n->symbols = n->times = NULL;
}

void names_take_all(struct names *n)
{
	table_give_all(n->tep, n->table);
	forget_table(n);
}

void names_take(struct names *n, uint64_t ip)
{
	const struct table *t = n->table;
	size_t low = 0, high = t->nr, middle;

	/* after this, @low is the number of entries that begin at @ip or before */
	while (low < high) {
		middle = low + (high - low) / 2;
		if (t->entry[middle].start <= ip)
			low = middle + 1;
		else
			high = middle;
	}
	if (low)
		table_give(n->tep, &t->entry[low - 1]);
	/* libtraceevent does not find the last of its functions */
	if (t->nr)
		table_give(n->tep, &t->entry[t->nr - 1]);
}

void names_free(struct names *n)
{
	if (!n)
		return;
	forget_table(n);
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

void names_place_stack(struct names *n, const struct hit *stack)
{
	/* the buffer is that of the sub-buffer's reader, which needs it no more */
	char *at = (char *)stack->data + sizeof(struct nestrace_stack), *end = (char *)stack->data + stack->size;
	uint64_t ip;

	for (; end - at >= (ptrdiff_t)sizeof(ip); at += sizeof(ip)) {
		memcpy(&ip, at, sizeof(ip));
		ip = modules_place(n->modules, ip, stack->ts);
		memcpy(at, &ip, sizeof(ip));
	}
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
