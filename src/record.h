/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of a record, for the hooks. The guard is held, and preemption is off.
 */
#ifndef NT_RECORD_H
#define NT_RECORD_H

#include "clock.h"
#include "compat/record_flags.h"
#include "ops.h"
#include "ring.h"

/* @type: a constant. */
static __always_inline void nt_fill(struct nt_record *rec, u32 type, unsigned long ip,
				    unsigned long parent_ip, u8 flags, u8 preempt_count)
{
	/* store the type as a constant of four bytes, and then the other fields in it */
	rec->event.common = type;
	rec->event.flags = flags;
	rec->event.preempt_count = preempt_count;
	rec->event.pid = current->pid;
	rec->event.ip = ip;
	rec->event.parent_ip = parent_ip;
}

static __always_inline u64 nt_ring_now(struct nt_ring *ring, enum nt_reader reader)
{
	return nt_clock_read(reader, ring->order, &ring->set_forward);
}

/* Once it is frozen, a ring enters no further sub-buffer. */
static __always_inline bool nt_ring_frozen(const struct nt_ring *ring)
{
	return ring->frozen && READ_ONCE(*ring->frozen);
}

#endif
