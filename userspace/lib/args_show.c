// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <event-parse.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/args_show.h"
#include "lib/errnos.h"
#include "lib/memory.h"
#include "lib/prototypes.h"
#include "lib/subbuf.h"
#include "lib/tracedat_read.h"
#include "lib/utf8.h"
#include "lib/values.h"

#define WORDS_MAX	512		/* of a call; a hostile file may say more */
#define TEXT_SIZE	1024

/* A value, as a line describes it. */
struct shown {
	char kind;			/* enum value_kind */
	bool is_signed;
	unsigned int size;
	int word, bit, instead;		/* of a member: byte, bit, bits */
	int more;			/* the number of an enum or struct; -1: none */
	const char *name;
};

struct enumeration {
	unsigned int nr;
	struct { int64_t value; const char *name; } *of;
};

struct structure {
	struct shown *member;
	unsigned int nr;
};

struct function_args {
	const char *name, *module;	/* NULL: of the kernel */
	const char *why;		/* registers are shown; or NULL */
	const char *text;		/* of the values, not taken apart yet */
	struct shown *shown;		/* the first one is the return value; NULL: see @text */
	unsigned int nr;
};

struct args_show {
	char *text;
	struct function_args *of;	/* by name */
	size_t nr;
	struct enumeration *enumeration;
	size_t nr_enumerations;
	struct structure *structure;
	size_t nr_structures;
	struct tep_event *function, *entry;
	int function_at, entry_at;	/* where the words of each are; -1: it has none */
	const struct function_args *last;
	const char *last_name;
	uint64_t word[WORDS_MAX];
	unsigned int nr_words;
	char value[TEXT_SIZE];
};

static int compare(const void *a, const void *b)
{
	const struct function_args *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Where an event has its words, or -1. */
static int words_at(struct tep_event *event)
{
	struct tep_format_field *f = event ? tep_find_field(event, "args") : NULL;

	return f && f->offset >= 0 && !f->size ? f->offset : -1;
}

/* Take the next part of a line, up to a tab. */
static char *part(char **at)
{
	char *begin = *at;

	if (!begin)
		return NULL;
	*at = strchr(begin, '\t');
	if (*at)
		*(*at)++ = '\0';
	return begin;
}

/* Take apart "KIND SIZE WORD BIT INSTEAD NUMBER NAME". Return: false if it is not that. */
static bool take_shown(struct shown *s, char *text)
{
	long number[5];
	char *at = text + 1, *end;
	size_t i;

	if (!*text)
		return false;
	for (i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
		number[i] = strtol(at, &end, 10);
		if (end == at)
			return false;
		if (number[i] < 0 || number[i] > INT_MAX)
			number[i] = -1;
		at = end;
	}
	*s = (struct shown){
		.kind = tolower((unsigned char)*text),
		.is_signed = isupper((unsigned char)*text) || *text == VALUE_SIGNED,
		.size = number[0] > 0 && number[0] < 8 * WORDS_MAX ? number[0] : 0,
		.word = number[1] < 8 * WORDS_MAX ? number[1] : -1, .bit = number[2] < 64 ? number[2] : -1,
		.instead = number[3] < WORDS_MAX ? number[3] : -1,
		.more = number[4], .name = *at == ' ' ? at + 1 : "",
	};
	return true;
}

static void take_enumeration(struct args_show *a, char *at)
{
	char *one = part(&at), *end;
	struct enumeration *e;
	unsigned long nr = strtoul(one, NULL, 10);

	/* they are numbered in their order */
	if (nr != a->nr_enumerations)
		return;
	a->enumeration = xgrow(a->enumeration, nr, sizeof(*e));
	e = &a->enumeration[a->nr_enumerations++];
	*e = (struct enumeration){ 0 };
	while ((one = part(&at))) {
		e->of = xgrow(e->of, e->nr, sizeof(*e->of));
		e->of[e->nr].value = strtoll(one, &end, 10);
		e->of[e->nr++].name = *end == ' ' ? end + 1 : end;
	}
}

static void take_structure(struct args_show *a, char *at)
{
	unsigned long nr = strtoul(part(&at), NULL, 10);
	struct structure *s;
	char *one;

	if (nr != a->nr_structures)
		return;
	a->structure = xgrow(a->structure, nr, sizeof(*s));
	s = &a->structure[a->nr_structures++];
	*s = (struct structure){ 0 };
	while ((one = part(&at))) {
		s->member = xrealloc(s->member, (s->nr + 1) * sizeof(*s->member));
		if (take_shown(&s->member[s->nr], one))
			s->nr++;
	}
}

static void take_function(struct args_show *a, char *at, bool known)
{
	struct function_args f = { .name = part(&at) };
	char *module = strstr(f.name, " [");

	if (module) {
		*module = '\0';
		f.module = module + 2;
		module[2 + strcspn(module + 2, "]")] = '\0';
	}
	f.why = known ? NULL : (at ?: "unknown");
	f.text = known ? at : NULL;
	a->of = xgrow(a->of, a->nr, sizeof(*a->of));
	a->of[a->nr++] = f;
}

static void take_lines(struct args_show *a)
{
	char *line, *save;

	for (line = strtok_r(a->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == 'E' && line[1] == ' ')
			take_enumeration(a, line + 2);
		else if (line[0] == 'S' && line[1] == ' ')
			take_structure(a, line + 2);
		else if ((line[0] == 'F' || line[0] == 'U') && line[1] == ' ')
			take_function(a, line + 2, line[0] == 'F');
	}
	if (a->nr)
		qsort(a->of, a->nr, sizeof(*a->of), compare);
}

struct args_show *args_show_new(const struct tracedat *file, struct tep_handle *tep)
{
	struct args_show *a = xzalloc(1, sizeof(*a));

	a->function = tep_find_event_by_name(tep, "ftrace", "function");
	a->entry = tep_find_event_by_name(tep, "ftrace", "funcgraph_entry");
	a->function_at = words_at(a->function);
	a->entry_at = words_at(a->entry);
	if (!file->args && a->function_at < 0 && a->entry_at < 0) {
		free(a);
		return NULL;
	}
	if (file->args) {
		a->text = utf8_clean(file->args, "\n\t");
		take_lines(a);
	}
	return a;
}

void args_show_free(struct args_show *a)
{
	size_t i;

	if (!a)
		return;
	for (i = 0; i < a->nr; i++)
		free(a->of[i].shown);
	for (i = 0; i < a->nr_enumerations; i++)
		free(a->enumeration[i].of);
	for (i = 0; i < a->nr_structures; i++)
		free(a->structure[i].member);
	free(a->structure);
	free(a->enumeration);
	free(a->of);
	free(a->text);
	free(a);
}

/* Take the values of a function apart when it is first shown: there may be 50,000 functions. */
static void take_values(struct function_args *f)
{
	char *at = (char *)f->text, *one;

	f->shown = xzalloc(1, sizeof(*f->shown));
	while ((one = part(&at))) {
		f->shown = xrealloc(f->shown, (f->nr + 2) * sizeof(*f->shown));
		if (take_shown(&f->shown[f->nr], one))
			f->nr++;
	}
}

/* Find a function. @name: perhaps with its module, as libtraceevent gives it. */
static const struct function_args *find(struct args_show *a, const char *name)
{
	static const struct function_args ambiguous = { .why = "ambiguous" };
	struct function_args key = { .name = name }, *f;
	size_t i;

	if (name == a->last_name)
		return a->last;
	a->last_name = name;
	a->last = NULL;
	f = a->nr ? bsearch(&key, a->of, a->nr, sizeof(*a->of), compare) : NULL;
	if (!f)
		return NULL;
	/* several modules may have one: then nobody knows whose it is here */
	i = f - a->of;
	if ((i && !compare(&a->of[i - 1], f)) || (i + 1 < a->nr && !compare(&a->of[i + 1], f)))
		return a->last = &ambiguous;
	if (!f->shown && !f->why)
		take_values(f);
	return a->last = f;
}

/* Read the words of a call. Return: false if it has none. */
static bool read_words(struct args_show *a, const struct hit *hit)
{
	int at = -1;

	if (a->function && hit->type == a->function->id)
		at = a->function_at;
	else if (a->entry && hit->type == a->entry->id)
		at = a->entry_at;
	if (at < 0 || hit->size - (int)sizeof(uint64_t) < at)
		return false;
	a->nr_words = (hit->size - at) / sizeof(uint64_t);
	if (a->nr_words > WORDS_MAX)
		a->nr_words = WORDS_MAX;
	memcpy(a->word, (const char *)hit->data + at, a->nr_words * sizeof(uint64_t));
	return true;
}

/* ---- values ---- */

static uint64_t cut(uint64_t value, unsigned int size, bool is_signed)
{
	unsigned int unused = size && size < 8 ? 64 - 8 * size : 0;

	return is_signed ? (uint64_t)((int64_t)(value << unused) >> unused) : value << unused >> unused;
}

static const char *enum_name(const struct args_show *a, int nr, int64_t value)
{
	const struct enumeration *e = nr >= 0 && (size_t)nr < a->nr_enumerations ? &a->enumeration[nr] : NULL;
	unsigned int i;

	for (i = 0; e && i < e->nr; i++)
		if (e->of[i].value == value)
			return e->of[i].name;
	return NULL;
}

/* Write a character as in C. Return: its length. */
static size_t put_char(char *to, unsigned char c, char quote)
{
	static const char plain[] = "\nn\tt\rr";
	const char *p = c ? strchr(plain, c) : NULL;

	if (p && (p - plain) % 2 == 0)
		return sprintf(to, "\\%c", p[1]);
	if (c == quote || c == '\\')
		return sprintf(to, "\\%c", c);
	if (c < ' ' || c > '~')
		return sprintf(to, "\\x%02x", c);
	*to = c;
	return 1;
}

#define TEXT_MAX	64	/* bytes of a text that was copied up to its NUL; a shorter one is an array */

/* Write a text in quotes. Dots follow one that may be longer. */
static void string_text(char *to, size_t size, const char *from, size_t max)
{
	size_t len = strnlen(from, max), at = 0, i;

	to[at++] = '"';
	for (i = 0; i < len && at + 16 < size; i++)
		at += put_char(to + at, from[i], '"');
	to[at++] = '"';
	strcpy(to + at, (len + 1 >= max && max >= TEXT_MAX) || i < len ? "..." : "");
}

static void number_text(char *to, size_t size, uint64_t value, bool is_signed)
{
	if (is_signed)
		snprintf(to, size, "%" PRId64, (int64_t)value);
	else if (value >> 32)
		/* addresses, and masks */
		snprintf(to, size, "0x%" PRIx64, value);
	else
		snprintf(to, size, "%" PRIu64, value);
}

/* Return the name of an error if @value, of a signed type, may be one. */
static const char *error_name(int64_t value)
{
	return value < 0 && value >= -4095 ? errno_name(-value) : NULL;
}

/* Write a scalar, and set what @v says of its number. */
static void scalar_text(const struct args_show *a, const struct shown *s, uint64_t word, struct arg_value *v,
			char *to, size_t size)
{
	const char *name;

	v->is_number = true;
	v->is_signed = s->is_signed;
	v->number = cut(word, s->size, s->is_signed);
	switch (s->kind) {
	case VALUE_POINTER:
		snprintf(to, size, "0x%" PRIx64, v->number);
		break;
	case VALUE_BOOL:
		if (v->number > 1)
			number_text(to, size, v->number, false);
		else
			snprintf(to, size, "%s", v->number ? "true" : "false");
		break;
	case VALUE_CHAR:
		number_text(to, size, v->number, s->is_signed);
		if (v->number >= ' ' && v->number <= '~')
			snprintf(to + strlen(to), size - strlen(to), " '%c'", (char)v->number);
		break;
	case VALUE_ENUM:
		name = enum_name(a, s->more, v->number);
		if (name)
			snprintf(to, size, "%s", name);
		else
			number_text(to, size, v->number, s->is_signed);
		break;
	default:
		number_text(to, size, v->number, s->is_signed);
	}
}

/* Write a member of a struct whose words begin at @word. */
static void member_text(const struct args_show *a, const struct shown *m, unsigned int word, char *to, size_t size)
{
	size_t there = word < a->nr_words ? (a->nr_words - word) * sizeof(uint64_t) : 0;
	struct arg_value v;
	uint64_t value = 0;

	strcpy(to, "...");
	if (m->word < 0 || !m->size || m->size > sizeof(value) || m->word + m->size > there)
		return;
	memcpy(&value, (const char *)&a->word[word] + m->word, m->size);
	if (m->instead > 0 && m->bit >= 0 && m->bit + m->instead <= 64) {
		value = value << (64 - m->bit - m->instead);
		value = m->is_signed ? (uint64_t)((int64_t)value >> (64 - m->instead)) : value >> (64 - m->instead);
	}
	scalar_text(a, m, value, &v, to, size);
}

/* Write a struct by value, or what is longer than a word. */
static void words_text(const struct args_show *a, const struct shown *s, char *to, size_t size)
{
	const struct structure *of = s->more >= 0 && (size_t)s->more < a->nr_structures ? &a->structure[s->more] : NULL;
	unsigned int nr = (s->size + 7) / 8, i;
	size_t at = 1;
	char one[64];

	strcpy(to, "{");
	for (i = 0; of && i < of->nr && at + 200 < size; i++) {
		member_text(a, &of->member[i], s->word >= 0 ? s->word : WORDS_MAX, one, sizeof(one));
		at += snprintf(to + at, size - at, "%s%.100s=%s", i ? ", " : "", of->member[i].name, one);
	}
	for (i = 0; !of && s->word >= 0 && i < nr && s->word + i < a->nr_words && at + 32 < size; i++)
		at += snprintf(to + at, size - at, "%s0x%" PRIx64, i ? ", " : "",
			       cut(a->word[s->word + i], i + 1 < nr ? 8 : s->size - 8 * i, false));
	strcpy(to + at, "}");
}

static void make_value(struct args_show *a, const struct shown *s, uint64_t failed, struct arg_value *v)
{
	bool is_there = s->word >= 0 && (unsigned int)s->word < a->nr_words;

	*v = (struct arg_value){ .name = s->name, .text = a->value };
	if (s->kind == VALUE_MORE) {
		strcpy(a->value, "");
	} else if (s->bit >= 0 && failed >> s->bit & 1) {
		/* where a text should be was none */
		if (s->instead >= 0 && (unsigned int)s->instead < a->nr_words)
			scalar_text(a, &(struct shown){ .kind = VALUE_POINTER, .size = 8 }, a->word[s->instead], v,
				    a->value, sizeof(a->value));
		else
			strcpy(a->value, "(not readable)");
	} else if (!is_there && (s->size || s->kind == VALUE_STRING)) {
		strcpy(a->value, "?");
	} else if (s->kind == VALUE_STRING) {
		v->is_string = true;
		string_text(a->value, sizeof(a->value), (const char *)&a->word[s->word],
			    s->size < (a->nr_words - s->word) * 8 ? s->size : (a->nr_words - s->word) * 8);
	} else if (s->kind == VALUE_WORDS || !s->size) {
		words_text(a, s, a->value, sizeof(a->value));
	} else {
		scalar_text(a, s, a->word[s->word], v, a->value, sizeof(a->value));
	}
}

/* Return: where the word of failed reads is; -1: nowhere. */
static int failed_at(const struct function_args *f)
{
	unsigned int i;
	int first = -1;

	for (i = 1; i < f->nr; i++)
		if (f->shown[i].bit >= 0 && (first < 0 || f->shown[i].word < first))
			first = f->shown[i].word;
	return first > 0 ? first - 1 : -1;
}

static void show_registers(struct args_show *a, void (*put)(void *arg, const struct arg_value *value), void *arg)
{
	static const char *const names[REGISTER_ARGS] = { "rdi", "rsi", "rdx", "rcx", "r8", "r9" };
	struct shown s = { .kind = VALUE_POINTER, .size = 8, .bit = -1, .instead = -1 };
	struct arg_value v;
	unsigned int i;

	for (i = 0; i < REGISTER_ARGS && i < a->nr_words; i++) {
		s.word = i;
		s.name = names[i];
		make_value(a, &s, 0, &v);
		put(arg, &v);
	}
}

bool args_show(struct args_show *a, const struct hit *hit, const char *name,
	       void (*put)(void *arg, const struct arg_value *value), void *arg, const char **why)
{
	const struct function_args *f;
	struct arg_value v;
	uint64_t failed;
	unsigned int i;
	int at;

	*why = NULL;
	if (!read_words(a, hit))
		return false;
	f = name ? find(a, name) : NULL;
	if (!f || f->why) {
		*why = f ? f->why : "no BTF";
		show_registers(a, put, arg);
		return true;
	}
	at = failed_at(f);
	failed = at >= 0 && (unsigned int)at < a->nr_words ? a->word[at] : 0;
	for (i = 1; i < f->nr; i++) {
		make_value(a, &f->shown[i], failed, &v);
		put(arg, &v);
	}
	return true;
}

struct line {
	char *to;
	size_t size, len;
	bool any;
};

static void put_in_line(void *arg, const struct arg_value *v)
{
	struct line *l = arg;
	/* "..." has no value */
	bool named = *v->name && *v->text;
	int n;

	if (l->len + 1 >= l->size)
		return;
	n = snprintf(l->to + l->len, l->size - l->len, "%s%s%s%s", l->any ? ", " : "", v->name, named ? "=" : "",
		     v->text);
	l->len = l->len + n < l->size ? l->len + n : l->size - 1;
	l->any = true;
}

bool args_text(struct args_show *a, const struct hit *hit, const char *name, char *to, size_t size)
{
	struct line l = { .to = to, .size = size };
	const char *why;

	*to = '\0';
	if (!args_show(a, hit, name, put_in_line, &l, &why))
		return false;
	if (why && l.len + strlen(why) + sizeof(" /*  */") <= size)
		sprintf(to + l.len, " /* %s */", why);
	return true;
}

const char *args_return_text(struct args_show *a, const char *name, uint64_t value, bool *known)
{
	const struct function_args *f = name && a->nr ? find(a, name) : NULL;
	const struct shown *s = f && f->nr ? &f->shown[0] : NULL;
	/* a struct that does not fit into two registers is at that address; the second one is not recorded */
	const struct shown address = { .kind = VALUE_POINTER, .size = 8 };
	struct arg_value v;
	const char *error;

	*known = s;
	if (!s || s->kind == VALUE_VOID)
		return NULL;
	if (s->kind == VALUE_WORDS)
		s = &address;
	scalar_text(a, s, value, &v, a->value, sizeof(a->value));
	error = s->kind == VALUE_SIGNED || s->kind == VALUE_POINTER || (s->kind == VALUE_UNSIGNED && s->size == 8) ?
		error_name(v.number) : NULL;
	if (error)
		snprintf(a->value, sizeof(a->value), "%" PRId64 " (%s)", (int64_t)v.number, error);
	return a->value;
}

bool args_return_number(struct args_show *a, const char *name, uint64_t value, struct arg_value *v)
{
	const struct function_args *f = name && a->nr ? find(a, name) : NULL;
	const struct shown *s = f && f->nr ? &f->shown[0] : NULL;

	if (!s || s->kind == VALUE_VOID || s->kind == VALUE_WORDS)
		return false;
	*v = (struct arg_value){ .text = a->value };
	scalar_text(a, s, value, v, a->value, sizeof(a->value));
	return true;
}
