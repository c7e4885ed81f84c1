/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of the commands, on stderr, and exit statuses. */
#ifndef CMD_MESSAGE_H
#define CMD_MESSAGE_H

#include <stdbool.h>

#include "lib/error.h"

/* EXIT_OWN: nestrace itself failed, where COMMAND's status is passed on, as for timeout(1). */
enum { EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_OWN = 125 };

/* Set the command that usage() names. */
void set_command_name(const char *name);
/* Set the status with which die() exits; EXIT_ERROR at first. */
void set_failure_status(int status);
int failure_status(void);

void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Print the message of an error. */
void warn_error(const struct error *e);
/* The same, as a callback for problems of a reader or a capture, which go on. */
void warn_problem(void *arg, const struct error *e);
/* Print a message and exit with failure_status(). */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, followed by the text of errno. */
_Noreturn void die_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die_error(const struct error *e);
/* Report wrong use: print a message, unless @fmt is NULL, and where help is; exit with 2. */
_Noreturn void usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Return true if both paths exist and name the same file. */
bool same_file(const char *a, const char *b);
/* Set the name of the file that stdout is now, for the message of finish_output(). */
void set_output_name(const char *path);
/*
 * Flush stdout and say if it could not be written; a closed pipe is not an error. Return:
 * the exit status.
 */
int finish_output(void);

#endif
