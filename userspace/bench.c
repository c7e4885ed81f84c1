// SPDX-License-Identifier: GPL-2.0
/* nestrace bench: what a hit costs on this machine, beside the kernel's function tracer. */
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

#include "nestrace.h"

static const char help[] =
	"usage: nestrace bench\n\n"
	"Measure on this machine what one hit costs: of an empty callback, of nestrace\n"
	"with each clock, and of the kernel's function tracer. The function of a system\n"
	"call is traced and called, on one CPU, in turns; it takes some seconds. Nothing\n"
	"else may be tracing.\n";

#define INSTANCE	"nestrace-bench"
#define ROUNDS		5
#define BATCHES		21
#define CALLS		5000

enum way { NOTHING, EMPTY, TSC, GLOBAL, MONO, FUNCTION, NR_WAYS };

static const char *const ways[NR_WAYS] = {
	[EMPTY] = "empty callback",
	[TSC] = "nestrace, clock tsc",
	[GLOBAL] = "nestrace, clock global",
	[MONO] = "nestrace, clock mono",
	[FUNCTION] = "the function tracer",
};

/* What a system call of ours goes through, by its names on various machines. */
static const char *const candidates[] = {
	"__x64_sys_getppid", "__arm64_sys_getppid", "__do_sys_getppid", "sys_getppid",
};

static struct tracefs_instance *instance;
static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* What is ignored, as by nohup, stays so. */
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

/* Is a line of a file in tracefs @name, or @name and more? */
static bool has_line(const char *file, const char *name)
{
	char *path = tracefs_get_tracing_file(file), *line = NULL;
	FILE *f = path ? fopen(path, "r") : NULL;
	size_t size = 0, len = strlen(name);
	bool found = false;

	if (!f)
		die_errno("can't read %s of tracefs", file);
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
	die("this kernel lets nobody trace the function of getppid(), which is what is measured");
}

static void refuse_if_running(void)
{
	struct nestrace_info info;
	int fd = session_open();

	session_info(fd, &info);
	close(fd);
	if (info.running)
		die("another nestrace session is running; its hits would be measured too: end it first");
}

static void refuse_if_traced(const char *function)
{
	char *tracer = tracefs_instance_file_read(NULL, "current_tracer", NULL);

	if (tracer && strcmp(tracer, "nop\n"))
		die("the tracer '%.*s' is at work; its cost would be measured too: echo nop > current_tracer",
		    (int)strcspn(tracer, "\n"), tracer);
	if (has_line("enabled_functions", function))
		die("something else traces %s already (see enabled_functions of tracefs): end it first",
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

/* ns per call, of the traced one and of the way to it. */
static double measure(void)
{
	struct timespec from, to;
	double ns[BATCHES];
	int i, n;

	for (i = 0; i < BATCHES; i++) {
		/* the instance must go, so not just by the signal */
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
	struct options o;
	double ns;
	int fd;

	options_init(&o);
	o.itself = true;
	o.filter = &function;
	o.nr_filter = 1;
	/* nobody reads; the rings must not be full */
	o.overwrite = true;
	o.empty = way == EMPTY;
	o.clock = way == TSC ? NESTRACE_CLOCK_TSC : way == MONO ? NESTRACE_CLOCK_MONO : NESTRACE_CLOCK_GLOBAL;
	fd = session_open();
	session_configure(fd, &o);
	session_start(fd, &o);
	ns = measure();
	if (!session_stop(fd))
		die_errno("stopping");
	close(fd);
	return ns;
}

static double measure_function_tracer(const char *function)
{
	double ns;

	if (tracefs_function_filter(instance, function, NULL, TRACEFS_FL_RESET) ||
	    tracefs_tracer_set(instance, TRACEFS_TRACER_FUNCTION))
		die_errno("can't start the function tracer");
	ns = measure();
	tracefs_tracer_clear(instance);
	return ns;
}

/* The function tracer is measured in an instance of its own, away from what users set. */
static void make_instance(void)
{
	/* what a run that was killed has left */
	if (tracefs_instance_exists(INSTANCE)) {
		instance = tracefs_instance_alloc(NULL, INSTANCE);
		remove_instance();
	}
	instance = tracefs_instance_create(INSTANCE);
	if (!instance)
		die_errno("can't make an instance of tracefs");
	atexit(remove_instance);
}

static int pin(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die_errno("can't stay on CPU %d", cpu);
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
	double ns[NR_WAYS][ROUNDS], cost[NR_WAYS];
	const char *function;
	int round, cpu;
	enum way way;

	if (options_help("bench", argc, argv, help))
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
	if (cost[GLOBAL] > 0 && cost[TSC] > 0)
		printf("the function tracer takes %.1f times as long as nestrace with its default clock,\n"
		       "%.1f times as long as with clock tsc\n",
		       cost[FUNCTION] / cost[GLOBAL], cost[FUNCTION] / cost[TSC]);
	return finish_output();
}
