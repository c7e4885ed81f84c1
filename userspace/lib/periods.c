// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/periods.h"

#define MAX_DIGITS	18	/* of a number that fits */

/* Read digits. Return: how many, at most MAX_DIGITS, or -1. */
static int digits(const char **at, uint64_t *number)
{
	int nr = 0;

	for (*number = 0; isdigit((unsigned char)**at); (*at)++) {
		if (nr++ == MAX_DIGITS)
			return -1;
		*number = *number * 10 + (**at - '0');
	}
	return nr;
}

/*
 * Read a decimal number and multiply it by @unit. @behind: set to the number of its decimals. Return:
 * false if it has more of them than @unit has zeros.
 */
static bool decimal(const char **at, uint64_t unit, uint64_t *value, int *behind)
{
	uint64_t part;
	int i, nr;

	*behind = 0;
	if (digits(at, value) <= 0 || *value > UINT64_MAX / 2 / unit)
		return false;
	*value *= unit;
	if (**at != '.')
		return true;
	(*at)++;
	nr = digits(at, &part);
	for (i = 0; i < nr; i++)
		unit /= 10;
	*value += part * unit;
	*behind = nr;
	return nr > 0 && unit;
}

bool periods_moment(struct periods_time *t, const char *text)
{
	const char *at = text;
	int behind;

	memset(t, 0, sizeof(*t));
	t->text = text;
	t->has_plain = digits(&at, &t->plain) > 0 && !*at;
	at = text;
	t->has_ns = decimal(&at, 1000000000, &t->ns, &behind) && !*at;
	t->half = behind == 6 ? 500 : 0;
	return t->has_plain || t->has_ns;
}

static bool length(struct periods_time *t, const char *text)
{
	static const struct { const char *name; uint64_t ns; } units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	};
	const char *at;
	size_t i;
	int behind;

	memset(t, 0, sizeof(*t));
	t->text = text;
	at = text;
	t->has_plain = digits(&at, &t->plain) > 0 && !*at;
	for (i = 0; i < sizeof(units) / sizeof(units[0]) && !t->has_ns; i++) {
		at = text;
		t->has_ns = decimal(&at, units[i].ns, &t->ns, &behind) && !strcmp(at, units[i].name);
	}
	return t->has_plain || t->has_ns;
}

bool periods_add_around(struct periods *p, const char *text)
{
	const char *colon = strrchr(text, ':');
	struct periods_around *a;

	if (!colon || colon == text)
		return false;
	p->around = xrealloc(p->around, (p->nr_around + 1) * sizeof(*p->around));
	a = &p->around[p->nr_around];
	memset(a, 0, sizeof(*a));
	if (!length(&a->length, colon + 1))
		return false;
	a->glob = xstrdup(text);
	a->glob[colon - text] = '\0';
	p->nr_around++;
	return true;
}

bool periods_given(const struct periods *p)
{
	return p->since.text || p->until.text || p->nr_around;
}

/* Return: false if @t, of the option @opt with @glob before it, cannot be a time of such a file. */
static bool check(const struct periods_time *t, bool cycles, const char *opt, const char *glob,
		  struct error *e)
{
	if (!t->text || (cycles ? t->has_plain : t->has_ns))
		return true;
	if (cycles)
		return error_set(e, "the file's times have no unit: '%s %s%s%s'; use a plain number, as nestrace report prints",
				 opt, glob, *glob ? ":" : "", t->text);
	if (*glob)
		return error_set(e, "no unit of time: '%s %s:%s'; use ns, us, ms or s", opt, glob, t->text);
	return error_set(e, "not a time in seconds: '%s %s'; use one that nestrace report prints", opt, t->text);
}

static void take_cycles(struct periods_time *t)
{
	t->ns = t->plain;
	t->half = 0;
}

bool periods_begin(struct periods *p, bool cycles, struct error *e)
{
	unsigned int i;

	if (!check(&p->since, cycles, "--since", "", e) || !check(&p->until, cycles, "--until", "", e))
		return false;
	for (i = 0; i < p->nr_around; i++)
		if (!check(&p->around[i].length, cycles, "--around", p->around[i].glob, e))
			return false;
	if (cycles) {
		take_cycles(&p->since);
		take_cycles(&p->until);
		for (i = 0; i < p->nr_around; i++)
			take_cycles(&p->around[i].length);
	}
	p->from = p->since.ns > p->since.half ? p->since.ns - p->since.half : 0;
	/* report rounds a half up, so the last ns that it still prints as this time is one less */
	p->to = p->until.text ? p->until.ns + p->until.half - (p->until.half > 0) : UINT64_MAX;
	if (p->from > p->to)
		return error_set(e, "it ends before it begins: '--since %s --until %s'", p->since.text,
				 p->until.text);
	return true;
}

int periods_match(const struct periods *p, unsigned int i, const char *name)
{
	for (; i < p->nr_around; i++)
		if (!fnmatch(p->around[i].glob, name, 0))
			return i;
	return -1;
}

static void append(struct periods *p, uint64_t from, uint64_t to)
{
	struct period *last = p->nr ? &p->period[p->nr - 1] : NULL;

	from = from < p->from ? p->from : from;
	to = to > p->to ? p->to : to;
	if (from > to)
		return;
	/* calls come in order, nearly all of them */
	if (last && from >= last->from && from <= last->to) {
		if (to > last->to)
			last->to = to;
		return;
	}
	p->period = xgrow(p->period, p->nr, sizeof(*p->period));
	p->period[p->nr++] = (struct period){ from, to };
}

void periods_add(struct periods *p, unsigned int i, uint64_t ts)
{
	uint64_t length = p->around[i].length.ns;

	p->around[i].called = true;
	append(p, ts > length ? ts - length : 0, length < UINT64_MAX - ts ? ts + length : UINT64_MAX);
}

static int by_time(const void *a, const void *b)
{
	const struct period *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

bool periods_end(struct periods *p, struct error *e)
{
	size_t nr, i;

	if (!p->nr_around)
		append(p, 0, UINT64_MAX);
	nr = p->nr;
	if (nr)
		qsort(p->period, nr, sizeof(*p->period), by_time);
	/* merge in place: there may be as many as calls */
	p->nr = 0;
	for (i = 0; i < nr; i++) {
		if (p->nr && p->period[i].from <= p->period[p->nr - 1].to) {
			if (p->period[i].to > p->period[p->nr - 1].to)
				p->period[p->nr - 1].to = p->period[i].to;
		} else {
			p->period[p->nr++] = p->period[i];
		}
	}
	for (i = 0; i < p->nr_around; i++)
		if (!p->around[i].called)
			return error_set(e, "no call of a function that matches: '--around %s:%s'; nestrace stat -i lists those that are called",
					 p->around[i].glob, p->around[i].length.text);
	return true;
}

/* Return the index of the first period that does not end before @ts, or their number. */
static size_t not_before(const struct periods *p, uint64_t ts)
{
	size_t low = 0, high = p->nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (p->period[middle].to < ts)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool periods_overlap(const struct periods *p, uint64_t from, uint64_t to)
{
	size_t i = not_before(p, from);

	return i < p->nr && p->period[i].from <= to;
}

bool periods_have(struct periods *p, uint64_t ts)
{
	if (p->now < p->nr && ts >= p->period[p->now].from && ts <= p->period[p->now].to)
		return true;
	p->now = not_before(p, ts);
	return p->now < p->nr && ts >= p->period[p->now].from;
}

void periods_free(struct periods *p)
{
	unsigned int i;

	for (i = 0; i < p->nr_around; i++)
		free(p->around[i].glob);
	free(p->around);
	free(p->period);
}
