/* SPDX-License-Identifier: GPL-2.0 */
/* A recording that goes to trace-cmd listen, and to a file only from where the listener fails. */
#ifndef CMD_REMOTE_H
#define CMD_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/listener.h"
#include "lib/tracedat_parts.h"

struct accounting;
struct remote;
struct symbols;

struct remote_config {
	const char *address;		/* HOST:PORT; NULL: there is none */
	bool vsock;			/* it is CID:PORT */
};

/* All that the end of the file needs. */
struct remote_end {
	const char *clock;		/* its name in tracefs */
	uint64_t time;			/* by it, after all hits */
	const char *cmdlines, *times;	/* task names; when names were right */
	size_t cmdlines_len, times_len;
	uint64_t id;
	const struct accounting *accounting;
};

/* @symbols: of the kernel, and @c must stay. Return: NULL after an error. */
struct remote *remote_open(const struct remote_config *config, unsigned int nr_cpus, const struct tracedat_contents *c,
			   struct symbols *symbols, struct error *e);
/* Send data, in the thread of a CPU. Return: how many bytes the listener got; the rest must go elsewhere. */
size_t remote_send(struct remote *r, unsigned int cpu, const void *buf, size_t len);
/* Now and then, at least every 30 s. Return: false, once, with a message in @e, when the listener gets no more data. */
bool remote_tick(struct remote *r, struct error *e);
/* Let the listener make its file. @e: set unless it has one. */
enum listener_end remote_finish(struct remote *r, const struct remote_end *end, struct error *e);
void remote_close(struct remote *r);

#endif
