/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stream of one CPU: its rings merged, in the order of time, into sub-buffers.
 */
#ifndef NT_STREAM_H
#define NT_STREAM_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "ring.h"

struct file;
struct nt_session;

/* Where the reader is in one ring; @page and @off are also looked at without the lock. */
struct nt_cursor {
	u64 page;		/* sub-buffer that @copy holds */
	u32 off;		/* of the next byte to read in it */
	u32 end;		/* of what is whole in it */
	bool closed;		/* nothing will be added to it */
	u64 ts;			/* of the last event read */
	u64 index;		/* records read and missed so far */
	u64 missed;		/* since the last record handed on */
	u64 overwritten;	/* of all missed: not lost because the ring was full */
	struct nt_subbuf *copy;
};

struct nt_stream {
	struct nt_session *session;
	unsigned int cpu;
	bool open;			/* a descriptor reads it; session->lock */

	struct mutex lock;		/* of all below */
	struct nt_cursor cursor[NESTRACE_NR_SLOTS];
	struct nt_subbuf *out;		/* the sub-buffer that is being filled */
	u32 out_len;			/* bytes of data in it */
	u64 out_ts;			/* of its last record */
	u64 stepped_back;		/* records whose time was before that */
	unsigned long out_since;	/* jiffies when its first record came */
	u64 out_missed;			/* before its first record */
};

/* stream.c */
/*
 * Has one of the streams so much unread that its reader should not wait for more? It looks at
 * the rings of some CPUs in turn, as it is called from a hardirq.
 */
bool nt_streams_due(struct nt_session *s);
int nt_streams_alloc(struct nt_session *s);
void nt_streams_free(struct nt_session *s);

/* A new descriptor, or a negative error; session->lock is held. */
int nt_stream_open(struct nt_session *s, unsigned int cpu, bool nonblock);

/* merge.c */
struct nt_ring *nt_stream_ring(struct nt_stream *st, enum nestrace_slot slot);
/* Is the session stopped? Then what is read after this is all there is. */
bool nt_stream_ended(struct nt_stream *st);

/* Fills @out until it is full: true, or until nothing more is safe to give: false. */
bool nt_stream_fill(struct nt_stream *st);
/* Makes @out ready for a reader, who calls nt_stream_next() once it has it. */
void nt_stream_seal(struct nt_stream *st);
void nt_stream_next(struct nt_stream *st);

/* Records of the ring of @slot that were overwritten before anybody read them. */
u64 nt_stream_overwritten(struct nt_stream *st, enum nestrace_slot slot);

#endif
