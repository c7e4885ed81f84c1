// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "cmd/live.h"
#include "cmd/message.h"
#include "cmd/names_of_now.h"
#include "lib/comms.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/subbuf.h"

#define COMMS_MAX	(1 << 20)

struct live_cpu {
	struct subbuf sub;
	char *data;
};

static void on_problem(void *arg, const struct error *e)
{
	struct live *l = arg;

	warn_error(e);
	l->failed = true;
}

static void on_opened(void *arg, int fd)
{
	struct live *l = arg;

	if (modules_read(l->modules, fd))
		l->symbols.modules = l->modules;
	comms_add_running(l->comms, fd);
}

/* Let SIGALRM end the session, as Ctrl-C does. @us 0: it is over. */
static void set_timer(uint64_t us)
{
	const struct itimerval timer = { .it_value = { us / 1000000, us % 1000000 } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void on_started(void *arg, int fd)
{
	struct nestrace_time time = { .size = sizeof(time) };
	struct live *l = arg;

	if (l->started && !ioctl(fd, NESTRACE_IOC_TIME, &time))
		l->started(l->arg, time.clock);
}

static void on_tick(void *arg, int fd, const struct progress *p)
{
	struct live *l = arg;

	/* the kernel keeps a limited number of notes */
	modules_take(l->modules, fd);
	comms_take_gone(l->comms, fd);
	if (l->span_ns && !l->timed && !p->last)
		set_timer(l->span_ns > p->seconds * 1e9 ? l->span_ns / 1000 - p->seconds * 1e6 + 1 : 1);
	l->timed = true;
	l->seconds = p->seconds;
	if (l->terminal && !p->last)
		fprintf(stderr, "\r%.0f s, %" PRIu64 " hits, %" PRIu64 " lost \033[K", p->seconds, p->events, p->lost);
	else if (l->terminal)
		fprintf(stderr, "\r\033[K");
}

static bool on_data(void *arg, unsigned int cpu, const void *buf, size_t len)
{
	struct live *l = arg;
	struct live_cpu *c = &l->cpu[cpu];
	struct hit event = { 0 };
	size_t at;

	for (at = 0; at < len; at += NESTRACE_SUBBUF_SIZE) {
		memcpy(c->data, (const char *)buf + at, NESTRACE_SUBBUF_SIZE);
		if (!subbuf_load(&c->sub, c->data)) {
			l->failed = true;
			continue;
		}
		while (subbuf_next_event(&c->sub, &event))
			l->event(l->arg, cpu, &event);
	}
	return true;
}

void live_open(struct live *l, const struct nestrace_info *info)
{
	struct error e;
	unsigned int i;

	l->nr_cpus = info->nr_cpus;
	l->cpu = xzalloc(l->nr_cpus, sizeof(*l->cpu));
	for (i = 0; i < l->nr_cpus; i++) {
		subbuf_init_format(&l->cpu[i].sub, &subbuf_nestrace_returns);
		l->cpu[i].data = xzalloc(subbuf_room(&subbuf_nestrace), 1);
	}
	l->comms = comms_new();
	comms_limit(l->comms, COMMS_MAX);
	l->modules = modules_new();
	if (!symbols_read(&l->symbols, &e))
		die_error(&e);
	if (l->symbols.hidden)
		die("the kernel hides its addresses: '/proc/kallsyms'; this needs CAP_SYSLOG and sysctl kernel.kptr_restrict below 2");
}

void live_run(struct live *l, const struct capture_config *config)
{
	const struct sink sink = {
		.opened = on_opened, .started = on_started, .data = on_data, .tick = on_tick, .problem = on_problem, .arg = l,
	};
	struct capture capture;
	struct error e;
	size_t len;

	l->terminal = isatty(STDERR_FILENO);
	capture_allow_files();
	if (!capture_run(config, &sink, &capture, &e))
		die_error(&e);
	set_timer(0);
	capture_end(&capture);
	accounting_read(&l->accounting, capture.fd, capture.nr_cpus);
	comms_add_running(l->comms, capture.fd);
	comms_take_gone(l->comms, capture.fd);
	modules_take(l->modules, capture.fd);
	close(capture.fd);
	/* the kernel may have made code meanwhile */
	if (!symbols_read(&l->symbols, &e))
		die_error(&e);
	l->text = symbols_text(&l->symbols, true, &len);
	l->tep = names_of_lines(l->text);
	if (capture.status)
		warn("COMMAND has ended with status %d", capture.status);
}

const char *live_comm(const struct live *l, int pid, uint64_t ts)
{
	return comms_at(l->comms, pid, ts) ?: pid ? "<...>" : "<idle>";
}

void live_free(struct live *l)
{
	unsigned int i;

	for (i = 0; i < l->nr_cpus; i++) {
		subbuf_free(&l->cpu[i].sub);
		free(l->cpu[i].data);
	}
	free(l->cpu);
	symbols_free(&l->symbols);
	comms_free(l->comms);
	modules_free(l->modules);
	accounting_free(&l->accounting);
	tep_free(l->tep);
	free(l->text);
}
