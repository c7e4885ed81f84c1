// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/message.h"
#include "cmd/recorder.h"
#include "lib/memory.h"

void recorder_add(struct recorder_words *w, const char *word)
{
	w->word = xrealloc(w->word, (w->nr + 2) * sizeof(*w->word));
	w->word[w->nr++] = xstrdup(word);
	w->word[w->nr] = NULL;
}

void recorder_free(struct recorder_words *w)
{
	while (w->nr)
		free(w->word[--w->nr]);
	free(w->word);
}

/* The process that records, for signals that are sent to this one only. */
static volatile pid_t recorder;

static void pass_on(int sig, siginfo_t *info, void *context)
{
	/* the terminal sends it to both */
	if (info->si_code <= SI_USER && recorder > 0)
		kill(recorder, sig);
}

#define PAUSE_US	200000

int recorder_run(const struct recorder_words *w, void (*while_it_runs)(void *arg), void *arg)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	struct sigaction sa = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction before[sizeof(signals) / sizeof(signals[0])];
	posix_spawnattr_t attr;
	sigset_t ours, old;
	pid_t pid, ended;
	int status;
	size_t i;

	/* one that ignores it cannot wait */
	signal(SIGCHLD, SIG_DFL);
	/* none comes between the start of the recorder and the note of its pid */
	sigemptyset(&ours);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&ours, signals[i]);
	sigprocmask(SIG_BLOCK, &ours, &old);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &old);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], NULL, &before[i]);
		/* a shell ignores some for its background jobs, and so will the recorder */
		if (before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
	}
	errno = posix_spawn(&pid, "/proc/self/exe", NULL, &attr, w->word, environ);
	if (errno)
		die_errno("cannot start the recorder");
	posix_spawnattr_destroy(&attr);
	recorder = pid;
	sigprocmask(SIG_SETMASK, &old, NULL);
	while ((ended = waitpid(pid, &status, while_it_runs ? WNOHANG : 0)) != pid) {
		if (ended < 0 && errno != EINTR)
			die_errno("cannot wait for the recorder");
		if (!while_it_runs)
			continue;
		while_it_runs(arg);
		usleep(PAUSE_US);
	}
	recorder = 0;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &before[i], NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
