// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <event-parse.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/message.h"
#include "cmd/names_of_now.h"
#include "cmd/stat_metrics.h"
#include "lib/accounting.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/subbuf.h"
#include "lib/symbols.h"
#include "output/counts.h"
#include "output/prometheus.h"

/* The returns of one CPU, by function and context. */
struct times {
	pthread_mutex_t lock;		/* for the rest: its thread adds, the main thread reads */
	struct subbuf sub;
	char *data;
	struct counts calls, ns;
};

struct metrics {
	const char *path;
	double seconds;			/* between two files */
	double written;			/* when, since the start */
	uint64_t start_ns;
	struct symbols symbols;
	struct modules *modules;
	struct tep_handle *tep;
	char *text;			/* the symbols of @tep */
	unsigned int nr_cpus;
	struct times *times;		/* by CPU; NULL: the module counts */
	bool functions;			/* they were chosen, so they are named */
	bool failed;
};

/* Read the names again if modules have come or gone. */
static void read_names(struct metrics *m)
{
	struct error e;
	size_t len;

	if (m->tep && !modules_news(m->modules))
		return;
	if (!symbols_read(&m->symbols, &e))
		die_error(&e);
	if (m->tep)
		tep_free(m->tep);
	free(m->text);
	m->text = symbols_text(&m->symbols, true, &len);
	m->tep = names_of_lines(m->text);
}

static void add_rows(const struct metrics *m, const struct counts *calls, const struct counts *ns, struct prometheus *p)
{
	const struct call_count *entry, *time;
	unsigned int slot;

	for (entry = calls->entry; entry < calls->entry + calls->size; entry++) {
		time = entry->ip && ns ? counts_of(ns, entry->ip) : NULL;
		for (slot = 0; entry->ip && slot < NESTRACE_NR_SLOTS; slot++) {
			if (!entry->calls[slot])
				continue;
			p->row = xgrow(p->row, p->nr, sizeof(*p->row));
			/* the string of an address that has no name does not last */
			p->row[p->nr++] = (struct prometheus_row){
				.name = names_find(m->tep, entry->ip) ?: "unknown", .slot = slot,
				.calls = entry->calls[slot], .ns = time ? time->calls[slot] : 0,
			};
		}
	}
}

static void add_times(const struct metrics *m, struct prometheus *p)
{
	unsigned int i;

	for (i = 0; i < m->nr_cpus; i++) {
		pthread_mutex_lock(&m->times[i].lock);
		add_rows(m, &m->times[i].calls, &m->times[i].ns, p);
		pthread_mutex_unlock(&m->times[i].lock);
	}
}

static void write_now(struct metrics *m, int fd)
{
	struct prometheus p = { .times = m->times != NULL, .start_ns = m->start_ns };
	struct counts counts = { .modules = m->modules };
	struct accounting a;
	struct error e;

	read_names(m);
	accounting_read(&a, fd, m->nr_cpus);
	p.accounting = &a;
	if (m->functions && m->times)
		add_times(m, &p);
	else if (m->functions && counts_session(&counts, fd, m->nr_cpus, m->modules))
		add_rows(m, &counts, NULL, &p);
	if (!prometheus_write(&p, m->path, &e)) {
		/* the disk may have room again later */
		if (!m->failed)
			warn_error(&e);
		m->failed = true;
	} else {
		m->failed = false;
	}
	counts_free(&counts);
	accounting_free(&a);
	free(p.row);
}

static void on_opened(void *arg, int fd)
{
	struct metrics *m = arg;
	struct timespec now;

	if (modules_read(m->modules, fd))
		m->symbols.modules = m->modules;
	clock_gettime(CLOCK_REALTIME, &now);
	m->start_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void on_tick(void *arg, int fd, const struct progress *p)
{
	struct metrics *m = arg;

	modules_take(m->modules, fd);
	/* the ticks are not quite regular */
	if (!p->last && p->seconds - m->written < m->seconds - 0.25)
		return;
	m->written = p->seconds;
	write_now(m, fd);
}

static void take_return(struct metrics *m, struct times *t, const struct hit *event)
{
	struct nestrace_exit exit;
	struct hit hit = *event;
	uint64_t ns;

	if (event->type != NESTRACE_EVENT_EXIT || event->size < (int)sizeof(exit))
		return;
	memcpy(&exit, event->data, sizeof(exit));
	hit.ip = modules_place(m->modules, exit.ip, event->ts);
	if (!hit.ip)
		return;
	counts_hit(&t->calls, &hit);
	ns = exit.rettime - exit.calltime;
	counts_add(&t->ns, hit.ip, hit.slot, ns);
}

static bool on_data(void *arg, unsigned int cpu, const void *buf, size_t len)
{
	struct metrics *m = arg;
	struct times *t = &m->times[cpu];
	struct hit event = { 0 };
	size_t at;

	pthread_mutex_lock(&t->lock);
	for (at = 0; at < len; at += NESTRACE_SUBBUF_SIZE) {
		memcpy(t->data, (const char *)buf + at, NESTRACE_SUBBUF_SIZE);
		if (!subbuf_load(&t->sub, t->data))
			continue;
		while (subbuf_next_event(&t->sub, &event))
			take_return(m, t, &event);
	}
	pthread_mutex_unlock(&t->lock);
	return true;
}

static void prepare_times(struct metrics *m, struct session_config *s)
{
	unsigned int i;

	s->count = false;
	s->returns = s->at_exit = true;
	m->times = xzalloc(m->nr_cpus, sizeof(*m->times));
	for (i = 0; i < m->nr_cpus; i++) {
		pthread_mutex_init(&m->times[i].lock, NULL);
		subbuf_init_format(&m->times[i].sub, &subbuf_nestrace_returns);
		m->times[i].data = xzalloc(subbuf_room(&subbuf_nestrace), 1);
	}
}

static void free_times(struct metrics *m)
{
	unsigned int i;

	for (i = 0; m->times && i < m->nr_cpus; i++) {
		pthread_mutex_destroy(&m->times[i].lock);
		subbuf_free(&m->times[i].sub);
		free(m->times[i].data);
		counts_free(&m->times[i].calls);
		counts_free(&m->times[i].ns);
	}
	free(m->times);
}

int stat_metrics(struct capture_config *config, const char *path, double seconds, bool times)
{
	struct metrics m = { .path = path, .seconds = seconds, .functions = config->session.nr_filter };
	const struct sink sink = {
		.opened = on_opened, .data = on_data, .tick = on_tick, .problem = warn_problem, .arg = &m,
	};
	struct nestrace_info info;
	struct capture capture;
	struct error e;
	int fd = device_open(&e);

	if (fd < 0 || !device_info(fd, &info, &e) || !symbols_read(&m.symbols, &e))
		die_error(&e);
	close(fd);
	if (m.symbols.hidden)
		warn(SYMBOLS_HIDDEN);
	m.nr_cpus = info.nr_cpus;
	m.modules = modules_new();
	if (times)
		prepare_times(&m, &config->session);
	if (!capture_run(config, &sink, &capture, &e))
		die_error(&e);
	capture_end(&capture);
	close(capture.fd);
	free_times(&m);
	if (m.tep)
		tep_free(m.tep);
	free(m.text);
	modules_free(m.modules);
	symbols_free(&m.symbols);
	return m.failed ? failure_status() : capture.status;
}
