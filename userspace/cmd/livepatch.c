// SPDX-License-Identifier: GPL-2.0
/* nestrace livepatch: show livepatches, and what holds a transition. */
#define _GNU_SOURCE
#include <event-parse.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/livepatch_record.h"
#include "cmd/message.h"
#include "cmd/names_of_now.h"
#include "cmd/session_options.h"
#include "lib/device.h"
#include "lib/livepatches.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "output/livepatch_text.h"

static const char help[] =
	"usage: nestrace livepatch [--why | --watch]\n"
	"       nestrace livepatch --record [OPTION...] [COMMAND [ARG...]]\n\n"
	"List livepatches: objects, functions, addresses, what is active, and which of\n"
	"them other users of ftrace trace.\n\n"
	"  --why       show each task that holds a transition: the frame in the way, how\n"
	"              it will change its version, what you can do; idle tasks, too\n"
	"  --watch     the same, and each task that changes, until the transition ends\n"
	"  --record    while COMMAND runs, or until Ctrl-C, record the calls of all that\n"
	"              is patched; print by task which versions ran, and calls that ran\n"
	"              the original because ftrace dropped them\n"
	"  -l FUNC, --patch MODULE  with --record: a function that this patch will\n"
	"              replace once it is loaded; may be repeated\n"
	"  -b SIZE, -o FILE  with --record: as for nestrace record\n"
	"  -h, --help  print this help\n\n"
	"The exit status of --record is COMMAND's; 125, or 1 without COMMAND, for errors\n"
	"of nestrace; 2 for wrong use.\n";

static const struct nestrace_klp_task *next_task(const struct livepatches *l, const struct nestrace_klp_task *task)
{
	const struct nestrace_klp_note *note = task ? &task->note : NULL;

	while ((note = livepatches_next(l, note)))
		if (note->kind == NESTRACE_KLP_TASK)
			return (const void *)note;
	return NULL;
}

static void show_tasks(const struct livepatches *l, struct tep_handle *tep)
{
	const struct nestrace_klp_task *task = NULL;

	while ((task = next_task(l, task)))
		livepatch_text_task(l, task, tep);
	if (l->left_out)
		printf("# %u more tasks are not shown\n", l->left_out);
}

/* Name the task that has the lock, without which nothing can be read. */
static void show_busy(const struct livepatches *l, struct tep_handle *tep)
{
	printf("livepatches cannot be read: a task has had their lock for a second, as while callbacks of a patch run\n");
	show_tasks(l, tep);
}

static void show_transition(const struct livepatches *l)
{
	char text[256];

	livepatch_text_transition(l, text, sizeof(text));
	printf("transition of %s: %u task%s hold%s it\n", text, l->pending, l->pending == 1 ? "" : "s",
	       l->pending == 1 ? "s" : "");
}

/* Print a line with the time of day. */
static void put_clock(void)
{
	time_t now = time(NULL);
	char text[32];

	strftime(text, sizeof(text), "%H:%M:%S", localtime(&now));
	printf("%s  ", text);
}

static bool same_task(const struct nestrace_klp_task *a, const struct nestrace_klp_task *b)
{
	if ((a->note.flags ^ b->note.flags) & NESTRACE_KLP_IDLE)
		return false;
	return a->note.flags & NESTRACE_KLP_IDLE ? a->cpu == b->cpu : a->pid == b->pid;
}

static const struct nestrace_klp_task *find_task(const struct livepatches *l, const struct nestrace_klp_task *like)
{
	const struct nestrace_klp_task *task = NULL;

	while ((task = next_task(l, task)) && !same_task(task, like))
		;
	return task;
}

static bool exists(const struct nestrace_klp_task *task)
{
	char path[64];
	struct stat st;

	/* an idle task is always there */
	if (task->note.flags & NESTRACE_KLP_IDLE)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/task/%d", task->tgid, task->pid);
	return !stat(path, &st);
}

/* Print what has changed since @before. */
static void show_changes(const struct livepatches *before, const struct livepatches *now, struct tep_handle *tep)
{
	const struct nestrace_klp_task *task = NULL, *other;
	char who[128], why[512], was[512];

	while ((task = next_task(before, task))) {
		livepatch_text_who(task, who, sizeof(who));
		if (find_task(now, task))
			continue;
		put_clock();
		printf("%s %s\n", who, exists(task) ? "has changed its version" : "has exited");
	}
	for (task = NULL; (task = next_task(now, task));) {
		other = find_task(before, task);
		livepatch_text_why(task, tep, why, sizeof(why));
		if (other)
			livepatch_text_why(other, tep, was, sizeof(was));
		/* a task that runs now and then is still the same */
		if (other && (!strcmp(why, was) || task->why == NESTRACE_KLP_NOTHING ||
			      task->why == NESTRACE_KLP_ON_CPU || other->why == NESTRACE_KLP_ON_CPU))
			continue;
		livepatch_text_who(task, who, sizeof(who));
		put_clock();
		printf("%s: %s\n", who, why);
	}
}

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	ended = 1;
}

#define WATCH_MS	200

static bool same_transition(const struct livepatches *a, const struct livepatches *b)
{
	const struct nestrace_klp_patch *x = livepatches_transition(a), *y = livepatches_transition(b);

	return a->target == b->target && !x == !y && (!x || !strcmp(x->name, y->name));
}

/* Follow the transition @l until it ends. */
static void watch(int fd, struct livepatches *l, struct tep_handle *tep)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct livepatches now;
	struct error e;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	while (!ended && l->target >= 0) {
		fflush(stdout);
		usleep(WATCH_MS * 1000);
		if (!livepatches_read(&now, fd, true, &e))
			die_error(&e);
		if (now.busy) {
			livepatches_free(&now);
			continue;
		}
		if (now.target < 0) {
			show_changes(l, &now, tep);
			put_clock();
			printf("the transition is over\n");
		} else if (!same_transition(l, &now)) {
			put_clock();
			show_transition(&now);
			show_tasks(&now, tep);
		} else {
			show_changes(l, &now, tep);
		}
		livepatches_free(l);
		*l = now;
		if (ferror(stdout))
			break;
	}
}

static int why(int fd, bool watching)
{
	struct tep_handle *tep = names_of_now(fd);
	struct livepatches l;
	struct error e;

	if (!livepatches_read(&l, fd, true, &e))
		die_error(&e);
	if (l.busy) {
		show_busy(&l, tep);
	} else if (l.target < 0) {
		printf("there is no transition\n");
	} else {
		show_transition(&l);
		show_tasks(&l, tep);
		if (watching)
			watch(fd, &l, tep);
	}
	livepatches_free(&l);
	tep_free(tep);
	return finish_output();
}

static int list(int fd)
{
	struct tep_handle *tep;
	struct livepatches l;
	struct error e;

	if (!livepatches_read(&l, fd, true, &e))
		die_error(&e);
	if (l.busy) {
		tep = names_of_now(fd);
		show_busy(&l, tep);
		tep_free(tep);
	} else if (!l.len) {
		printf("there are no livepatches\n");
	} else {
		livepatch_text_patches(&l);
		if (l.target >= 0) {
			show_transition(&l);
			if (l.pending)
				printf("nestrace livepatch --why shows which and why\n");
		}
	}
	livepatches_free(&l);
	return finish_output();
}

int cmd_livepatch(int argc, char **argv)
{
	enum { WHY = 256, WATCH, RECORD, PATCH };
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "why", no_argument, NULL, WHY },
		{ "watch", no_argument, NULL, WATCH },
		{ "record", no_argument, NULL, RECORD },
		{ "patch", required_argument, NULL, PATCH },
		{ 0 }
	};
	struct livepatch_record record = { .output = "trace.dat" };
	bool explain = false, watching = false, recording = false, options = false;
	struct error e;
	int opt, fd, ret;

	while ((opt = getopt_long(argc, argv, "+hl:b:o:", longs, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(help, stdout);
			return finish_output();
		case WATCH:
			watching = true;
			/* fallthrough */
		case WHY:
			explain = true;
			break;
		case RECORD:
			recording = true;
			continue;
		case 'l':
			session_option_add(&record.function, &record.nr_functions, optarg);
			break;
		case PATCH:
			session_option_add(&record.patch, &record.nr_patches, optarg);
			break;
		case 'b':
			record.ring_kb = optarg;
			break;
		case 'o':
			record.output = optarg;
			break;
		default:
			usage(NULL);
		}
		options |= opt != WHY && opt != WATCH;
	}
	if (recording && explain)
		usage("--record does not go with --why and --watch; run them beside it");
	if (!recording && options)
		usage("-l, --patch, -b and -o are for --record; add it");
	if (!recording && optind < argc)
		usage("unexpected argument: '%s'; only --record takes a COMMAND", argv[optind]);
	record.command = argv + optind;
	if (recording && *record.command)
		set_failure_status(EXIT_OWN);
	fd = device_open(&e);
	if (fd < 0)
		die_error(&e);
	if (recording)
		ret = livepatch_record(fd, &record);
	else
		ret = explain ? why(fd, watching) : list(fd);
	free(record.function);
	free(record.patch);
	close(fd);
	return ret;
}
