/* SPDX-License-Identifier: GPL-2.0 */
/* The function records of a sub-buffer, by libtraceevent's kbuffer. */
#ifndef SUBBUF_H
#define SUBBUF_H

#include <stdbool.h>
#include <stdint.h>

struct kbuffer;

struct hit {
	uint64_t ts;
	uint64_t ip, parent_ip;
	int pid;
	unsigned int slot;
	int64_t missed;		/* events missing before it; -1: an unknown number */
	const void *data;	/* the event itself, in the sub-buffer */
	int size;
};

struct subbuf {
	struct kbuffer *kbuf;
	int event;		/* id of ftrace:function in this file */
	bool first;
	uint64_t others;	/* events of other kinds, passed over */
	bool damaged;		/* something in a sub-buffer did not make sense */
};

void subbuf_init(struct subbuf *s, int event);
/* @data: NESTRACE_SUBBUF_SIZE bytes with as much again behind, which need not be set. */
bool subbuf_load(struct subbuf *s, void *data);
/* The next hit, or false at the end. */
bool subbuf_next(struct subbuf *s, struct hit *hit);
void subbuf_free(struct subbuf *s);

#endif
