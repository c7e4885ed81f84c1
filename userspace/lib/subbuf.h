/* SPDX-License-Identifier: GPL-2.0 */
/* The function records of a sub-buffer, read with libtraceevent's kbuffer. */
#ifndef LIB_SUBBUF_H
#define LIB_SUBBUF_H

#include <stdbool.h>
#include <stdint.h>

struct kbuffer;

struct hit {
	uint64_t ts;		/* in the unit of the recording's clock */
	uint64_t ip, parent_ip;
	int pid;
	unsigned int slot;	/* of its context, as by context_slot() */
	int64_t missed;		/* events missing before it; -1: an unknown number */
	const void *data;	/* the event itself, in the sub-buffer */
	int size;
	const char *comm;	/* the task's name then; set by names_place() */
};

struct subbuf {
	struct kbuffer *kbuf;
	int event;		/* the ID of ftrace:function in this file */
	bool first;
	uint64_t others;	/* events of other types, skipped */
	bool damaged;		/* a sub-buffer did not make sense */
};

void subbuf_init(struct subbuf *s, int event);
/*
 * Begin with @data: NESTRACE_SUBBUF_SIZE bytes, and as many behind them that need not be
 * set. Return: false if it is damaged.
 */
bool subbuf_load(struct subbuf *s, void *data);
/* Get the next hit. Return: false at the end. */
bool subbuf_next(struct subbuf *s, struct hit *hit);
void subbuf_free(struct subbuf *s);

#endif
