/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring of one slot: a row of sub-buffers in the kernel ring buffer's layout,
 * one writer, one reader, no atomic read-modify-write.
 *
 * Invariants:
 *  - Only the holder of the slot's guard writes, on the ring's own CPU.
 *  - @pos is the one publication: sub-buffer number in its upper bits, offset in
 *    its lower. What lies below it is whole; it only grows.
 *  - A sub-buffer's header and its @first word are written after @pos has entered
 *    it and before the first record in it is published; its commit is written
 *    before @pos leaves it.
 *  - Losses happen only between sub-buffers, so that @first, the number of
 *    records and losses before it, tells the reader exactly what is missing.
 */
#ifndef NT_RING_H
#define NT_RING_H

#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/local.h>

#include "uapi/nestrace.h"

#define NT_SUBBUF_SHIFT		12
#define NT_SUBBUF_MASK		(NT_SUBBUF_SIZE - 1ULL)
/* records end here; the u64 behind is @first */
#define NT_SUBBUF_END		(NT_SUBBUF_SIZE - sizeof(u64))

/* from ring_buffer.h's enum ring_buffer_type, an ABI of trace files */
#define NT_TYPE_TIME_EXTEND	30
#define NT_TYPE_BITS		5
#define NT_DELTA_BITS		27

struct nt_subbuf {
	u64 time_stamp;
	u64 commit;
	u8 data[NT_SUBBUF_SIZE - NT_SUBBUF_HEADER - sizeof(u64)];
	u64 first;
};

/* struct ring_buffer_event and the ftrace:function event behind it */
struct nt_record {
	u32 head;
	u16 type;
	u8 flags;
	u8 preempt_count;
	s32 pid;
	u64 ip;
	u64 parent_ip;
} __packed __aligned(4);

struct nt_ring {
	/* the hook's */
	u64 pos;
	u64 last;		/* time of the newest record */
	char *base;
	u64 mask;		/* bytes - 1 */
	local_t hits;		/* this and others of its type: one instruction each */
	local_t written;
	bool gated;		/* not every hit is wanted: see nt_unwanted() in hook.c */
	bool overwrite;
	u64 full;
	u64 asleep;
	u64 woken_nmi;
	u64 woken_irq;
	u64 nested;
	u64 extends;
	local_t recursed;
	local_t filtered;

	/* the reader's: sub-buffers below this number are free again */
	u64 read ____cacheline_aligned;
};

static __always_inline u64 nt_ring_subbufs(const struct nt_ring *r)
{
	return (r->mask + 1) >> NT_SUBBUF_SHIFT;
}

static __always_inline struct nt_subbuf *nt_ring_subbuf(const struct nt_ring *r, u64 nr)
{
	return (struct nt_subbuf *)(r->base + ((nr << NT_SUBBUF_SHIFT) & r->mask));
}

/*
 * A word that another CPU may read while it is counted: no tearing, no reloading. Only
 * under the guard; what is counted without it is a local_t.
 */
#define nt_count(counter)	WRITE_ONCE(counter, (counter) + 1)

/*
 * The ways out of nt_ring_reserve()'s fast path: the sub-buffer is full, or the
 * time since the last record does not fit its delta. False = lost, and counted.
 */
static noinstr bool nt_ring_make_room(struct nt_ring *r, u64 *ts)
{
	u64 pos = r->pos, delta = *ts - r->last, next;
	struct nt_subbuf *sb = nt_ring_subbuf(r, pos >> NT_SUBBUF_SHIFT);
	u64 off = pos & NT_SUBBUF_MASK;
	u32 *extend;

	if ((s64)delta < 0) {
		*ts = r->last;
		delta = 0;
	}

	if (off + sizeof(struct nt_record) + 2 * sizeof(u32) <= NT_SUBBUF_END) {
		if (!(delta >> NT_DELTA_BITS))
			return true;
		extend = (u32 *)((char *)sb + off);
		extend[0] = NT_TYPE_TIME_EXTEND |
			    (u32)(delta << NT_TYPE_BITS);
		extend[1] = delta >> NT_DELTA_BITS;
		r->extends++;
		WRITE_ONCE(r->last, *ts);
		/* publishes the extension; pairs with nt_stream_cut() */
		smp_store_release(&r->pos, pos + 2 * sizeof(u32));
		return true;
	}

	if (off + sizeof(struct nt_record) <= NT_SUBBUF_END && !(delta >> NT_DELTA_BITS))
		return true;

	next = (pos >> NT_SUBBUF_SHIFT) + 1;
	/* pairs with the reader's release: it has copied what is to be overwritten */
	if (!r->overwrite && next - smp_load_acquire(&r->read) >= nt_ring_subbufs(r)) {
		nt_count(r->full);
		return false;
	}

	WRITE_ONCE(sb->commit, off - NT_SUBBUF_HEADER);
	/* publishes the commit; pairs with nt_stream_cut() */
	smp_store_release(&r->pos, (next << NT_SUBBUF_SHIFT) | NT_SUBBUF_HEADER);
	/* who copies any of what follows sees @pos here: nt_cursor_refill() */
	smp_wmb();
	sb = nt_ring_subbuf(r, next);
	WRITE_ONCE(sb->time_stamp, *ts);
	WRITE_ONCE(sb->first, local_read(&r->written) + r->full);
	WRITE_ONCE(r->last, *ts);
	return true;
}

/*
 * Makes room for one record at time @ts and fills in its head; false if it is lost. To
 * be followed by nt_ring_publish() of the position @at, under the same guard.
 */
static __always_inline bool nt_ring_reserve(struct nt_ring *r, u64 ts, struct nt_record **rec,
					    u64 *at)
{
	u64 pos = r->pos, delta = ts - r->last;

	if (unlikely((pos & NT_SUBBUF_MASK) > NT_SUBBUF_END - sizeof(**rec) ||
		     delta >> NT_DELTA_BITS)) {
		u64 time = ts;	/* for @ts to stay in a register */

		if (!nt_ring_make_room(r, &time))
			return false;
		ts = time;
		pos = r->pos;
		delta = ts - r->last;
	}

	WRITE_ONCE(r->last, ts);
	*rec = (struct nt_record *)(r->base + (pos & r->mask));
	(*rec)->head = NT_EVENT_SIZE / sizeof(u32) | (u32)(delta << NT_TYPE_BITS);
	*at = pos;
	return true;
}

static __always_inline void nt_ring_publish(struct nt_ring *r, u64 at)
{
	local_inc(&r->written);
	/* publishes the record; pairs with nt_stream_cut() */
	smp_store_release(&r->pos, at + sizeof(struct nt_record));
}

#endif
