/* SPDX-License-Identifier: GPL-2.0 */
/* A session into files: one trace.dat, or one after the other. */
#ifndef CMD_RECORDING_H
#define CMD_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/remote.h"
#include "lib/args_plan.h"
#include "lib/capture.h"
#include "lib/kernel_events.h"

/* A long recording is one of pieces: a file each. */
struct recording_pieces {
	uint64_t bytes;			/* a new one after this many on the disk; 0: not by size */
	uint64_t ns;			/* a new one after this time; 0: not by time */
	unsigned int keep;		/* the newest files; 0: all */
	const char *exec;		/* a command of the shell for each, with {} for its name; or NULL */
};

struct recording_config {
	struct capture_config capture;
	struct events_config events;	/* those of the kernel */
	struct args_config args;
	struct recording_pieces pieces;
	bool goes_on;			/* there are pieces, or a flight recording begins again after its end */
	struct remote_config remote;	/* with an address: the file gets only what the listener does not */
	const char *output;		/* the name; with @goes_on a pattern of pieces_new() */
	bool quiet;
};

/* Record. Return: the exit status. An error before the recording has begun ends the process, after a message. */
int recording_run(struct recording_config *c);

#endif
