// SPDX-License-Identifier: GPL-2.0
/* nestrace bench: measure the cost of a hit on this machine. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <tracefs.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/message.h"
#include "cmd/parse.h"
#include "lib/device.h"

static const char help[] =
	"usage: nestrace bench\n\n"
	"Measure the cost of one hit on this machine: with an empty callback, with\n"
	"nestrace and each of its clocks, and with the kernel's function tracer. It\n"
	"traces the function of a system call and calls it on one CPU, by turns, for some\n"
	"seconds. Nothing else may be tracing.\n\n"
	"  -h, --help  print this help\n";

#define INSTANCE	"nestrace-bench"
#define ROUNDS		5
#define BATCHES		21
#define CALLS		5000	/* of a batch */
#define RING_KB		2048

/* The measured states; the clocks are CLOCK and up. */
enum way { NOTHING, EMPTY, CLOCK, FUNCTION = CLOCK + NESTRACE_NR_CLOCKS, NR_WAYS };

#define NAME_OF_CLOCK(id, name)	[CLOCK + NESTRACE_CLOCK_##id] = "nestrace, clock " #name,
static const char *const ways[NR_WAYS] = {
	[EMPTY] = "empty callback",
	NESTRACE_CLOCKS(NAME_OF_CLOCK)
	[FUNCTION] = "the function tracer",
};

/* The function of the system call getppid(), by its names on various machines. */
static const char *const candidates[] = {
	"__x64_sys_getppid", "__arm64_sys_getppid", "__do_sys_getppid", "sys_getppid",
};

static struct tracefs_instance *instance;
static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* Handle a signal, unless it is ignored, as under nohup. */
static void handle(int sig)
{
	if (signal(sig, on_signal) == SIG_IGN)
		signal(sig, SIG_IGN);
}

static void remove_instance(void)
{
	if (!instance)
		return;
	tracefs_tracer_clear(instance);
	tracefs_instance_destroy(instance);
	tracefs_instance_free(instance);
	instance = NULL;
}

/* Return true if a line of this file in tracefs begins with the word @name. */
static bool has_line(const char *file, const char *name)
{
	char *path = tracefs_get_tracing_file(file), *line = NULL;
	FILE *f = path ? fopen(path, "r") : NULL;
	size_t size = 0, len = strlen(name);
	bool found = false;

	if (!f)
		die_errno("cannot read '%s' of tracefs", file);
	while (!found && getline(&line, &size, f) > 0)
		found = !strncmp(line, name, len) && strchr(" \n", line[len]);
	free(line);
	fclose(f);
	tracefs_put_tracing_file(path);
	return found;
}

static const char *target(void)
{
	size_t i;

	for (i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++)
		if (has_line("available_filter_functions", candidates[i]))
			return candidates[i];
	die("cannot trace getppid() on this kernel; nestrace bench needs it");
}

static int open_device(void)
{
	struct error e;
	int fd = device_open(&e);

	if (fd < 0)
		die_error(&e);
	return fd;
}

static void refuse_if_running(void)
{
	struct nestrace_info info;
	struct error e;
	int fd = open_device();

	if (!device_info(fd, &info, &e))
		die_error(&e);
	close(fd);
	if (info.running)
		die("another session of nestrace is running, and its hits would be measured, too; end it first");
}

static void refuse_if_traced(const char *function)
{
	char *tracer = tracefs_instance_file_read(NULL, "current_tracer", NULL);

	if (tracer && strcmp(tracer, "nop\n"))
		die("a tracer is running, and its cost would be measured, too: '%.*s'; echo nop > current_tracer ends it",
		    (int)strcspn(tracer, "\n"), tracer);
	if (has_line("enabled_functions", function))
		die("the function is traced already: '%s'; enabled_functions in tracefs shows by what, end it first",
		    function);
	free(tracer);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return values[nr / 2];
}

/* Return the nanoseconds of a call, with the tracing of its function. */
static double measure(void)
{
	struct timespec from, to;
	double ns[BATCHES];
	int i, n;

	for (i = 0; i < BATCHES; i++) {
		/* exit, rather than die of the signal, so that the instance is removed */
		if (interrupted)
			exit(128 + interrupted);
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (n = 0; n < CALLS; n++)
			syscall(SYS_getppid);
		clock_gettime(CLOCK_MONOTONIC, &to);
		ns[i] = ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / CALLS;
	}
	return median(ns, BATCHES);
}

static double measure_session(const char *function, enum way way)
{
	struct session_config s = {
		.trace_self = true,
		.filter = &function,
		.nr_filter = 1,
		/* nothing reads the rings, so they must not become full */
		.overwrite = true,
		.ring_kb = RING_KB,
		.empty = way == EMPTY,
		.clock = way == EMPTY ? NESTRACE_CLOCK_GLOBAL : way - CLOCK,
	};
	struct error e;
	double ns;
	int fd;

	fd = open_device();
	if (!device_configure(fd, &s, &e) || !device_start(fd, &s, &e))
		die_error(&e);
	ns = measure();
	if (!device_stop(fd, &e))
		die_error(&e);
	close(fd);
	return ns;
}

static double measure_function_tracer(const char *function)
{
	double ns;

	if (tracefs_function_filter(instance, function, NULL, TRACEFS_FL_RESET) ||
	    tracefs_tracer_set(instance, TRACEFS_TRACER_FUNCTION))
		die_errno("cannot start the function tracer");
	ns = measure();
	tracefs_tracer_clear(instance);
	return ns;
}

/* Make an instance for the function tracer, apart from what users have set. */
static void make_instance(void)
{
	/* a run that was killed has left its own */
	if (tracefs_instance_exists(INSTANCE)) {
		instance = tracefs_instance_alloc(NULL, INSTANCE);
		remove_instance();
	}
	instance = tracefs_instance_create(INSTANCE);
	if (!instance)
		die_errno("cannot make an instance in tracefs: '" INSTANCE "'");
	atexit(remove_instance);
}

static int pin(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die_errno("cannot stay on CPU '%d'", cpu);
	return cpu;
}

static double once(const char *function, enum way way)
{
	if (way == NOTHING)
		return measure();
	if (way == FUNCTION)
		return measure_function_tracer(function);
	return measure_session(function, way);
}

int cmd_bench(int argc, char **argv)
{
	double ns[NR_WAYS][ROUNDS], cost[NR_WAYS], global, tsc;
	const char *function;
	int round, cpu;
	enum way way;

	if (parse_help_only(argc, argv, help))
		return finish_output();

	refuse_if_running();
	function = target();
	refuse_if_traced(function);
	handle(SIGINT);
	handle(SIGTERM);
	handle(SIGHUP);
	make_instance();
	cpu = pin();
	measure();
	for (round = 0; round < ROUNDS; round++) {
		for (way = 0; way < NR_WAYS; way++) {
			ns[way][round] = once(function, way);
			if (isatty(STDERR_FILENO))
				fprintf(stderr, "\r%d of %d \033[K", round * NR_WAYS + way + 1,
					ROUNDS * NR_WAYS);
		}
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");

	for (way = 0; way < NR_WAYS; way++)
		cost[way] = median(ns[way], ROUNDS);
	printf("ns per hit of %s on CPU %d, medians of %d rounds:\n", function, cpu, ROUNDS);
	for (way = EMPTY; way < NR_WAYS; way++) {
		cost[way] -= cost[NOTHING];
		printf("  %-24s %8.1f\n", ways[way], cost[way]);
	}
	global = cost[CLOCK + NESTRACE_CLOCK_GLOBAL];
	tsc = cost[CLOCK + NESTRACE_CLOCK_TSC];
	if (global > 0 && tsc > 0)
		printf("the function tracer takes %.1f times as long as nestrace with its default clock,\n"
		       "%.1f times as long as with clock tsc\n",
		       cost[FUNCTION] / global, cost[FUNCTION] / tsc);
	return finish_output();
}
