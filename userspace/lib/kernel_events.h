/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's trace events beside a session: an instance of tracefs, with a thread for each
 * CPU that reads it. A process of its own removes the instance when this one is gone, however
 * it ends.
 */
#ifndef LIB_KERNEL_EVENTS_H
#define LIB_KERNEL_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* The user's choice: SYSTEM:EVENT, SYSTEM or EVENT, each a glob, or "all". */
struct event_choice {
	const char *glob;
	const char *filter;		/* for these events, or NULL */
};

struct event_format {
	char *system;
	char *event;
	char *text;			/* its file "format" */
};

struct events_config {
	struct event_choice *choice;
	unsigned int nr;
	const char *clock;		/* its name in tracefs */
	unsigned int buffer_kb;		/* per CPU */
	bool late;			/* overwrite, and read only at the end */
};

struct kernel_events {
	/* sorted by system */
	struct event_format *format;
	size_t nr_formats;
	uint64_t lost;			/* after kernel_events_stop() */
	struct kernel_events_private *private;
};

/* Make the instance. Return: NULL after an error, with nothing left behind. */
struct kernel_events *kernel_events_open(const struct events_config *c, struct error *e);
/*
 * Enable the events and give their sub-buffers to @data, from a thread for each CPU; it
 * returns false to read no more.
 */
bool kernel_events_start(struct kernel_events *k,
			 bool (*data)(void *arg, unsigned int cpu, const void *buf, size_t len),
			 void *arg, struct error *e);
/* Record no more events; at any time. */
void kernel_events_freeze(struct kernel_events *k);
/* Stop, and read what is left. */
void kernel_events_stop(struct kernel_events *k);
/* Remove the instance; it may be running. */
void kernel_events_close(struct kernel_events *k);

#endif
