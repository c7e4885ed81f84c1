// SPDX-License-Identifier: GPL-2.0
/* What is long and goes to a terminal goes through a pager. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nestrace.h"

static pid_t pager;

bool pager_colour(const char *when)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	if (!strcmp(when, "always"))
		return true;
	if (!strcmp(when, "never"))
		return false;
	if (strcmp(when, "auto"))
		usage("report", "--color is auto, always or never, not '%s'", when);
	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") && !(no_colour && *no_colour);
}

void pager_start(void)
{
	const char *command = getenv("PAGER");
	int ends[2];

	/* a small system may have none */
	if (!command)
		command = "if command -v less > /dev/null; then exec less; else exec cat; fi";
	if (!isatty(STDOUT_FILENO) || !*command || !strcmp(command, "cat") || pipe(ends))
		return;
	pager = fork();
	if (pager < 0) {
		pager = 0;
		close(ends[0]);
		close(ends[1]);
		return;
	}
	if (!pager) {
		/* short text is not worth a screen, colours are to be seen */
		setenv("LESS", "FRX", 0);
		signal(SIGPIPE, SIG_DFL);
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	/* Ctrl-C is for the pager to take */
	signal(SIGINT, SIG_IGN);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[0]);
	close(ends[1]);
}

bool pager_end(void)
{
	int status = 0;

	if (!pager)
		return true;
	fflush(stdout);
	/* it sees the end of the text by this */
	close(STDOUT_FILENO);
	waitpid(pager, &status, 0);
	pager = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) < 126)
		return true;
	warn("the pager '%s' can't be run; PAGER=cat is without one", getenv("PAGER"));
	return false;
}
