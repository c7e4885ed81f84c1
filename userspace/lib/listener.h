/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace-cmd listen on another machine, spoken to as trace-cmd record -N does (protocol 3, TCP or vsock): a connection
 * for the beginning of a trace.dat of version 6, and one for the data of each CPU, from which it makes the file.
 * Nothing here waits longer than LISTENER_PATIENCE for a listener that does not move.
 */
#ifndef LIB_LISTENER_H
#define LIB_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/tracedat_parts.h"

#define LISTENER_PATIENCE	5	/* seconds */

struct listener;

/*
 * @address: HOST:PORT, or with @vsock CID:PORT. Return: NULL after an error.
 */
struct listener *listener_connect(const char *address, bool vsock, unsigned int nr_cpus, struct error *e);
/*
 * Send whole sub-buffers of one CPU; for several CPUs at once. Return: how many bytes the listener got; less than @len
 * once it stands still or is gone, and 0 from then on.
 */
size_t listener_send(struct listener *l, unsigned int cpu, const void *buf, size_t len);
/* Return false, and once in @e why, if it gets no more data. */
bool listener_works(struct listener *l, struct error *e);
/*
 * Add to the beginning of the file. A thread sends it a byte at a time, because the listener gives up after 5 seconds
 * without a message.
 */
void listener_head(struct listener *l, const struct block *b);
/* Return for how many seconds what it has of the beginning will do. */
unsigned long listener_keeps(struct listener *l);
/* Does the listener have a file in the end? */
enum listener_end { LISTENER_HAS_FILE, LISTENER_MAY_HAVE_FILE, LISTENER_HAS_NONE };

/*
 * The beginning is complete: send it all, and let the listener make its file. One that stood still has a file, too, of
 * all that it got. @e: set unless it has one.
 */
enum listener_end listener_finish(struct listener *l, struct error *e);
void listener_close(struct listener *l);

#endif
