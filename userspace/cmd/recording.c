// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/message.h"
#include "cmd/persist.h"
#include "cmd/recording.h"
#include "cmd/session_options.h"
#include "cmd/syncing.h"
#include "lib/accounting.h"
#include "lib/clock.h"
#include "lib/comms.h"
#include "lib/flights.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/notify.h"
#include "lib/pieces.h"
#include "lib/symbols.h"
#include "lib/partial.h"
#include "lib/tracedat_write.h"

/* Code that comes without a module, as BPF programs do, has names in the pieces after this time. */
#define SYMBOLS_SECONDS	60

/* A file that is being completed, by a thread of its own if the recording goes on. */
struct piece {
	struct recording *r;
	struct tracedat_writer *file;
	char *name;
	char *comms;			/* names of tasks, as text */
	size_t comms_len;
	struct accounting accounting;
	uint64_t events, lost;		/* of it, for the summary */
	double seconds;
	bool complete;
	struct error error;
	pthread_t thread;
	atomic_bool over;
};

struct recording {
	const struct recording_config *config;
	struct kernel_events *events;	/* or NULL */
	struct tracedat_writer *file;
	char *name;			/* of @file */
	struct comms *comms;
	struct modules *modules;
	struct symbols symbols;
	double symbols_of;		/* when they were read, since the start */
	unsigned int nr_cpus;
	bool failed;			/* data could not be written */
	bool terminal;			/* show progress */
	bool announced;			/* what a flight recording waits for */
	bool frozen;			/* the end has begun */
	struct args_plan *args_plan;	/* or NULL */
	struct progress progress;	/* at the last tick */
	struct flights *flights;	/* where nestrace snapshot finds it, or NULL */
	uint64_t gap_from, gap_to;	/* by the session's clock: nothing was recorded meanwhile */
	uint64_t gap_ns;
	struct timespec ended;		/* when the session was frozen last, and that by its clock */
	uint64_t ended_at;

	struct tracedat_contents contents;	/* of each file */

	struct syncing *syncing;	/* of @file; or NULL */

	/* a listener */
	struct remote *remote;		/* or NULL */
	bool split;			/* it gets no more data: the file has the rest */
	struct accounting of_remote;	/* then, of what it got */

	/* pieces */
	struct pieces *pieces;		/* NULL: there is one file */
	pthread_mutex_t *lock;		/* by stream: held while its data is written; all of them to change @file */
	struct accounting before;	/* the counters when the piece began */
	struct progress begun;		/* the progress then */
	struct piece *finishing;	/* the last piece, until its thread is joined */
	atomic_bool full;		/* there is no room on the disk: begin the next piece */
	atomic_uint generation;		/* of @file */
	bool waits_for_room;		/* and this was said */
	atomic_bool over;		/* the session has ended: no piece follows */
};

/* The file that is not complete if we exit. */
static struct tracedat_writer *unfinished;
static bool has_begun;

/* ---- data, in the threads of the CPUs ---- */

static bool no_room(const struct error *e)
{
	return strstr(e->text, strerror(ENOSPC)) || strstr(e->text, strerror(EDQUOT)) || strstr(e->text, "may have only");
}

/*
 * Wait until another piece has begun. The ring keeps, or loses and counts, what comes meanwhile. Return: false if
 * none will.
 */
static bool wait_for_piece(struct recording *r, unsigned int generation)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	atomic_store(&r->full, true);
	while (atomic_load(&r->generation) == generation) {
		if (atomic_load(&r->over))
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* Write data of a stream to the file that is open now. */
static bool write_once(struct recording *r, unsigned int stream, const void *buf, size_t len, struct error *e)
{
	bool good;

	if (r->lock)
		pthread_mutex_lock(&r->lock[stream]);
	if (stream < r->nr_cpus)
		good = tracedat_append(r->file, stream, buf, len, e);
	else
		good = tracedat_append_events(r->file, stream - r->nr_cpus, buf, len, e);
	if (r->lock)
		pthread_mutex_unlock(&r->lock[stream]);
	return good;
}

/* Write data, in the next piece if the disk is full. */
static bool write_data(struct recording *r, unsigned int stream, const void *buf, size_t len)
{
	unsigned int generation, tries = 0;
	struct error e;
	size_t sent;

	if (r->remote) {
		sent = remote_send(r->remote, stream, buf, len);
		if (sent == len)
			return true;
		buf = (const char *)buf + sent;
		len -= sent;
	}
	for (;;) {
		generation = atomic_load(&r->generation);
		if (write_once(r, stream, buf, len, &e))
			return true;
		if (!r->pieces || !no_room(&e) || r->config->capture.session.flight)
			break;
		/* the room of a file that is gone may take a moment to come back */
		if (tries++ < 3 && pieces_drop_oldest(r->pieces))
			continue;
		if (!wait_for_piece(r, generation))
			break;
		tries = 0;
	}
	/* the other CPUs meet the same */
	if (!__atomic_exchange_n(&r->failed, true, __ATOMIC_RELAXED))
		warn_error(&e);
	return false;
}

static bool on_data(void *arg, unsigned int cpu, const void *buf, size_t len)
{
	has_begun = true;
	return write_data(arg, cpu, buf, len);
}

static void *on_room(void *arg, unsigned int cpu, size_t *len)
{
	struct recording *r = arg;

	/* the buffer would be that of a file that ends while the thread waits for data */
	return r->lock || r->remote ? NULL : tracedat_room(r->file, cpu, len);
}

/* Compress in the threads of all CPUs, at once. */
static void on_over(void *arg, unsigned int cpu)
{
	struct recording *r = arg;

	/* if this fails, tracedat_finish() tries again, with more room on the disk */
	if (!r->lock)
		tracedat_compress(r->file, cpu);
}

static bool on_events(void *arg, unsigned int cpu, const void *buf, size_t len)
{
	struct recording *r = arg;

	if (write_data(r, r->nr_cpus + cpu, buf, len))
		return true;
	/* end the recording; the session itself may have nothing to write for long */
	kill(getpid(), SIGUSR2);
	return false;
}

/* ---- a file, from its beginning to its end ---- */

static char *selection(const struct recording *r)
{
	const struct session_config *s = &r->config->capture.session;

	return accounting_selection(s, r->config->capture.follow_command || s->nr_pids || s->cgroup);
}

static enum tracedat_returns returns_of(const struct session_config *s)
{
	if (!s->returns)
		return WITHOUT_RETURNS;
	return s->at_exit ? RETURNS_ONLY : WITH_RETURNS;
}

/* Describe what the files have. */
static void set_contents(struct recording *r)
{
	const struct recording_config *c = r->config;

	r->contents = (struct tracedat_contents){
		.events = r->events, .returns = returns_of(&c->capture.session), .stacks = c->capture.session.stack, .durable = c->goes_on || c->capture.session.persist,
		.args = c->args.all || c->args.nr_values,
		.args_text = r->args_plan ? r->args_plan->description : NULL,
		.args_len = r->args_plan ? r->args_plan->len : 0,
	};
}

/* Begin a file; @symbols becomes its. Return: false after an error. */
static bool begin_file(struct recording *r, char *symbols, size_t len, struct tracedat_writer **file, char **name,
		       struct error *e)
{
	const struct recording_config *c = r->config;

	*name = r->pieces ? pieces_name(r->pieces, time(NULL)) : xstrdup(c->output);
	*file = tracedat_create(*name, r->nr_cpus, clock_tracefs_name(c->capture.session.clock), symbols, len,
				&r->contents, e);
	if (*file)
		return true;
	free(*name);
	*name = NULL;
	return false;
}

/* Read the counters of the piece, and of the session that they are a part of. */
static void read_accounting(struct recording *r, int fd, struct accounting *a, struct accounting *session)
{
	accounting_read(session, fd, r->nr_cpus);
	*a = accounting_since(session, &r->before);
	a->piece = r->lock || r->split;
	a->gap_from = r->gap_from;
	a->gap_to = r->gap_to;
	a->gap_ns = r->gap_ns;
	a->selection = selection(r);
}

/* Let nothing but the time since now be lost of a file if we are killed. */
static void save_file(struct recording *r, int fd, struct tracedat_writer *file)
{
	struct accounting a, session;
	size_t len;
	char *text;

	text = names_times_text(r->modules, r->comms, &len);
	tracedat_set_times(file, text, len);
	text = comms_text(r->comms, &len);
	if (fd >= 0) {
		read_accounting(r, fd, &a, &session);
		accounting_free(&session);
	}
	tracedat_save(file, text, len, fd < 0 ? NULL : &a);
	if (fd >= 0)
		accounting_free(&a);
	free(text);
}

static void save(struct recording *r, int fd)
{
	save_file(r, fd, r->file);
}

/* Save what was read, even while the main thread begins the next piece: that may take seconds. */
static void save_data(void *arg)
{
	struct recording *r = arg;
	unsigned int i, nr = r->events ? 2 * r->nr_cpus : r->nr_cpus;

	for (i = 0; i < nr; i++) {
		if (r->lock)
			pthread_mutex_lock(&r->lock[i]);
		tracedat_save_stream(r->file, i);
		if (r->lock)
			pthread_mutex_unlock(&r->lock[i]);
	}
}

/* Return the symbols as they are now: the kernel may have made code meanwhile. */
static char *symbols_now(struct recording *r, size_t *len)
{
	struct error e;

	if (!symbols_read(&r->symbols, &e))
		warn_error(&e);
	r->symbols_of = r->progress.seconds;
	return symbols_text(&r->symbols, false, len);
}

/* Return the symbols for the end of a piece, or NULL: those of its beginning will do. */
static char *new_symbols(struct recording *r, size_t *len)
{
	/* to read them takes long, and what comes meanwhile is not saved */
	bool new = modules_news(r->modules) || r->progress.seconds - r->symbols_of > SYMBOLS_SECONDS;

	return new ? symbols_now(r, len) : NULL;
}

/*
 * Take the file, which nobody writes to any more, with all that it needs of the session @fd. @symbols, of
 * @symbols_len bytes, becomes its; NULL: it has them.
 */
static struct piece *take_piece(struct recording *r, int fd, struct tracedat_writer *file, char *name, char *symbols,
				size_t symbols_len)
{
	struct piece *p = xzalloc(1, sizeof(*p));
	struct accounting session;
	char *text;
	size_t len;

	p->r = r;
	p->file = file;
	p->name = name;
	read_accounting(r, fd, &p->accounting, &session);
	accounting_free(&r->before);
	r->before = session;
	p->events = r->progress.events - r->begun.events;
	p->lost = r->progress.lost - r->begun.lost;
	p->seconds = r->progress.seconds - r->begun.seconds;
	r->begun = r->progress;
	/* the running ones first: one that ends meanwhile is noted */
	comms_add_running(r->comms, fd);
	comms_take_gone(r->comms, fd);
	modules_take(r->modules, fd);
	if (symbols)
		tracedat_set_symbols(file, symbols, symbols_len);
	text = names_times_text(r->modules, r->comms, &len);
	tracedat_set_times(file, text, len);
	p->comms = comms_text(r->comms, &p->comms_len);
	return p;
}

/* Return the command with {} as the first argument of the shell, to be freed. */
static char *with_argument(const char *command)
{
	const char *at = command, *braces;
	char *text;
	size_t len;
	FILE *out = xmemstream(&text, &len);

	for (; (braces = strstr(at, "{}")); at = braces + 2) {
		fwrite(at, 1, braces - at, out);
		fputs("\"$1\"", out);
	}
	fputs(at, out);
	fclose(out);
	return text;
}

/* Run the user's command for a complete file, and wait for it. */
static void run_exec(const char *command, const char *name)
{
	char *text = with_argument(command);
	char *argv[] = { "sh", "-c", text, "nestrace", (char *)name, NULL };
	extern char **environ;
	posix_spawnattr_t attr;
	sigset_t none;
	int status = 0, why;
	pid_t pid;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	why = posix_spawn(&pid, "/bin/sh", NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (why)
		warn("cannot run '%s': %s", command, strerror(why));
	else if (waitpid(pid, &status, 0) == pid && status)
		warn("the command of --exec has failed for a file: '%s'; its status is %d", name,
		     WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	free(text);
}

/* Return the words for NESTRACE_STATS_ bits. */
static const char *ended_by(uint32_t why)
{
	if (why & NESTRACE_STATS_OOPS)
		return "an oops";
	return why & NESTRACE_STATS_WARN ? "a warning of the kernel" : "a trigger";
}

static void print_summary(const struct piece *p)
{
	if (p->r->config->capture.session.flight)
		warn("%" PRIu64 " hits kept, %" PRIu64 " before them overwritten, in %.1f s, written to '%s'",
		     p->events, p->lost, p->seconds, p->name);
	else
		warn("%" PRIu64 " hits, %" PRIu64 " lost in %.1f s, written to '%s'", p->events, p->lost, p->seconds, p->name);
}

/* Complete the file. If the disk is full, remove the oldest ones for it. */
static void write_piece(struct piece *p)
{
	struct pieces *others = p->r->pieces;
	char *partial = xstrdup(tracedat_partial(p->file)), *name;
	struct error e;

	p->complete = tracedat_finish(p->file, p->comms, p->comms_len, &p->accounting, &p->error);
	while (!p->complete && others && no_room(&p->error) && pieces_drop_oldest(others)) {
		name = tracedat_restore(partial, NULL, false, &e);
		p->complete = name;
		p->error = e;
		free(name);
	}
	free(partial);
}

/* Complete the file, count it among those that are kept, and do what the user wants done with it. */
static void complete_piece(struct piece *p)
{
	const struct recording *r = p->r;

	write_piece(p);
	if (!p->complete) {
		warn_error(&p->error);
	} else {
		if (!r->config->quiet)
			print_summary(p);
		if (r->pieces)
			pieces_add(r->pieces, p->name);
		if (r->flights)
			flights_written(r->flights, p->name);
		if (r->config->pieces.exec)
			run_exec(r->config->pieces.exec, p->name);
	}
	free(p->comms);
	accounting_free(&p->accounting);
	atomic_store(&p->over, true);
}

static void free_piece(struct piece *p)
{
	free(p->name);
	free(p);
}

/* ---- pieces ---- */

static void *finish_in_thread(void *arg)
{
	capture_block_internal();
	complete_piece(arg);
	return NULL;
}

/* Wait for the piece before. Return: false if it is not complete. */
static bool join_finishing(struct recording *r)
{
	bool complete = true;

	if (!r->finishing)
		return true;
	pthread_join(r->finishing->thread, NULL);
	complete = r->finishing->complete;
	free_piece(r->finishing);
	r->finishing = NULL;
	return complete;
}

/* Return the bytes that are free on the disk of the file, or the largest number. */
static uint64_t bytes_free(const struct recording *r)
{
	struct statvfs fs;

	if (statvfs(tracedat_partial(r->file), &fs))
		return UINT64_MAX;
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

static bool is_due(struct recording *r)
{
	const struct recording_pieces *c = &r->config->pieces;
	uint64_t bytes = tracedat_bytes(r->file);

	if (atomic_load(&r->full))
		return true;
	if (c->ns && (r->progress.seconds - r->begun.seconds) * 1e9 >= c->ns)
		return true;
	/* so that there is always one that can be dropped for room, and room to complete this one */
	return c->bytes && (bytes >= c->bytes || bytes / 2 > bytes_free(r));
}

/* Make room for the next piece, for another try at the next tick; or give up. */
static void cannot_begin(struct recording *r, const struct error *e)
{
	if (no_room(e) && pieces_drop_oldest(r->pieces))
		return;
	if (no_room(e) && !r->frozen) {
		if (!r->waits_for_room)
			warn("no room for the next file: '%s'; hits are lost until there is", r->name);
		r->waits_for_room = true;
		return;
	}
	if (!r->failed)
		warn_error(e);
	r->failed = true;
	/* whoever waits for it need not */
	if (atomic_load(&r->full))
		atomic_store(&r->over, true);
}

/* Begin the next piece, and let a thread complete the last one. */
static void next_piece(struct recording *r, int fd)
{
	struct tracedat_writer *file, *last;
	char *name, *last_name, *symbols, *last_symbols;
	size_t len, last_len = 0;
	unsigned int i;
	struct error e;

	/* one at a time */
	if (r->finishing && !atomic_load(&r->finishing->over))
		return;
	join_finishing(r);
	/* all that takes long comes before the change, and a kill at any time leaves two files that can be restored */
	last_symbols = new_symbols(r, &last_len);
	symbols = symbols_text(&r->symbols, false, &len);
	if (!begin_file(r, symbols, len, &file, &name, &e)) {
		free(last_symbols);
		cannot_begin(r, &e);
		return;
	}
	save_file(r, -1, file);
	for (i = 0; i < 2 * r->nr_cpus; i++)
		pthread_mutex_lock(&r->lock[i]);
	last = r->file;
	last_name = r->name;
	r->file = unfinished = file;
	r->name = name;
	r->waits_for_room = false;
	atomic_store(&r->full, false);
	atomic_fetch_add(&r->generation, 1);
	for (i = 0; i < 2 * r->nr_cpus; i++)
		pthread_mutex_unlock(&r->lock[i]);
	syncing_go_on(r->syncing, tracedat_partial(file));
	device_set_cookie(fd, tracedat_id(file));
	save_file(r, fd, last);
	r->finishing = take_piece(r, fd, last, last_name, last_symbols, last_len);
	save(r, fd);
	if (pthread_create(&r->finishing->thread, NULL, finish_in_thread, r->finishing)) {
		complete_piece(r->finishing);
		free_piece(r->finishing);
		r->finishing = NULL;
	}
}

/* ---- the session, in the main thread ---- */

/* Say what ends a flight recording. */
static void announce(struct recording *r)
{
	const struct session_config *s = &r->config->capture.session;
	unsigned int i;

	r->announced = true;
	fputs("nestrace: waiting for ", stderr);
	for (i = 0; i < s->nr_trigger; i++)
		fprintf(stderr, "%s'%s'", i ? ", " : "a call of ", s->trigger[i]);
	fprintf(stderr, "%s%s%san oops; Ctrl-C or SIGUSR2 ends the recording now\n",
		s->nr_trigger ? ", " : "", r->config->capture.command ? "the end of COMMAND, " : "",
		s->warn ? "a warning or " : s->nr_trigger || r->config->capture.command ? "or " : "");
}

static void on_opened(void *arg, int fd)
{
	struct recording *r = arg;

	device_set_cookie(fd, tracedat_id(r->file));
	if (modules_read(r->modules, fd))
		r->symbols.modules = r->modules;
	comms_add_running(r->comms, fd);
}

/* Return the time by the session's clock, or 0. */
static uint64_t clock_of(int fd)
{
	struct nestrace_time time = { .size = sizeof(time) };

	return ioctl(fd, NESTRACE_IOC_TIME, &time) ? 0 : time.clock;
}

static void on_started(void *arg, int fd)
{
	struct recording *r = arg;

	struct timespec now;

	if (r->gap_from) {
		r->gap_to = clock_of(fd);
		clock_gettime(CLOCK_MONOTONIC, &now);
		r->gap_ns = (now.tv_sec - r->ended.tv_sec) * 1000000000LL + now.tv_nsec - r->ended.tv_nsec;
	}
	notify_ready();
}

static void on_frozen(void *arg, int fd)
{
	struct recording *r = arg;

	r->frozen = true;
	clock_gettime(CLOCK_MONOTONIC, &r->ended);
	r->ended_at = clock_of(fd);
	if (r->events)
		kernel_events_freeze(r->events);
}

static void show_progress(struct recording *r, const struct progress *p)
{
	double dt = p->seconds - r->progress.seconds;

	if (r->config->capture.session.flight && !r->announced)
		announce(r);
	if (r->frozen && !p->last)
		fprintf(stderr, "\r%" PRIu64 " hits; %" PRIu64 " MiB left to compress \033[K",
			p->events, tracedat_waiting(r->file) >> 20);
	else if (!p->last)
		fprintf(stderr, "\r%" PRIu64 " hits, %" PRIu64 " %s, %.0f per second \033[K",
			p->events, p->lost, r->config->capture.session.flight ? "overwritten" : "lost",
			dt > 0 ? (p->events - r->progress.events) / dt : 0);
	else
		fprintf(stderr, "\r\033[K");
}

/* Keep the listener's connection. From where it fails the file has the rest. */
static void tick_remote(struct recording *r, int fd, const struct progress *p)
{
	struct accounting session;
	struct error e;

	if (remote_tick(r->remote, &e))
		return;
	warn_error(&e);
	warn("the rest is recorded here: '%s'", r->name);
	r->split = true;
	read_accounting(r, fd, &r->of_remote, &session);
	r->before = session;
	r->begun = *p;
}

static void on_tick(void *arg, int fd, const struct progress *p)
{
	struct recording *r = arg;

	if (r->remote)
		tick_remote(r, fd, p);
	comms_take_gone(r->comms, fd);
	modules_take(r->modules, fd);
	if (!p->last)
		save(r, fd);
	if (r->terminal)
		show_progress(r, p);
	r->progress = *p;
	if (r->lock && !p->last && is_due(r))
		next_piece(r, fd);
}

static void abandon(void)
{
	if (unfinished && has_begun)
		warn("what was recorded is kept: '%s'; give this directory to nestrace restore",
		     tracedat_partial(unfinished));
	else if (unfinished)
		tracedat_abandon(unfinished);
}

/* Let the listener complete its file, of all or of what it got. Return: false after a message. */
static bool finish_remote(struct recording *r, int fd)
{
	struct remote_end end = {
		.clock = clock_tracefs_name(r->config->capture.session.clock), .time = clock_of(fd), .id = tracedat_id(r->file),
		.accounting = &r->of_remote,
	};
	char *cmdlines, *times;
	struct accounting session;
	enum listener_end has;
	struct error e;

	if (!r->split) {
		read_accounting(r, fd, &r->of_remote, &session);
		accounting_free(&session);
	}
	comms_add_running(r->comms, fd);
	comms_take_gone(r->comms, fd);
	end.cmdlines = cmdlines = comms_text(r->comms, &end.cmdlines_len);
	end.times = times = names_times_text(r->modules, r->comms, &end.times_len);
	has = remote_finish(r->remote, &end, &e);
	if (has == LISTENER_MAY_HAVE_FILE)
		warn_error(&e);
	else if (has == LISTENER_HAS_NONE)
		warn("%s; the %" PRIu64 " hits that it got are lost", e.text, r->split ? r->begun.events : r->progress.events);
	else if (!r->config->quiet && !r->split)
		warn("%" PRIu64 " hits, %" PRIu64 " lost in %.1f s, sent to '%s'", r->progress.events, r->progress.lost,
		     r->progress.seconds, r->config->remote.address);
	else if (!r->config->quiet)
		warn("%" PRIu64 " hits before that were sent to '%s'", r->begun.events, r->config->remote.address);
	free(cmdlines);
	free(times);
	return has == LISTENER_HAS_FILE;
}

/* The recording is elsewhere. Return: is there nothing that the file must have? */
static bool is_all_sent(struct recording *r, int fd)
{
	if (!r->remote)
		return false;
	if (!finish_remote(r, fd))
		r->failed = true;
	accounting_free(&r->of_remote);
	remote_close(r->remote);
	r->remote = NULL;
	return !r->split;
}

/* Complete the last file. Return: the exit status. */
static int finish(struct recording *r, struct capture *capture)
{
	bool complete = join_finishing(r);
	struct piece *p;
	char *symbols;
	size_t len;

	if (capture->ended && !r->config->quiet)
		warn("ended by %s", ended_by(capture->ended));
	/* modules that were loaded at the end have symbols, too */
	modules_take(r->modules, capture->fd);
	if (is_all_sent(r, capture->fd)) {
		close(capture->fd);
		unfinished = NULL;
		tracedat_abandon(r->file);
		free(r->name);
		if (!r->failed)
			persist_forget(&r->config->capture.session);
		return r->failed ? failure_status() : capture->status;
	}
	symbols = symbols_now(r, &len);
	p = take_piece(r, capture->fd, r->file, r->name, symbols, len);
	/* the next session begins with this gap */
	r->gap_from = r->config->goes_on ? r->ended_at : 0;
	close(capture->fd);
	unfinished = NULL;
	complete_piece(p);
	complete = complete && p->complete;
	free_piece(p);
	if (complete && !r->failed)
		persist_forget(&r->config->capture.session);
	return complete && !r->failed ? capture->status : failure_status();
}

/* Decide what is recorded of arguments. Die of an error. */
static void plan_args(struct recording *r, struct recording_config *c)
{
	struct session_config *s = &c->capture.session;
	struct error e;

	if (!args_wanted(&c->args))
		return;
	r->args_plan = args_plan_new(&c->args, s->filter, s->nr_filter, s->at_exit, &e);
	if (!r->args_plan)
		die_error(&e);
	if (r->args_plan->note && !c->quiet)
		warn("%s", r->args_plan->note);
	s->args = r->args_plan;
}

/* Configure a session as the one is that runs since the boot. Die of an error. */
static void take_boot_config(struct session_config *s)
{
	static char globs[4096];
	FILE *f = fopen("/sys/module/nestrace/parameters/boot", "re");
	struct nestrace_boot boot;
	char *glob, *save;
	struct error e;

	if (!device_describe_boot(&boot, &e))
		die_error(&e);
	s->ring_kb = boot.ring_kb;
	s->overwrite = boot.config & NESTRACE_CONFIG_OVERWRITE;
	s->returns = boot.config & NESTRACE_CONFIG_RET;
	if (!f || !fgets(globs, sizeof(globs), f))
		*globs = '\0';
	if (f)
		fclose(f);
	/* for the accounting, which has what was traced */
	for (glob = strtok_r(globs, ",\n", &save); glob && strcmp(glob, "*"); glob = strtok_r(NULL, ",\n", &save)) {
		s->filter = xgrow(s->filter, s->nr_filter, sizeof(*s->filter));
		s->filter[s->nr_filter++] = glob;
	}
}

/* Try the configuration before a file is made, and read the symbols. Die of an error. */
static void try_session(struct recording *r, struct recording_config *c)
{
	struct nestrace_info info;
	struct error e;
	int fd = device_open(&e);

	if (fd < 0 || !device_info(fd, &info, &e))
		die_error(&e);
	if (c->capture.session.boot)
		take_boot_config(&c->capture.session);
	persist_size(&c->capture.session);
	plan_args(r, c);
	if ((!c->capture.session.boot && !device_configure(fd, &c->capture.session, &e)) || !symbols_read(&r->symbols, &e))
		die_error(&e);
	r->nr_cpus = info.nr_cpus;
	if (r->symbols.hidden)
		warn(SYMBOLS_HIDDEN);
	close(fd);
}

/* Return the symbols that a recording has that does not come to its end. */
static char *first_symbols(struct recording *r, size_t *len)
{
	struct modules *modules = modules_new();
	struct error e;
	char *text;
	int fd = device_open(&e);

	if (fd < 0)
		die_error(&e);
	comms_add_running(r->comms, fd);
	if (modules_read(modules, fd))
		r->symbols.modules = modules;
	close(fd);
	text = symbols_text(&r->symbols, false, len);
	r->symbols.modules = NULL;
	modules_free(modules);
	return text;
}

/* Say what an earlier recording left, and where this one is if it is not beside its file. */
static void announce_places(const struct recording *r)
{
	if (tracedat_kept(r->file))
		warn("an interrupted recording is kept: '%s'; nestrace restore -o FILE DIRECTORY makes a file from it, rm -r DIRECTORY removes it",
		     tracedat_kept(r->file));
	if (tracedat_is_elsewhere(r->file) && !r->config->quiet)
		warn("no new files beside the output: '%s'; until the end the recording is in %s",
		     r->name, tracedat_partial(r->file));
}

/* Make the instance, before threads and files: its guardian must not have them. */
static void open_events(struct recording *r, struct recording_config *c)
{
	const struct session_config *s = &c->capture.session;
	struct error e;

	if (!c->events.nr)
		return;
	c->events.clock = clock_tracefs_name(s->clock);
	/* not as much ordinary memory as there is reserved memory */
	c->events.buffer_kb = s->persist && !s->sized ? SESSION_RING_KB : s->ring_kb;
	c->events.late = s->flight;
	r->events = kernel_events_open(&c->events, &e);
	if (!r->events)
		die_error(&e);
}

static void stop_events(struct recording *r)
{
	if (!r->events)
		return;
	kernel_events_stop(r->events);
	if (r->events->lost && !r->config->capture.session.flight)
		warn("%" PRIu64 " events of -e lost; use a larger -b", r->events->lost);
	kernel_events_close(r->events);
	r->events = NULL;
}

/* Prepare for pieces: the files, and the locks. */
static void prepare_pieces(struct recording *r)
{
	const struct recording_config *c = r->config;
	struct error e;
	unsigned int i;

	if (!c->goes_on)
		return;
	r->pieces = pieces_new(c->output, c->pieces.keep, &e);
	if (!r->pieces)
		die_error(&e);
	if (c->capture.session.flight) {
		r->flights = flights_open(c->output, &e);
		if (!r->flights && !c->quiet)
			warn_error(&e);
		return;
	}
	r->lock = xzalloc(2 * r->nr_cpus, sizeof(*r->lock));
	for (i = 0; i < 2 * r->nr_cpus; i++)
		pthread_mutex_init(&r->lock[i], NULL);
}

/* Connect to the listener, before anything is recorded. Die of an error. */
static void open_remote(struct recording *r, struct recording_config *c)
{
	struct error e;

	if (!c->remote.address)
		return;
	r->remote = remote_open(&c->remote, r->nr_cpus, &r->contents, &r->symbols, &e);
	if (!r->remote)
		die_error(&e);
}

/* Record from the beginning of a session to its end. Return: the exit status. */
static int record_session(struct recording *r, struct recording_config *c, struct capture *capture)
{
	const struct sink sink = {
		.opened = on_opened, .started = on_started, .data = on_data, .room = on_room, .over = on_over,
		.tick = on_tick, .frozen = on_frozen, .problem = warn_problem, .arg = r,
	};
	struct error e;
	char *symbols;
	size_t len;
	bool ok;
	int ret;

	r->frozen = false;
	atomic_store(&r->over, false);
	r->progress = r->begun = (struct progress){ 0 };
	r->symbols_of = 0;
	r->comms = comms_new();
	/* it may wait for days */
	if (c->capture.session.flight || c->goes_on)
		comms_limit(r->comms, 1 << 20);
	r->modules = modules_new();
	open_events(r, c);
	set_contents(r);
	open_remote(r, c);
	symbols = first_symbols(r, &len);
	if (!begin_file(r, symbols, len, &r->file, &r->name, &e))
		die_error(&e);
	unfinished = r->file;
	announce_places(r);
	save(r, -1);
	/* a panic right after the start leaves what names the hits in a dump */
	partial_sync(tracedat_partial(r->file));
	r->syncing = syncing_begin(tracedat_partial(r->file), save_data, r);
	ok = !r->events || kernel_events_start(r->events, on_events, r, &e);
	ok = ok && capture_run(&c->capture, &sink, capture, &e);
	has_begun |= ok;
	atomic_store(&r->over, true);
	syncing_end(r->syncing);
	stop_events(r);
	if (!ok)
		die_error(&e);
	ret = finish(r, capture);
	r->symbols.modules = NULL;
	comms_free(r->comms);
	modules_free(r->modules);
	accounting_free(&r->before);
	r->before = (struct accounting){ 0 };
	return ret;
}

/* Did an incident end a flight recording that goes on, and not the user? */
static bool goes_on(const struct recording *r, const struct capture *capture)
{
	return r->config->goes_on && r->config->capture.session.flight && !r->failed &&
	       (capture->ended || capture->signal == SIGUSR2);
}

static void save_earlier(const struct recording_config *c)
{
	char *name = persist_save_earlier(c->capture.session.persist, c->output, c->pieces.keep);

	if (name && c->pieces.exec)
		run_exec(c->pieces.exec, name);
	free(name);
}

int recording_run(struct recording_config *c)
{
	struct recording r = { .config = c, .terminal = isatty(STDERR_FILENO) && !c->quiet };
	struct capture capture;
	unsigned int i;
	int ret;

	capture_allow_files();
	/* it waits for nobody */
	if (c->goes_on && c->capture.session.persist)
		save_earlier(c);
	try_session(&r, c);
	prepare_pieces(&r);
	/* nothing may end us before the instance is removed */
	capture_hold_signals();
	atexit(abandon);
	do {
		persist_keep_unsaved(&c->capture.session);
		ret = record_session(&r, c, &capture);
	} while (goes_on(&r, &capture));
	if (r.flights)
		flights_close(r.flights);
	capture_end(&capture);
	if (r.pieces && pieces_dropped(r.pieces))
		warn("the disk was full: %lu old files were removed for room", pieces_dropped(r.pieces));
	for (i = 0; r.lock && i < 2 * r.nr_cpus; i++)
		pthread_mutex_destroy(&r.lock[i]);
	free(r.lock);
	pieces_free(r.pieces);
	symbols_free(&r.symbols);
	args_plan_free(r.args_plan);
	return ret;
}
