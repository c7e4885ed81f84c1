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
	if (info->si_code == SI_USER && recorder > 0)
		kill(recorder, sig);
}

#define PAUSE_US	200000

int recorder_run(const struct recorder_words *w, void (*while_it_runs)(void *arg), void *arg)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	struct sigaction sa = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART };
	pid_t pid, ended;
	int status;
	size_t i;

	/* one that ignores it cannot wait */
	signal(SIGCHLD, SIG_DFL);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	errno = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, w->word, environ);
	if (errno)
		die_errno("cannot start the recorder");
	recorder = pid;
	while ((ended = waitpid(pid, &status, while_it_runs ? WNOHANG : 0)) != pid) {
		if (ended < 0 && errno != EINTR)
			die_errno("cannot wait for the recorder");
		if (!while_it_runs)
			continue;
		while_it_runs(arg);
		usleep(PAUSE_US);
	}
	recorder = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
