// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <tracefs.h>
#include <unistd.h>

#include "lib/capture.h"
#include "lib/kernel_events.h"
#include "lib/memory.h"
#include "uapi/nestrace.h"

#define INSTANCE	"nestrace-"	/* the pid follows */
#define POLL_MS		200
/*
 * The kernel's count of full pages, which poll() asks for, goes wrong in buffers of a few pages that overflow. It
 * then warns, once. So small buffers are read by time.
 */
#define SMALL_KB	64
#define SMALL_MS	10
#define CPUS_MAX	65536
#define NAMES_MAX	1000

struct event_reader {
	pthread_t thread;
	unsigned int cpu;
	int fd;
	struct kernel_events_private *p;
};

struct kernel_events_private {
	struct tracefs_instance *instance;
	char *path;			/* its directory */
	pid_t guardian;
	int alive;			/* the guardian acts when this is closed */
	struct event_reader *reader;
	unsigned int nr_readers;
	bool late;
	bool small;		/* a buffer is below SMALL_KB */
	atomic_bool stop;
	bool (*data)(void *arg, unsigned int cpu, const void *buf, size_t len);
	void *arg;
};

/* Remove the instances of recorders that were killed together with their guardians. */
static void remove_left(void)
{
	char *instances = tracefs_get_tracing_file("instances"), *path;
	DIR *dir = instances ? opendir(instances) : NULL;
	struct dirent *d;
	int pid;

	while (dir && (d = readdir(dir))) {
		if (sscanf(d->d_name, INSTANCE "%d", &pid) != 1 || !kill(pid, 0) || errno != ESRCH)
			continue;
		if (asprintf(&path, "%s/%s", instances, d->d_name) < 0)
			out_of_memory();
		/* one that is in use stays: a pid may be that of another namespace */
		rmdir(path);
		free(path);
	}
	if (dir)
		closedir(dir);
	tracefs_put_tracing_file(instances);
}

/* Wait for the end of the recorder, and remove the instance at @path, which it may have left. */
static _Noreturn void guard(int alive, const char *path)
{
	sigset_t all;
	char c;
	int i;

	/* a signal to the recorder's group must not end this */
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (dup2(alive, STDIN_FILENO) < 0)
		_exit(EXIT_FAILURE);
	/* the others keep pipes and file systems of others busy */
	close_range(STDIN_FILENO + 1, ~0U, 0);
	if (chdir("/"))
		_exit(EXIT_FAILURE);
	while (read(STDIN_FILENO, &c, 1) < 0 && errno == EINTR)
		;
	for (i = 0; i < 1000 && rmdir(path) && errno == EBUSY; i++)
		usleep(10000);
	_exit(EXIT_SUCCESS);
}

static bool start_guardian(struct kernel_events_private *p, struct error *e)
{
	int alive[2];

	if (pipe2(alive, O_CLOEXEC) || (p->guardian = fork()) < 0) {
		p->guardian = 0;
		return error_set_errno(e, "cannot start the process that removes '%s'", p->path);
	}
	if (!p->guardian) {
		close(alive[1]);
		guard(alive[0], p->path);
	}
	close(alive[0]);
	p->alive = alive[1];
	return true;
}

static void add_format(struct kernel_events *k, const char *system, const char *event)
{
	char *text = tracefs_event_file_read(NULL, system, event, "format", NULL);
	size_t i;

	if (!text)
		return;
	for (i = 0; i < k->nr_formats; i++) {
		if (strcmp(k->format[i].system, system) || strcmp(k->format[i].event, event))
			continue;
		free(text);
		return;
	}
	k->format = xrealloc(k->format, (k->nr_formats + 1) * sizeof(*k->format));
	k->format[k->nr_formats++] = (struct event_format){ xstrdup(system), xstrdup(event), text };
}

/* The events that are no functions of the kernel's own: ours are the session. */
static bool can_choose_all_of(const char *system)
{
	return strcmp(system, "ftrace") && strcmp(system, "nestrace");
}

/* Choose an event if it is asked for. Return: false after an error. */
static bool choose_one(struct kernel_events *k, const struct event_choice *c, const char *system,
		       const char *event, struct error *e)
{
	struct tracefs_instance *instance = k->private->instance;
	char *why;

	if (c->filter && tracefs_event_file_write(instance, system, event, "filter", c->filter) < 0) {
		why = tracefs_error_last(instance);
		error_set(e, "not a filter of %s:%s: '%s'; its fields are in the event's file 'format'%s%.300s",
			  system, event, c->filter, why ? "\n" : "", why ?: "");
		free(why);
		return false;
	}
	add_format(k, system, event);
	return true;
}

static bool choose(struct kernel_events *k, const struct event_choice *c, struct error *e)
{
	char *system_glob = xstrdup(c->glob), *event_glob = strpbrk(system_glob, ":/");
	char **systems = tracefs_event_systems(NULL), **events;
	bool ok = true, found = false, all = !strcmp(c->glob, "all");
	int i, j;

	if (event_glob)
		*event_glob++ = '\0';
	for (i = 0; ok && systems && systems[i]; i++) {
		bool whole = all || !fnmatch(system_glob, systems[i], 0);

		if (all && !can_choose_all_of(systems[i]))
			continue;
		if (event_glob && !whole)
			continue;
		events = tracefs_system_events(NULL, systems[i]);
		for (j = 0; ok && events && events[j]; j++) {
			/* SYSTEM:EVENT, SYSTEM, or EVENT of any system */
			if (event_glob ? fnmatch(*event_glob ? event_glob : "*", events[j], 0) :
			    !whole && fnmatch(system_glob, events[j], 0))
				continue;
			found = true;
			ok = choose_one(k, c, systems[i], events[j], e);
		}
		tracefs_list_free(events);
	}
	tracefs_list_free(systems);
	free(system_glob);
	if (ok && !found)
		return error_set(e, "no event matches -e: '%s'; trace-cmd list -e lists them", c->glob);
	return ok;
}

static int by_system(const void *a, const void *b)
{
	const struct event_format *x = a, *y = b;

	return strcmp(x->system, y->system);
}

static bool set_up(struct kernel_events *k, const struct events_config *c, struct error *e)
{
	struct tracefs_instance *instance = k->private->instance;
	unsigned int i;

	if (tracefs_instance_file_write(instance, "trace_clock", c->clock) < 0)
		return error_set(e, "the kernel's events have no such clock: '%s'; choose another with -C", c->clock);
	if (tracefs_instance_set_buffer_size(instance, c->buffer_kb, -1) < 0)
		return error_set_errno(e, "cannot get %u KiB per CPU for the kernel's events; choose less with -b",
				       c->buffer_kb);
	/* it is created running */
	tracefs_trace_off(instance);
	if (!c->late)
		tracefs_option_disable(instance, TRACEFS_OPTION_OVERWRITE);
	for (i = 0; i < c->nr; i++)
		if (!choose(k, &c->choice[i], e))
			return false;
	qsort(k->format, k->nr_formats, sizeof(*k->format), by_system);
	return true;
}

/* Choose a name that no instance has. In another pid namespace, the same pid may have one. */
static void choose_name(struct kernel_events_private *p, char *name, size_t size)
{
	unsigned int i;

	for (i = 0; i < NAMES_MAX; i++) {
		free(p->path);
		if (i)
			snprintf(name, size, INSTANCE "%d.%u", getpid(), i);
		else
			snprintf(name, size, INSTANCE "%d", getpid());
		if (asprintf(&p->path, "%s/instances/%s", tracefs_tracing_dir(), name) < 0)
			out_of_memory();
		/* one that is not in use was left */
		if (!rmdir(p->path) || access(p->path, F_OK))
			return;
	}
}

struct kernel_events *kernel_events_open(const struct events_config *c, struct error *e)
{
	struct kernel_events *k = xzalloc(1, sizeof(*k));
	struct kernel_events_private *p = xzalloc(1, sizeof(*p));
	char name[32];
	bool ok;

	k->private = p;
	p->alive = -1;
	p->late = c->late;
	p->small = c->buffer_kb < SMALL_KB;
	if (!tracefs_tracing_dir()) {
		error_set_errno(e, "cannot find tracefs for -e; mount it on /sys/kernel/tracing");
		goto fail;
	}
	remove_left();
	choose_name(p, name, sizeof(name));
	/* first the guardian: nothing can be left behind without it */
	if (!start_guardian(p, e))
		goto fail;
	p->instance = tracefs_instance_create(name);
	if (p->instance && !tracefs_instance_is_new(p->instance)) {
		tracefs_instance_free(p->instance);
		p->instance = NULL;
		errno = EEXIST;
	}
	if (!p->instance) {
		error_set_errno(e, "cannot make a tracefs instance: '%s'", p->path);
		goto fail;
	}
	ok = set_up(k, c, e);
	if (ok)
		return k;
fail:
	kernel_events_close(k);
	return NULL;
}

static void *read_events(void *arg)
{
	struct event_reader *r = arg;
	struct pollfd poll_fd = { .fd = r->fd, .events = POLLIN };
	char buf[NESTRACE_SUBBUF_SIZE];
	bool last, more = true;
	ssize_t n;

	capture_block_internal();
	setpriority(PRIO_PROCESS, 0, -20);
	do {
		last = atomic_load(&r->p->stop);
		/* a CPU that was offline at the start has an error, and nothing to read */
		if (!last && r->p->small && !r->p->late)
			poll(NULL, 0, SMALL_MS);
		else if (!last && (r->p->late || (poll(&poll_fd, 1, POLL_MS) > 0 &&
						  poll_fd.revents & ~POLLIN)))
			poll(NULL, 0, POLL_MS);
		if (r->p->late && !last)
			continue;
		while (more && (n = read(r->fd, buf, sizeof(buf))) != 0) {
			if (n < 0 && errno == EINTR)
				continue;
			if (n != sizeof(buf))
				break;
			more = r->p->data(r->p->arg, r->cpu, buf, n);
		}
	} while (!last && more);
	return NULL;
}

bool kernel_events_start(struct kernel_events *k,
			 bool (*data)(void *arg, unsigned int cpu, const void *buf, size_t len),
			 void *arg, struct error *e)
{
	struct kernel_events_private *p = k->private;
	unsigned int cpu, nr = sysconf(_SC_NPROCESSORS_CONF);
	char path[64];
	size_t i;
	int fd;

	p->data = data;
	p->arg = arg;
	p->reader = xzalloc(nr, sizeof(*p->reader));
	for (cpu = 0; cpu < CPUS_MAX && p->nr_readers < nr; cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu);
		if (access(path, F_OK))
			continue;
		snprintf(path, sizeof(path), "per_cpu/cpu%u/trace_pipe_raw", cpu);
		fd = tracefs_instance_file_open(p->instance, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return error_set_errno(e, "cannot read the kernel's events of CPU %u", cpu);
		p->reader[p->nr_readers] = (struct event_reader){ .cpu = cpu, .fd = fd, .p = p };
		if (pthread_create(&p->reader[p->nr_readers].thread, NULL, read_events,
				   &p->reader[p->nr_readers])) {
			close(fd);
			return error_set(e, "cannot start a thread for CPU '%u'", cpu);
		}
		p->nr_readers++;
	}
	for (i = 0; i < k->nr_formats; i++)
		if (tracefs_event_enable(p->instance, k->format[i].system, k->format[i].event) < 0)
			return error_set_errno(e, "cannot enable the event '%s:%s'",
					       k->format[i].system, k->format[i].event);
	if (tracefs_trace_on(p->instance) < 0)
		return error_set_errno(e, "cannot start tracing the kernel's events");
	return true;
}

/* Return the events that a CPU lost. */
static uint64_t lost_on(struct kernel_events_private *p, unsigned int cpu)
{
	static const char *const words[] = { "\noverrun: ", "\ncommit overrun: ", "\ndropped events: " };
	uint64_t lost = 0;
	char path[64], *text, *at;
	size_t i;

	snprintf(path, sizeof(path), "per_cpu/cpu%u/stats", cpu);
	text = tracefs_instance_file_read(p->instance, path, NULL);
	for (i = 0; text && i < sizeof(words) / sizeof(words[0]); i++) {
		at = strstr(text, words[i]);
		lost += at ? strtoull(at + strlen(words[i]), NULL, 10) : 0;
	}
	free(text);
	return lost;
}

void kernel_events_freeze(struct kernel_events *k)
{
	tracefs_trace_off(k->private->instance);
}

void kernel_events_stop(struct kernel_events *k)
{
	struct kernel_events_private *p = k->private;
	unsigned int i;

	kernel_events_freeze(k);
	atomic_store(&p->stop, true);
	for (i = 0; i < p->nr_readers; i++) {
		pthread_join(p->reader[i].thread, NULL);
		close(p->reader[i].fd);
		k->lost += lost_on(p, p->reader[i].cpu);
	}
	p->nr_readers = 0;
}

void kernel_events_close(struct kernel_events *k)
{
	struct kernel_events_private *p = k->private;
	size_t i;

	if (p->instance) {
		kernel_events_stop(k);
		tracefs_instance_destroy(p->instance);
		tracefs_instance_free(p->instance);
	}
	if (p->alive >= 0)
		close(p->alive);
	if (p->guardian)
		waitpid(p->guardian, NULL, 0);
	for (i = 0; i < k->nr_formats; i++) {
		free(k->format[i].system);
		free(k->format[i].event);
		free(k->format[i].text);
	}
	free(k->format);
	free(p->reader);
	free(p->path);
	free(p);
	free(k);
}
