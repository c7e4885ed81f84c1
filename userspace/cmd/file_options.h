/* SPDX-License-Identifier: GPL-2.0 */
/* The options that the commands share which read a file: report, export, and stat -i. */
#ifndef CMD_FILE_OPTIONS_H
#define CMD_FILE_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include "lib/hit_filter.h"
#include "lib/periods.h"

enum { PERIOD_SINCE = 500, PERIOD_UNTIL, PERIOD_AROUND };
#define PERIOD_LONGS						\
	{ "since", required_argument, NULL, PERIOD_SINCE },	\
	{ "until", required_argument, NULL, PERIOD_UNTIL },	\
	{ "around", required_argument, NULL, PERIOD_AROUND }

enum { FILTER_CPU = 512, FILTER_PID, FILTER_COMM, FILTER_CONTEXT };
#define FILTER_LETTERS "F:"
#define FILTER_LONGS						\
	{ "cpu", required_argument, NULL, FILTER_CPU },		\
	{ "pid", required_argument, NULL, FILTER_PID },		\
	{ "tid", required_argument, NULL, FILTER_PID },		\
	{ "comm", required_argument, NULL, FILTER_COMM },	\
	{ "context", required_argument, NULL, FILTER_CONTEXT }

/* Take @opt if it is one of these. Return: false if it is not. */
bool period_option(struct periods *p, int opt, const char *arg);
bool filter_option(struct hit_filter *f, int opt, const char *arg);
/* Take the value of -i, of which there may be one for a command that reads one file. */
void input_option(const char **path, const char *arg);
/* Return the file to read: @path of -i, or the rest of argv, or trace.dat. */
const char *input_file(const char *path, char **rest);

#endif
