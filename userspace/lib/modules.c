// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/symbols.h"
#include "uapi/nestrace.h"

/*
 * An alias has the number of its module in the bits from 48 on, which are all equal in a
 * real address.
 */
#define ALIAS_SHIFT	48
#define ALIAS_MASK	((1ULL << ALIAS_SHIFT) - 1)
#define ALIAS_UNKNOWN	0x7fffULL	/* no symbol has it */

/* A module from its coming to its going. */
struct module {
	char name[64];
	uint64_t begin, end;		/* when its addresses were its own */
	uint64_t init_end;
	struct { uint64_t start, size; } text, init;
	struct symbol *symbol;
	size_t nr;
	size_t same;			/* the module with its symbols, from 1 on; 0: itself */
	bool shared;			/* other modules had its addresses */
	uint64_t alias;			/* 0: none */
};

struct modules {
	pthread_mutex_t lock;
	struct module *module;		/* by time */
	size_t nr;
	bool news;			/* since modules_news() */
	uint64_t aliases;		/* how many there are */
	uint64_t low, high;		/* of all addresses */
	uint32_t recent[1024];		/* modules, from 1 on, by the page of an address */
};

struct modules *modules_new(void)
{
	struct modules *m = xzalloc(1, sizeof(*m));

	pthread_mutex_init(&m->lock, NULL);
	m->low = UINT64_MAX;
	return m;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a_size && b_size && a - b < b_size ? true : a_size && b_size && b - a < a_size;
}

static bool modules_overlap(const struct module *a, const struct module *b)
{
	return overlap(a->text.start, a->text.size, b->text.start, b->text.size) ||
	       overlap(a->text.start, a->text.size, b->init.start, b->init.size) ||
	       overlap(a->init.start, a->init.size, b->text.start, b->text.size) ||
	       overlap(a->init.start, a->init.size, b->init.start, b->init.size);
}

static void free_symbols(struct module *module)
{
	size_t i;

	for (i = 0; i < module->nr; i++)
		free((char *)module->symbol[i].name);
	free(module->symbol);
	module->symbol = NULL;
	module->nr = 0;
}

/* Return the module that holds the symbols of @module. */
static const struct module *holder(const struct modules *m, const struct module *module)
{
	return module->same ? &m->module[module->same - 1] : module;
}

/* Is it the same module at the same place? */
static bool modules_equal(const struct module *a, const struct module *b)
{
	size_t i;

	if (a->same)
		return false;
	if (strcmp(a->name, b->name) || a->text.start != b->text.start || a->nr != b->nr ||
	    a->init.start != b->init.start)
		return false;
	for (i = 0; i < a->nr; i++)
		if (a->symbol[i].start != b->symbol[i].start ||
		    strcmp(a->symbol[i].name, b->symbol[i].name))
			return false;
	return true;
}

static void widen(struct modules *m, uint64_t start, uint64_t size)
{
	if (!size)
		return;
	if (start < m->low)
		m->low = start;
	if (start + size > m->high)
		m->high = start + size;
}

/* Give @new, the newest module, which is complete, an alias if its addresses were another's. */
static void settle(struct modules *m, struct module *new)
{
	struct module *old;
	bool alias = false;

	widen(m, new->text.start, new->text.size);
	widen(m, new->init.start, new->init.size);
	for (old = m->module; old < new; old++) {
		if (!modules_overlap(old, new))
			continue;
		if (modules_equal(old, new)) {
			free_symbols(new);
			new->same = old - m->module + 1;
			return;
		}
		old->shared = true;
		alias |= !old->same;
	}
	new->shared = alias;
	if (alias)
		new->alias = m->aliases < ALIAS_UNKNOWN - 1 ? ++m->aliases : ALIAS_UNKNOWN;
}

static struct module *add_module(struct modules *m)
{
	struct module *new;

	m->module = xgrow(m->module, m->nr, sizeof(*new));
	new = &m->module[m->nr++];
	memset(new, 0, sizeof(*new));
	new->end = new->init_end = UINT64_MAX;
	return new;
}

static void add_symbol(struct module *to, uint64_t start, uint64_t size, const char *name)
{
	to->symbol = xgrow(to->symbol, to->nr, sizeof(*to->symbol));
	to->symbol[to->nr++] = (struct symbol){
		.start = start, .size = size, .name = xstrdup(name),
	};
}

/* Return the newest module @name, if it has not gone. */
static struct module *find_module(struct modules *m, const char *name)
{
	size_t i;

	for (i = m->nr; i--;)
		if (!strcmp(m->module[i].name, name))
			return m->module[i].end == UINT64_MAX ? &m->module[i] : NULL;
	return NULL;
}

static void take_note(struct modules *m, const struct nestrace_module *note)
{
	const char *at = (const char *)(note + 1), *end = (const char *)note + note->length;
	const struct nestrace_symbol *symbol;
	struct module *new = find_module(m, note->name);

	if (note->event == NESTRACE_MODULE_LIVE || note->event == NESTRACE_MODULE_GOING) {
		if (new && new->init_end == UINT64_MAX)
			new->init_end = note->ts;
		if (new && note->event == NESTRACE_MODULE_GOING)
			new->end = note->ts;
		return;
	}
	/* it was noted when it came */
	if (new)
		return;
	new = add_module(m);
	snprintf(new->name, sizeof(new->name), "%.63s", note->name);
	new->begin = note->ts;
	new->text.start = note->text;
	new->text.size = note->text_size;
	new->init.start = note->init_text;
	new->init.size = note->init_text_size;
	for (; at + sizeof(*symbol) <= end; at += symbol->length) {
		symbol = (const void *)at;
		if (symbol->length < sizeof(*symbol))
			break;
		add_symbol(new, symbol->start, symbol->size, symbol->name);
	}
	settle(m, new);
}

void modules_take(struct modules *m, int fd)
{
	struct nestrace_modules_take arg = { .size = sizeof(arg) };
	uint64_t room[512], *notes = room;
	const struct nestrace_module *note;
	uint32_t len = sizeof(room), at;

	pthread_mutex_lock(&m->lock);
	for (;;) {
		arg.notes = (uintptr_t)notes;
		arg.len = len;
		if (!ioctl(fd, NESTRACE_IOC_MODULES, &arg)) {
			for (at = 0; at < arg.len; at += note->length) {
				note = (const void *)((const char *)notes + at);
				take_note(m, note);
				m->news = true;
			}
			if (!arg.len)
				break;
		} else if (errno == EMSGSIZE) {
			len = arg.len;
			notes = xrealloc(notes == room ? NULL : notes, len);
		} else if (errno != EINTR) {
			break;
		}
	}
	pthread_mutex_unlock(&m->lock);
	if (notes != room)
		free(notes);
}

bool modules_news(struct modules *m)
{
	bool news;

	pthread_mutex_lock(&m->lock);
	news = m->news;
	m->news = false;
	pthread_mutex_unlock(&m->lock);
	return news;
}

bool modules_read(struct modules *m, int fd)
{
	struct nestrace_modules_take arg = { .size = sizeof(arg), .flags = NESTRACE_MODULES_NOTE };
	FILE *f = fopen("/proc/modules", "r");
	char *line = NULL;
	size_t size = 0;
	bool found = true, failed;

	while (f && getline(&line, &size, f) > 0) {
		memset(arg.name, 0, sizeof(arg.name));
		if (sscanf(line, "%63s", arg.name) != 1)
			continue;
		/* ENOENT: it has gone meanwhile */
		failed = ioctl(fd, NESTRACE_IOC_MODULES, &arg);
		if (failed && errno == ENOMEM) {
			modules_take(m, fd);
			failed = ioctl(fd, NESTRACE_IOC_MODULES, &arg);
		}
		if (failed && errno == EOPNOTSUPP)
			found = false;
	}
	free(line);
	if (f)
		fclose(f);
	modules_take(m, fd);
	return found;
}

static uint64_t with_alias(uint64_t ip, uint64_t alias)
{
	return alias << ALIAS_SHIFT | (ip & ALIAS_MASK);
}

/* Is this an address of the module, or of its init? */
static bool covers(const struct module *module, uint64_t ip)
{
	return ip - module->text.start < module->text.size ||
	       ip - module->init.start < module->init.size;
}

/* Return the address under which the symbols of @module have @ip. */
static uint64_t place_in(const struct modules *m, const struct module *module, uint64_t ip)
{
	uint64_t alias = holder(m, module)->alias;

	return alias ? with_alias(ip, alias) : ip;
}

void modules_range(const struct modules *m, uint64_t *low, uint64_t *high)
{
	*low = __atomic_load_n(&m->low, __ATOMIC_RELAXED);
	*high = __atomic_load_n(&m->high, __ATOMIC_RELAXED);
}

/* Decide most addresses without the lock. */
static bool not_of_modules(const struct modules *m, uint64_t ip)
{
	uint64_t low, high;

	modules_range(m, &low, &high);
	return ip < low || ip >= high;
}

uint64_t modules_place(struct modules *m, uint64_t ip, uint64_t ts)
{
	const struct module *module;
	uint64_t place = ip, end;
	uint32_t *recent;
	bool known = false;

	if (not_of_modules(m, ip))
		return ip;
	pthread_mutex_lock(&m->lock);
	recent = &m->recent[(ip >> 12) % (sizeof(m->recent) / sizeof(m->recent[0]))];
	if (*recent) {
		module = &m->module[*recent - 1];
		if (!holder(m, module)->shared && ip - module->text.start < module->text.size &&
		    ts >= module->begin && ts <= module->end) {
			pthread_mutex_unlock(&m->lock);
			return ip;
		}
	}
	for (module = m->module + m->nr; !known && module-- > m->module;) {
		end = ip - module->text.start < module->text.size ? module->end :
		      ip - module->init.start < module->init.size ? module->init_end : 0;

		if (!end)
			continue;
		/* until it is found, this is an address of a module that was not there */
		place = with_alias(ip, ALIAS_UNKNOWN);
		known = ts >= module->begin && ts <= end;
		if (known) {
			place = place_in(m, module, ip);
			*recent = module - m->module + 1;
		}
	}
	pthread_mutex_unlock(&m->lock);
	return place;
}

uint64_t modules_place_before(struct modules *m, uint64_t ip, uint64_t until)
{
	const struct module *module;
	uint64_t place = ip;
	bool before = false;

	if (not_of_modules(m, ip))
		return ip;
	pthread_mutex_lock(&m->lock);
	/* if each of them came after @until, the earliest is the one that was counted */
	for (module = m->module + m->nr; !before && module-- > m->module;) {
		if (!covers(module, ip))
			continue;
		before = module->begin < until;
		place = place_in(m, module, ip);
	}
	pthread_mutex_unlock(&m->lock);
	return place;
}

uint64_t modules_address(uint64_t ip)
{
	uint64_t alias = ip >> ALIAS_SHIFT;

	/* the bits above are those of bit 47 again */
	return alias && alias <= ALIAS_UNKNOWN ? (uint64_t)((int64_t)(ip << 16) >> 16) : ip;
}

bool modules_cover(struct modules *m, uint64_t ip)
{
	bool found = false;
	size_t i;

	pthread_mutex_lock(&m->lock);
	for (i = 0; i < m->nr && !found; i++)
		found = covers(&m->module[i], ip);
	pthread_mutex_unlock(&m->lock);
	return found;
}

void modules_symbols(struct modules *m, bool aliases,
		     void (*add)(void *arg, const struct symbol *s), void *arg)
{
	const struct module *module;
	struct symbol s;
	size_t i, j;

	pthread_mutex_lock(&m->lock);
	for (j = 0; j < m->nr; j++) {
		module = &m->module[j];
		if ((module->shared && !aliases) || module->alias == ALIAS_UNKNOWN)
			continue;
		for (i = 0; i < module->nr; i++) {
			s = module->symbol[i];
			s.module = module->name;
			if (module->alias)
				s.start = with_alias(s.start, module->alias);
			add(arg, &s);
		}
	}
	pthread_mutex_unlock(&m->lock);
}

void modules_save(struct modules *m, FILE *out)
{
	const struct module *module, *from;
	size_t i;

	pthread_mutex_lock(&m->lock);
	for (module = m->module; module < m->module + m->nr; module++) {
		from = holder(m, module);
		fprintf(out, "m %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %s\n",
			module->begin, module->init_end, module->end, module->text.start,
			module->text.size, module->init.start, module->init.size, module->name);
		/* the others are in the table of symbols */
		for (i = 0; from->shared && i < from->nr; i++)
			fprintf(out, "s %" PRIx64 " %" PRIx64 " %s\n", from->symbol[i].start,
				from->symbol[i].size, from->symbol[i].name);
	}
	fputs("m\n", out);
	pthread_mutex_unlock(&m->lock);
}

void modules_load(struct modules *m, const char *line)
{
	struct module *last = m->nr ? &m->module[m->nr - 1] : NULL, *new;
	uint64_t start, size;
	char name[512];

	if (*line == 's') {
		if (last && sscanf(line, "s %" SCNx64 " %" SCNx64 " %511s", &start, &size, name) == 3)
			add_symbol(last, start, size, name);
		return;
	}
	/* all symbols of the last one are there */
	if (last)
		settle(m, last);
	new = add_module(m);
	if (sscanf(line, "m %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %63s",
		   &new->begin, &new->init_end, &new->end, &new->text.start, &new->text.size,
		   &new->init.start, &new->init.size, new->name) != 8)
		m->nr--;
}

void modules_free(struct modules *m)
{
	size_t i;

	if (!m)
		return;
	for (i = 0; i < m->nr; i++)
		free_symbols(&m->module[i]);
	free(m->module);
	pthread_mutex_destroy(&m->lock);
	free(m);
}
