/* SPDX-License-Identifier: GPL-2.0 */
/*
 * --vmcore, --last-boot: the recording of a machine that has died, from a dump of its memory, or from memory that a reboot
 * leaves as it is, and what its recorder left.
 */
#ifndef CMD_VMCORE_H
#define CMD_VMCORE_H

#include <stdbool.h>

/* The options of report and restore. Zeroed: none. */
struct vmcore_options {
	const char *dump;		/* of --vmcore, or the name of --last-boot; NULL: there is none */
	bool region;			/* it is of --last-boot */
	unsigned int session;		/* of the dump, from 1; 0: that of the recording, or the only one */
};

/* The exit status if PARTIAL is not that of the memory. */
#define VMCORE_OTHER_RECORDING	3

enum { VMCORE_DUMP = 800, VMCORE_SESSION, VMCORE_REGION };
#define VMCORE_LONGS						\
	{ "vmcore", required_argument, NULL, VMCORE_DUMP },	\
	{ "session", required_argument, NULL, VMCORE_SESSION },	\
	{ "last-boot", required_argument, NULL, VMCORE_REGION }

/* Take @opt if it is one of these. Return: false if it is not. */
bool vmcore_option(struct vmcore_options *o, int opt, const char *arg);
/* After all options: check that they fit together. Return: true if there is a dump. */
bool vmcore_wanted(const struct vmcore_options *o);
/*
 * Make a trace.dat. @recording: the directory that the recorder left, FILE for FILE.nestrace, or the file that nestrace
 * restore has made of it; NULL: trace.dat.nestrace, if it is there. @output: its name, or NULL for one that is removed
 * at the end. Return: its name, to be freed; errors end the process after a message. The recorder's directory stays
 * as it is.
 */
char *vmcore_file(const struct vmcore_options *o, const char *recording, const char *output);
/* The file that was made is kept: forget the memory of --last-boot, if it was that. */
void vmcore_saved(const struct vmcore_options *o);
/* --discard: forget the memory of --last-boot. Errors end the process after a message. */
void vmcore_discard(const struct vmcore_options *o);
/* Was a part of it damaged or missing? A message has said so. */
bool vmcore_has_problems(void);
/* Return the name for that file without -o, to be freed. Die if it is there already. */
char *vmcore_output(const char *recording);

#endif
