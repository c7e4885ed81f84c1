/* SPDX-License-Identifier: GPL-2.0 */
/* The recording of a machine that has died: what its recorder had written, and what its memory still has. */
#ifndef LIB_DEAD_RECORDING_H
#define LIB_DEAD_RECORDING_H

#include <stdbool.h>

#include "lib/error.h"

struct dead_recording {
	const char *dump;		/* a dump of the machine's memory, or the name of a region of this one */
	bool region;			/* it is that */
	/* the file of the recording, which nestrace restore has made; NULL: there is none, so functions have no names */
	const char *file;
	const char *name;		/* of the recording, for messages; NULL: there is none */
	unsigned int session;		/* which of the dump's, from 1; 0: that of @file, or the only one */
	const char *output;		/* the trace.dat to make; may be @file */
	bool other;			/* afterwards: it failed, because @file is of another recording */
	/* Report a part that is missing, or damaged; may be called several times. */
	void (*problem)(const struct error *e);
};

/* Make the file. Return: false after an error. */
bool dead_recording_make(struct dead_recording *r, struct error *e);
/* Return: false if the reserved memory has no session of which a file could be made; @e says why. */
bool dead_recording_is_readable(const char *region, struct error *e);

#endif
