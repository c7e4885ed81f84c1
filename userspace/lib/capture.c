// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/capture.h"
#include "lib/memory.h"

#define READ_SIZE	(64 * NESTRACE_SUBBUF_SIZE)
#define TICK_NS		500000000
#define INTERNAL_SIGNALS	(3ULL << 31)	/* 32 and 33 */

/* The reader of one CPU's stream. */
struct drain {
	pthread_t thread;
	bool started;		/* @thread runs */
	unsigned int cpu;
	int fd;			/* the stream; negative: the CPU has none */
	const struct sink *sink;
	size_t behind;		/* this many bytes at once mean that it falls behind */
	cpu_set_t *allowed;	/* where it may run; NULL: not known */
	bool late;		/* it reads only once the session has stopped */
	atomic_bool *ended;
};

struct child {
	pid_t pid;
	int go;			/* a byte written here lets it exec */
	int failed;		/* read here: errno of the exec, or end of file */
};

/* The signals that are waited for, with what COMMAND gets back. */
static struct {
	bool held;
	sigset_t set;
	sigset_t before;		/* the mask before */
	sigset_t ignored;		/* by whoever started us */
} signals;

static struct rlimit files_before;	/* for COMMAND */

void capture_allow_files(void)
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

/* Wake wait_for_end(), from the thread of a CPU. */
static void end(struct drain *d)
{
	atomic_store(d->ended, true);
	kill(getpid(), SIGUSR1);
}

static void report_errno(const struct sink *sink, const char *problem, unsigned int cpu)
{
	struct error e;

	error_set_errno(&e, problem, cpu);
	sink->problem(sink->arg, &e);
}

/* Take the CPUs that are to have no tick out of @set: a reader would bring it back. */
static void leave_out_nohz_full(cpu_set_t *set)
{
	FILE *in = fopen("/sys/devices/system/cpu/nohz_full", "r");
	const cpu_set_t before = *set;
	unsigned int first, last;
	int nr;

	/* "1-3,5", or "(null)" */
	while (in && (nr = fscanf(in, "%u-%u", &first, &last)) >= 1) {
		if (nr == 1)
			last = first;
		for (; first <= last && first < CPU_SETSIZE; first++)
			CPU_CLR(first, set);
		if (getc(in) != ',')
			break;
	}
	if (in)
		fclose(in);
	if (!CPU_COUNT(set))
		*set = before;
}

/*
 * Move this reader to the CPU that it drains, if its affinity allows that, so that producer
 * and reader take turns.
 */
static void stay_on(unsigned int cpu, const cpu_set_t *allowed)
{
	cpu_set_t only;

	if (!allowed || cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, allowed))
		return;
	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	sched_setaffinity(0, sizeof(only), &only);
}

/*
 * Block also the two signals that the C library keeps to itself: kill -33 would end us, too.
 * A new thread does not inherit that, and the first thread undoes it for its creator.
 */
void capture_block_internal(void)
{
	const uint64_t set = INTERNAL_SIGNALS;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, sizeof(set));
}

/*
 * Run at once when woken: a reader loses records while it waits for its CPU, or for the holder of a lock.
 * Without CAP_SYS_NICE its nice value stays. Since 6.12 a task with a shorter slice preempts the running
 * one, so ask for 1 ms.
 */
static void hurry(void)
{
	/* struct sched_attr, which not every C library has */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof(attr), .policy = SCHED_OTHER, .runtime = 1000000 };

	setpriority(PRIO_PROCESS, 0, -20);
	attr.nice = getpriority(PRIO_PROCESS, 0);
	/* whoever chose another policy wants that */
	if (sched_getscheduler(0) == SCHED_OTHER)
		syscall(SYS_sched_setattr, 0, &attr, 0);
}

static void calm(int nice)
{
	setpriority(PRIO_PROCESS, 0, nice);
}

static void *drain(void *arg)
{
	struct drain *d = arg;
	struct pollfd stopped = { .fd = d->fd };
	char *own = NULL, *buf;
	size_t at_once = 0, len;
	int nice = getpriority(PRIO_PROCESS, 0);
	ssize_t n;

	capture_block_internal();
	hurry();
	/* no event is requested: poll() returns on POLLHUP only */
	while (d->late && poll(&stopped, 1, -1) < 0 && errno == EINTR)
		;
	/* a trigger or an oops may have ended it */
	if (d->late)
		end(d);
	for (;;) {
		buf = d->sink->room ? d->sink->room(d->sink->arg, d->cpu, &len) : NULL;
		if (!buf) {
			own = own ?: xrealloc(NULL, READ_SIZE);
			buf = own;
			len = READ_SIZE;
		}
		n = read(d->fd, buf, len);
		if (!n)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			report_errno(d->sink, "cannot read the stream of CPU '%u'", d->cpu);
		if (n < 0 || !d->sink->data(d->sink->arg, d->cpu, buf, n)) {
			end(d);
			break;
		}
		at_once += n;
		if (at_once >= d->behind) {
			stay_on(d->cpu, d->allowed);
			d->behind = SIZE_MAX;
		}
		if ((size_t)n < len)
			at_once = 0;
	}
	free(own);
	calm(nice);
	if (d->sink->over)
		d->sink->over(d->sink->arg, d->cpu);
	return NULL;
}

static void do_nothing(int sig)
{
}


/* Every signal that ends a process by default is waited for, not handled. */
void capture_hold_signals(void)
{
	static const int others[] = {
		/* these stop or continue it, or do nothing */
		SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGURG, SIGWINCH,
		/* an error of write() says it, too */
		SIGPIPE, SIGXFSZ,
	};
	struct sigaction old;
	uint64_t first;
	size_t i;
	int sig;

	if (signals.held)
		return;
	signals.held = true;
	sigemptyset(&signals.ignored);
	sigfillset(&signals.set);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		sigdelset(&signals.set, others[i]);
	for (sig = 1; sig < NSIG; sig++) {
		if (sig == SIGPIPE || sigismember(&signals.set, sig) != 1 ||
		    sigaction(sig, NULL, &old) || old.sa_handler != SIG_IGN)
			continue;
		sigaddset(&signals.ignored, sig);
		/* nohup means that it goes on */
		if (sig == SIGHUP)
			sigdelset(&signals.set, sig);
		/* a shell starts its background jobs so, and an ignored signal cannot be waited for */
		else if (sig != SIGCHLD)
			signal(sig, do_nothing);
	}
	/* if our parent left it ignored, the kernel reaps children before we see them */
	signal(SIGCHLD, SIG_DFL);
	if (signal(SIGXFSZ, SIG_IGN) == SIG_IGN)
		sigaddset(&signals.ignored, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &signals.set, &signals.before);
	capture_block_internal();
	/* sigaddset() refuses them */
	memcpy(&first, &signals.set, sizeof(first));
	first |= INTERNAL_SIGNALS;
	memcpy(&signals.set, &first, sizeof(first));
}

/* Forget what is still waiting: the recording has ended. */
static void release_signals(void)
{
	const struct timespec now = { 0 };

	while (sigtimedwait(&signals.set, NULL, &now) > 0)
		;
	sigprocmask(SIG_SETMASK, &signals.before, NULL);
	signals.held = false;
}

static _Noreturn void child_exec(char **command, int go, int failed)
{
	const char *base = strrchr(command[0], '/');
	char c;
	int sig;

	/* until the exec, its calls are COMMAND's already */
	prctl(PR_SET_NAME, base ? base + 1 : command[0]);
	/* end of file: the capture could not start */
	if (read(go, &c, 1) != 1)
		_exit(EXIT_FAILURE);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	for (sig = 1; sig < NSIG; sig++)
		if (sigismember(&signals.ignored, sig) == 1 && sig != SIGCHLD)
			signal(sig, SIG_IGN);
	if (files_before.rlim_max)
		setrlimit(RLIMIT_NOFILE, &files_before);
	sigprocmask(SIG_SETMASK, &signals.before, NULL);
	execvp(command[0], command);
	if (write(failed, &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Fork COMMAND, which waits for child_go() or child_abandon(). */
static bool child_prepare(struct child *child, char **command, struct error *e)
{
	int go[2] = { -1, -1 }, failed[2] = { -1, -1 };

	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC) || (child->pid = fork()) < 0) {
		error_set_errno(e, "cannot prepare to run '%s'", command[0]);
		child->pid = 0;
		close(go[0]);
		close(go[1]);
		close(failed[0]);
		close(failed[1]);
		return false;
	}
	if (!child->pid) {
		close(go[1]);
		close(failed[0]);
		child_exec(command, go[0], failed[1]);
	}
	close(go[0]);
	close(failed[1]);
	child->go = go[1];
	child->failed = failed[0];
	return true;
}

static void child_go(struct child *child, const char *name, const struct sink *sink)
{
	struct error e;
	int err = 0;

	if (write(child->go, "", 1) != 1 ||
	    read(child->failed, &err, sizeof(err)) == sizeof(err)) {
		errno = err ? err : errno;
		error_set_errno(&e, "cannot run '%s'", name);
		sink->problem(sink->arg, &e);
	}
	close(child->go);
	close(child->failed);
}

static void child_abandon(struct child *child)
{
	if (!child->pid)
		return;
	close(child->go);
	close(child->failed);
	waitpid(child->pid, NULL, 0);
}

/* Return true once COMMAND has ended; its status is that of a shell. */
static bool child_ended(struct child *child, int *status)
{
	int ws;

	if (waitpid(child->pid, &ws, WNOHANG) != child->pid)
		return false;
	*status = WIFEXITED(ws) ? WEXITSTATUS(ws) : 128 + WTERMSIG(ws);
	child->pid = 0;
	return true;
}

/* Read the list of the CPUs that are there. */
static void cpus_present(char *list, size_t size)
{
	FILE *f = fopen("/sys/devices/system/cpu/present", "r");

	if (!f || !fgets(list, size, f))
		*list = '\0';
	list[strcspn(list, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* Report CPUs that came too late for rings. */
static void report_added(const struct sink *sink, const char *before)
{
	char list[1024];
	struct error e;

	cpus_present(list, sizeof(list));
	if (!strcmp(list, before))
		return;
	error_set(&e, "other CPUs than at the start: '%.200s', not '%.200s'; those that were added are not traced before the next start",
		  list, before);
	sink->problem(sink->arg, &e);
}

static void tick(const struct sink *sink, struct capture *capture, bool last)
{
	struct progress p = { .seconds = capture->seconds, .last = last };
	struct nestrace_stats stats;
	unsigned int cpu, i;

	for (cpu = 0; cpu < capture->nr_cpus; cpu++) {
		if (!device_stats(capture->fd, cpu, &stats))
			continue;
		capture->ended |= stats.flags;
		p.nr_cpus += stats.ring_kb != 0;
		for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
			p.events += stats.slot[i].recorded;
			p.lost += stats.slot[i].lost;
			p.recursed += stats.slot[i].recursed;
		}
	}
	sink->tick(sink->arg, capture->fd, &p);
}

/* Run before every ordinary task: what happened just before a signal must not be overwritten. */
static void wait_first(bool first)
{
	struct sched_param param = { .sched_priority = first };

	/* without the right to, the wait is only less prompt */
	sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &param);
}

static void wait_for_end(const struct capture_config *c, const struct sink *sink,
			 struct capture *capture, struct child *child, atomic_bool *ended)
{
	const struct timespec timeout = { .tv_nsec = TICK_NS };
	int nice = getpriority(PRIO_PROCESS, 0);
	double start = now();
	siginfo_t info;
	int sig;

	capture_block_internal();
	if (c->session.flight)
		wait_first(true);
	else if (!c->session.count)
		hurry();
	while (!atomic_load(ended)) {
		sig = sigtimedwait(&signals.set, &info, &timeout);
		capture->seconds = now() - start;
		if (sig == SIGCHLD) {
			if (child->pid && child_ended(child, &capture->status))
				break;
		} else if (sig == SIGUSR1 && info.si_pid == getpid()) {
			/* from end(), to wake this loop */
			continue;
		} else if (sig == SIGUSR1 || sig == SIGUSR2) {
			/* they are for us, not for COMMAND */
			capture->signal = sig;
			break;
		} else if (sig > 0) {
			/* a terminal sends it to COMMAND too; pass on one that kill() sent */
			if (child->pid && info.si_code <= SI_USER)
				kill(child->pid, sigismember(&signals.ignored, sig) ? SIGTERM : sig);
			capture->signal = sig;
			break;
		} else if (sig < 0) {
			tick(sink, capture, false);
		}
	}
	device_freeze(capture->fd);
	if (sink->frozen)
		sink->frozen(sink->arg, capture->fd);
	if (c->session.flight)
		wait_first(false);
	else
		calm(nice);
	capture->seconds = now() - start;
}

void capture_end(struct capture *capture)
{
	struct child child = { .pid = capture->command };
	int sig = 0, status;

	/* how COMMAND ends now says nothing about the recording */
	while (child.pid && (sig <= 0 || sig == SIGCHLD) && !child_ended(&child, &status))
		sig = sigwaitinfo(&signals.set, NULL);
	release_signals();
}

/* Start the readers, which need the streams, which need the configured session. */
static bool start_readers(const struct capture_config *c, struct drain *drains, unsigned int nr,
			  int session, struct error *e)
{
	unsigned int i;

	for (i = 0; i < nr && !c->session.count; i++) {
		drains[i].fd = device_open_stream(session, &c->session, i, e);
		if (drains[i].fd == -2)
			return false;
	}
	for (i = 0; i < nr; i++) {
		if (drains[i].fd < 0)
			continue;
		if (pthread_create(&drains[i].thread, NULL, drain, &drains[i]))
			return error_set(e, "cannot start a thread for CPU '%u'", i);
		drains[i].started = true;
	}
	return true;
}

/* Wait for a reader. @capture: call the sink's tick meanwhile; NULL: do not. */
static void join(struct drain *d, struct capture *capture)
{
	struct timespec until;

	do {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += TICK_NS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		if (!pthread_timedjoin_np(d->thread, NULL, &until))
			return;
		if (capture)
			tick(d->sink, capture, false);
	} while (true);
}

/*
 * Let the readers reach the end of their streams; the session is stopped or closed. @capture: as
 * for join().
 */
static void finish_readers(struct drain *drains, unsigned int nr, struct capture *capture)
{
	unsigned int i;

	/* a task that hogs a reader's CPU must not keep us */
	for (i = 0; i < nr; i++)
		if (drains[i].started && drains[i].allowed)
			pthread_setaffinity_np(drains[i].thread, sizeof(cpu_set_t),
					       drains[i].allowed);
	for (i = 0; i < nr; i++) {
		if (drains[i].started)
			join(&drains[i], capture);
		if (drains[i].fd >= 0)
			close(drains[i].fd);
	}
	free(drains);
}

bool capture_run(const struct capture_config *c, const struct sink *sink,
		 struct capture *capture, struct error *e)
{
	struct drain *drains = NULL;
	struct child child = { 0 };
	atomic_bool ended = false;
	struct nestrace_info info;
	char present[1024];
	cpu_set_t allowed;
	struct error stop;
	bool known;
	unsigned int i;

	memset(capture, 0, sizeof(*capture));
	capture_hold_signals();
	cpus_present(present, sizeof(present));
	known = !sched_getaffinity(0, sizeof(allowed), &allowed);
	if (known)
		leave_out_nohz_full(&allowed);
	/* it is taken over once, so as little as possible may fail behind that */
	if (c->session.boot && c->command && !child_prepare(&child, c->command, e))
		goto fail_signals;
	capture->fd = c->session.boot ? device_take_boot(e) : device_open(e);
	if (capture->fd < 0) {
		child_abandon(&child);
		goto fail_signals;
	}
	if (!device_info(capture->fd, &info, e) ||
	    (!c->session.boot && !device_configure(capture->fd, &c->session, e)))
		goto fail_session;
	capture->nr_cpus = info.nr_cpus;
	if (sink->opened)
		sink->opened(sink->arg, capture->fd);
	if (c->command) {
		if (!child.pid && !child_prepare(&child, c->command, e))
			goto fail_session;
		if (c->follow_command &&
		    !device_add_pid(capture->fd, &(struct pid_selection){ .pid = child.pid },
				    c->session.follow_forks, e))
			goto fail_session;
	}
	drains = xzalloc(capture->nr_cpus, sizeof(*drains));
	for (i = 0; i < capture->nr_cpus; i++) {
		drains[i] = (struct drain){
			.cpu = i, .fd = -1, .sink = sink, .late = c->session.flight,
			.behind = (size_t)c->session.ring_kb << 7,
			.allowed = known ? &allowed : NULL, .ended = &ended,
		};
	}
	/* the readers first: arming all functions causes many hits */
	if (!start_readers(c, drains, capture->nr_cpus, capture->fd, e) ||
	    (!c->session.boot && !device_start(capture->fd, &c->session, e)))
		goto fail_session;
	if (sink->started)
		sink->started(sink->arg, capture->fd);
	if (child.pid)
		child_go(&child, c->command[0], sink);
	wait_for_end(c, sink, capture, &child, &ended);

	if (!device_stop(capture->fd, &stop))
		sink->problem(sink->arg, &stop);
	finish_readers(drains, capture->nr_cpus, capture);
	tick(sink, capture, true);
	report_added(sink, present);
	capture->command = child.pid;
	return true;

fail_session:
	/* the last close ends the session, and so its streams; COMMAND has a copy of it */
	child_abandon(&child);
	close(capture->fd);
	if (drains)
		finish_readers(drains, capture->nr_cpus, NULL);
fail_signals:
	release_signals();
	return false;
}
