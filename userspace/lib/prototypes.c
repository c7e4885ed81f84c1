// SPDX-License-Identifier: GPL-2.0
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/functions.h"
#include "lib/kallsyms.h"
#include "lib/memory.h"
#include "lib/prototypes.h"

#define BTF_DIR		"/sys/kernel/btf"

uint32_t plain_type(const struct btf *btf, uint32_t type)
{
	const struct btf_type *t;
	unsigned int steps;

	/* a chain of a hostile BTF may be a ring */
	for (steps = 0; type && steps < 64; steps++) {
		t = btf__type_by_id(btf, type);
		if (!t)
			return 0;
		if (!btf_is_mod(t) && !btf_is_typedef(t) && !btf_is_type_tag(t))
			return type;
		type = t->type;
	}
	return 0;
}

static int compare_modules(const char *a, const char *b)
{
	if (!a || !b)
		return !!a - !!b;
	return strcmp(a, b);
}

static int compare(const void *a, const void *b)
{
	const struct prototype *x = a, *y = b;

	return strcmp(x->name, y->name) ?: compare_modules(x->module, y->module);
}

static struct prototype *find(const struct prototypes *p, const char *name, const char *module)
{
	struct prototype key = { .name = (char *)name, .module = (char *)module };

	return p->nr ? bsearch(&key, p->of, p->nr, sizeof(*p->of), compare) : NULL;
}

static void add_function(void *arg, const struct kallsyms_line *line)
{
	struct prototypes *p = arg;

	/* room that the compiler leaves before a function */
	if (!strncmp(line->name, "__pfx_", strlen("__pfx_")) || !strncmp(line->name, "__cfi_", strlen("__cfi_")))
		return;
	p->of = xgrow(p->of, p->nr, sizeof(*p->of));
	p->of[p->nr++] = (struct prototype){
		.name = xstrdup(line->name), .module = line->module ? xstrdup(line->module) : NULL,
		.start = line->start, .copies = 1,
	};
}

/* Sort them, and make one of those with the same name. */
static void sort(struct prototypes *p)
{
	size_t nr = 0, i;

	qsort(p->of, p->nr, sizeof(*p->of), compare);
	for (i = 0; i < p->nr; i++) {
		if (nr && !compare(&p->of[nr - 1], &p->of[i])) {
			p->of[nr - 1].copies++;
			free(p->of[i].name);
			free(p->of[i].module);
		} else {
			p->of[nr++] = p->of[i];
		}
	}
	p->nr = nr;
}

/*
 * Is a value of this type where prototype_parameters() looks for it? Not if it has floating point, an __int128, a
 * member that is not aligned, or more alignment than its members need.
 */
static bool is_plain(const struct btf *btf, uint32_t type, unsigned int depth)
{
	uint32_t plain = plain_type(btf, type);
	const struct btf_type *t = plain ? btf__type_by_id(btf, plain) : NULL;
	const struct btf_member *m;
	uint64_t bit, end = 0, align;
	unsigned int i;

	if (!t || depth > 16)
		return !t;
	if (btf_is_array(t))
		return is_plain(btf, btf_array(t)->type, depth + 1);
	if (!btf_is_composite(t))
		return !btf_is_float(t) && !(btf_is_int(t) && t->size > 8);
	for (i = 0, m = btf_members(t); i < btf_vlen(t); i++, m++) {
		bit = btf_member_bit_offset(t, i);
		if (!is_plain(btf, m->type, depth + 1) ||
		    (!btf_member_bitfield_size(t, i) && bit % (8 * btf__align_of(btf, m->type))))
			return false;
		bit = bit / 8 + (btf_member_bitfield_size(t, i) ? (bit % 8 + btf_member_bitfield_size(t, i) + 7) / 8 :
				 (uint64_t)btf__resolve_size(btf, m->type));
		end = bit > end ? bit : end;
	}
	align = btf__align_of(btf, plain);
	return !align || t->size <= (end + align - 1) / align * align;
}

/* The same for all parameters, and what it returns. */
static bool is_sure(const struct btf *btf, const struct btf_type *proto)
{
	unsigned int i;

	for (i = 0; i < btf_vlen(proto); i++)
		if (!is_plain(btf, btf_params(proto)[i].type, 0))
			return false;
	return is_plain(btf, proto->type, 0);
}

/* Take the functions of a BTF from type @first on. */
static void take(struct prototypes *p, const struct btf *btf, uint32_t first, const char *module)
{
	uint32_t type, nr = btf__type_cnt(btf);
	const struct btf_type *t, *proto;
	struct prototype *of;

	for (type = first; type < nr; type++) {
		t = btf__type_by_id(btf, type);
		if (!t || !btf_is_func(t))
			continue;
		of = find(p, btf__name_by_offset(btf, t->name_off), module);
		proto = of ? btf__type_by_id(btf, t->type) : NULL;
		if (!proto || !btf_is_func_proto(proto) || of->copies > 1)
			continue;
		of->unsure = !is_sure(btf, proto);
		if (of->unsure)
			continue;
		of->btf = btf;
		of->type = t->type;
	}
}

static void take_modules(struct prototypes *p)
{
	uint32_t first = btf__type_cnt(p->kernel);
	DIR *dir = opendir(BTF_DIR);
	struct dirent *d;
	struct btf *btf;

	while (dir && (d = readdir(dir))) {
		if (*d->d_name == '.' || !strcmp(d->d_name, "vmlinux"))
			continue;
		btf = btf__load_module_btf(d->d_name, p->kernel);
		/* it has gone, or its BTF is that of another kernel: its functions are unknown */
		if (!btf || libbpf_get_error(btf))
			continue;
		p->module = xrealloc(p->module, (p->nr_modules + 1) * sizeof(*p->module));
		p->module[p->nr_modules++] = btf;
		take(p, btf, first, d->d_name);
	}
	if (dir)
		closedir(dir);
}

static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

struct prototypes *prototypes_read(const char *const *globs, unsigned int nr_globs, struct error *e)
{
	struct prototypes *p = xzalloc(1, sizeof(*p));

	if (!functions_each(globs, nr_globs, NULL, add_function, p, e)) {
		prototypes_free(p);
		return NULL;
	}
	sort(p);
	libbpf_set_print(say_nothing);
	p->kernel = btf__load_vmlinux_btf();
	/* without it, all are unknown */
	if (p->kernel && libbpf_get_error(p->kernel))
		p->kernel = NULL;
	if (p->kernel) {
		take(p, p->kernel, 1, NULL);
		take_modules(p);
	}
	return p;
}

void prototypes_free(struct prototypes *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->nr; i++) {
		free(p->of[i].name);
		free(p->of[i].module);
	}
	for (i = 0; i < p->nr_modules; i++)
		btf__free(p->module[i]);
	btf__free(p->kernel);
	free(p->module);
	free(p->of);
	free(p);
}

const char *prototype_unknown(const struct prototype *p)
{
	if (p->btf)
		return NULL;
	if (strchr(p->name, '.'))
		return "clone";
	if (p->unsure)
		return "layout";
	return p->copies > 1 ? "ambiguous" : "no BTF";
}

/* Say why @p is not sure. */
static const struct prototype *unknown(const struct prototype *p, const char *name, struct error *e)
{
	if (strchr(p->name, '.'))
		error_set(e, "the compiler made this function from another, and its arguments are not known: '%s'; --args records its registers",
			  name);
	else if (p->copies > 1)
		error_set(e, "%u functions have this name, and BTF does not say which is which: '%s'; --args records their registers",
			  p->copies, name);
	else if (p->unsure)
		error_set(e, "BTF does not say where all arguments of this function are: '%s'; --args records its registers",
			  name);
	else
		error_set(e, "there is no type information (BTF) for this function: '%s'; --args records its registers",
			  name);
	return NULL;
}

const struct prototype *prototypes_find(const struct prototypes *p, const char *name, struct error *e)
{
	const char *module = strstr(name, ":mod:");
	char *plain = xstrdup(name);
	const struct prototype *of = NULL;
	size_t i, nr = 0;

	if (module)
		plain[module - name] = '\0';
	for (i = 0; i < p->nr; i++) {
		if (strcmp(p->of[i].name, plain))
			continue;
		if (module && (!p->of[i].module || strcmp(p->of[i].module, module + strlen(":mod:"))))
			continue;
		of = &p->of[i];
		nr++;
	}
	free(plain);
	if (!nr) {
		error_set(e, "no such function, or -l does not select it: '%s'; nestrace list shows what can be traced", name);
		return NULL;
	}
	if (nr > 1) {
		error_set(e, "several functions have this name: '%s'; use NAME:mod:MODULE for one of a module", name);
		return NULL;
	}
	return of->btf ? of : unknown(of, name, e);
}

unsigned int prototype_nr(const struct prototype *p)
{
	return btf_vlen(btf__type_by_id(p->btf, p->type));
}

uint32_t prototype_returns(const struct prototype *p)
{
	return plain_type(p->btf, btf__type_by_id(p->btf, p->type)->type);
}

static bool is_aggregate(const struct btf *btf, uint32_t type)
{
	const struct btf_type *t = type ? btf__type_by_id(btf, type) : NULL;

	return t && btf_is_composite(t);
}

/*
 * As the System V ABI of x86-64 has it: an integer, pointer, or struct of up to 16 bytes is in the next registers
 * if there are enough of them, and all else on the stack. is_sure() has left out what differs.
 */
unsigned int prototype_parameters(const struct prototype *p, struct parameter *to, unsigned int max)
{
	const struct btf_param *param = btf_params(btf__type_by_id(p->btf, p->type));
	unsigned int nr = prototype_nr(p), i, in_register = 0, on_stack = REGISTER_ARGS;
	uint32_t returns = prototype_returns(p);
	long long size;

	/* a struct that does not fit into registers is returned at an address that the caller gives */
	if (is_aggregate(p->btf, returns) && btf__resolve_size(p->btf, returns) > 16)
		in_register++;
	for (i = 0; i < nr && i < max; i++, param++) {
		size = param->type ? btf__resolve_size(p->btf, param->type) : 0;
		to[i] = (struct parameter){
			.name = btf__name_by_offset(p->btf, param->name_off), .type = param->type,
			.words = size > 0 ? (size + 7) / 8 : 0,
		};
		if (to[i].words <= 2 && in_register + to[i].words <= REGISTER_ARGS) {
			to[i].word = in_register;
			in_register += to[i].words;
		} else {
			to[i].word = on_stack;
			on_stack += to[i].words;
		}
	}
	return i;
}
