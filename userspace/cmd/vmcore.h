/* SPDX-License-Identifier: GPL-2.0 */
/* --vmcore: the recording of a machine that has died, from a dump of its memory and what its recorder left. */
#ifndef CMD_VMCORE_H
#define CMD_VMCORE_H

#include <stdbool.h>

/*
 * Make a trace.dat. @recording: the directory that the recorder left, FILE for FILE.nestrace, or the file that nestrace
 * restore has made of it; NULL: trace.dat.nestrace, if it is there. @session: of the dump, from 1; 0: that of the recording, or the only one.
 * @output: its name, or NULL for one that is removed at the end. Return: its name, to be freed; errors end the process
 * after a message. The recorder's directory stays as it is.
 */
char *vmcore_file(const char *dump, const char *recording, unsigned int session, const char *output);
/* Was a part of it damaged or missing? A message has said so. */
bool vmcore_has_problems(void);
/* Return the name for that file without -o, to be freed. Die if it is there already. */
char *vmcore_output(const char *recording);
/* Return the value of --session. */
unsigned int vmcore_session(const char *arg);

#endif
