// SPDX-License-Identifier: GPL-2.0
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/functions.h"
#include "lib/kallsyms.h"
#include "lib/memory.h"
#include "lib/module_name.h"

void function_glob_set(struct function_glob *g, const char *text)
{
	char *module;

	*g = (struct function_glob){ .name = xstrdup(text) };
	module = strstr(g->name, ":mod:");
	if (module) {
		g->module = module + strlen(":mod:");
	} else {
		module = strstr(g->name, " [");
		if (!module)
			return;
		g->module = module + strlen(" [");
		g->module[strcspn(g->module, "]")] = '\0';
	}
	*module = '\0';
	module_name_fix(g->module);
}

bool function_glob_matches(const struct function_glob *g, const struct kallsyms_line *line)
{
	if (g->module && (!line->module || strcmp(g->module, line->module)))
		return false;
	return !*g->name || !fnmatch(g->name, line->name, FNM_NOESCAPE);
}

bool functions_each(const char *const *globs, unsigned int nr_globs, bool *found,
		    void (*each)(void *arg, const struct kallsyms_line *line), void *arg, struct error *e)
{
	struct function_glob *g = xzalloc(nr_globs + 1, sizeof(*g));
	FILE *f = fopen("/proc/kallsyms", "re");
	struct kallsyms_line line;
	char text[1024];
	unsigned int i;
	bool any;

	for (i = 0; i < nr_globs; i++)
		function_glob_set(&g[i], globs[i]);
	while (f && fgets(text, sizeof(text), f)) {
		if (!kallsyms_parse(text, &line) || !line.start || !kallsyms_is_function(line.type))
			continue;
		for (any = !nr_globs, i = 0; i < nr_globs; i++) {
			if (!function_glob_matches(&g[i], &line))
				continue;
			any = true;
			if (found)
				found[i] = true;
		}
		if (any)
			each(arg, &line);
	}
	for (i = 0; i < nr_globs; i++)
		free(g[i].name);
	free(g);
	if (!f)
		return error_set_errno(e, "cannot read the functions' addresses from '/proc/kallsyms'");
	fclose(f);
	return true;
}

struct starts {
	uint64_t *start;
	size_t nr;
};

static void add_start(void *arg, const struct kallsyms_line *line)
{
	struct starts *s = arg;

	s->start = xgrow(s->start, s->nr, sizeof(*s->start));
	s->start[s->nr++] = line->start;
}

bool functions_matching(const char *const *globs, unsigned int nr_globs, uint64_t **start, size_t *nr,
			struct error *e)
{
	struct starts s = { 0 };
	bool *found = xzalloc(nr_globs, sizeof(*found));
	bool ok = functions_each(globs, nr_globs, found, add_start, &s, e);
	unsigned int i;

	for (i = 0; ok && i < nr_globs; i++) {
		if (!found[i])
			ok = error_set(e, "no function matches --stack-of: '%s'; see nestrace list; without CAP_SYSLOG the kernel hides addresses",
				       globs[i]);
	}
	free(found);
	if (!ok) {
		free(s.start);
		s = (struct starts){ 0 };
	}
	*start = s.start;
	*nr = s.nr;
	return ok;
}

/* The functions that -l selects and -n leaves. */
struct left {
	struct function_glob *left_out;
	unsigned int nr_left_out;
	bool any, some;		/* there are functions; some of them are left */
};

static void look_at_left(void *arg, const struct kallsyms_line *line)
{
	struct left *l = arg;
	unsigned int i;

	l->any = true;
	if (l->some)
		return;
	for (i = 0; i < l->nr_left_out; i++)
		if (function_glob_matches(&l->left_out[i], line))
			return;
	l->some = true;
}

bool functions_none_left(const char *const *globs, unsigned int nr_globs, const char *const *left_out,
			 unsigned int nr_left_out)
{
	struct left l = { .left_out = xzalloc(nr_left_out + 1, sizeof(*l.left_out)), .nr_left_out = nr_left_out };
	struct error ignored;
	unsigned int i;
	bool none;

	for (i = 0; i < nr_left_out; i++)
		function_glob_set(&l.left_out[i], left_out[i]);
	none = functions_each(globs, nr_globs, NULL, look_at_left, &l, &ignored) && l.any && !l.some;
	for (i = 0; i < nr_left_out; i++)
		free(l.left_out[i].name);
	free(l.left_out);
	return none;
}

static void ignore(void *arg, const struct kallsyms_line *line)
{
}

bool functions_exist(const char *name)
{
	struct error ignored;
	bool found = false;

	return functions_each(&name, 1, &found, ignore, NULL, &ignored) && found;
}
