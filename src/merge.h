/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rings of one CPU merged, in time order, while their writers run.
 *
 * Context of all: may sleep; st->lock is held, except where said.
 */
#ifndef NT_MERGE_H
#define NT_MERGE_H

#include <linux/types.h>

#include "uapi/nestrace.h"

struct nt_ring;
struct nt_stream;

/* Records, and returns among these. */
struct nt_overwritten {
	u64 records, exits;
};

/* Context: any, without the lock. */
struct nt_ring *nt_stream_ring(struct nt_stream *st, enum nestrace_slot slot);
/*
 * Is the session stopped? If so, a fill after this finds all there is. Context: any, without
 * the lock.
 */
bool nt_stream_ended(struct nt_stream *st);

/* Is there anything that no reader has? Context of these: any, without the lock. */
bool nt_stream_has_data(struct nt_stream *st);
/* Return: how much of the fullest ring is unread, in 1/1024; 0 while it is less than a sub-buffer. */
unsigned int nt_stream_fullness(struct nt_stream *st);
/* Is an eighth of a ring unread, and a sub-buffer at least? Its reader must come soon. */
bool nt_stream_due(struct nt_stream *st);

/* Fill @out. Return: true once it is full, false if nothing more is safe to hand out yet. */
bool nt_stream_fill(struct nt_stream *st);
/* Complete @out for a reader. Call nt_stream_next() when the reader has it. */
void nt_stream_seal(struct nt_stream *st);
void nt_stream_next(struct nt_stream *st);

/* Return: what of the ring of @slot was overwritten before it was read. */
struct nt_overwritten nt_stream_overwritten(struct nt_stream *st, enum nestrace_slot slot);

#endif
