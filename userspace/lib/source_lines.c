// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/kallsyms.h"
#include "lib/memory.h"
#include "lib/module_name.h"
#include "lib/names.h"
#include "lib/source_lines.h"
#include "lib/tracedat_read.h"
#include "lib/utf8.h"

#ifndef HAVE_LIBDW

struct source_lines *source_lines_new(const struct tracedat *file, struct tep_handle *tep,
				      const char *const *path, unsigned int nr, struct error *e)
{
	error_set(e, "this nestrace was built without libdw: '--line'; install libdw-dev or elfutils-devel, and build it again");
	return NULL;
}

const char *source_lines_call(struct source_lines *s, uint64_t ip)
{
	return NULL;
}

const char *source_lines_code(struct source_lines *s, uint64_t ip)
{
	return NULL;
}

const char *source_lines_function(struct source_lines *s, uint64_t ip)
{
	return NULL;
}

void source_lines_free(struct source_lines *s)
{
}

#else

#include <elfutils/libdwfl.h>

#define KERNEL	"kernel"	/* libdwfl's name of vmlinux */
#define CACHE	4096		/* places whose lines are kept */

struct function {
	const char *name;
	Dwfl_Module *elf;
	GElf_Addr start;
	GElf_Word section;
};

/* A module that the file has functions of, and where they are. */
struct module {
	char *name;
	uint64_t first, last;
	Dwfl_Module *elf;		/* NULL: not found */
};

struct place {
	uint64_t ip;			/* 0: free */
	char *line;
};

struct source_lines {
	Dwfl *dwfl;
	struct tep_handle *tep;
	Dwfl_Module *kernel;
	uint64_t bias;			/* of the addresses recorded to those of vmlinux */
	bool placed;			/* @bias is known */
	struct function *function;	/* by name */
	size_t nr;
	struct module *module;
	size_t nr_modules;
	struct place place[CACHE];
};

/* For libdwfl, whose predicate has no argument. */
static const struct source_lines *wanted;

static char *no_path;
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_kernel_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &no_path,
};

static struct module *module_named(const struct source_lines *s, const char *name, size_t len)
{
	size_t i;

	/* the symbols of a module follow one another, so look at the newest first */
	for (i = s->nr_modules; i--;)
		if (!strncmp(s->module[i].name, name, len) && !s->module[i].name[len])
			return &s->module[i];
	return NULL;
}

static void add_module_symbol(struct source_lines *s, const char *name, size_t len, uint64_t start)
{
	struct module *m = module_named(s, name, len);

	if (!m) {
		s->module = xrealloc(s->module, (s->nr_modules + 1) * sizeof(*s->module));
		m = &s->module[s->nr_modules++];
		*m = (struct module){ .name = strndup(name, len), .first = start, .last = start };
		if (!m->name)
			out_of_memory();
	}
	if (start < m->first)
		m->first = start;
	if (start > m->last)
		m->last = start;
}

/* Note the modules of the file's symbols, "ADDRESS TYPE NAME	[MODULE]", and where the kernel begins. */
static void note_modules(struct source_lines *s, const char *symbols)
{
	const char *end, *open, *at;

	for (at = symbols; *at; at = *end ? end + 1 : end) {
		end = strchrnul(at, '\n');
		open = memrchr(at, '[', end - at);
		if (open && end[-1] == ']' && open > at && open[-1] == '\t')
			add_module_symbol(s, open + 1, end - open - 2, strtoull(at, NULL, 16));
	}
	at = strstr(symbols, " T _stext\n");
	while (at && at > symbols && at[-1] != '\n')
		at--;
	if (at) {
		s->bias = strtoull(at, NULL, 16);
		s->placed = true;
	}
}

/* Return the module whose name libdwfl or a user spells so. */
static struct module *find_module(const struct source_lines *s, const char *spelt)
{
	char *name = xstrdup(spelt);
	struct module *m;

	module_name_fix(name);
	m = module_named(s, name, strlen(name));
	free(name);
	return m;
}

/* Does the file have functions of the module, and was no ELF file of it given? */
static int is_wanted(const char *name, const char *path)
{
	const struct module *m;

	if (!name || !strcmp(name, KERNEL))
		return !wanted->kernel;
	m = find_module(wanted, name);
	return m && !m->elf;
}

static bool has_lines(Dwfl_Module *elf)
{
	Dwarf_Addr bias;

	return elf && dwfl_module_getdwarf(elf, &bias);
}

/* Report an ELF file that the user gave. vmlinux has no suffix .ko. */
static bool add_elf(struct source_lines *s, const char *path, struct error *e)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path, *ko = strstr(base, ".ko");
	char *name = ko ? strndup(base, ko - base) : xstrdup(KERNEL);
	struct module *m;
	Dwfl_Module *elf;

	if (!name)
		out_of_memory();
	m = ko ? find_module(s, name) : NULL;
	elf = dwfl_report_offline(s->dwfl, name, path, -1);
	if (elf && !has_lines(elf)) {
		error_set(e, "no debug information: '%s'; name a file with DWARF", path);
		elf = NULL;
	} else if (elf && !ko)
		s->kernel = elf;
	else if (elf && m)
		m->elf = elf;
	else if (elf)
		error_set(e, "no function of this module was recorded: '%s'; check the file's name", path);
	else
		error_set(e, "cannot read debug information: '%s'; %s", path, dwfl_errmsg(-1));
	free(name);
	return elf && (m || !ko);
}

static int by_name(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void add_function(struct source_lines *s, Dwfl_Module *elf, const char *name, GElf_Addr start,
			 GElf_Word section)
{
	s->function = xgrow(s->function, s->nr, sizeof(*s->function));
	s->function[s->nr++] = (struct function){ .name = name, .elf = elf, .start = start, .section = section };
}

/* Take the functions of an ELF file, and where the kernel begins. */
static int take_symbols(Dwfl_Module *elf, void **user, const char *name, Dwarf_Addr base, void *arg)
{
	struct source_lines *s = arg;
	struct module *m = find_module(s, name);
	const char *symbol;
	GElf_Addr start;
	GElf_Word section;
	GElf_Sym sym;
	int i, nr, type;

	nr = dwfl_module_getsymtab(elf);
	if (!strcmp(name, KERNEL))
		s->kernel = elf;
	else if (m)
		m->elf = elf;
	for (i = 1; i < nr; i++) {
		symbol = dwfl_module_getsym_info(elf, i, &sym, &start, &section, NULL, NULL);
		if (!symbol || !*symbol || sym.st_shndx == SHN_UNDEF)
			continue;
		/* functions in assembly have no type */
		type = GELF_ST_TYPE(sym.st_info);
		if (type == STT_FUNC || type == STT_NOTYPE)
			add_function(s, elf, symbol, start, section);
		if (elf == s->kernel && s->placed && !strcmp(symbol, "_stext"))
			s->bias -= start;
	}
	return DWARF_CB_OK;
}

/* Return the release of the kernel in "Linux HOST RELEASE MACHINE", to be freed; or NULL. */
static char *release_of(const struct tracedat *file)
{
	char *release = NULL;

	if (!file->uname || sscanf(file->uname, "%*s %*s %ms", &release) != 1)
		return NULL;
	/* libdwfl would take it for a folder */
	if (!strchr(release, '/'))
		return release;
	free(release);
	return NULL;
}

/* Return where the functions of the name begin in the list, and set *@nr to their number. */
static const struct function *named(const struct source_lines *s, const char *name, size_t *nr)
{
	struct function key = { .name = name };
	const struct function *f = s->nr ? bsearch(&key, s->function, s->nr, sizeof(key), by_name) : NULL;

	for (*nr = 0; f && f > s->function && !by_name(f - 1, f);)
		f--;
	while (f && f + *nr < s->function + s->nr && !by_name(f + *nr, f))
		++*nr;
	return f;
}

/* Return the ELF file of the code at @start; NULL: not known. */
static Dwfl_Module *elf_of(const struct source_lines *s, uint64_t start)
{
	size_t i;

	for (i = 0; i < s->nr_modules; i++)
		if (start >= s->module[i].first && start <= s->module[i].last)
			return s->module[i].elf;
	return s->placed ? s->kernel : NULL;
}

/* Return the only function of the name in an ELF file; NULL: there is none, or there are several. */
static const struct function *only_named(const struct source_lines *s, const char *name, Dwfl_Module *elf)
{
	const struct function *f, *found = NULL;
	size_t nr, i;

	f = named(s, name, &nr);
	for (i = 0; i < nr; i++) {
		if (f[i].elf != elf)
			continue;
		if (found && found->start != f[i].start)
			return NULL;
		found = &f[i];
	}
	return found;
}

/*
 * Find a function in its ELF file. The kernel's has to be where it was, or it is that of another kernel. In a
 * module, whose sections are anywhere, the name has to be its only one.
 */
static const struct function *find_function(const struct source_lines *s, const char *name, uint64_t start)
{
	const struct function *f, *found = NULL;
	Dwfl_Module *elf = elf_of(s, start);
	size_t nr, i;

	if (!elf || elf != s->kernel)
		return elf ? only_named(s, name, elf) : NULL;
	f = named(s, name, &nr);
	for (i = 0; i < nr; i++)
		if (f[i].elf == elf && f[i].start == start - s->bias)
			found = &f[i];
	return found;
}

/* By how much the functions of a section were moved. */
struct move {
	Dwfl_Module *elf;
	GElf_Word section;
	uint64_t by;
};

struct moves {
	const struct source_lines *lines;
	struct move *move;
	size_t nr;
};

static int by_section(const struct move *a, const struct move *b)
{
	if (a->elf != b->elf)
		return a->elf < b->elf ? -1 : 1;
	return (a->section > b->section) - (a->section < b->section);
}

static int by_move(const void *a, const void *b)
{
	const struct move *x = a, *y = b;

	return by_section(x, y) ?: (x->by > y->by) - (x->by < y->by);
}

/* Add the move of a function that the file and its ELF file have once. */
static void add_move(void *arg, const struct kallsyms_line *line)
{
	struct moves *m = arg;
	Dwfl_Module *elf = elf_of(m->lines, line->start);
	const struct function *f = elf ? only_named(m->lines, line->name, elf) : NULL;

	if (!f)
		return;
	m->move = xgrow(m->move, m->nr, sizeof(*m->move));
	m->move[m->nr++] = (struct move){ .elf = elf, .section = f->section, .by = line->start - f->start };
}

/* Return how many moves the section of the first one has. Set *@same to the most of them that are alike. */
static size_t alike(const struct move *first, const struct move *end, size_t *same)
{
	const struct move *m;
	size_t run = 0;

	for (*same = 0, m = first; m < end && !by_section(m, first); m++) {
		run = m > first && m->by == m[-1].by ? run + 1 : 1;
		if (run > *same)
			*same = run;
	}
	return m - first;
}

/*
 * Is each ELF file of the build that was recorded? If so, nearly all functions of a section are moved by the same.
 * Return: NULL, or one that is not.
 */
static Dwfl_Module *other_build(const struct source_lines *s, const struct tracedat *file)
{
	struct moves m = { .lines = s };
	Dwfl_Module *other = NULL;
	size_t i, all, same;

	kallsyms_functions(file->kallsyms, add_move, &m);
	if (m.nr)
		qsort(m.move, m.nr, sizeof(*m.move), by_move);
	for (i = 0; i < m.nr; i += all) {
		all = alike(&m.move[i], &m.move[m.nr], &same);
		/* a symbol may be an alias, or have come later */
		if (same * 20 < all * 19 && all > 2)
			other = m.move[i].elf;
	}
	free(m.move);
	return other;
}

/* Return: false, and why, if one of the ELF files cannot be right. */
static bool check_elfs(const struct source_lines *s, const struct tracedat *file, struct error *e)
{
	Dwfl_Module *other = other_build(s, file);
	const char *name, *path;

	if (!other)
		return true;
	name = dwfl_module_info(other, NULL, NULL, NULL, NULL, NULL, &path, NULL);
	return error_set(e, "its functions are not where they were recorded: '%s'; it is of another build of the %s%s",
			 path ? path : name, strcmp(name, KERNEL) ? "module " : "", name);
}

struct source_lines *source_lines_new(const struct tracedat *file, struct tep_handle *tep,
				      const char *const *path, unsigned int nr, struct error *e)
{
	struct source_lines *s = xzalloc(1, sizeof(*s));
	char *release = release_of(file);
	unsigned int i;
	bool good;

	s->tep = tep;
	note_modules(s, file->kallsyms);
	s->dwfl = dwfl_begin(&callbacks);
	if (!s->dwfl)
		out_of_memory();
	dwfl_report_begin(s->dwfl);
	for (good = true, i = 0; good && i < nr; i++)
		good = add_elf(s, path[i], e);
	wanted = s;
	/* it fails also where it finds the kernel, but no modules */
	if (good && release)
		dwfl_linux_kernel_report_offline(s->dwfl, release, is_wanted);
	dwfl_report_end(s->dwfl, NULL, NULL);
	if (good)
		dwfl_getmodules(s->dwfl, take_symbols, s, 0);
	if (good && !nr && !release)
		good = error_set(e, "the file does not say which kernel recorded it: '%s'; name vmlinux or a module with --line-from",
				 file->path);
	else if (good && !nr && !has_lines(s->kernel))
		good = error_set(e, "no debug information of the kernel is installed: '%s'; install it (Debian: linux-image-%s-dbg), or name vmlinux or a module with --line-from",
				 release, release);
	free(release);
	if (good && s->nr)
		qsort(s->function, s->nr, sizeof(*s->function), by_name);
	good = good && check_elfs(s, file, e);
	if (good)
		return s;
	source_lines_free(s);
	return NULL;
}

static char *line_at(Dwfl_Module *elf, GElf_Addr addr)
{
	Dwfl_Line *line = dwfl_module_getsrc(elf, addr);
	const char *source, *dir;
	char *text, *clean;
	int nr;

	source = line ? dwfl_lineinfo(line, NULL, &nr, NULL, NULL, NULL) : NULL;
	if (!source)
		return NULL;
	/* as it was in the folder where it was built */
	dir = dwfl_line_comp_dir(line);
	if (dir && !strncmp(source, dir, strlen(dir)) && source[strlen(dir)] == '/')
		source += strlen(dir) + 1;
	while (!strncmp(source, "./", 2))
		source += 2;
	clean = utf8_clean(source, "");
	if (asprintf(&text, "%s:%d", clean, nr) < 0)
		out_of_memory();
	free(clean);
	return text;
}

static char *find(const struct source_lines *s, uint64_t ip)
{
	const char *name = names_find(s->tep, ip);
	uint64_t start = names_start(s->tep, ip);
	const struct function *f = name ? find_function(s, name, start) : NULL;

	return f ? line_at(f->elf, f->start + (ip - start)) : NULL;
}

const char *source_lines_code(struct source_lines *s, uint64_t ip)
{
	struct place *p = &s->place[(ip * 0x9e3779b97f4a7c15ULL >> 32) % CACHE];

	if (p->ip != ip) {
		free(p->line);
		*p = (struct place){ .ip = ip, .line = find(s, ip) };
	}
	return p->line;
}

const char *source_lines_call(struct source_lines *s, uint64_t ip)
{
	/* the last byte of the call; a function does not begin with what returns */
	return ip == names_start(s->tep, ip) ? NULL : source_lines_code(s, ip - 1);
}

const char *source_lines_function(struct source_lines *s, uint64_t ip)
{
	return source_lines_code(s, names_start(s->tep, ip));
}

void source_lines_free(struct source_lines *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < CACHE; i++)
		free(s->place[i].line);
	for (i = 0; i < s->nr_modules; i++)
		free(s->module[i].name);
	free(s->module);
	free(s->function);
	dwfl_end(s->dwfl);
	free(s);
}

#endif
