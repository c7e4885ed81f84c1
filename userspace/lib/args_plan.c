// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/args_plan.h"
#include "lib/expression.h"
#include "lib/memory.h"
#include "lib/prototypes.h"

#define PARAMETERS_MAX	64
#define SPACES		" \t\n\r"

/* One value, as the description has it. */
struct field {
	struct value_type type;
	uint32_t of;			/* its type in the BTF, of VALUE_WORDS */
	int word, bit, instead;		/* its place, its bit of failed reads, the word to show then; -1: none */
	const char *name;
	size_t name_len;
};

/* The program of one function, and its description. */
struct draft {
	struct nestrace_args arg;
	struct steps entry, exit, fetch;
	struct field field[PARAMETERS_MAX];
	unsigned int nr_fields;
	unsigned int nr_stored;
};

/* A part of --if: "NAME: CONDITION" or "CONDITION". */
struct condition {
	const char *text;		/* CONDITION */
	char *name;			/* NULL: of all functions */
	size_t fits, does_not;		/* functions */
	struct error why;		/* of the function for which most of the text made sense */
	size_t understood;		/* of the text, in that function */
	char first[128];
};

/* A part of -A: "NAME(VALUE, ...)". */
struct value_list {
	const char *text;		/* all of it */
	const char *at;			/* behind the bracket */
	const struct prototype *of;
};

/* Types that the description has, by their number there. */
struct types {
	struct { const struct btf *btf; uint32_t type; } *of;
	size_t nr;
};

struct planner {
	const struct args_config *config;
	bool at_exit;
	struct prototypes *prototypes;
	struct condition *condition;
	struct value_list *list;
	struct args_plan *plan;
	size_t *slot;			/* hash table of programs: their number + 1 */
	size_t nr_slots;
	FILE *out;			/* of the description */
	struct types enums, structs;	/* that it has */
};

/* ---- programs ---- */

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *at = data;

	while (len--)
		hash = (hash ^ *at++) * 0x100000001b3ULL;
	return hash;
}

static size_t nr_steps(const struct nestrace_args *arg)
{
	return arg->nr_if + arg->nr_exit_if + arg->nr_fetch;
}

/* Return: where the program with these steps is in the hash table, or where it goes. */
static size_t *slot_of(struct planner *l, const struct nestrace_args *arg, const struct nestrace_step *step)
{
	size_t len = nr_steps(arg) * sizeof(*step), at;
	const struct args_program *p;

	at = hash_bytes(hash_bytes(0, arg, sizeof(*arg)), step, len) % l->nr_slots;
	for (; l->slot[at]; at = (at + 1) % l->nr_slots) {
		p = &l->plan->program[l->slot[at] - 1];
		if (!memcmp(&p->arg, arg, sizeof(*arg)) && !memcmp(p->step, step, len))
			break;
	}
	return &l->slot[at];
}

static void grow_slots(struct planner *l)
{
	struct args_plan *p = l->plan;
	size_t i;

	free(l->slot);
	l->nr_slots = l->nr_slots ? 2 * l->nr_slots : 64;
	l->slot = xzalloc(l->nr_slots, sizeof(*l->slot));
	for (i = 0; i < p->nr; i++)
		*slot_of(l, &p->program[i].arg, p->program[i].step) = i + 1;
}

/* Return: the program with these steps, which may be new. */
static struct args_program *program_of(struct planner *l, const struct nestrace_args *arg,
				       const struct nestrace_step *step)
{
	struct args_plan *p = l->plan;
	size_t *slot;

	if (2 * p->nr >= l->nr_slots)
		grow_slots(l);
	slot = slot_of(l, arg, step);
	if (*slot)
		return &p->program[*slot - 1];
	p->program = xrealloc(p->program, (p->nr + 1) * sizeof(*p->program));
	p->program[p->nr] = (struct args_program){ .arg = *arg, .step = xzalloc(nr_steps(arg) + 1, sizeof(*step)) };
	memcpy(p->program[p->nr].step, step, nr_steps(arg) * sizeof(*step));
	*slot = ++p->nr;
	return &p->program[p->nr - 1];
}

/* Give a function, or all others (@start 0), the program of the draft. */
static void add_program(struct planner *l, struct draft *d, uint64_t start)
{
	struct nestrace_step all[3 * NESTRACE_ARGS_STEPS];
	struct args_program *p;

	d->arg.size = sizeof(d->arg);
	d->arg.nr_if = d->entry.nr;
	d->arg.nr_exit_if = d->exit.nr;
	d->arg.nr_fetch = d->fetch.nr;
	memcpy(all, d->entry.step, d->entry.nr * sizeof(*all));
	memcpy(all + d->entry.nr, d->exit.step, d->exit.nr * sizeof(*all));
	memcpy(all + d->entry.nr + d->exit.nr, d->fetch.step, d->fetch.nr * sizeof(*all));
	p = program_of(l, &d->arg, all);
	p->others |= !start;
	if (p->others)
		return;
	p->start = xgrow(p->start, p->nr, sizeof(*p->start));
	p->start[p->nr++] = start;
}

static void begin_draft(struct draft *d)
{
	memset(&d->arg, 0, sizeof(d->arg));
	d->entry.nr = d->exit.nr = d->fetch.nr = d->nr_fields = d->nr_stored = 0;
}

/* ---- the description ---- */

/* Return: the number of a type, which may be new. */
static size_t type_number(struct types *t, const struct btf *btf, uint32_t type)
{
	size_t i;

	for (i = 0; i < t->nr; i++)
		if (t->of[i].btf == btf && t->of[i].type == type)
			return i;
	t->of = xrealloc(t->of, (i + 1) * sizeof(*t->of));
	t->of[i].btf = btf;
	t->of[i].type = type;
	return t->nr++;
}

static void put_enum(struct planner *l, size_t nr)
{
	const struct btf *btf = l->enums.of[nr].btf;
	const struct btf_type *t = btf__type_by_id(btf, l->enums.of[nr].type);
	unsigned int i;

	fprintf(l->out, "E %zu", nr);
	for (i = 0; i < btf_vlen(t); i++) {
		if (btf_is_enum(t))
			fprintf(l->out, "\t%d %s", btf_enum(t)[i].val,
				btf__name_by_offset(btf, btf_enum(t)[i].name_off));
		else
			fprintf(l->out, "\t%lld %s", (long long)btf_enum64_value(&btf_enum64(t)[i]),
				btf__name_by_offset(btf, btf_enum64(t)[i].name_off));
	}
	fputc('\n', l->out);
}

/* Put "KIND SIZE "; an upper-case letter means that the value is signed. */
static void put_kind(struct planner *l, const struct value_type *type)
{
	bool upper = type->is_signed && type->kind != VALUE_SIGNED;

	fprintf(l->out, "\t%c %u ", upper ? toupper(type->kind) : (int)type->kind, type->size);
}

/* Return: the number of the enum or struct that says more of a value; -1: nothing does. */
static long more_number(struct planner *l, const struct btf *btf, const struct value_type *type, uint32_t of)
{
	if (type->kind == VALUE_ENUM)
		return type_number(&l->enums, btf, type->enumeration);
	of = plain_type(btf, of);
	if (type->kind == VALUE_WORDS && of && btf_is_composite(btf__type_by_id(btf, of)))
		return type_number(&l->structs, btf, of);
	return -1;
}

#define MEMBERS_MAX	12	/* of a struct by value that are shown */

/* Put the members of a struct, at @bit of the whole; those of members that are structs, too. */
static void put_members(struct planner *l, const struct btf *btf, uint32_t type, uint64_t bit,
			const char *prefix, unsigned int *left)
{
	const struct btf_type *t = btf__type_by_id(btf, type);
	const struct btf_member *m = btf_members(t);
	struct value_type v;
	uint64_t at, byte;
	char name[256];
	unsigned int i;

	for (i = 0; i < btf_vlen(t) && *left; i++, m++) {
		at = bit + btf_member_bit_offset(t, i);
		v = value_type_of(btf, m->type);
		snprintf(name, sizeof(name), "%s%s", prefix, btf__name_by_offset(btf, m->name_off));
		if (v.kind == VALUE_WORDS && btf_is_composite(btf__type_by_id(btf, plain_type(btf, m->type))) &&
		    strlen(name) < sizeof(name) / 2) {
			if (m->name_off)
				strcat(name, ".");
			put_members(l, btf, plain_type(btf, m->type), at, name, left);
			continue;
		}
		(*left)--;
		/* a bit field is read from the word of its type */
		byte = btf_member_bitfield_size(t, i) && v.size ? at / (8 * v.size) * v.size : at / 8;
		put_kind(l, &v);
		fprintf(l->out, "%" PRIu64 " %" PRIu64 " %u %ld %s", byte, at - 8 * byte,
			btf_member_bitfield_size(t, i), v.kind == VALUE_ENUM ?
			(long)type_number(&l->enums, btf, v.enumeration) : -1, name);
	}
}

static void put_struct(struct planner *l, size_t nr)
{
	unsigned int left = MEMBERS_MAX;

	fprintf(l->out, "S %zu", nr);
	put_members(l, l->structs.of[nr].btf, l->structs.of[nr].type, 0, "", &left);
	fputc('\n', l->out);
}

static void put_field(struct planner *l, const struct btf *btf, const struct field *f)
{
	size_t i;

	put_kind(l, &f->type);
	fprintf(l->out, "%d %d %d %ld ", f->word, f->bit, f->instead, more_number(l, btf, &f->type, f->of));
	/* a user may write it on several lines */
	for (i = 0; i < f->name_len; i++)
		if (!isspace((unsigned char)f->name[i]))
			fputc(f->name[i], l->out);
}

static void put_name(struct planner *l, char letter, const struct prototype *of)
{
	fprintf(l->out, "%c %s%s%s%s", letter, of->name, of->module ? " [" : "", of->module ?: "", of->module ? "]" : "");
}

static void describe(struct planner *l, const struct prototype *of, const struct draft *d)
{
	struct field returns = { .word = -1, .bit = -1, .instead = -1, .name = "" };
	size_t enums = l->enums.nr, structs = l->structs.nr;
	unsigned int i;

	put_name(l, 'F', of);
	returns.type = value_type_of(of->btf, prototype_returns(of));
	put_field(l, of->btf, &returns);
	for (i = 0; i < d->nr_fields; i++)
		put_field(l, of->btf, &d->field[i]);
	fputc('\n', l->out);
	/* a struct may have enums */
	for (; structs < l->structs.nr; structs++)
		put_struct(l, structs);
	for (; enums < l->enums.nr; enums++)
		put_enum(l, enums);
}

static void describe_unknown(struct planner *l, const struct prototype *of)
{
	put_name(l, 'U', of);
	fprintf(l->out, "\t%s\n", prototype_unknown(of));
}

/* ---- one function ---- */

static void add_field(struct draft *d, struct field f)
{
	if (d->nr_fields < PARAMETERS_MAX)
		d->field[d->nr_fields++] = f;
}

/* Return: the word behind the arguments and that of failed reads where the next value goes. */
static int next_value(const struct draft *d)
{
	return d->arg.words + 1 + d->arg.values;
}

static void plan_words(struct draft *d, const struct prototype *of)
{
	struct parameter parameter[PARAMETERS_MAX];
	unsigned int nr = prototype_parameters(of, parameter, PARAMETERS_MAX), i, end;

	d->arg.words = REGISTER_ARGS;
	for (i = 0; i < nr; i++) {
		end = parameter[i].word + parameter[i].words;
		if (parameter[i].words && end > d->arg.words)
			d->arg.words = end < NESTRACE_ARGS_WORDS ? end : NESTRACE_ARGS_WORDS;
	}
}

/* Plan all parameters. */
static void plan_parameters(struct planner *l, struct draft *d, const struct prototype *of)
{
	struct parameter parameter[PARAMETERS_MAX];
	unsigned int nr = prototype_parameters(of, parameter, PARAMETERS_MAX), i;
	struct field f;

	for (i = 0; i < nr; i++) {
		f = (struct field){
			.type = value_type_of(of->btf, parameter[i].type), .of = parameter[i].type,
			.word = parameter[i].word, .bit = -1,
			.instead = -1, .name = parameter[i].name ?: "", .name_len = strlen(parameter[i].name ?: ""),
		};
		if (!parameter[i].type) {
			f.type.kind = VALUE_MORE;
			f.word = -1;
			f.name = "...";
			f.name_len = 3;
		} else if (l->config->deep && type_is_string(of->btf, parameter[i].type, true) &&
			   parameter[i].word < NESTRACE_ARGS_WORDS &&
			   d->arg.values + STRING_WORDS <= NESTRACE_ARGS_VALUES) {
			f.type = (struct value_type){ .kind = VALUE_STRING, .size = 8 * STRING_WORDS };
			f.instead = f.word;
			f.word = next_value(d);
			f.bit = d->nr_stored++;
			d->arg.values += STRING_WORDS;
			d->fetch.step[d->fetch.nr++] = (struct nestrace_step){ .op = NESTRACE_OP_ARG, .a = parameter[i].word };
			d->fetch.step[d->fetch.nr++] = (struct nestrace_step){ .op = NESTRACE_OP_STRING, .a = STRING_WORDS };
		}
		add_field(d, f);
	}
}

/* Plan the values of a -A. */
static bool plan_values(struct draft *d, const struct value_list *list, struct error *e)
{
	const char *at = list->at, *begin;
	struct expression_value value;
	struct field f;

	do {
		at += strspn(at, SPACES);
		begin = at;
		if (!expression_value(list->of, list->text, &at, &d->fetch, &value, e))
			return false;
		f = (struct field){
			.type = value.type, .word = value.argument, .bit = -1, .instead = value.pointer,
			.name = begin, .name_len = at - begin,
		};
		if (value.argument < 0) {
			f.word = next_value(d);
			f.bit = d->nr_stored++;
			d->arg.values += value.type.kind == VALUE_STRING ? string_words(&value.type) : 1;
		}
		if (d->arg.values > NESTRACE_ARGS_VALUES || d->nr_fields == PARAMETERS_MAX)
			return error_set(e, "too many values: '%.160s'; use at most %d, in %d words together; a text takes up to %d",
					 list->text, PARAMETERS_MAX, NESTRACE_ARGS_VALUES, STRING_WORDS);
		add_field(d, f);
		at += strspn(at, SPACES);
	} while (*at++ == ',');
	if (at[-1] != ')' || at[strspn(at, SPACES)])
		return error_set(e, "not understood at column %zu: '%s'; use -A 'FUNCTION(VALUE, ...)'",
				 (size_t)(at - list->text), list->text);
	return true;
}

static const struct value_list *list_of(const struct planner *l, const struct prototype *of)
{
	unsigned int i;

	for (i = 0; i < l->config->nr_values; i++)
		if (l->list[i].of == of)
			return &l->list[i];
	return NULL;
}

/* Let nothing pass. */
static void plan_nothing(struct draft *d)
{
	static const struct nestrace_step take = { .op = NESTRACE_OP_ARG };
	static const struct nestrace_step no = { .op = NESTRACE_OP_TEST, .a = NESTRACE_LESS };

	/* no number is below 0 */
	d->exit.nr = 0;
	d->entry.nr = 2;
	d->entry.step[0] = take;
	d->entry.step[1] = no;
}

static bool is_named(const struct condition *c, const struct prototype *of)
{
	const char *module = strstr(c->name, ":mod:");
	size_t len = module ? (size_t)(module - c->name) : strlen(c->name);

	return strlen(of->name) == len && !strncmp(of->name, c->name, len) &&
	       (!module || (of->module && !strcmp(of->module, module + strlen(":mod:"))));
}

/* Plan the conditions. If one does not fit this function, nothing passes. */
static void plan_conditions(struct planner *l, struct draft *d, const struct prototype *of)
{
	struct condition *c;
	struct error e;
	bool fits = true, ok;
	size_t understood;
	unsigned int i;

	for (i = 0; i < l->config->nr_conditions; i++) {
		c = &l->condition[i];
		if (c->name && !is_named(c, of))
			continue;
		understood = 0;
		ok = of->btf && expression_condition(of, c->text, &d->entry, &d->exit, &understood, &e);
		if (ok && d->exit.nr && !l->at_exit)
			ok = error_set(&e, "the return value is not known when the call is recorded: '%s'; use --ret=exit",
				       c->text);
		if (!of->btf)
			error_set(&e, "the arguments of a function are not known (%s): '%s'; name other functions with -l",
				  prototype_unknown(of), of->name);
		if (ok) {
			c->fits++;
			continue;
		}
		fits = false;
		if (!c->does_not++)
			snprintf(c->first, sizeof(c->first), "%s", of->name);
		/* one for the user to mend, if there is one */
		understood += of->btf != NULL;
		if (understood > c->understood || !*c->why.text) {
			c->understood = understood;
			c->why = e;
		}
	}
	if (!fits)
		plan_nothing(d);
}

/* Return: the words of a call of a function that has no program of its own. */
static unsigned int words_of_all(const struct planner *l)
{
	return l->config->all && !l->at_exit ? REGISTER_ARGS : 0;
}

static bool plan_function(struct planner *l, const struct prototype *of, struct draft *d, struct error *e)
{
	const struct value_list *list = list_of(l, of);
	bool records = list || words_of_all(l), special;

	begin_draft(d);
	if (records && of->btf)
		plan_words(d, of);
	else if (records)
		d->arg.words = REGISTER_ARGS;
	if (list && !plan_values(d, list, e))
		return false;
	if (!list && records && of->btf)
		plan_parameters(l, d, of);
	plan_conditions(l, d, of);
	if (records && of->btf)
		describe(l, of, d);
	else if (records)
		describe_unknown(l, of);
	special = d->entry.nr || d->exit.nr || d->fetch.nr ||
		  d->arg.words != words_of_all(l);
	if (special)
		add_program(l, d, of->start);
	return true;
}

/* ---- all of it ---- */

static bool take_condition(struct condition *c, const char *text)
{
	const char *end = text + strspn(text, SPACES);
	const char *name = end;

	c->text = text;
	while (isalnum((unsigned char)*end) || *end == '_' || *end == '.')
		end++;
	if (!strncmp(end, ":mod:", strlen(":mod:")))
		for (end += strlen(":mod:"); isalnum((unsigned char)*end) || *end == '_'; end++)
			;
	if (end == name || *end != ':')
		return true;
	c->name = strndup(name, end - name);
	c->text = end + 1;
	return c->name;
}

/* Find the functions of -A. */
static bool take_lists(struct planner *l, struct error *e)
{
	unsigned int i, j;
	const char *text, *bracket;
	char *name, *begin, *end;

	for (i = 0; i < l->config->nr_values; i++) {
		text = l->config->values[i];
		bracket = strchr(text, '(');
		if (!bracket || bracket == text)
			return error_set(e, "no values of a function: '%s'; use -A 'FUNCTION(VALUE, ...)'", text);
		name = strndup(text, bracket - text);
		if (!name)
			out_of_memory();
		begin = name + strspn(name, SPACES);
		end = begin + strcspn(begin, SPACES);
		if (!*begin || end[strspn(end, SPACES)]) {
			free(name);
			return error_set(e, "no values of a function: '%.160s'; use -A 'FUNCTION(VALUE, ...)'", text);
		}
		*end = '\0';
		l->list[i] = (struct value_list){ .text = text, .at = bracket + 1 };
		l->list[i].of = prototypes_find(l->prototypes, begin, e);
		free(name);
		if (!l->list[i].of)
			return false;
		for (j = 0; j < i; j++)
			if (l->list[j].of == l->list[i].of)
				return error_set(e, "a second -A for one function: '%s'; put all values into one", text);
	}
	return true;
}

/* Say what does not fit: a condition that fits no function is an error. */
static bool check_conditions(struct planner *l, struct error *e)
{
	struct condition *c;
	size_t len;
	FILE *note = xmemstream(&l->plan->note, &len);
	unsigned int i;

	for (i = 0; i < l->config->nr_conditions; i++) {
		c = &l->condition[i];
		if (!c->fits) {
			fclose(note);
			if (c->does_not)
				*e = c->why;
			else
				error_set(e, "no such function for --if, or -l does not select it: '%s'; nestrace list shows what can be traced",
					  c->name ?: c->text);
			return false;
		}
		if (c->does_not)
			fprintf(note, "%s%zu of %zu functions lack what --if tests and are not recorded: '%s'; name others with -l (the first is %s)",
				ftell(note) ? "\n" : "", c->does_not, c->does_not + c->fits, c->text, c->first);
	}
	fclose(note);
	if (!len) {
		free(l->plan->note);
		l->plan->note = NULL;
	}
	return true;
}

/* Give the functions that are not known, because their module comes later, what all others have. */
static void plan_others(struct planner *l, struct draft *d)
{
	unsigned int i;

	begin_draft(d);
	d->arg.words = words_of_all(l);
	for (i = 0; i < l->config->nr_conditions; i++)
		if (!l->condition[i].name)
			plan_nothing(d);
	if (d->arg.words || d->entry.nr)
		add_program(l, d, 0);
}

static bool plan_all(struct planner *l, struct error *e)
{
	struct draft *d = xzalloc(1, sizeof(*d));
	bool ok = true;
	size_t i;

	/* first, so that it is the program of the others */
	plan_others(l, d);
	for (i = 0; ok && i < l->prototypes->nr; i++)
		ok = plan_function(l, &l->prototypes->of[i], d, e);
	free(d);
	return ok && check_conditions(l, e);
}

struct args_plan *args_plan_new(const struct args_config *c, const char *const *globs, unsigned int nr_globs,
				bool at_exit, struct error *e)
{
	struct planner l = {
		.config = c, .at_exit = at_exit,
		.condition = xzalloc(c->nr_conditions + 1, sizeof(*l.condition)),
		.list = xzalloc(c->nr_values + 1, sizeof(*l.list)),
		.plan = xzalloc(1, sizeof(*l.plan)),
	};
	struct args_plan *plan = l.plan;
	unsigned int i;
	bool ok;

	plan->filters = c->nr_conditions;
	l.out = xmemstream(&plan->description, &plan->len);
	for (i = 0; i < c->nr_conditions; i++)
		if (!take_condition(&l.condition[i], c->conditions[i]))
			out_of_memory();
	l.prototypes = prototypes_read(globs, nr_globs, e);
	if (l.prototypes && !l.prototypes->nr && !nr_globs && (c->nr_values || c->nr_conditions)) {
		error_set(e, "the kernel hides its addresses: '/proc/kallsyms'; -A and --if need CAP_SYSLOG, and sysctl kernel.kptr_restrict below 2");
		prototypes_free(l.prototypes);
		l.prototypes = NULL;
	}
	ok = l.prototypes && take_lists(&l, e) && plan_all(&l, e);
	fclose(l.out);
	for (i = 0; i < c->nr_conditions; i++)
		free(l.condition[i].name);
	prototypes_free(l.prototypes);
	free(l.structs.of);
	free(l.enums.of);
	free(l.condition);
	free(l.list);
	free(l.slot);
	if (ok)
		return plan;
	args_plan_free(plan);
	return NULL;
}

void args_plan_free(struct args_plan *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->nr; i++) {
		free(p->program[i].step);
		free(p->program[i].start);
	}
	free(p->program);
	free(p->description);
	free(p->note);
	free(p);
}
