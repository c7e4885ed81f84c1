// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/accounting.h"
#include "lib/clock.h"
#include "lib/dead_recording.h"
#include "lib/dead_rings.h"
#include "lib/dead_sessions.h"
#include "lib/kernel_events.h"
#include "lib/memory.h"
#include "lib/memory_dump.h"
#include "lib/region.h"
#include "lib/subbuf.h"
#include "lib/summary_events.h"
#include "lib/tracedat_read.h"
#include "lib/tracedat_write.h"

/* A recording, while its file is made. */
struct making {
	struct dead_recording *config;
	struct memory_dump *dump;
	struct dead_sessions sessions;
	struct dead_session *session;
	struct tracedat *file;		/* or NULL */
	struct accounting accounting;
	struct kernel_events events;	/* the formats in @file */
	struct tracedat_writer *writer;
	struct dead_kept (*kept)[NESTRACE_NR_SLOTS];	/* by CPU of @session */
};

static void problem(const struct making *m, const struct error *e)
{
	m->config->problem(e);
}

/* ---- which session ---- */

static bool list_sessions(const struct making *m, struct error *e)
{
	const struct dead_session *s;
	char *text, when[32];
	time_t seconds;
	struct tm tm;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (s = m->sessions.session; s < m->sessions.session + m->sessions.nr; s++) {
		seconds = s->about.wall_ns / 1000000000;
		if (!localtime_r(&seconds, &tm) || !strftime(when, sizeof(when), "%F %T", &tm))
			*when = '\0';
		fprintf(f, "%s%zu: since %s, kernel %s, %" PRIu64 " KiB per CPU%s", s == m->sessions.session ? "" : "; ",
			(size_t)(s - m->sessions.session) + 1, when, s->about.release, (uint64_t)s->about.ring_kb,
			s->about.flags & NESTRACE_CONFIG_OVERWRITE ? ", overwrites" : "");
	}
	fclose(f);
	error_set(e, "the dump has %zu sessions: '%s'; name the recorder's directory, or choose one with --session N (%.600s)",
		  m->sessions.nr, m->config->dump, text);
	free(text);
	return false;
}

static bool choose(struct making *m, struct error *e)
{
	unsigned int nr = m->config->session;
	size_t i;

	if (nr > m->sessions.nr)
		return error_set(e, "no such session in the dump: '%u'; it has %zu", nr, m->sessions.nr);
	if (nr)
		m->session = &m->sessions.session[nr - 1];
	for (i = 0; m->file && m->file->id && i < m->sessions.nr; i++) {
		if (m->sessions.session[i].about.cookie != m->file->id)
			continue;
		if (nr && m->session != &m->sessions.session[i])
			return error_set(e, "session %u is not that of the recording: '%s'", nr, m->config->name);
		m->session = &m->sessions.session[i];
	}
	m->config->other = m->file && (!m->session || m->session->about.cookie != m->file->id);
	if (m->config->other)
		return error_set(e, "this recording is not in the memory: '%s'; it had ended, or the memory is of another boot",
				 m->config->name);
	if (!m->session && m->sessions.nr > 1)
		return list_sessions(m, e);
	if (!m->session)
		m->session = m->sessions.session;
	return true;
}

/* ---- what the recorder had written ---- */

static void take_formats(struct making *m)
{
	const struct tracedat_format *f;

	for (f = m->file->format; f < m->file->format + m->file->nr_formats; f++) {
		if (!strcmp(f->system, "ftrace") || !strcmp(f->system, SUMMARY_EVENTS_SYSTEM))
			continue;
		m->events.format = xgrow(m->events.format, m->events.nr_formats, sizeof(*m->events.format));
		m->events.format[m->events.nr_formats++] = (struct event_format){ .system = f->system, .text = f->text };
	}
}

static bool is_record(const struct hit *h)
{
	return h->type == NESTRACE_EVENT_FUNCTION || h->type == NESTRACE_EVENT_ENTRY || h->type == NESTRACE_EVENT_EXIT;
}

/* Note what a sub-buffer of the file has. */
static void count(struct subbuf *sub, void *data, struct dead_joint *joint, struct dead_kept *kept)
{
	struct hit h = { 0 };

	if (!subbuf_load(sub, data))
		return;
	while (subbuf_next_event(sub, &h)) {
		if (h.missed > 0)
			joint->records += h.missed;
		if (!is_record(&h))
			continue;
		joint->records++;
		if (h.ts != joint->ts)
			memset(joint->at_ts, 0, sizeof(joint->at_ts));
		joint->ts = h.ts;
		joint->at_ts[h.slot]++;
		kept[h.slot].records++;
		kept[h.slot].exits += h.type == NESTRACE_EVENT_EXIT;
	}
}

/* Copy what the file has of a CPU. @joint, @kept: NULL: it is of the kernel's events. */
static bool copy_cpu(struct making *m, const struct tracedat_buffer *b, unsigned int cpu, struct dead_joint *joint,
		     struct dead_kept *kept, struct error *e)
{
	char data[2 * NESTRACE_SUBBUF_SIZE];
	struct subbuf sub;
	bool ok = true;
	uint64_t nr;
	int ret = 1;

	subbuf_init_format(&sub, &subbuf_nestrace_returns);
	for (nr = 0; ok; nr++) {
		ret = tracedat_read(m->file, b, cpu, nr, data, e);
		if (ret <= 0)
			break;
		ok = joint ? tracedat_append(m->writer, cpu, data, NESTRACE_SUBBUF_SIZE, e) :
		     tracedat_append_events(m->writer, cpu, data, NESTRACE_SUBBUF_SIZE, e);
		if (ok && joint)
			count(&sub, data, joint, kept);
	}
	subbuf_free(&sub);
	/* the part before the damage is kept */
	if (ret < 0)
		problem(m, e);
	return ok;
}

static bool copy_events(struct making *m, struct error *e)
{
	const struct tracedat_buffer *b;
	unsigned int i, cpu;

	for (i = 0; m->file && m->events.nr_formats && i < m->file->nr_buffers; i++) {
		b = &m->file->buffer[i];
		if (!*b->name || b->is_text || b->subbuf_size != NESTRACE_SUBBUF_SIZE)
			continue;
		for (cpu = 0; cpu < b->nr_cpus && cpu < m->session->about.nr_cpus; cpu++)
			if (!copy_cpu(m, b, cpu, NULL, NULL, e))
				return false;
	}
	return true;
}

/* ---- what the memory still has ---- */

static bool add_rings(struct making *m, unsigned int nr, const struct dead_joint *joint, struct error *e)
{
	struct dead_rings *rings = dead_rings_open(m->dump, m->session, nr, joint);
	const struct dead_kept *kept = dead_rings_kept(rings);
	unsigned int cpu = m->session->cpu[nr].cpu, slot;
	char data[NESTRACE_SUBBUF_SIZE];
	struct error damage;
	bool ok = true;

	while (ok && dead_rings_next(rings, data))
		ok = tracedat_append(m->writer, cpu, data, sizeof(data), e);
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		dead_kept_add(&m->kept[nr][slot], &kept[slot]);
	if (ok && dead_rings_damaged(rings)) {
		error_set(&damage, "a ring of CPU %u in the memory is damaged, or not whole: '%s'; what follows there is left out", cpu,
			  m->config->dump);
		problem(m, &damage);
	}
	dead_rings_close(rings);
	return ok;
}

static bool add_cpu(struct making *m, unsigned int nr, struct error *e)
{
	const struct tracedat_buffer *b = m->file && m->file->nr_buffers ? m->file->buffer : NULL;
	struct dead_joint joint = { .total = !m->accounting.piece };
	unsigned int cpu = m->session->cpu[nr].cpu;

	if (b && !*b->name && !b->is_text && cpu < b->nr_cpus && b->subbuf_size == NESTRACE_SUBBUF_SIZE &&
	    !copy_cpu(m, b, cpu, &joint, m->kept[nr], e))
		return false;
	return add_rings(m, nr, &joint, e);
}

/* ---- the file ---- */

static enum tracedat_returns returns_of(const struct dead_session *s)
{
	if (!(s->about.flags & NESTRACE_CONFIG_RET))
		return WITHOUT_RETURNS;
	return s->about.flags & NESTRACE_CONFIG_EXIT ? RETURNS_ONLY : WITH_RETURNS;
}

static bool create(struct making *m, struct error *e)
{
	const struct nestrace_dump_session *about = &m->session->about;
	const char *symbols = m->file && m->file->kallsyms ? m->file->kallsyms : "";
	struct tracedat_contents contents = {
		.events = m->events.nr_formats ? &m->events : NULL, .returns = returns_of(m->session),
		.stacks = about->stack, .args = about->args, .id = about->cookie, .durable = m->config->region,
		.args_text = m->file && m->file->args ? m->file->args : "",
	};
	char *uname = NULL;

	contents.args_len = strlen(contents.args_text);
	if (m->file && m->file->uname)
		contents.uname = m->file->uname;
	else if (asprintf(&uname, "Linux %s %s x86_64", about->host, about->release) < 0)
		out_of_memory();
	else
		contents.uname = uname;
	m->writer = tracedat_create(m->config->output, about->nr_cpus, clock_tracefs_name(about->clock), xstrdup(symbols),
				    strlen(symbols), &contents, e);
	free(uname);
	return m->writer;
}

static bool make(struct making *m, struct error *e)
{
	const char *cmdlines = m->file && m->file->cmdlines ? m->file->cmdlines : "";
	unsigned int i;
	bool ok = true;

	if (m->file)
		take_formats(m);
	if (!create(m, e))
		return false;
	for (i = 0; ok && i < m->session->nr_cpus; i++)
		ok = add_cpu(m, i, e);
	ok = ok && copy_events(m, e);
	if (!ok) {
		tracedat_abandon(m->writer);
		return false;
	}
	/* the counters of the machine are those of the session, not of one of its files */
	if (!m->accounting.piece)
		dead_session_account(m->session, m->kept, &m->accounting);
	if (m->file && m->file->times)
		tracedat_set_times(m->writer, xstrdup(m->file->times), strlen(m->file->times));
	return tracedat_finish(m->writer, cmdlines, strlen(cmdlines), &m->accounting, e);
}

static bool open_memory(struct making *m, struct error *e)
{
	struct error note;

	m->dump = m->config->region ? region_open(m->config->dump, e) : memory_dump_open(m->config->dump, e);
	if (!m->dump)
		return false;
	if (!dead_sessions_read(&m->sessions, m->dump,
				m->config->region ? NESTRACE_DUMP_REGION_MAGIC : NESTRACE_DUMP_ANCHOR_MAGIC, m->config->dump, &note)) {
		*e = note;
		return false;
	}
	if (*note.text && m->config->problem)
		problem(m, &note);
	return true;
}

static bool open_all(struct making *m, struct error *e)
{
	if (!open_memory(m, e))
		return false;
	if (m->config->file) {
		m->file = tracedat_open(m->config->file, e);
		if (!m->file)
			return false;
		accounting_load(&m->accounting, m->file);
	}
	return choose(m, e) && dead_session_load(m->session, m->dump, m->config->dump, e);
}

static void close_all(struct making *m)
{
	free(m->kept);
	free(m->events.format);
	accounting_free(&m->accounting);
	if (m->file)
		tracedat_close(m->file);
	dead_sessions_free(&m->sessions);
	if (m->dump)
		memory_dump_close(m->dump);
}

bool dead_recording_is_readable(const char *region, struct error *e)
{
	struct dead_recording r = { .dump = region, .region = true };
	struct making m = { .config = &r };
	bool ok = open_memory(&m, e) && dead_session_load(m.sessions.session, m.dump, region, e);

	close_all(&m);
	return ok;
}

bool dead_recording_make(struct dead_recording *r, struct error *e)
{
	struct making m = { .config = r };
	bool ok = open_all(&m, e);

	if (ok) {
		m.kept = xzalloc(m.session->nr_cpus, sizeof(*m.kept));
		ok = make(&m, e);
	}
	close_all(&m);
	return ok;
}
