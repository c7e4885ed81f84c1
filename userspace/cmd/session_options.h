/* SPDX-License-Identifier: GPL-2.0 */
/* The options that record, stat and top share; the letters are those of trace-cmd record. */
#ifndef CMD_SESSION_OPTIONS_H
#define CMD_SESSION_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include "lib/capture.h"

#define SESSION_RING_KB	2048	/* default of -b */

enum { SESSION_TID = 768, SESSION_CGROUP };
#define SESSION_LETTERS "+l:n:P:M:C:b:Fch"
#define SESSION_LONGS					\
	{ "help", no_argument, NULL, 'h' },		\
	{ "tid", required_argument, NULL, SESSION_TID },	\
	{ "cgroup", required_argument, NULL, SESSION_CGROUP }

void session_options_init(struct capture_config *c);
/* Take @opt if it is one of these. Return: false if it is not. */
bool session_option(struct capture_config *c, int opt, const char *arg);
/* Append @arg to the list of an option that may be given more than once. */
void session_option_add(const char ***list, unsigned int *nr, const char *arg);
void session_option_trigger(struct capture_config *c, const char *glob);
void session_option_stack_of(struct capture_config *c, const char *glob);
/*
 * Take the rest of argv as COMMAND and check that the options fit together. With a COMMAND,
 * the status of our own failures is EXIT_OWN from now on.
 */
void session_options_finish(struct capture_config *c, char **command);
void session_options_free(struct capture_config *c);

#endif
