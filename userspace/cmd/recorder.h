/* SPDX-License-Identifier: GPL-2.0 */
/* nestrace record as a process of its own, for commands that show what it records. */
#ifndef CMD_RECORDER_H
#define CMD_RECORDER_H

#include <stddef.h>

/* The words of a command line. Zeroed: none. */
struct recorder_words {
	char **word;		/* ends with NULL */
	size_t nr;
};

void recorder_add(struct recorder_words *w, const char *word);
void recorder_free(struct recorder_words *w);
/*
 * Run it, and pass on signals that are sent to this process only. @while_it_runs: NULL, or called about five times a
 * second. Return: its exit status. An error ends this process, after a message.
 */
int recorder_run(const struct recorder_words *w, void (*while_it_runs)(void *arg), void *arg);

#endif
