/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stream of one CPU: its rings, merged into sub-buffers in time order, and the
 * descriptor through which they are read.
 */
#ifndef NT_STREAM_H
#define NT_STREAM_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "merge.h"
#include "ring.h"
#include "wakeups.h"

struct nt_session;

/* The reader's place in one ring. @subbuf and @off are also looked at without the lock. */
struct nt_cursor {
	u64 subbuf;		/* number of the sub-buffer that is being read */
	u32 off;		/* of the next byte to read in it */
	u32 end;		/* of what may be read of it */
	bool complete;		/* nothing will be added to that sub-buffer */
	u64 ts;			/* of the last event read */
	u64 index;		/* records read and missed so far */
	u64 exits;		/* returns among these */
	u64 missed;		/* records missed since the last one handed out */
	struct nt_overwritten overwritten;	/* of all missed, those not lost for lack of room */
	const struct nt_subbuf *view;	/* that sub-buffer, in the ring or in @copy */
	struct nt_subbuf *copy;	/* NULL: the ring does not overwrite */
};

struct nt_stream {
	struct nt_session *session;
	unsigned int cpu;
	bool open;			/* a descriptor reads it; session->lock */
	struct nt_bell bell;		/* of wakeups.h */
	u64 nap_ns;			/* the reader's next sleep, 0: until the timer; any value is right */

	struct mutex lock;		/* of everything below */
	struct nt_cursor cursor[NESTRACE_NR_SLOTS];
	struct nt_subbuf *out;		/* the sub-buffer being filled */
	u32 out_len;			/* bytes of data in it */
	u64 out_ts;			/* time of its last record */
	u64 stepped_back;		/* records whose time was before that; read without the lock */
	unsigned long out_since;	/* jiffies when its first record came */
	u64 out_missed;			/* records missed before its first one */
};

/* Context of the following: may sleep; session->lock is held. */

/* Return: 0 or -ENOMEM. */
int nt_streams_alloc(struct nt_session *s);
/* No descriptor and no hook is left, so session->lock need not be held. */
void nt_streams_free(struct nt_session *s);
/* The session is READY. Return: a new descriptor, or an error of NESTRACE_IOC_STREAM. */
int nt_stream_open(struct nt_session *s, unsigned int cpu, bool nonblock);

#endif
