// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/errnos.h"
#include "lib/expression.h"
#include "lib/memory.h"
#include "lib/prototypes.h"

#define PARAMETERS_MAX	64
#define NAME_MAX_LEN	128
#define RETVAL		"retval"

struct parser {
	const struct prototype *of;
	const char *text, *at;
	struct error *e;
	size_t failed_at;		/* the column of the error */
	struct parameter parameter[PARAMETERS_MAX];
	unsigned int nr_parameters;
};

/* Where a value is that a path names. */
struct place {
	const struct btf *btf;
	uint32_t type;			/* plain */
	enum { IN_STEP_VALUE, IN_WORDS, IN_RETVAL, IN_MEMORY } in;	/* MEMORY: the step's value points to it */
	unsigned int word;		/* IN_WORDS: the first argument word */
	int argument;			/* it is all of this argument word; or -1 */
	bool is_pointer;		/* to a text */
	uint64_t bit;			/* in the words, or the memory */
	unsigned int bits;		/* of a bit field; 0: it is none */
};

/* ---- errors ---- */

#define SHOWN		160	/* characters of a text, around what is wrong */

/* Say what is wrong at @at: "problem; remedy". */
static bool __attribute__((format(printf, 3, 4)))
fail(struct parser *p, const char *at, const char *problem, ...)
{
	size_t column = at - p->text, from = column > SHOWN / 2 ? column - SHOWN / 2 : 0;
	const char *remedy;
	char text[700];
	va_list args;

	va_start(args, problem);
	vsnprintf(text, sizeof(text), problem, args);
	va_end(args);
	remedy = strstr(text, "; ");
	p->failed_at = column;
	return error_set(p->e, "%.*s at column %zu: '%s%.*s%s'%s", (int)(remedy - text), text, column + 1,
			 from ? "..." : "", SHOWN, p->text + from, strlen(p->text + from) > SHOWN ? "..." : "", remedy);
}

/* Append names for a message, as many as fit. */
static void add_name(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	if (!*name || (len >= 4 && !strcmp(list + len - 4, " ...")))
		return;
	if (len + strlen(name) + 8 < size)
		snprintf(list + len, size - len, "%s%s", len ? ", " : "", name);
	else
		snprintf(list + len, size - len, " ...");
}

/* ---- types ---- */

static const char *name_of(const struct btf *btf, uint32_t offset)
{
	return btf__name_by_offset(btf, offset) ?: "";
}

/* Is it char, perhaps signed, unsigned or constant? u8, which is a typedef, is a number. */
static bool is_char(const struct btf *btf, uint32_t type, bool constant)
{
	const struct btf_type *t = btf__type_by_id(btf, type);
	unsigned int steps;

	for (steps = 0; t && btf_is_mod(t) && steps < 16; steps++) {
		constant &= !btf_is_const(t);
		t = t->type ? btf__type_by_id(btf, t->type) : NULL;
	}
	return t && btf_is_int(t) && t->size == 1 && !(btf_int_encoding(t) & BTF_INT_BOOL) && !constant;
}

bool type_is_string(const struct btf *btf, uint32_t type, bool constant)
{
	const struct btf_type *t = btf__type_by_id(btf, plain_type(btf, type));

	return t && btf_is_ptr(t) && t->type && is_char(btf, t->type, constant);
}

struct value_type value_type_of(const struct btf *btf, uint32_t type)
{
	uint32_t plain = plain_type(btf, type);
	const struct btf_type *t = plain ? btf__type_by_id(btf, plain) : NULL;
	struct value_type v = { .kind = VALUE_VOID };
	long long size;

	if (!t)
		return v;
	size = btf__resolve_size(btf, plain);
	v.size = size > 0 ? size : 0;
	v.kind = VALUE_WORDS;
	if (v.size > 8)
		return v;
	if (btf_is_ptr(t)) {
		v.kind = VALUE_POINTER;
	} else if (btf_is_any_enum(t)) {
		v.kind = VALUE_ENUM;
		v.enumeration = plain;
		v.is_signed = btf_kflag(t);
		/* before 6.0 nothing says it */
		if (btf_is_enum(t) && !v.is_signed) {
			const struct btf_enum *e = btf_enum(t);
			unsigned int i;

			for (i = 0; i < btf_vlen(t); i++)
				v.is_signed |= e[i].val < 0;
		}
	} else if (btf_is_int(t)) {
		v.is_signed = btf_int_encoding(t) & BTF_INT_SIGNED;
		if (btf_int_encoding(t) & BTF_INT_BOOL)
			v.kind = VALUE_BOOL;
		else if (v.size == 1 && !strcmp(name_of(btf, t->name_off), "char"))
			v.kind = VALUE_CHAR;
		else
			v.kind = v.is_signed ? VALUE_SIGNED : VALUE_UNSIGNED;
	}
	return v;
}

/* Return: the definition of what may be only declared here. */
static uint32_t defined(const struct btf *btf, uint32_t type)
{
	const struct btf_type *t = type ? btf__type_by_id(btf, type) : NULL;
	int found;

	if (!t || !btf_is_fwd(t))
		return type;
	found = btf__find_by_name_kind(btf, name_of(btf, t->name_off),
				       btf_kflag(t) ? BTF_KIND_UNION : BTF_KIND_STRUCT);
	return found > 0 ? (uint32_t)found : type;
}

/* Find a member, also in members without a name. */
static bool find_member(const struct btf *btf, uint32_t type, const char *name, struct place *to,
			unsigned int depth)
{
	const struct btf_type *t = btf__type_by_id(btf, type);
	const struct btf_member *m = btf_members(t);
	unsigned int i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		const char *member = name_of(btf, m->name_off);
		uint32_t inner = plain_type(btf, m->type);

		if (!strcmp(member, name)) {
			to->type = inner;
			to->bit += btf_member_bit_offset(t, i);
			to->bits = btf_member_bitfield_size(t, i);
			return true;
		}
		if (*member || !inner || !btf_is_composite(btf__type_by_id(btf, inner)) || depth > 16)
			continue;
		to->bit += btf_member_bit_offset(t, i);
		if (find_member(btf, inner, name, to, depth + 1))
			return true;
		to->bit -= btf_member_bit_offset(t, i);
	}
	return false;
}

static void list_members(const struct btf *btf, uint32_t type, char *list, size_t size, unsigned int depth)
{
	const struct btf_type *t = btf__type_by_id(btf, type);
	const struct btf_member *m = btf_members(t);
	unsigned int i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		uint32_t inner = plain_type(btf, m->type);

		add_name(list, size, name_of(btf, m->name_off));
		if (!m->name_off && inner && btf_is_composite(btf__type_by_id(btf, inner)) && depth < 16)
			list_members(btf, inner, list, size, depth + 1);
	}
}

/* Write how C calls a struct or union. */
static const char *aggregate_name(const struct btf *btf, uint32_t type)
{
	static char text[160];
	const struct btf_type *t = btf__type_by_id(btf, type);
	const char *name = name_of(btf, t->name_off);

	snprintf(text, sizeof(text), "%s%s%.128s", btf_is_union(t) ? "union" : "struct", *name ? " " : "", name);
	return text;
}

/* ---- steps ---- */

static bool add_step(struct parser *p, struct steps *to, struct nestrace_step step)
{
	if (to->nr == NESTRACE_ARGS_STEPS)
		return fail(p, p->at, "more than %d steps; use fewer values, comparisons or pointers", NESTRACE_ARGS_STEPS);
	to->step[to->nr++] = step;
	return true;
}

/* Shift the value so that it is @bits from @from on. */
static bool add_bits(struct parser *p, struct steps *to, unsigned int from, unsigned int bits, bool is_signed)
{
	if (bits >= 64)
		return true;
	return add_step(p, to, (struct nestrace_step){
		.op = NESTRACE_OP_BITS, .a = 64 - bits - from, .b = 64 - bits, .c = is_signed,
	});
}

/* Make the step's value that at @at, which is no more than a word. */
static bool load(struct parser *p, struct steps *to, struct place *at)
{
	struct value_type type = value_type_of(at->btf, at->type);
	unsigned int size = type.size, bits = at->bits ?: 8 * size;
	uint64_t first = at->bit / (8 * size) * size, within = at->bit - 8 * first;
	bool ok = true;

	if (at->in == IN_STEP_VALUE)
		return true;
	/* members of packed structs begin anywhere */
	if (!at->bits) {
		first = at->bit / 8;
		within = 0;
	}
	if (within + bits > 8 * size)
		return fail(p, p->at, "a bit field that crosses its type; use another field");
	if (at->in == IN_MEMORY) {
		ok = add_step(p, to, (struct nestrace_step){
			.op = NESTRACE_OP_READ, .a = size, .value = first,
		});
		if (ok && (bits < 8 * size || (type.is_signed && size < 8)))
			ok = add_bits(p, to, within, bits, type.is_signed);
	} else {
		if (at->in == IN_RETVAL && first >= 8)
			return fail(p, p->at, "in the second register of the return value; only the first is known");
		if (first % 8 + size > 8)
			return fail(p, p->at, "a member in two registers; use another field");
		if (at->in == IN_RETVAL)
			ok = add_step(p, to, (struct nestrace_step){ .op = NESTRACE_OP_RETVAL });
		else
			ok = add_step(p, to, (struct nestrace_step){
				.op = NESTRACE_OP_ARG, .a = at->word + first / 8,
			});
		ok = ok && add_bits(p, to, 8 * (first % 8) + within, bits, type.is_signed);
	}
	at->in = IN_STEP_VALUE;
	return ok;
}

/* Make the step's value the address of @at. */
static bool load_address(struct parser *p, struct steps *to, const struct place *at)
{
	if (at->in != IN_MEMORY)
		return fail(p, p->at, "an array in registers; choose an element, as in [0]");
	return !at->bit || add_step(p, to, (struct nestrace_step){ .op = NESTRACE_OP_ADD, .value = at->bit / 8 });
}

/* ---- paths ---- */

static void skip_spaces(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool accept(struct parser *p, const char *token)
{
	skip_spaces(p);
	if (strncmp(p->at, token, strlen(token)))
		return false;
	p->at += strlen(token);
	return true;
}

/* Take an identifier. Return: false if there is none. */
static bool take_name(struct parser *p, char name[NAME_MAX_LEN])
{
	size_t len = 0;

	skip_spaces(p);
	if (!isalpha((unsigned char)*p->at) && *p->at != '_')
		return false;
	while (isalnum((unsigned char)*p->at) || *p->at == '_') {
		if (len < NAME_MAX_LEN - 1)
			name[len++] = *p->at;
		p->at++;
	}
	name[len] = '\0';
	return true;
}

static bool take_number(struct parser *p, uint64_t *value)
{
	char *end;

	skip_spaces(p);
	if (!isdigit((unsigned char)*p->at))
		return false;
	errno = 0;
	*value = strtoull(p->at, &end, 0);
	if (errno)
		return fail(p, p->at, "the number is too large; it has at most 64 bits");
	p->at = end;
	/* as in C */
	while (strchr("uUlL", *p->at) && *p->at)
		p->at++;
	return true;
}

static bool no_argument_there(struct parser *p, const char *at, bool may_return)
{
	char list[400] = "";
	unsigned int i;

	for (i = 0; i < p->nr_parameters; i++)
		add_name(list, sizeof(list), p->parameter[i].name);
	if (may_return)
		add_name(list, sizeof(list), RETVAL);
	return fail(p, at, "no such argument; %s() has %s", p->of->name, *list ? list : "none");
}

static bool begin_path(struct parser *p, const char *name, const char *at, struct place *to, bool may_return)
{
	unsigned int i;

	*to = (struct place){ .btf = p->of->btf, .argument = -1 };
	for (i = 0; i < p->nr_parameters; i++) {
		if (!p->parameter[i].name || strcmp(p->parameter[i].name, name))
			continue;
		if (p->parameter[i].word + p->parameter[i].words > NESTRACE_ARGS_WORDS)
			return fail(p, at, "too many arguments before this one; use another one");
		to->type = plain_type(to->btf, p->parameter[i].type);
		to->in = IN_WORDS;
		to->word = p->parameter[i].word;
		to->argument = to->word;
		return true;
	}
	if (strcmp(name, RETVAL))
		return no_argument_there(p, at, may_return);
	if (!may_return)
		return fail(p, at, "the return value is not known when the function is called; use --ret");
	to->type = prototype_returns(p->of);
	to->in = IN_RETVAL;
	if (!to->type)
		return fail(p, at, "%s() returns nothing; use its arguments", p->of->name);
	if (btf__resolve_size(to->btf, to->type) > 16)
		return fail(p, at, "%s() returns a struct in memory; use its arguments", p->of->name);
	return true;
}

/* Follow the pointer that @at is. */
static bool follow(struct parser *p, struct steps *to, struct place *at, const char *where)
{
	const struct btf_type *t = btf__type_by_id(at->btf, at->type);

	if (!t || !btf_is_ptr(t))
		return fail(p, where, "not a pointer; use . for a field of a struct");
	if (at->in == IN_RETVAL)
		return fail(p, where, "a return value cannot be followed; compare it");
	if (!load(p, to, at))
		return false;
	*at = (struct place){
		.btf = at->btf, .type = defined(at->btf, plain_type(at->btf, t->type)), .in = IN_MEMORY, .argument = -1,
	};
	return true;
}

static bool enter_member(struct parser *p, struct place *at, const char *where)
{
	const struct btf_type *t = at->type ? btf__type_by_id(at->btf, at->type) : NULL;
	const char *column;
	char name[NAME_MAX_LEN], list[400] = "";

	skip_spaces(p);
	column = p->at;
	if (!take_name(p, name))
		return fail(p, column, "the name of a field is missing; write it behind -> or .");
	if (t && btf_is_ptr(t))
		return fail(p, where, "a pointer; use -> for a field of what it points to");
	if (t && btf_is_fwd(t))
		return fail(p, column, "BTF has no fields of this struct; use another field");
	if (!t || !btf_is_composite(t))
		return fail(p, where, "not a struct; it has no fields");
	at->argument = -1;
	at->bits = 0;
	if (find_member(at->btf, at->type, name, at, 0))
		return true;
	list_members(at->btf, at->type, list, sizeof(list), 0);
	return fail(p, column, "no such field; %s has %s", aggregate_name(at->btf, at->type), *list ? list : "none");
}

static bool enter_element(struct parser *p, struct steps *to, struct place *at, const char *where)
{
	const struct btf_type *t = at->type ? btf__type_by_id(at->btf, at->type) : NULL;
	uint32_t element;
	uint64_t index;
	long long size;

	skip_spaces(p);
	if (!isdigit((unsigned char)*p->at))
		return fail(p, p->at, "not an index; use a number, as in [0]");
	if (!take_number(p, &index))
		return false;
	if (!accept(p, "]"))
		return fail(p, p->at, "a ] is missing; close each bracket");
	if (t && btf_is_array(t)) {
		element = plain_type(at->btf, btf_array(t)->type);
		if (btf_array(t)->nelems && index >= btf_array(t)->nelems)
			return fail(p, where, "the array is shorter; it has %u elements", btf_array(t)->nelems);
	} else {
		if (!follow(p, to, at, where))
			return false;
		element = at->type;
	}
	size = element ? btf__resolve_size(at->btf, element) : -1;
	if (size <= 0 || index > (1ULL << 30) / (uint64_t)size)
		return fail(p, where, "no elements of a known size; use another field");
	at->type = element;
	at->argument = -1;
	at->bit += index * size * 8;
	return true;
}

/* Take a path: [*]NAME, then ->FIELD, .FIELD or [INDEX]. */
static bool take_path(struct parser *p, struct steps *to, struct place *at, bool may_return)
{
	const char *begin, *where;
	unsigned int stars = 0;
	char name[NAME_MAX_LEN];

	while (accept(p, "*"))
		stars++;
	skip_spaces(p);
	begin = p->at;
	if (!take_name(p, name))
		return fail(p, begin, "an argument is missing; write its name first");
	if (!begin_path(p, name, begin, at, may_return))
		return false;
	for (;;) {
		skip_spaces(p);
		where = p->at;
		if (accept(p, "->")) {
			if (!follow(p, to, at, where) || !enter_member(p, at, where))
				return false;
		} else if (accept(p, ".")) {
			if (!enter_member(p, at, where))
				return false;
		} else if (accept(p, "[")) {
			if (!enter_element(p, to, at, where))
				return false;
		} else {
			break;
		}
	}
	while (stars--)
		if (!follow(p, to, at, begin))
			return false;
	return true;
}

/* Go into structs that hold one member only, as kuid_t and atomic_t do. */
static void unwrap(struct place *at)
{
	const struct btf_type *t = at->type ? btf__type_by_id(at->btf, at->type) : NULL;
	unsigned int depth;

	for (depth = 0; depth < 16 && t && btf_is_struct(t) && btf_vlen(t) == 1; depth++) {
		at->bit += btf_member_bit_offset(t, 0);
		at->bits = btf_member_bitfield_size(t, 0);
		at->type = plain_type(at->btf, btf_members(t)->type);
		at->argument = at->bits ? -1 : at->argument;
		t = at->type ? btf__type_by_id(at->btf, at->type) : NULL;
	}
}

static bool is_char_array(const struct place *at)
{
	const struct btf_type *t = btf__type_by_id(at->btf, at->type);

	return t && btf_is_array(t) && is_char(at->btf, btf_array(t)->type, false);
}

/* Say that a path ends at what has no value of its own. */
static bool no_value(struct parser *p, const struct place *at, const char *where)
{
	const struct btf_type *t = at->type ? btf__type_by_id(at->btf, at->type) : NULL;
	char list[400] = "";

	if (t && btf_is_composite(t)) {
		list_members(at->btf, at->type, list, sizeof(list), 0);
		return fail(p, where, "a %s; choose a field: %s", aggregate_name(at->btf, at->type), list);
	}
	if (t && btf_is_array(t))
		return fail(p, where, "an array; choose an element, as in [0]");
	return fail(p, where, "no value of a known type; use another field");
}

/* Take a path to a number or a string, and make the step's value that number, or where that string is. */
static bool take_value(struct parser *p, struct steps *to, struct place *at, struct value_type *type,
		       bool may_return)
{
	const char *begin;

	skip_spaces(p);
	begin = p->at;
	if (!take_path(p, to, at, may_return))
		return false;
	unwrap(at);
	if (at->type && is_char_array(at)) {
		unsigned int room = btf_array(btf__type_by_id(at->btf, at->type))->nelems;

		/* it need not end in a NUL; 0: it has as many as there is room for */
		*type = (struct value_type){
			.kind = VALUE_STRING, .size = room && room < 8 * STRING_WORDS ? room : 8 * STRING_WORDS,
		};
		at->argument = -1;
		return load_address(p, to, at);
	}
	*type = value_type_of(at->btf, at->type);
	if (type->kind == VALUE_VOID || type->kind == VALUE_WORDS || !type->size)
		return no_value(p, at, begin);
	if (type_is_string(at->btf, at->type, false) && at->in != IN_RETVAL) {
		*type = (struct value_type){ .kind = VALUE_STRING, .size = 8 * STRING_WORDS };
		at->is_pointer = true;
	}
	return load(p, to, at);
}

static void begin_parser(struct parser *p, const struct prototype *of, const char *text, const char *at,
			 struct error *e)
{
	p->of = of;
	p->text = text;
	p->at = at;
	p->e = e;
	p->failed_at = 0;
	p->nr_parameters = prototype_parameters(of, p->parameter, PARAMETERS_MAX);
}

unsigned int string_words(const struct value_type *type)
{
	/* the module ends each text with a NUL */
	return type->size < 8 * STRING_WORDS ? type->size / 8 + 1 : STRING_WORDS;
}

bool expression_value(const struct prototype *of, const char *text, const char **at, struct steps *fetch,
		      struct expression_value *value, struct error *e)
{
	unsigned int before = fetch->nr;
	struct place place;
	struct parser p;
	bool ok;

	begin_parser(&p, of, text, *at, e);
	ok = take_value(&p, fetch, &place, &value->type, false);
	*at = p.at;
	if (!ok)
		return false;
	value->pointer = place.is_pointer ? place.argument : -1;
	value->argument = place.is_pointer ? -1 : place.argument;
	if (value->argument >= 0) {
		fetch->nr = before;
		return true;
	}
	return add_step(&p, fetch, value->type.kind == VALUE_STRING ?
			(struct nestrace_step){ .op = NESTRACE_OP_STRING, .a = string_words(&value->type) } :
			(struct nestrace_step){ .op = NESTRACE_OP_STORE });
}

/* ---- conditions ---- */

/* A tree of tests. */
struct node {
	enum { TEST, BOTH, EITHER } kind;
	struct steps *test;
	struct tested *tested;	/* of a test */
	bool is_value;		/* it has no comparison */
	struct node *left, *right;
	bool entry, exit;	/* it tests arguments, return values */
	const char *at;
};

static void free_node(struct node *n)
{
	if (!n)
		return;
	free_node(n->left);
	free_node(n->right);
	free(n->tested);
	free(n->test);
	free(n);
}

static struct node *join(struct node *left, struct node *right, bool both, const char *at)
{
	struct node *n = xzalloc(1, sizeof(*n));

	n->kind = both ? BOTH : EITHER;
	n->left = left;
	n->right = right;
	n->entry = left->entry || right->entry;
	n->exit = left->exit || right->exit;
	n->at = at;
	return n;
}

/* Take a character of a text, as report writes it. */
static bool take_char(struct parser *p, char *c)
{
	static const char escapes[] = "n\nt\tr\r\"\"\\\\";
	char hex[3] = "";
	const char *e;

	*c = *p->at++;
	if (*c != '\\')
		return true;
	if (p->at[0] == 'x' && isxdigit((unsigned char)p->at[1]) && isxdigit((unsigned char)p->at[2])) {
		memcpy(hex, p->at + 1, 2);
		*c = strtoul(hex, NULL, 16);
		p->at += 3;
		if (!*c)
			return fail(p, p->at - 4, "a text has no NUL; it ends there");
		return true;
	}
	for (e = escapes; *e; e += 2) {
		if (*p->at == *e) {
			*c = e[1];
			p->at++;
			return true;
		}
	}
	return fail(p, p->at - 1, "not understood; a \\ comes before n, t, r, \", \\ or xHH only");
}

/* Take "text", and add the step that tests for it. @room: characters that there may be, 0: any number. */
static bool take_string(struct parser *p, struct steps *to, bool other, unsigned int room)
{
	char text[8 * STRING_WORDS] = "";
	struct nestrace_step step = { .op = NESTRACE_OP_TEST_STRING, .c = other };
	const char *begin = p->at++;
	unsigned int len = 0, words, i;
	char c;

	while (*p->at && *p->at != '"') {
		if (!take_char(p, &c))
			return false;
		if (len == sizeof(text) - 1)
			return fail(p, begin, "this text is too long; at most %zu characters are compared",
				    sizeof(text) - 1);
		text[len++] = c;
	}
	if (*p->at != '"')
		return fail(p, begin, "the text does not end; close it with \"");
	p->at++;
	if (room && len >= room)
		return fail(p, begin, "this text is too long; the array has room for %u characters and a NUL", room - 1);
	/* with its NUL */
	words = len / 8 + 1;
	step.a = words;
	if (!add_step(p, to, step))
		return false;
	for (i = 0; i < words; i++) {
		step = (struct nestrace_step){ .op = NESTRACE_OP_DATA };
		memcpy(&step.value, text + 8 * i, 8);
		if (!add_step(p, to, step))
			return false;
	}
	return true;
}

/* Find what an enum calls a number. */
static bool enum_number(const struct btf *btf, uint32_t type, const char *name, uint64_t *value, char *list,
			size_t size)
{
	const struct btf_type *t = btf__type_by_id(btf, type);
	unsigned int i;

	for (i = 0; i < btf_vlen(t); i++) {
		const char *word = name_of(btf, btf_is_enum(t) ? btf_enum(t)[i].name_off :
							btf_enum64(t)[i].name_off);

		*value = btf_is_enum(t) ? (uint64_t)(int64_t)btf_enum(t)[i].val : btf_enum64_value(&btf_enum64(t)[i]);
		if (!strcmp(word, name))
			return true;
		add_name(list, size, word);
	}
	return false;
}

enum constant_use { FOR_MASK, FOR_EQUALITY, FOR_ORDER };

/* Make a number one of the type that it is compared with, as C does, or say that it never is. */
static bool fit(struct parser *p, const char *begin, const struct value_type *type, enum constant_use use,
		bool negative, uint64_t *value)
{
	unsigned int bits = 8 * type->size;
	uint64_t all = bits < 64 ? (1ULL << bits) - 1 : ~0ULL;
	int64_t number = *value;

	if (bits >= 64)
		return true;
	if (use == FOR_MASK) {
		*value &= all;
		return true;
	}
	if (type->is_signed) {
		if (number >= -(int64_t)(all / 2) - 1 && number <= (int64_t)(all / 2))
			return true;
		/* as an unsigned int */
		if (use == FOR_EQUALITY && bits == 32 && !negative && *value <= all) {
			*value = (uint64_t)((int64_t)(*value << (64 - bits)) >> (64 - bits));
			return true;
		}
		return fail(p, begin, "out of the range of this type; it has %" PRId64 " to %" PRId64,
			    -(int64_t)(all / 2) - 1, (int64_t)(all / 2));
	}
	/* -1 is the highest unsigned int */
	if (negative && bits == 32 && number < 0)
		*value &= all;
	if (*value <= (type->kind == VALUE_BOOL ? 1 : all))
		return true;
	return fail(p, begin, "out of the range of this type; it has 0 to %" PRIu64, type->kind == VALUE_BOOL ? 1 : all);
}

/* Take a number: of C, of an enum, of errno, or a character. */
static bool take_constant(struct parser *p, const struct place *of, const struct value_type *type,
			  enum constant_use use, uint64_t *value)
{
	char name[NAME_MAX_LEN], list[400] = "";
	bool negative, inverted;
	const char *begin;

	skip_spaces(p);
	begin = p->at;
	negative = accept(p, "-");
	inverted = !negative && accept(p, "~");
	skip_spaces(p);
	if (*p->at == '\'' && p->at[1] && p->at[2] == '\'') {
		*value = p->at[1];
		p->at += 3;
	} else if (take_name(p, name)) {
		if (type->kind == VALUE_ENUM && enum_number(of->btf, type->enumeration, name, value, list, sizeof(list)))
			;
		else if (!strcmp(name, "true") || !strcmp(name, "false"))
			*value = *name == 't';
		else if (!strcmp(name, "NULL"))
			*value = 0;
		else if (!(*value = errno_number(name)))
			return fail(p, begin, "not a number; %s%s", *list ? "the enum has " :
				    "use a number, 'c', NULL, true, false or an error such as -ENOENT", list);
	} else if (!isdigit((unsigned char)*p->at)) {
		return fail(p, begin, *begin ? "not a number; an argument or field comes before the comparison, a constant behind it" :
			    "a number is missing; write it behind the comparison");
	} else if (!take_number(p, value)) {
		return false;
	}
	if (negative)
		*value = -*value;
	if (inverted)
		*value = ~*value;
	return fit(p, begin, type, use, negative || inverted, value);
}

static bool take_relation(struct parser *p, enum nestrace_relation *relation)
{
	static const struct { const char *token; enum nestrace_relation relation; } all[] = {
		{ "==", NESTRACE_EQUAL }, { "!=", NESTRACE_NOT_EQUAL }, { "<=", NESTRACE_LESS_EQUAL },
		{ ">=", NESTRACE_GREATER_EQUAL }, { "<", NESTRACE_LESS }, { ">", NESTRACE_GREATER },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (accept(p, all[i].token)) {
			*relation = all[i].relation;
			return true;
		}
	}
	return false;
}

static enum nestrace_relation opposite(enum nestrace_relation relation)
{
	static const enum nestrace_relation of[NESTRACE_NR_RELATIONS] = {
		[NESTRACE_EQUAL] = NESTRACE_NOT_EQUAL, [NESTRACE_NOT_EQUAL] = NESTRACE_EQUAL,
		[NESTRACE_LESS] = NESTRACE_GREATER_EQUAL, [NESTRACE_GREATER_EQUAL] = NESTRACE_LESS,
		[NESTRACE_GREATER] = NESTRACE_LESS_EQUAL, [NESTRACE_LESS_EQUAL] = NESTRACE_GREATER,
	};

	return of[relation];
}

/* A value that is tested, before the comparison is known. */
struct tested {
	struct place at;
	struct value_type type;
	bool after_not;		/* a ! comes right before it */
};

#define TEXT_COMPARED	"a text is compared; use == \"TEXT\" or != \"TEXT\""

/* Take what may follow a value: a comparison. Without one: is it not 0? */
static bool take_comparison(struct parser *p, struct steps *to, const struct tested *t, bool negate, bool *compares)
{
	struct nestrace_step test = { .op = NESTRACE_OP_TEST };
	enum nestrace_relation relation = NESTRACE_NOT_EQUAL;
	bool is_text = t->type.kind == VALUE_STRING;
	struct value_type type = t->type;
	const char *where;
	uint64_t value = 0;

	skip_spaces(p);
	where = p->at;
	*compares = take_relation(p, &relation);
	if (*compares && t->after_not)
		return fail(p, where, "a ! before a comparison; put the comparison into brackets");
	skip_spaces(p);
	if (*compares && *p->at == '"') {
		if (!is_text)
			return fail(p, p->at, "not a text, but a number; compare it with a number");
		if (relation != NESTRACE_EQUAL && relation != NESTRACE_NOT_EQUAL)
			return fail(p, where, TEXT_COMPARED);
		return take_string(p, to, (relation == NESTRACE_NOT_EQUAL) != negate,
				   t->type.size < 8 * STRING_WORDS ? t->type.size : 0);
	}
	if (is_text) {
		/* a pointer to a text may be NULL */
		if (!t->at.is_pointer)
			return fail(p, where, TEXT_COMPARED);
		type = (struct value_type){ .kind = VALUE_POINTER, .size = 8 };
	}
	if (*compares && !take_constant(p, &t->at, &type, relation <= NESTRACE_NOT_EQUAL ? FOR_EQUALITY : FOR_ORDER,
					&value))
		return false;
	if (*compares && is_text && (value || relation > NESTRACE_NOT_EQUAL))
		return fail(p, where, TEXT_COMPARED " or NULL");
	test.a = negate ? opposite(relation) : relation;
	test.c = type.is_signed;
	test.value = value;
	return add_step(p, to, test);
}

/* Take & MASK, if it is there. */
static bool take_mask(struct parser *p, struct steps *to, const struct tested *t)
{
	uint64_t value;

	skip_spaces(p);
	if (*p->at != '&' || p->at[1] == '&')
		return true;
	if (t->type.kind == VALUE_STRING)
		return fail(p, p->at, TEXT_COMPARED);
	p->at++;
	return take_constant(p, &t->at, &t->type, FOR_MASK, &value) &&
	       add_step(p, to, (struct nestrace_step){ .op = NESTRACE_OP_AND, .value = value });
}

/* Take one comparison. */
static struct node *take_test(struct parser *p, bool negate, bool after_not)
{
	struct node *n = xzalloc(1, sizeof(*n));
	bool ok, compares = true;

	n->test = xzalloc(1, sizeof(*n->test));
	n->tested = xzalloc(1, sizeof(*n->tested));
	n->tested->after_not = after_not;
	n->kind = TEST;
	skip_spaces(p);
	n->at = p->at;
	ok = take_value(p, n->test, &n->tested->at, &n->tested->type, true);
	if (ok)
		n->exit = n->test->nr && n->test->step[0].op == NESTRACE_OP_RETVAL;
	n->entry = !n->exit;
	ok = ok && take_mask(p, n->test, n->tested) && take_comparison(p, n->test, n->tested, negate, &compares);
	n->is_value = !compares;
	if (ok)
		return n;
	free_node(n);
	return NULL;
}

/* A value was in brackets, as in (flags & 1) == 1: take the comparison behind them. */
static bool compare_bracket(struct parser *p, struct node *n, bool negate)
{
	bool compares;

	skip_spaces(p);
	if (*p->at != '=' && *p->at != '!' && *p->at != '<' && *p->at != '>')
		return true;
	n->test->nr--;
	return take_comparison(p, n->test, n->tested, negate, &compares);
}

static struct node *take_either(struct parser *p, bool negate, unsigned int depth);

static struct node *take_unary(struct parser *p, bool negate, unsigned int depth)
{
	bool after_not = false;
	struct node *n;

	skip_spaces(p);
	while (*p->at == '!') {
		after_not = true;
		negate = !negate;
		p->at++;
		skip_spaces(p);
	}
	if (depth > 25) {
		fail(p, p->at, "too many brackets; at most 25 are nested");
		return NULL;
	}
	if (*p->at != '(')
		return take_test(p, negate, after_not);
	p->at++;
	n = take_either(p, negate, depth + 1);
	if (n && !accept(p, ")"))
		fail(p, p->at, "a ) is missing; close each bracket");
	else if (n && n->is_value) {
		n->tested->after_not = after_not;
		if (compare_bracket(p, n, negate))
			return n;
	} else {
		return n;
	}
	free_node(n);
	return NULL;
}

/* Take tests that @token joins. */
static struct node *take_joined(struct parser *p, bool negate, unsigned int depth, bool both)
{
	struct node *n = both ? take_unary(p, negate, depth) : take_joined(p, negate, depth, true), *right;
	const char *at;

	while (n) {
		skip_spaces(p);
		at = p->at;
		if (!accept(p, both ? "&&" : "||"))
			break;
		right = both ? take_unary(p, negate, depth) : take_joined(p, negate, depth, true);
		if (!right) {
			free_node(n);
			return NULL;
		}
		/* not (a and b) is (not a) or (not b) */
		n = join(n, right, both != negate, at);
	}
	return n;
}

static struct node *take_either(struct parser *p, bool negate, unsigned int depth)
{
	return take_joined(p, negate, depth, false);
}

static bool emit(struct parser *p, const struct node *n, struct steps *to)
{
	unsigned int i;

	if (n->kind == TEST) {
		for (i = 0; i < n->test->nr; i++)
			if (!add_step(p, to, n->test->step[i]))
				return false;
		return true;
	}
	return emit(p, n->left, to) && emit(p, n->right, to) &&
	       add_step(p, to, (struct nestrace_step){ .op = n->kind == BOTH ? NESTRACE_OP_BOTH : NESTRACE_OP_EITHER });
}

/* Add a condition to what must hold already. */
static bool emit_also(struct parser *p, const struct node *n, struct steps *to)
{
	bool also = to->nr;

	return emit(p, n, to) && (!also || add_step(p, to, (struct nestrace_step){ .op = NESTRACE_OP_BOTH }));
}

/* Emit what arguments decide, and what the return value decides, each where it is known. */
static bool emit_split(struct parser *p, const struct node *n, struct steps *entry, struct steps *exit)
{
	if (n->kind == BOTH)
		return emit_split(p, n->left, entry, exit) && emit_split(p, n->right, entry, exit);
	if (n->entry && n->exit)
		return fail(p, n->at, "arguments are not kept until the return; join them with && only");
	return emit_also(p, n, n->exit ? exit : entry);
}

bool expression_condition(const struct prototype *of, const char *text, struct steps *entry,
			  struct steps *exit, size_t *failed_at, struct error *e)
{
	struct parser p;
	struct node *n;
	bool ok;

	begin_parser(&p, of, text, text, e);
	*failed_at = 0;
	n = take_either(&p, false, 0);
	if (!n) {
		*failed_at = p.failed_at;
		return false;
	}
	skip_spaces(&p);
	if (*p.at)
		ok = fail(&p, p.at, "not understood; use && or || between comparisons");
	else
		ok = emit_split(&p, n, entry, exit);
	free_node(n);
	*failed_at = p.failed_at;
	return ok;
}
