// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/claims.h"
#include "lib/context.h"
#include "lib/kallsyms.h"
#include "lib/memory.h"

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

static bool take_time(const char *text, uint64_t *ns)
{
	static const struct { const char *unit; uint64_t ns; } units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	};
	double number;
	char *end;
	size_t i;

	number = strtod(text, &end);
	for (i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) || !(number > 0) || number * units[i].ns >= 1e18)
			continue;
		*ns = number * units[i].ns;
		return *ns;
	}
	return false;
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
	good = !limited || (kind == CLAIM_MAX ? take_count(limit + 1, &new.limit) : take_time(limit + 1, &new.limit));
	if (!good)
		return error_set(e, kind == CLAIM_MAX ? "not a number of calls above 0: '--%s %s'; use a whole number" :
							"not a time: '--%s %s'; use a number with ns, us, ms or s",
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

void claims_find(struct claims *c, const char *kallsyms)
{
	char *copy = xstrdup(kallsyms), *text, *save;
	struct kallsyms_line line;
	struct claim *claim;

	for (text = strtok_r(copy, "\n", &save); text; text = strtok_r(NULL, "\n", &save)) {
		if (!kallsyms_parse(text, &line) || !kallsyms_is_function(line.type))
			continue;
		for (claim = c->claim; claim < c->claim + c->nr; claim++) {
			if (!function_glob_matches(&claim->functions, &line))
				continue;
			if (!(claim->nr & (claim->nr - 1)))
				claim->start = xrealloc(claim->start, (claim->nr ? 2 * claim->nr : 1) * sizeof(uint64_t));
			claim->start[claim->nr++] = line.start;
		}
	}
	free(copy);
	for (claim = c->claim; claim < c->claim + c->nr; claim++)
		if (claim->nr)
			qsort(claim->start, claim->nr, sizeof(uint64_t), compare);
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
