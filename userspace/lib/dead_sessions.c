// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/accounting.h"
#include "lib/context.h"
#include "lib/dead_sessions.h"
#include "lib/memory.h"
#include "lib/memory_dump.h"

#define CPUS_MAX	65536U
#define STRIDE_MAX	4096U
#define COPIES_MAX	16U

/* A dump, while it is read. */
struct reading {
	struct memory_dump *dump;
	const char *magic, *name;
	struct dead_sessions *sessions;
	struct error *e;
	bool any, other_version;
};

/* Words of a list, in their order. */
struct words {
	struct memory_dump *dump;
	struct nestrace_dump_list page;
	uint64_t at;			/* words taken of @page */
	/* to find a list that bites its tail: a page that was seen, and after how many pages the next is taken */
	uint64_t seen, pages, limit;
	bool bad;
};

static bool read_page(struct memory_dump *d, uint64_t at, const char *magic, void *page, size_t size)
{
	const struct nestrace_dump_head *head = page;

	return at % MEMORY_DUMP_PAGE == 0 && memory_dump_read(d, at, page, size) &&
	       !memcmp(head->magic, magic, sizeof(head->magic)) && head->self == at;
}

static void words_turn(struct words *w, uint64_t page)
{
	w->at = 0;
	w->bad = !page || page == w->seen ||
		 !read_page(w->dump, page, NESTRACE_DUMP_LIST_MAGIC, &w->page, sizeof(w->page)) || !w->page.nr ||
		 w->page.nr > NESTRACE_DUMP_WORDS;
	if (++w->pages == w->limit) {
		w->seen = page;
		w->limit *= 2;
	}
}

/* Return: the next word; 0 with @bad if there is none. */
static uint64_t next_word(struct words *w)
{
	if (!w->bad && w->at == w->page.nr)
		words_turn(w, w->page.next);
	return w->bad ? 0 : w->page.word[w->at++];
}

static bool is_power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

/* Can the numbers of a session be right? */
static bool makes_sense(const struct nestrace_dump_session *d)
{
	uint64_t bytes = 0;
	unsigned int i;

	uint64_t copies = d->copies ? d->copies : 1;

	if (d->copies > COPIES_MAX || d->copy_bytes < sizeof(uint64_t) || copies * d->copy_bytes > d->stride)
		return false;
	if (!d->nr_cpus || d->nr_cpus > CPUS_MAX || d->stride < 8 || d->stride > STRIDE_MAX || !d->ring_kb ||
	    d->ring_kb > 4ULL * NESTRACE_RING_KB_MAX || d->clock >= NESTRACE_NR_CLOCKS || d->stack > NESTRACE_STACK_MAX ||
	    d->host[sizeof(d->host) - 1] || d->release[sizeof(d->release) - 1] || d->build[sizeof(d->build) - 1])
		return false;
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		if (!is_power_of_two(d->ring_bytes[i]) || d->ring_bytes[i] < 2 * NESTRACE_SUBBUF_SIZE ||
		    d->ring_bytes[i] > d->ring_kb << 10)
			return false;
		bytes += d->ring_bytes[i];
	}
	for (i = 0; i < NESTRACE_DUMP_NR_FIELDS; i++)
		if (d->at[i] > d->copy_bytes - sizeof(uint64_t))
			return false;
	return bytes <= d->ring_kb << 10;
}

/* Return: the sum of all counters. */
static uint64_t counted(const struct nestrace_dump_session *d, const char *copy)
{
	uint64_t sum = 0, v;
	unsigned int i;

	for (i = 0; i < NESTRACE_DUMP_NR_FIELDS; i++) {
		memcpy(&v, copy + d->at[i], sizeof(v));
		sum += v;
	}
	return sum;
}

/* Return: the counters of a slot, or the newest copy of them. */
static const char *newest(const struct nestrace_dump_session *d, const char *counters)
{
	const char *copy, *best = counters;
	uint64_t pos, best_pos = 0;
	unsigned int i;

	for (i = 0; i < d->copies; i++) {
		copy = counters + i * d->copy_bytes;
		memcpy(&pos, copy + d->at[NESTRACE_DUMP_pos], sizeof(pos));
		/* if two have one position, the newer one has counted more */
		if (pos && (pos > best_pos || (pos == best_pos && counted(d, copy) > counted(d, best)))) {
			best = copy;
			best_pos = pos;
		}
	}
	return best;
}

/* Read the counters of a CPU, which lie in some pages. */
static bool read_counters(struct dead_cpu *c, const struct nestrace_dump_session *d, struct words *w)
{
	uint64_t offset = next_word(w), nr = next_word(w), i;
	size_t size = NESTRACE_NR_SLOTS * d->stride;
	const char *counters;
	unsigned int slot;
	char *pages;
	bool ok;

	if (w->bad || offset >= MEMORY_DUMP_PAGE || nr != (offset + size + MEMORY_DUMP_PAGE - 1) / MEMORY_DUMP_PAGE)
		return false;
	pages = xzalloc(nr, MEMORY_DUMP_PAGE);
	for (ok = true, i = 0; i < nr; i++)
		ok = memory_dump_read(w->dump, next_word(w), pages + i * MEMORY_DUMP_PAGE, MEMORY_DUMP_PAGE) && ok;
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		counters = newest(d, pages + offset + slot * d->stride);
		for (i = 0; i < NESTRACE_DUMP_NR_FIELDS; i++)
			memcpy(&c->count[slot][i], counters + d->at[i], sizeof(uint64_t));
	}
	free(pages);
	return ok;
}

static bool read_cpu(struct dead_cpu *c, const struct nestrace_dump_session *d, struct words *w)
{
	uint64_t i, cpu = next_word(w);

	c->cpu = cpu;
	if (w->bad || cpu >= d->nr_cpus || !read_counters(c, d, w))
		return false;
	c->nr_pages = next_word(w);
	if (w->bad || c->nr_pages != d->ring_kb >> 2)
		return false;
	for (i = 0; i < c->nr_pages && !w->bad; i++) {
		c->page = xgrow(c->page, i, sizeof(*c->page));
		c->page[i] = next_word(w);
	}
	return !w->bad;
}

static void session_free(struct dead_session *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_cpus; i++)
		free(s->cpu[i].page);
	free(s->cpu);
}

/* Is there another word? */
static bool more(const struct words *w)
{
	return w->at < w->page.nr || w->page.next;
}

bool dead_session_load(struct dead_session *s, struct memory_dump *d, const char *name, struct error *e)
{
	struct words w = { .dump = d, .limit = 1 };
	bool ok;

	words_turn(&w, s->about.list);
	for (ok = !w.bad; ok && more(&w) && s->nr_cpus < s->about.nr_cpus; s->nr_cpus++) {
		s->cpu = xgrow(s->cpu, s->nr_cpus, sizeof(*s->cpu));
		s->cpu[s->nr_cpus] = (struct dead_cpu){ 0 };
		ok = read_cpu(&s->cpu[s->nr_cpus], &s->about, &w) &&
		     (!s->nr_cpus || s->cpu[s->nr_cpus].cpu > s->cpu[s->nr_cpus - 1].cpu);
	}
	if (ok && !more(&w) && s->nr_cpus)
		return true;
	return error_set(e, memory_dump_is_cut(d) ? "the dump is cut short, and the session in it is not whole: '%s'; give the dump more room" :
			 "the session in the memory is damaged: '%s'", name);
}

static void add_session(struct reading *r, uint64_t at)
{
	struct dead_sessions *s = r->sessions;
	struct dead_session one = { 0 };
	size_t i;

	/* the parts of a dump may overlap, as those of /proc/vmcore do */
	for (i = 0; i < s->nr; i++)
		if (s->session[i].about.head.self == at)
			return;
	if (s->nr == NESTRACE_DUMP_SESSIONS || !read_page(r->dump, at, NESTRACE_DUMP_SESSION_MAGIC, &one.about, sizeof(one.about)) ||
	    !makes_sense(&one.about)) {
		error_set(r->e, "a session in the memory is damaged, or was being made: '%s'; it is left out", r->name);
		return;
	}
	s->session = xgrow(s->session, s->nr, sizeof(*s->session));
	s->session[s->nr++] = one;
}

static bool take_anchor(void *arg, uint64_t at)
{
	struct nestrace_dump_anchor anchor;
	struct reading *r = arg;
	unsigned int i;

	/* a copy, as in the dump of a dump */
	if (!read_page(r->dump, at, r->magic, &anchor, sizeof(anchor)))
		return true;
	r->any = true;
	if (anchor.version != NESTRACE_DUMP_VERSION || anchor.page_size != MEMORY_DUMP_PAGE) {
		r->other_version = true;
		return true;
	}
	for (i = 0; i < NESTRACE_DUMP_SESSIONS; i++)
		if (anchor.session[i])
			add_session(r, anchor.session[i]);
	/* a region has one, in its first page; another would be of an earlier session */
	return strcmp(r->magic, NESTRACE_DUMP_REGION_MAGIC);
}

bool dead_sessions_read(struct dead_sessions *s, struct memory_dump *d, const char *magic, const char *name, struct error *e)
{
	struct reading r = { .dump = d, .magic = magic, .name = name, .sessions = s, .e = e };
	bool cut = memory_dump_is_cut(d);

	*s = (struct dead_sessions){ 0 };
	*e->text = '\0';
	memory_dump_find(d, magic, NESTRACE_DUMP_MAGIC_SIZE, take_anchor, &r);
	if (s->nr) {
		if (cut && !*e->text)
			error_set(e, "the dump is cut short: '%s'; what was behind its end is missing", name);
		return true;
	}
	if (r.other_version)
		return error_set(e, "the memory is of another version of nestrace: '%s'; use the command of that version",
				 name);
	if (cut)
		return error_set(e, "the dump is cut short, and no session in it is whole: '%s'; give the dump more room", name);
	if (*e->text)
		return error_set(e, "the sessions in the memory are damaged: '%s'; a dump must have all of the memory", name);
	if (r.any)
		return error_set(e, "no session was open: '%s'; begin a recording before the crash", name);
	return error_set(e, "nothing of nestrace is in the dump: '%s'; load the module before the crash, and dump with makedumpfile -d 31 or less",
			 name);
}

void dead_sessions_free(struct dead_sessions *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		session_free(&s->session[i]);
	free(s->session);
	*s = (struct dead_sessions){ 0 };
}

#define COUNT(name)	count[NESTRACE_DUMP_##name]

/* Return: how many calls have a return that was to be recorded, as nt_ring_calls() of the module counts them. */
static uint64_t calls(const uint64_t *count, uint32_t flags)
{
	uint64_t calls;

	if (!(flags & NESTRACE_CONFIG_RET))
		return 0;
	if (flags & NESTRACE_CONFIG_EXIT)
		return COUNT(awaited);
	calls = COUNT(written) - COUNT(exits);
	return calls - COUNT(no_node) - COUNT(no_rcu) - COUNT(refused);
}

/* Return: the hits that have ended. */
static uint64_t ended(const uint64_t *count)
{
	return COUNT(written) + COUNT(full) + COUNT(recursed) + COUNT(filtered) + COUNT(not_watching) + COUNT(exits_dropped) +
	       COUNT(exits_filtered) + COUNT(awaited);
}

/* Count the records that came after the copy of the counters. @at_exit: calls are not among them. */
static void follow(uint64_t *count, const struct dead_kept *kept, bool at_exit)
{
	uint64_t over = ended(count), ahead = COUNT(hits) > over ? COUNT(hits) - over : 0, returned;

	if (!kept->followed)
		return;
	/* the first one was in flight when the hook made the copy */
	if (ahead > kept->followed)
		ahead = kept->followed;
	COUNT(hits) += kept->followed - ahead;
	COUNT(written) += kept->followed;
	COUNT(exits) += kept->followed_exits;
	returned = COUNT(exits) + COUNT(exits_full) + COUNT(exits_dropped) + COUNT(exits_filtered) - COUNT(strangers) + COUNT(away);
	if (!at_exit || returned <= COUNT(awaited))
		return;
	COUNT(hits) += returned - COUNT(awaited);
	COUNT(awaited) = returned;
}

static void account_slot(const struct dead_session *s, uint64_t *count, const struct dead_kept *kept,
			 struct nestrace_slot_stats *to, struct nestrace_slot_returns *returns, uint64_t *in_flight)
{
	uint64_t missing, exits, over;
	bool at_exit = s->about.flags & NESTRACE_CONFIG_EXIT;

	follow(count, kept, at_exit);
	/* a record is published before it is counted */
	if (COUNT(written) < kept->records)
		COUNT(written) = kept->records;
	if (COUNT(exits) < kept->exits)
		COUNT(exits) = kept->exits;
	missing = COUNT(written) - kept->records;
	exits = COUNT(exits) - kept->exits;
	*to = (struct nestrace_slot_stats){
		.not_watching = COUNT(not_watching), .recorded = COUNT(written) - missing,
		.lost = COUNT(full) + COUNT(not_watching) + missing, .recursed = COUNT(recursed),
		.filtered = COUNT(filtered) + COUNT(filtered_early) + COUNT(exits_filtered),
		.rcu_nmi = COUNT(rcu_nmi), .rcu_irq = COUNT(rcu_irq), .in_tracer = COUNT(in_tracer),
	};
	if (at_exit) {
		to->lost += COUNT(exits_dropped);
	} else {
		to->recorded -= kept->exits;
		to->lost -= COUNT(exits_full) + exits;
	}
	to->hits = COUNT(hits) - COUNT(exits) - COUNT(exits_full) - COUNT(exits_dropped) - COUNT(exits_filtered) +
		   COUNT(filtered_early);
	over = ended(count);
	if (COUNT(hits) > over) {
		*in_flight += COUNT(hits) - over;
		to->hits -= COUNT(hits) - over;
	}
	*returns = (struct nestrace_slot_returns){
		.calls = calls(count, s->about.flags), .dropped = COUNT(exits_dropped), .filtered = COUNT(exits_filtered),
		.lost = COUNT(exits_full) + exits,
		.returned = COUNT(exits) + COUNT(exits_full) + COUNT(exits_dropped) + COUNT(exits_filtered) -
			    COUNT(strangers) + COUNT(away),
		.no_node = COUNT(no_node), .no_rcu = COUNT(no_rcu), .refused = COUNT(refused),
	};
}

void dead_kept_add(struct dead_kept *to, const struct dead_kept *k)
{
	to->records += k->records;
	to->exits += k->exits;
	to->followed += k->followed;
	to->followed_exits += k->followed_exits;
}

/* Records of a file are known by context, so the counters of slots with one context are added up. */
static void fold(struct dead_cpu *c, struct dead_kept *kept)
{
	unsigned int slot, to, i;

	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		to = context_slot(slot);
		if (to == slot)
			continue;
		for (i = 0; i < NESTRACE_DUMP_NR_FIELDS; i++)
			c->count[to][i] += i == NESTRACE_DUMP_pos ? 0 : c->count[slot][i];
		memset(c->count[slot], 0, sizeof(c->count[slot]));
		dead_kept_add(&kept[to], &kept[slot]);
		kept[slot] = (struct dead_kept){ 0 };
	}
}

void dead_session_account(struct dead_session *s, struct dead_kept (*kept)[NESTRACE_NR_SLOTS], struct accounting *a)
{
	unsigned int i, slot, cpu;

	accounting_grow(a, s->about.nr_cpus);
	a->has_returns = s->about.flags & NESTRACE_CONFIG_RET;
	a->at_exit = s->about.flags & NESTRACE_CONFIG_EXIT;
	a->stack = s->about.stack;
	a->set_forward = 0;
	a->in_flight = 0;
	if (!a->time.wall_ns) {
		a->time.clock = s->about.time;
		a->time.wall_ns = s->about.wall_ns;
		a->time.flags = s->about.order;
	}
	if (!*a->build)
		memcpy(a->build, s->about.build, sizeof(s->about.build));
	for (i = 0; i < s->nr_cpus; i++) {
		cpu = s->cpu[i].cpu;
		fold(&s->cpu[i], kept[i]);
		a->ring_kb[cpu] = s->about.ring_kb;
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
			account_slot(s, s->cpu[i].count[slot], &kept[i][slot], &a->slot[cpu][slot], &a->returns[cpu][slot],
				     &a->in_flight);
			a->set_forward += s->cpu[i].count[slot][NESTRACE_DUMP_set_forward];
		}
	}
}
