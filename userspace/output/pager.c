// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output/pager.h"

static pid_t pager;

bool pager_colour(void)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") && !(no_colour && *no_colour);
}

void pager_start(void)
{
	const char *command = getenv("PAGER");
	int ends[2];

	/* a small system may have no less */
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
		/* less: quit if one screen suffices, show colours, leave the screen */
		setenv("LESS", "FRX", 0);
		signal(SIGPIPE, SIG_DFL);
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	/* Ctrl-C is for the pager */
	signal(SIGINT, SIG_IGN);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[0]);
	close(ends[1]);
}

bool pager_end(struct error *e)
{
	int status = 0;

	if (!pager)
		return true;
	fflush(stdout);
	/* the end of its input */
	close(STDOUT_FILENO);
	waitpid(pager, &status, 0);
	pager = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) < 126)
		return true;
	return error_set(e, "cannot run the pager: '%s'; set PAGER=cat for none", getenv("PAGER"));
}
