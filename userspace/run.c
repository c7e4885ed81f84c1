// SPDX-License-Identifier: GPL-2.0
/* A session from start to stop: the traced command, the signals, the streams. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nestrace.h"

#define READ_SIZE	(64 * NESTRACE_SUBBUF_SIZE)
#define TICK_NS		500000000

struct drain {
	pthread_t thread;
	unsigned int cpu;
	int fd;
	const struct sink *sink;
	size_t behind;		/* so much to be read at once is too much */
	cpu_set_t *allowed;	/* where we may run; NULL: nobody knows */
	bool late;		/* reads only once the session has stopped */
	bool relaxed;
	atomic_bool *ended;
};

struct child {
	pid_t pid;
	int go;			/* written to, and it execs */
	int failed;		/* read from: errno of the exec, or end of file */
};

static bool ignored_int, ignored_usr1;	/* by who started us; so for COMMAND */

static struct rlimit files_before;	/* for COMMAND */

void allow_files(void)
{
	struct rlimit all;

	if (getrlimit(RLIMIT_NOFILE, &files_before))
		return;
	all = files_before;
	all.rlim_cur = all.rlim_max;
	setrlimit(RLIMIT_NOFILE, &all);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void end(struct drain *d)
{
	atomic_store(d->ended, true);
	kill(getpid(), SIGUSR1);
}

/* To where it is made what we read, if we may go there: then either of us runs. */
static void stay_on(unsigned int cpu, const cpu_set_t *allowed)
{
	cpu_set_t only;

	if (!allowed || cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, allowed))
		return;
	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	sched_setaffinity(0, sizeof(only), &only);
}

static void *drain(void *arg)
{
	struct drain *d = arg;
	struct pollfd stopped = { .fd = d->fd };
	char *buf = xrealloc(NULL, READ_SIZE);
	size_t at_once = 0;
	ssize_t n;

	/* what is recorded waits for the recorder, rather than be lost; if it may not, so be it */
	if (!d->relaxed)
		setpriority(PRIO_PROCESS, 0, -20);
	/* no event is asked for, so it is POLLHUP that is waited for */
	while (d->late && poll(&stopped, 1, -1) < 0 && errno == EINTR)
		;
	/* it may have ended from within */
	if (d->late)
		end(d);
	while ((n = read(d->fd, buf, READ_SIZE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			warn_errno("reading the stream of CPU %u", d->cpu);
		if (n < 0 || !d->sink->data(d->sink->arg, d->cpu, buf, n)) {
			end(d);
			break;
		}
		at_once += n;
		if (at_once >= d->behind) {
			stay_on(d->cpu, d->allowed);
			d->behind = SIZE_MAX;
		}
		if (n < READ_SIZE)
			at_once = 0;
	}
	free(buf);
	return NULL;
}

static void nothing(int sig)
{
}

/*
 * Waited for, not handled. A shell lets what it runs in the background ignore SIGINT,
 * and what is ignored can't be waited for; nohup's SIGHUP stays ignored.
 */
static void wanted_signals(sigset_t *set)
{
	ignored_int = signal(SIGINT, nothing) == SIG_IGN;
	/* who started us may have left it ignored: then children vanish unseen */
	signal(SIGCHLD, SIG_DFL);
	/* one that comes too late to be waited for must not kill us */
	ignored_usr1 = signal(SIGUSR1, nothing) == SIG_IGN;
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGUSR1);
}

static _Noreturn void child_exec(char **command, const sigset_t *mask, int go, int failed)
{
	char c;

	if (read(go, &c, 1) != 1)
		_exit(EXIT_BAD);
	signal(SIGPIPE, SIG_DFL);
	if (ignored_int)
		signal(SIGINT, SIG_IGN);
	if (ignored_usr1)
		signal(SIGUSR1, SIG_IGN);
	if (files_before.rlim_max)
		setrlimit(RLIMIT_NOFILE, &files_before);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(command[0], command);
	if (write(failed, &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(errno == ENOENT ? 127 : 126);
}

static void child_prepare(struct child *child, char **command, const sigset_t *mask)
{
	int go[2], failed[2];

	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		die_errno("pipe");
	child->pid = fork();
	if (child->pid < 0)
		die_errno("fork");
	if (!child->pid) {
		close(go[1]);
		close(failed[0]);
		child_exec(command, mask, go[0], failed[1]);
	}
	close(go[0]);
	close(failed[1]);
	child->go = go[1];
	child->failed = failed[0];
}

static void child_go(struct child *child, const char *name)
{
	int err = 0;

	if (write(child->go, "", 1) != 1)
		die_errno("starting %s", name);
	close(child->go);
	if (read(child->failed, &err, sizeof(err)) == sizeof(err)) {
		errno = err;
		warn_errno("can't run %s", name);
	}
	close(child->failed);
}

/* True once the command has ended; its status as a shell would tell it. */
static bool child_ended(struct child *child, int *status)
{
	int ws;

	if (waitpid(child->pid, &ws, WNOHANG) != child->pid)
		return false;
	*status = WIFEXITED(ws) ? WEXITSTATUS(ws) : 128 + WTERMSIG(ws);
	child->pid = 0;
	return true;
}

static void count(struct run *run, struct progress *p)
{
	struct nestrace_stats stats;
	unsigned int cpu, i;

	for (cpu = 0; cpu < run->nr_cpus; cpu++) {
		if (!session_stats(run->fd, cpu, &stats))
			continue;
		run->ended |= stats.flags;
		for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
			p->events += stats.slot[i].recorded;
			p->lost += stats.slot[i].lost;
			p->refused += stats.slot[i].recursed;
		}
	}
}

static void tick(const struct sink *sink, struct run *run, bool last)
{
	struct progress p = { .seconds = run->seconds, .last = last };

	count(run, &p);
	sink->tick(sink->arg, run->fd, &p);
}

static void wait_for_end(const struct options *o, const struct sink *sink, struct run *run,
			 struct child *child, atomic_bool *ended, const sigset_t *signals)
{
	const struct timespec timeout = { .tv_nsec = TICK_NS };
	double start = now();
	siginfo_t info;
	int sig;

	while (!atomic_load(ended)) {
		sig = sigtimedwait(signals, &info, &timeout);
		run->seconds = now() - start;
		if (sig == SIGCHLD) {
			if (child->pid && child_ended(child, &run->status))
				break;
		} else if (sig == SIGUSR1) {
			/* if it is not our own */
			if (o->flight && info.si_pid != getpid())
				break;
		} else if (sig > 0) {
			/* from a terminal the command has it too; else it is passed on */
			if (child->pid && info.si_code == SI_USER)
				kill(child->pid, ignored_int ? SIGTERM : sig);
			break;
		} else if (sig < 0) {
			tick(sink, run, false);
		}
	}
	run->seconds = now() - start;
}

/* How it ends says nothing about the recording. */
void run_end(struct run *run)
{
	struct child child = { .pid = run->command };
	siginfo_t info;
	int sig = 0, status;

	while (child.pid && sig != SIGINT && sig != SIGTERM && sig != SIGHUP &&
	       !child_ended(&child, &status))
		sig = sigwaitinfo(&run->signals, &info);
	sigprocmask(SIG_SETMASK, &run->signals_before, NULL);
}

void run_session(const struct options *o, const struct sink *sink, struct run *run)
{
	struct child child = { 0 };
	atomic_bool ended = false;
	struct nestrace_info info;
	struct drain *drains;
	cpu_set_t allowed;
	bool known;
	unsigned int i;

	memset(run, 0, sizeof(*run));
	wanted_signals(&run->signals);
	sigprocmask(SIG_BLOCK, &run->signals, &run->signals_before);
	known = !sched_getaffinity(0, sizeof(allowed), &allowed);
	run->fd = session_open();
	session_info(run->fd, &info);
	run->nr_cpus = info.nr_cpus;
	session_configure(run->fd, o);
	if (o->command) {
		child_prepare(&child, o->command, &run->signals_before);
		if (o->follow_command)
			session_add_pid(run->fd, child.pid, o->follow_forks);
	}
	drains = xrealloc(NULL, run->nr_cpus * sizeof(*drains));
	for (i = 0; i < run->nr_cpus; i++) {
		drains[i] = (struct drain){
			.cpu = i, .sink = sink, .late = o->flight, .relaxed = o->relaxed,
			.behind = o->relaxed ? SIZE_MAX : (size_t)o->ring_kb << 7,
			.allowed = known ? &allowed : NULL, .ended = &ended,
			.fd = session_stream(run->fd, i),
		};
		/* EINVAL: a CPU that is not there, or not traced */
		if (drains[i].fd < 0 && errno != EINVAL)
			session_cant_start(o);
	}
	/* the readers first: arming all functions is itself worth many hits */
	for (i = 0; i < run->nr_cpus; i++)
		if (drains[i].fd >= 0 &&
		    pthread_create(&drains[i].thread, NULL, drain, &drains[i]))
			die("can't start a thread for CPU %u", i);
	session_start(run->fd, o);
	if (child.pid)
		child_go(&child, o->command[0]);
	wait_for_end(o, sink, run, &child, &ended, &run->signals);

	/* EINVAL: it has ended from within */
	if (!session_stop(run->fd) && errno != EINVAL)
		warn_errno("stopping");
	for (i = 0; i < run->nr_cpus; i++) {
		if (drains[i].fd < 0)
			continue;
		/* who has that CPU for itself must not keep us */
		if (known)
			pthread_setaffinity_np(drains[i].thread, sizeof(allowed), &allowed);
		pthread_join(drains[i].thread, NULL);
		close(drains[i].fd);
	}
	free(drains);
	tick(sink, run, true);
	run->command = child.pid;
}
