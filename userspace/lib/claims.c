// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/claims.h"
#include "lib/context.h"
#include "lib/kallsyms.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/symbols.h"
#include "lib/time_span.h"

const char *const claim_names[CLAIM_KINDS] = { "never", "always", "max", "max-time" };

/* Take "CONTEXT:" off. Return: what follows. */
static const char *take_context(struct claim *c, const char *text)
{
	size_t len = strcspn(text, ":");
	unsigned int slot;

	c->slot = -1;
	if (!text[len])
		return text;
	if (len == strlen("any") && !strncmp(text, "any", len))
		return text + len + 1;
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		if (strlen(context_names[slot]) != len || strncmp(context_names[slot], text, len))
			continue;
		c->slot = context_slot(slot);
		return text + len + 1;
	}
	return text;
}

static bool take_count(const char *text, uint64_t *count)
{
	char *end;

	errno = 0;
	*count = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *count;
}

bool claims_add(struct claims *c, enum claim_kind kind, const char *text, struct error *e)
{
	struct claim new = { .kind = kind, .text = text };
	const char *rest = take_context(&new, text), *limit = strrchr(rest, '<');
	bool limited = kind == CLAIM_MAX || kind == CLAIM_MAX_TIME, good;

	if (limited && !limit)
		return error_set(e, "no limit: '--%s %s'; add one, such as '<%s'", claim_names[kind], text,
				 kind == CLAIM_MAX ? "1000" : "2ms");
	if (!limited && limit)
		return error_set(e, "a limit is for --max and --max-time: '--%s %s'; leave it out", claim_names[kind], text);
	good = !limited || (kind == CLAIM_MAX ? take_count(limit + 1, &new.limit) : time_span_parse(limit + 1, &new.limit));
	if (!good)
		return error_set(e, kind == CLAIM_MAX ? "not a number of calls above 0: '--%s %s'; use a whole number" :
							"not a time from 1ns on: '--%s %s'; use a number with ns, us, ms or s",
				 claim_names[kind], text);
	new.glob = strndup(rest, limited ? (size_t)(limit - rest) : strlen(rest));
	if (!new.glob)
		out_of_memory();
	if (!*new.glob) {
		free(new.glob);
		return error_set(e, "no function: '--%s %s'; name one, or a glob, as CONTEXT:GLOB", claim_names[kind], text);
	}
	function_glob_set(&new.functions, new.glob);
	c->claim = xrealloc(c->claim, (c->nr + 1) * sizeof(*c->claim));
	c->claim[c->nr++] = new;
	return true;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void add_start(struct claim *c, uint64_t start)
{
	c->start = xgrow(c->start, c->nr, sizeof(*c->start));
	c->start[c->nr++] = start;
}

/* ftrace selects by the first of several symbols at an address. @first: that, or @line itself. */
static void add_line(struct claim *c, const struct kallsyms_line *line, const struct kallsyms_line *first)
{
	if (!function_glob_matches(&c->functions, line))
		return;
	if (function_glob_matches(&c->functions, first)) {
		add_start(c, line->start);
	} else {
		snprintf(c->alias, sizeof(c->alias), "%s", line->name);
		snprintf(c->known_as, sizeof(c->known_as), "%s", first->name);
	}
}

static void add_symbol(void *claims, const struct symbol *s)
{
	struct kallsyms_line line = { .start = s->start, .name = s->name, .module = s->module };
	struct claims *c = claims;
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		add_line(&c->claim[i], &line, &line);
}

/* The lines that are being read. */
struct lines {
	struct claims *claims;
	struct kallsyms_line first;	/* of those at this address */
};

static void take_line(void *arg, const struct kallsyms_line *line)
{
	struct lines *l = arg;
	unsigned int i;

	/* hidden addresses are 0 */
	if (!line->start)
		return;
	if (line->start != l->first.start)
		l->first = *line;
	for (i = 0; i < l->claims->nr; i++)
		add_line(&l->claims->claim[i], line, &l->first);
}

void claims_find(struct claims *c, const char *kallsyms, struct modules *m)
{
	unsigned int i;

	kallsyms_functions(kallsyms, take_line, &(struct lines){ .claims = c });
	if (m)
		modules_symbols(m, true, add_symbol, c);
	for (i = 0; i < c->nr; i++)
		if (c->claim[i].nr)
			qsort(c->claim[i].start, c->claim[i].nr, sizeof(uint64_t), compare);
}

bool claim_has(const struct claim *c, uint64_t start)
{
	return c->nr && bsearch(&start, c->start, c->nr, sizeof(start), compare);
}

void claims_free(struct claims *c)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++) {
		free(c->claim[i].glob);
		free(c->claim[i].functions.name);
		free(c->claim[i].start);
	}
	free(c->claim);
}
