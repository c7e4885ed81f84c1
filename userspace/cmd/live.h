/* SPDX-License-Identifier: GPL-2.0 */
/* A session whose events are looked at while it runs, without a file; and the names of its time. */
#ifndef CMD_LIVE_H
#define CMD_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/accounting.h"
#include "lib/capture.h"
#include "lib/symbols.h"

struct comms;
struct hit;
struct live_cpu;
struct modules;
struct tep_handle;

struct live {
	/* Take an event, in the thread of @cpu; tasks have no names yet. Set by the caller, with @arg. */
	void (*event)(void *arg, unsigned int cpu, const struct hit *event);
	/* All functions are traced now, at @clock by the session. May be NULL. */
	void (*started)(void *arg, uint64_t clock);
	void *arg;
	uint64_t span_ns;		/* end the session after this; 0: not by time */

	unsigned int nr_cpus;		/* set by live_open() */
	struct symbols symbols;

	/* set by live_run() */
	bool failed;			/* something failed meanwhile, after a message */
	struct accounting accounting;
	struct modules *modules;
	struct comms *comms;
	struct tep_handle *tep;		/* names, at the addresses of modules_place() */
	char *text;			/* the same as lines of kallsyms */

	double seconds;			/* how long the session took */

	/* private */
	struct live_cpu *cpu;
	bool terminal, timed;
};

/* Read the symbols; @info: of the device. An error ends the process after a message. */
void live_open(struct live *l, const struct nestrace_info *info);
/* Run the session from start to stop. An error ends the process after a message. */
void live_run(struct live *l, const struct capture_config *config);
/* Return the name of a task at a time. */
const char *live_comm(const struct live *l, int pid, uint64_t ts);
void live_free(struct live *l);

#endif
