// SPDX-License-Identifier: GPL-2.0
/*
 * Which version of a patched function did a call run? nestrace records the entries of both versions. A call of the
 * original that is redirected is followed by one of a new version. A kprobe behind the entry of the original says
 * that its code ran: also of calls whose entry no user of ftrace saw, because ftrace's list function dropped them.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <event-parse.h>
#include <inttypes.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <tracefs.h>
#include <unistd.h>

#include "cmd/livepatch_record.h"
#include "cmd/message.h"
#include "cmd/names_of_now.h"
#include "cmd/recorder.h"
#include "lib/context.h"
#include "lib/formats.h"
#include "lib/livepatches.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/reader.h"

#define GROUP	"nestrace_klp_"		/* of the kprobes; the pid follows */

/* A new version of a function. */
struct version {
	uint64_t start, size;
	char *patch;
	uint64_t text, text_size;	/* the code of that module */
};

/* A function that is patched. */
struct patched {
	char *name, *object;
	uint64_t start, size;
	uint64_t body;			/* where its kprobe is; 0: unknown */
	char event[64];			/* of the kprobe; empty: there is none */
	struct tracefs_dynevent *probe;
	struct version *version;
	unsigned int nr_versions;
};

/* The calls of one function, by a task in a context. */
struct calls {
	const struct patched *of;
	int pid;
	unsigned int slot;
	char comm[32];
	uint64_t entries, originals, news;
	uint64_t late;			/* originals since the last hit */
	uint64_t first_new, last_original, last_entry;	/* times; 0: none */
};

struct versions {
	int fd;
	struct patched *patched;
	size_t nr;
	char group[32];
	struct reader reader;
	struct calls **calls;		/* in the order of their first hits */
	size_t nr_calls;
	void *by_key;			/* tsearch(3) of them, and of the pids that have called anything */
	void *pids;
	struct original {		/* originals since the last hit */
		struct calls *calls;
		uint64_t ts;
	} *late;
	size_t nr_late;
	struct missing missing;
};

/* ---- what is patched ---- */

static struct patched *patched_at(struct versions *v, uint64_t start)
{
	size_t i;

	for (i = 0; i < v->nr; i++)
		if (v->patched[i].start == start)
			return &v->patched[i];
	return NULL;
}

static void add_version(struct patched *p, const struct nestrace_klp_func *func,
			const struct nestrace_klp_patch *patch)
{
	unsigned int i;

	for (i = 0; i < p->nr_versions; i++)
		if (p->version[i].start == func->new_func)
			return;
	p->version = xrealloc(p->version, (p->nr_versions + 1) * sizeof(*p->version));
	p->version[p->nr_versions++] = (struct version){
		.start = func->new_func, .size = func->new_size, .patch = xstrdup(patch->name),
		.text = patch->text, .text_size = patch->text_size,
	};
}

static void add_patched(struct versions *v, const struct nestrace_klp_func *func, const char *object,
			const struct nestrace_klp_patch *patch)
{
	struct patched *p = patched_at(v, func->old_func);

	if (!p) {
		v->patched = xrealloc(v->patched, (v->nr + 1) * sizeof(*v->patched));
		p = &v->patched[v->nr++];
		*p = (struct patched){
			.name = xstrdup(func->name), .object = xstrdup(object), .start = func->old_func,
			.size = func->old_size, .body = func->old_body,
		};
	}
	if (!(func->note.flags & NESTRACE_KLP_NOP))
		add_version(p, func, patch);
}

/* Add what is patched now. Patches come and go meanwhile. */
static void take_patched(void *arg)
{
	const struct nestrace_klp_object *object = NULL;
	const struct nestrace_klp_patch *patch = NULL;
	const struct nestrace_klp_note *note = NULL;
	const struct nestrace_klp_func *func;
	struct versions *v = arg;
	struct livepatches l;
	struct error e;

	if (!livepatches_read(&l, v->fd, false, &e))
		return;
	while ((note = livepatches_next(&l, note))) {
		func = (const void *)note;
		if (note->kind == NESTRACE_KLP_PATCH)
			patch = (const void *)note;
		else if (note->kind == NESTRACE_KLP_OBJECT)
			object = (const void *)note;
		else if (note->kind == NESTRACE_KLP_FUNC && func->old_func)
			add_patched(v, func, object->name, patch);
	}
	livepatches_free(&l);
}

/* ---- kprobes ---- */

/* Remove the kprobes of others that were killed. */
static void remove_left(void)
{
	struct tracefs_dynevent **all = tracefs_dynevent_get_all(TRACEFS_DYNEVENT_KPROBE, NULL);
	char *system;
	int i, pid;

	for (i = 0; all && all[i]; i++) {
		system = NULL;
		tracefs_dynevent_info(all[i], &system, NULL, NULL, NULL, NULL);
		if (system && sscanf(system, GROUP "%d", &pid) == 1 && kill(pid, 0) && errno == ESRCH)
			tracefs_dynevent_destroy(all[i], false);
		free(system);
	}
	tracefs_dynevent_list_free(all);
}

/* Let an event say that the original runs. */
static void add_probe(struct versions *v, struct patched *p)
{
	char addr[32], *at;

	if (!p->body)
		return;
	snprintf(p->event, sizeof(p->event), "original_%zu_%.40s", (size_t)(p - v->patched), p->name);
	for (at = p->event; *at; at++)
		if (!isalnum((unsigned char)*at))
			*at = '_';
	snprintf(addr, sizeof(addr), "0x%" PRIx64, p->body);
	p->probe = tracefs_kprobe_alloc(v->group, p->event, addr, "");
	if (p->probe && !tracefs_dynevent_create(p->probe))
		return;
	warn("cannot place a kprobe: '%s'; calls of it that ftrace drops are not counted", p->name);
	tracefs_dynevent_free(p->probe);
	p->probe = NULL;
	*p->event = '\0';
}

static void remove_probes(struct versions *v)
{
	size_t i;

	for (i = 0; i < v->nr; i++) {
		if (!v->patched[i].probe)
			continue;
		tracefs_dynevent_destroy(v->patched[i].probe, true);
		tracefs_dynevent_free(v->patched[i].probe);
		v->patched[i].probe = NULL;
	}
}

/* ---- recording ---- */

/* Return the next kernel thread after @task that holds a transition and does not sleep; NULL: the first, or none. */
static const struct nestrace_klp_task *next_runnable(const struct livepatches *l, const struct nestrace_klp_task *task)
{
	const struct nestrace_klp_note *note = task ? &task->note : NULL;

	while ((note = livepatches_next(l, note)))
		if (note->kind == NESTRACE_KLP_TASK && note->flags & NESTRACE_KLP_KTHREAD &&
		    note->flags & NESTRACE_KLP_RUNNABLE)
			return (const void *)note;
	return NULL;
}

#define LOOKS	10
#define LOOK_MS	100

/* Does the thread not sleep for some time? */
static bool stays_runnable(int fd, const struct nestrace_klp_task *task)
{
	const struct nestrace_klp_task *now;
	struct livepatches l;
	struct error e;
	int i;

	for (i = 0; i < LOOKS; i++) {
		usleep(LOOK_MS * 1000);
		if (!livepatches_read(&l, fd, true, &e))
			die_error(&e);
		for (now = NULL; (now = next_runnable(&l, now)) && now->pid != task->pid;)
			;
		livepatches_free(&l);
		if (!now)
			return false;
	}
	return true;
}

/*
 * ftrace and kprobes wait at their end until every kernel thread has slept, and nothing interrupts that. So refuse
 * to begin beside one that does not.
 */
static void refuse_beside_runnable(int fd)
{
	const struct nestrace_klp_task *task = NULL;
	struct livepatches l;
	struct error e;

	if (!livepatches_read(&l, fd, true, &e))
		die_error(&e);
	while (!l.busy && (task = next_runnable(&l, task)))
		if (stays_runnable(fd, task))
			die("a kernel thread does not sleep: '%s-%d'; a recording beside it could not end, see nestrace livepatch --why",
			    task->comm, task->pid);
	livepatches_free(&l);
}

static void add_glob(struct recorder_words *w, const char *name, const char *module)
{
	char *glob;

	if (asprintf(&glob, "%s%s%s", name, *module ? ":mod:" : "", module) < 0)
		out_of_memory();
	recorder_add(w, "-l");
	recorder_add(w, glob);
	free(glob);
}

/* The names of all new versions. */
static void add_versions(struct versions *v, struct recorder_words *w)
{
	struct tep_handle *tep = names_of_now(v->fd);
	unsigned int j;
	size_t i;

	for (i = 0; i < v->nr; i++)
		for (j = 0; j < v->patched[i].nr_versions; j++)
			if (names_find(tep, v->patched[i].version[j].start))
				add_glob(w, names_find(tep, v->patched[i].version[j].start),
					 v->patched[i].version[j].patch);
	tep_free(tep);
}

static int run(struct versions *v, const struct livepatch_record *r)
{
	struct recorder_words w = { 0 };
	bool probes = false;
	char *events;
	char **word;
	size_t i;
	int ret;

	recorder_add(&w, "nestrace");
	recorder_add(&w, "record");
	recorder_add(&w, "-q");
	for (i = 0; i < v->nr; i++) {
		add_glob(&w, v->patched[i].name, v->patched[i].object);
		probes |= v->patched[i].probe != NULL;
	}
	add_versions(v, &w);
	for (i = 0; i < r->nr_functions; i++)
		add_glob(&w, r->function[i], "");
	for (i = 0; i < r->nr_patches; i++)
		add_glob(&w, "", r->patch[i]);
	if (asprintf(&events, "%s:*", v->group) < 0)
		out_of_memory();
	if (probes) {
		recorder_add(&w, "-e");
		recorder_add(&w, events);
	}
	/* the kernel says there when a transition begins and ends */
	recorder_add(&w, "-e");
	recorder_add(&w, "printk:console");
	recorder_add(&w, "-f");
	recorder_add(&w, "msg ~ \"*livepatch: *\"");
	if (r->ring_kb) {
		recorder_add(&w, "-b");
		recorder_add(&w, r->ring_kb);
	}
	recorder_add(&w, "-o");
	recorder_add(&w, r->output);
	recorder_add(&w, "--");
	for (word = r->command; *word; word++)
		recorder_add(&w, *word);
	ret = recorder_run(&w, take_patched, v);
	free(events);
	recorder_free(&w);
	return ret;
}

/* ---- the table ---- */

/* Count the originals before this hit. Those after the last hit may come after the session's end. */
static void take_late(struct versions *v)
{
	struct calls *c;
	size_t i;

	for (i = 0; i < v->nr_late; i++) {
		c = v->late[i].calls;
		c->originals++;
		c->late = 0;
		c->last_original = v->late[i].ts;
	}
	v->nr_late = 0;
}

static int by_pid(const void *a, const void *b)
{
	intptr_t x = (intptr_t)a, y = (intptr_t)b;

	return x < y ? -1 : x > y;
}

/* A pid as tsearch() takes it: no pointer, and not NULL. */
static void *pid_key(int pid)
{
	return (void *)((intptr_t)pid * 2 + 1);
}

/* Has the task called anything? */
static bool has_called(const struct versions *v, int pid)
{
	return tfind(pid_key(pid), &v->pids, by_pid);
}

static int by_key(const void *a, const void *b)
{
	const struct calls *x = a, *y = b;

	if (x->of != y->of)
		return x->of < y->of ? -1 : 1;
	return x->pid != y->pid ? (x->pid < y->pid ? -1 : 1) : (x->slot > y->slot) - (x->slot < y->slot);
}

static struct calls *find_calls(const struct versions *v, const struct patched *of, int pid, unsigned int slot)
{
	struct calls key = { .of = of, .pid = pid, .slot = slot }, **found = tfind(&key, &v->by_key, by_key);

	return found ? *found : NULL;
}

static struct calls *calls_of(struct versions *v, const struct patched *of, const struct hit *hit)
{
	struct calls *c = find_calls(v, of, hit->pid, hit->slot);

	if (c)
		return c;
	c = xzalloc(1, sizeof(*c));
	*c = (struct calls){ .of = of, .pid = hit->pid, .slot = hit->slot };
	snprintf(c->comm, sizeof(c->comm), "%s", hit->comm);
	if (!tsearch(c, &v->by_key, by_key))
		out_of_memory();
	v->calls = xgrow(v->calls, v->nr_calls, sizeof(*v->calls));
	v->calls[v->nr_calls++] = c;
	return c;
}

static void take_hit(void *arg, const struct source *from, const struct hit *hit)
{
	/* the kernel said where they are */
	uint64_t ip = modules_address(hit->ip);
	struct versions *v = arg;
	struct patched *p;
	struct calls *c;
	unsigned int j;

	if (*from->instance)
		return;
	take_late(v);
	for (p = v->patched; p < v->patched + v->nr; p++) {
		if (ip - p->start < p->size) {
			c = calls_of(v, p, hit);
			c->entries++;
			if (!tsearch(pid_key(hit->pid), &v->pids, by_pid))
				out_of_memory();
			c->last_entry = hit->ts;
			return;
		}
		for (j = 0; j < p->nr_versions; j++) {
			if (ip - p->version[j].start >= p->version[j].size)
				continue;
			/* a call that a new version makes directly did not come through the original */
			if (modules_address(hit->parent_ip) - p->version[j].text < p->version[j].text_size)
				return;
			c = calls_of(v, p, hit);
			c->news++;
			if (!c->first_new)
				c->first_new = hit->ts;
			return;
		}
	}
}

/*
 * Return the calls that an original belongs to. A kprobe that is a breakpoint says NMI in every context, so this is
 * the task's newest call that has not gone on in a version, or else its newest.
 */
static struct calls *calls_of_original(struct versions *v, const struct patched *of, const struct hit *event)
{
	struct calls *c, *newest = NULL, *open = NULL;
	unsigned int slot;

	if (event->slot != NESTRACE_SLOT_NMI)
		return calls_of(v, of, event);
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		c = find_calls(v, of, event->pid, slot);
		if (!c)
			continue;
		if (!newest || c->last_entry > newest->last_entry)
			newest = c;
		if (c->originals + c->late + c->news < c->entries && (!open || c->last_entry > open->last_entry))
			open = c;
	}
	return open ?: newest ?: calls_of(v, of, event);
}

static void take_event(void *arg, const struct source *from, const struct hit *event)
{
	struct versions *v = arg;
	struct patched *p;
	struct calls *c;

	for (p = v->patched; p < v->patched + v->nr; p++) {
		if (!*p->event || !formats_event_is(v->reader.tep, event, v->group, p->event))
			continue;
		c = calls_of_original(v, p, event);
		/* the kprobe is there first: the call may be older than the session */
		if (!has_called(v, event->pid))
			return;
		v->late = xgrow(v->late, v->nr_late, sizeof(*v->late));
		v->late[v->nr_late++] = (struct original){ .calls = c, .ts = event->ts };
		c->late++;
		return;
	}
}

static void take_gap(void *arg, const struct source *from, int64_t missed)
{
	struct versions *v = arg;

	missing_add(&v->missing, missed);
}

static int by_function(const void *a, const void *b)
{
	const struct calls *x = *(struct calls *const *)a, *y = *(struct calls *const *)b;

	if (x->of != y->of)
		return x->of < y->of ? -1 : 1;
	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return x->entries != y->entries ? (x->entries > y->entries ? -1 : 1) : x->pid - y->pid;
}

static void time_text(char *to, size_t size, uint64_t ts)
{
	snprintf(to, size, "-");
	if (ts)
		snprintf(to, size, "%" PRIu64 ".%06" PRIu64, ts / 1000000000, ts / 1000 % 1000000);
}

static void put_calls(const struct calls *c, bool dropped_seen)
{
	/* without a kprobe, what did not go on in a new version ran the original */
	uint64_t originals = *c->of->event ? c->originals : c->entries - (c->news < c->entries ? c->news : c->entries);
	uint64_t ran = originals + c->news, dropped = ran > c->entries ? ran - c->entries : 0;
	char first[32], last[32], task[64];

	time_text(first, sizeof(first), c->first_new);
	time_text(last, sizeof(last), c->last_original);
	snprintf(task, sizeof(task), "%.32s-%d", c->comm, c->pid);
	printf("  %-22s %-8s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %14s %14s", task, context_names[c->slot],
	       c->entries, originals, c->news, last, first);
	if (dropped_seen && dropped)
		printf("  %" PRIu64 " DROPPED", dropped);
	printf("%s\n", originals && c->news ? "  both" : "");
}

static uint64_t dropped_of(const struct versions *v)
{
	uint64_t dropped = 0;
	size_t i;

	for (i = 0; i < v->nr_calls; i++)
		if (v->calls[i]->originals + v->calls[i]->news > v->calls[i]->entries)
			dropped += v->calls[i]->originals + v->calls[i]->news - v->calls[i]->entries;
	return dropped;
}

static void put_table(struct versions *v)
{
	bool lost = v->missing.events || v->missing.more, interrupts = false;
	const struct patched *of = NULL;
	uint64_t dropped = dropped_of(v);
	unsigned int j;
	size_t i;

	if (v->nr_calls)
		qsort(v->calls, v->nr_calls, sizeof(*v->calls), by_function);
	for (i = 0; i < v->nr_calls; i++) {
		/* all of its originals came after the end */
		if (!v->calls[i]->entries && !v->calls[i]->originals && !v->calls[i]->news)
			continue;
		if (v->calls[i]->of != of) {
			of = v->calls[i]->of;
			printf("%s%s%s, patched by", *of->object ? of->object : "", *of->object ? ":" : "", of->name);
			for (j = 0; j < of->nr_versions; j++)
				printf("%s %s", j ? "," : "", of->version[j].patch);
			printf("\n  %-22s %-8s %10s %10s %10s %14s %14s\n", "task", "context", "calls", "original",
			       "new", "last original", "first new");
		}
		interrupts |= v->calls[i]->slot != NESTRACE_SLOT_TASK;
		put_calls(v->calls[i], !lost);
	}
	if (!v->nr_calls)
		printf("no patched function was called\n");
	if (interrupts)
		printf("# an interrupt or an NMI runs the version of the task that it interrupts; its row has the name of that task\n");
	if (lost)
		printf("# %" PRIu64 "%s events were lost, so dropped calls cannot be counted; use a larger -b\n",
		       v->missing.events, v->missing.more ? " and more" : "");
	else if (dropped)
		printf("# DROPPED: ftrace's list function dropped %" PRIu64 " calls, so livepatch did not redirect them, and the original ran;\n"
		       "# it drops nested calls of functions that several users trace\n", dropped);
}

static int show(struct versions *v, const char *path)
{
	struct error e;
	bool failed;

	v->reader = (struct reader){
		.show = take_hit, .event = take_event, .gap = take_gap, .problem = warn_problem, .arg = v,
	};
	if (!reader_open(&v->reader, path, &e)) {
		warn_error(&e);
		reader_close(&v->reader);
		return EXIT_ERROR;
	}
	reader_read(&v->reader);
	put_table(v);
	failed = v->reader.failed;
	reader_close(&v->reader);
	return failed ? EXIT_ERROR : EXIT_SUCCESS;
}

int livepatch_record(int fd, const struct livepatch_record *r)
{
	struct versions v = { .fd = fd };
	time_t began = time(NULL);
	struct stat recorded;
	unsigned int j;
	size_t i;
	int ret, shown;

	refuse_beside_runnable(fd);
	snprintf(v.group, sizeof(v.group), GROUP "%d", getpid());
	take_patched(&v);
	if (!v.nr && !r->nr_functions)
		die("no function is patched: '/sys/kernel/livepatch'; name a later patch with -l FUNCTION and --patch MODULE");
	remove_left();
	for (i = 0; i < v.nr; i++)
		add_probe(&v, &v.patched[i]);
	ret = run(&v, r);
	take_patched(&v);
	remove_probes(&v);
	/* without a recording there is a message already */
	shown = stat(r->output, &recorded) || recorded.st_mtime < began ? EXIT_SUCCESS : show(&v, r->output);
	for (i = 0; i < v.nr; i++) {
		free(v.patched[i].name);
		free(v.patched[i].object);
		for (j = 0; j < v.patched[i].nr_versions; j++)
			free(v.patched[i].version[j].patch);
		free(v.patched[i].version);
	}
	free(v.patched);
	for (i = 0; i < v.nr_calls; i++) {
		tdelete(v.calls[i], &v.by_key, by_key);
		tdelete(pid_key(v.calls[i]->pid), &v.pids, by_pid);
		free(v.calls[i]);
	}
	free(v.calls);
	free(v.late);
	return ret ?: shown;
}
