// SPDX-License-Identifier: GPL-2.0
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/functions.h"
#include "lib/kallsyms.h"
#include "lib/memory.h"
#include "lib/module_name.h"

struct function_glob {
	const char *text;		/* as it was given */
	char *name, *module;		/* @module NULL: of the kernel and every module */
	bool found;
};

/* Take "[GLOB]:mod:MODULE" apart. */
static void split(struct function_glob *g, const char *text)
{
	char *module;

	*g = (struct function_glob){ .text = text, .name = xstrdup(text) };
	module = strstr(g->name, ":mod:");
	if (!module)
		return;
	*module = '\0';
	g->module = module + strlen(":mod:");
	module_name_fix(g->module);
}

static bool matches(const struct function_glob *g, const struct kallsyms_line *line)
{
	if (g->module && (!line->module || strcmp(g->module, line->module)))
		return false;
	return !*g->name || !fnmatch(g->name, line->name, FNM_NOESCAPE);
}

static void add_all(FILE *f, struct function_glob *g, unsigned int nr_globs, uint64_t **start,
		    size_t *nr)
{
	struct kallsyms_line line;
	char text[1024];
	unsigned int i;
	bool any;

	while (fgets(text, sizeof(text), f)) {
		if (!kallsyms_parse(text, &line) || !line.start || !kallsyms_is_function(line.type))
			continue;
		for (any = false, i = 0; i < nr_globs; i++) {
			if (!matches(&g[i], &line))
				continue;
			g[i].found = any = true;
		}
		if (!any)
			continue;
		if (!(*nr & (*nr - 1)))
			*start = xrealloc(*start, (*nr ? 2 * *nr : 1) * sizeof(**start));
		(*start)[(*nr)++] = line.start;
	}
}

bool functions_matching(const char *const *globs, unsigned int nr_globs, uint64_t **start, size_t *nr,
			struct error *e)
{
	struct function_glob *g = xzalloc(nr_globs, sizeof(*g));
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned int i;
	bool ok = f;

	*start = NULL;
	*nr = 0;
	if (!f)
		error_set_errno(e, "cannot read the functions' addresses from '/proc/kallsyms'");
	for (i = 0; i < nr_globs; i++)
		split(&g[i], globs[i]);
	if (f)
		add_all(f, g, nr_globs, start, nr);
	for (i = 0; ok && i < nr_globs; i++)
		if (!g[i].found)
			ok = error_set(e, "no function matches --stack-of: '%s'; see nestrace list; without CAP_SYSLOG the kernel hides addresses",
				       g[i].text);
	for (i = 0; i < nr_globs; i++)
		free(g[i].name);
	free(g);
	if (f)
		fclose(f);
	if (ok)
		return true;
	free(*start);
	*start = NULL;
	return false;
}
