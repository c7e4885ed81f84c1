/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring of one slot: a row of sub-buffers in the layout of the kernel's ring buffer, with
 * one writer, one reader and no atomic read-modify-write.
 *
 * Invariants:
 *  - Only the holder of the slot's guard writes, on the ring's own CPU.
 *  - @pos is the only publication. Its upper bits are the number of a sub-buffer, its lower
 *    bits an offset in it. It only grows, and everything below it is complete.
 *  - A sub-buffer's header and its @first word are written after @pos has entered it, and
 *    before the first record in it is published. Its commit is written before @pos leaves.
 *  - A full ring loses records between sub-buffers only. @first counts the records and these
 *    losses before a sub-buffer, so the reader knows exactly how many are missing, and by
 *    @first_exits how many of these are returns. Hits that are lost because RCU was not watching are
 *    counted in @not_watching only.
 *  - In memory that outlives the machine, a sub-buffer is all 0 when it is entered, and a record gets its head
 *    last: what is published is known there without @pos.
 */
#ifndef NT_RING_H
#define NT_RING_H

#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/barrier.h>

#include "arch_percpu.h"
#include "uapi/nestrace.h"

#define NT_SUBBUF_SHIFT		12
#define NT_SUBBUF_MASK		(NESTRACE_SUBBUF_SIZE - 1ULL)
/* records end here; after that come @first_exits and @first */
#define NT_SUBBUF_END		(NESTRACE_SUBBUF_SIZE - 2 * sizeof(u64))

/* enum ring_buffer_type in ring_buffer.h, an ABI of trace files */
#define NT_TYPE_TIME_EXTEND	30
/* In rings only, where it cannot be padding: a call, and its stack behind it. */
#define NT_TYPE_STACK		29
/* The same, where it cannot be a time stamp: a call, its arguments behind it, and perhaps its stack. */
#define NT_TYPE_ARGS		31
#define NT_TYPE_BITS		5
#define NT_TYPE_MASK		((1U << NT_TYPE_BITS) - 1)
#define NT_SHORT_MAX		(29 * sizeof(u32))	/* bytes of a record whose length is its type */
#define NT_DELTA_BITS		27
#define NT_DELTA_MAX		((1U << NT_DELTA_BITS) - 1)

struct nt_subbuf {
	u64 time_stamp;
	u64 commit;
	u8 data[NT_SUBBUF_END - NESTRACE_SUBBUF_HEADER];
	u64 first_exits;
	u64 first;
};

/* struct ring_buffer_event, followed by its event; the type has the NESTRACE_AUDIT_ bits, too */
struct nt_record {
	u32 head;
	struct nestrace_function event;
} __packed __aligned(4);

/* An entry whose return will be recorded. */
struct nt_entry_record {
	u32 head;
	struct nestrace_entry event;
} __packed __aligned(4);

/* The stack of a call, behind its event. The merge makes a struct nestrace_stack of it. */
struct nt_stack {
	u32 nr;			/* of callers */
	u32 mark;		/* as in struct nestrace_stack */
	u64 caller[];
} __packed __aligned(4);

static __always_inline u32 nt_stack_bytes(u32 callers)
{
	return sizeof(struct nt_stack) + callers * sizeof(u64);
}

/* The arguments of a call, behind its event. The merge makes them a part of the event. */
struct nt_args {
	u16 nr;			/* of words */
	u16 stack;		/* 1: a stack follows */
	u64 word[];
} __packed __aligned(4);

static __always_inline u32 nt_args_bytes(u32 words)
{
	return sizeof(struct nt_args) + words * sizeof(u64);
}

/* A return. The merge makes a struct nestrace_exit of it. */
struct nt_exit_record {
	u32 head;
	struct {
		union {
			struct {
				u16 type;
				u8 flags;
				u8 preempt_count;
			};
			u32 common;
		};
		s32 pid;
		u64 ip;
		u64 retval;
		u64 calltime;	/* as the clock was read */
		u32 depth;
	} __packed __aligned(4) event;
} __packed __aligned(4);

struct nt_clock_order;

/* Why the return of a call is not recorded. */
enum nt_missed {
	NT_MISSED_NO_NODE,	/* too many calls have not returned */
	NT_MISSED_NO_RCU,	/* RCU was not watching at the entry */
	NT_MISSED_REFUSED,	/* the return must not be hooked there */
	NT_NR_MISSED
};

struct nt_ring {
	/* one cache line of the hook's */
	u64 pos;
	u64 limit;		/* above it, @pos leaves no room for a record */
	char *origin;		/* the address that position 0 would have */
	u64 last;		/* time of the newest record */
	u64 hits;		/* counted by nt_local_inc(), as all counters are */
	u64 written;
	char *base;		/* NULL: this CPU is not traced */
	u64 mask;		/* bytes - 1 */

	u64 filtered;
	u64 filtered_early;	/* hits filtered before they counted in @hits */
	u64 recursed;
	u64 full;
	u64 not_watching;
	u64 rcu_nmi;
	u64 rcu_irq;
	u64 in_tracer;
	u64 extends;
	u64 set_forward;	/* hits with a later time than was read */
	bool overwrite;
	u32 largest;		/* bytes of the longest record that @limit leaves room for */
	const u32 *frozen;	/* the hook's; NULL: it has none */
	struct nt_clock_order *order;	/* the session's */

	/* where returns are recorded */
	struct nt_nodes *nodes;	/* for the returns of this CPU's entries in this slot */
	u64 exits;		/* returns in @written */
	u64 exits_full;		/* returns in @full */
	u64 exits_dropped;	/* returns in @hits that are neither written nor full nor filtered */
	u64 exits_filtered;	/* returns in @hits, by their value */
	u64 strangers;		/* returns counted here whose entry was in another slot */
	u64 away;		/* returns of entries in this slot that other slots have counted */
	u64 awaited;		/* entries that wait for their return to be recorded at all */
	u64 missed[NT_NR_MISSED];
	u32 steal_pause;	/* entries that do not look for nodes of other CPUs, because there were none */

	/* where stacks or arguments are recorded */
	u64 more_bytes;		/* of those in @written */

	struct nt_ring *copies;	/* NT_RING_COPIES, where the memory outlives the machine; else NULL */

	/* written by the reader: sub-buffers below this number are free again */
	u64 read ____cacheline_aligned;
} ____cacheline_aligned;

/* The hook copies the counters to the first two in turn, and nt_persist_refresh() to the others. */
#define NT_RING_COPIES		4

/* A CPU that reads does not write a line that the CPU that records uses. */
static_assert(offsetof(struct nt_ring, read) % SMP_CACHE_BYTES == 0);
/* Keep what a plain recorded hit writes of this struct in one cache line. */
static_assert(offsetof(struct nt_ring, filtered) == SMP_CACHE_BYTES);

static __always_inline u64 nt_ring_subbufs(const struct nt_ring *r)
{
	return (r->mask + 1) >> NT_SUBBUF_SHIFT;
}

static __always_inline struct nt_subbuf *nt_ring_subbuf(const struct nt_ring *r, u64 nr)
{
	return (struct nt_subbuf *)(r->base + ((nr << NT_SUBBUF_SHIFT) & r->mask));
}

/* Set what nt_ring_room() uses, for the sub-buffer @nr. */
static __always_inline void nt_ring_enter(struct nt_ring *r, u64 nr)
{
	u64 start = nr << NT_SUBBUF_SHIFT;

	r->origin = (char *)nt_ring_subbuf(r, nr) - start;
	r->limit = start + NT_SUBBUF_END - r->largest;
}

/* @base: zeroed memory of @bytes, a power of two; NULL: the ring never has room. */
static inline void nt_ring_init(struct nt_ring *r, char *base, size_t bytes, bool overwrite)
{
	r->base = base;
	r->mask = bytes - 1;
	r->overwrite = overwrite;
	r->largest = sizeof(struct nt_record);
	/* sub-buffer 0 is open, at time 0 and with nothing before it */
	r->pos = NESTRACE_SUBBUF_HEADER;
	r->limit = 0;
	if (base)
		nt_ring_enter(r, 0);
}

/* Let the sub-buffers leave room for records of @bytes; before the first one. */
static inline void nt_ring_fit(struct nt_ring *r, u32 bytes)
{
	r->largest = bytes;
	if (r->base)
		nt_ring_enter(r, 0);
}

/* Is the next sub-buffer still unread? Asked when the current one has no room. */
static __always_inline bool nt_ring_full(const struct nt_ring *r)
{
	u64 next = (r->pos >> NT_SUBBUF_SHIFT) + 1;

	/* pairs with the release in nt_cursor_refill(): the reader is done with that sub-buffer */
	return !r->overwrite && next - smp_load_acquire(&r->read) >= nt_ring_subbufs(r);
}

/* Copy the counters: @to is whole while its @pos is not 0. */
static __always_inline void nt_ring_copy(struct nt_ring *to, const struct nt_ring *r)
{
	u64 *to_word = (u64 *)to, pos = READ_ONCE(r->pos);
	const u64 *word = (const u64 *)r;
	unsigned int i;

	WRITE_ONCE(to->pos, 0);
	smp_wmb();
	for (i = 1; i < offsetof(struct nt_ring, read) / sizeof(u64); i++)
		WRITE_ONCE(to_word[i], READ_ONCE(word[i]));
	smp_wmb();
	WRITE_ONCE(to->pos, pos);
}

/* Make the sub-buffer @nr, just entered, one that a reader understands after a reset. */
static noinstr __maybe_unused void nt_ring_keep(struct nt_ring *r, u64 nr)
{
	u64 *word = (u64 *)nt_ring_subbuf(r, nr)->data;
	unsigned int i;

	for (i = 0; i < sizeof(((struct nt_subbuf *)NULL)->data) / sizeof(u64); i++)
		WRITE_ONCE(word[i], 0);
	smp_wmb();
	nt_ring_copy(&r->copies[nr & 1], r);
}

/* Enter the next sub-buffer, at time @ts; nt_ring_full() has said no. */
static __always_inline void nt_ring_next(struct nt_ring *r, u64 ts)
{
	u64 nr = r->pos >> NT_SUBBUF_SHIFT;
	struct nt_subbuf *sb = nt_ring_subbuf(r, nr);

	WRITE_ONCE(sb->commit, (r->pos & NT_SUBBUF_MASK) - NESTRACE_SUBBUF_HEADER);
	nr++;
	/* publishes the commit; pairs with nt_stream_snapshot() */
	smp_store_release(&r->pos, (nr << NT_SUBBUF_SHIFT) | NESTRACE_SUBBUF_HEADER);
	/* a reader that sees any of what follows sees this @pos: nt_cursor_refill() */
	smp_wmb();
	nt_ring_enter(r, nr);
	sb = nt_ring_subbuf(r, nr);
	if ((s64)(ts - r->last) < 0)
		ts = r->last;
	WRITE_ONCE(sb->time_stamp, ts);
	WRITE_ONCE(sb->first_exits, r->exits + r->exits_full);
	WRITE_ONCE(sb->first, r->written + r->full);
	WRITE_ONCE(r->last, ts);
	if (unlikely(r->copies))
		nt_ring_keep(r, nr);
}

/* Let no further record into the sub-buffer: a record was lost, and its gap is reported behind it. */
static __always_inline void nt_ring_close(struct nt_ring *r)
{
	r->limit = 0;
}

/* Is it closed, and is there no other? */
static __always_inline bool nt_ring_closed(const struct nt_ring *r)
{
	return !r->limit && nt_ring_full(r);
}

/* If the sub-buffer has no room: nt_ring_full(), nt_ring_next(). */
static __always_inline bool nt_ring_has_room(const struct nt_ring *r)
{
	return r->pos <= r->limit;
}

/* Return: where the next record goes. */
static __always_inline struct nt_record *nt_ring_room(const struct nt_ring *r)
{
	return (struct nt_record *)(r->origin + r->pos);
}

/* Return: the head of a record of up to NT_SHORT_MAX bytes. */
static __always_inline u32 nt_short_head(u32 bytes, u64 delta)
{
	return (bytes - sizeof(u32)) / sizeof(u32) | (u32)(delta << NT_TYPE_BITS);
}

/* Set the head of a record, after all else in it. */
static __always_inline void nt_set_head(u32 *head, u32 value)
{
	barrier();
	WRITE_ONCE(*head, value);
}

/* Publish @bytes, which hold one record, complete, and perhaps a time extend. */
static __always_inline void nt_ring_publish(struct nt_ring *r, u64 ts, u32 bytes)
{
	WRITE_ONCE(r->last, ts);
	/* publishes the record; pairs with nt_stream_snapshot() */
	nt_local_add_release(&r->pos, bytes);
	/* a hit that is counted is published; pairs with nt_ring_hits_over() */
	smp_wmb();
	nt_local_inc(&r->written);
}

/*
 * Write the head of @rec, which lies in nt_ring_room(), and publish it at time @ts.
 * Return: false if the time since the last record does not fit; call nt_ring_commit_late().
 */
static __always_inline bool nt_ring_commit(struct nt_ring *r, struct nt_record *rec, u64 ts)
{
	u64 delta = ts - r->last;

	if (unlikely(delta > NT_DELTA_MAX))
		return false;
	nt_set_head(&rec->head, nt_short_head(sizeof(*rec), delta));
	nt_ring_publish(r, ts, sizeof(*rec));
	return true;
}

/* Publish @rec with a time extend. Return: false if both found no room: lost, and counted. */
static __always_inline bool nt_ring_commit_late(struct nt_ring *r, struct nt_record *rec, u64 ts)
{
	struct nt_record copy = *rec;
	u64 delta = ts - r->last;
	u32 *extend = (u32 *)rec;
	u32 bytes = sizeof(*rec);

	if ((s64)delta < 0) {
		ts = r->last;
		nt_local_inc(&r->set_forward);
	} else if ((r->pos & NT_SUBBUF_MASK) == NESTRACE_SUBBUF_HEADER) {
		/* nothing in the sub-buffer is published yet: let it begin now */
		WRITE_ONCE(nt_ring_subbuf(r, r->pos >> NT_SUBBUF_SHIFT)->time_stamp, ts);
	} else if (r->pos + 2 * sizeof(u32) <= r->limit) {
		extend[0] = NT_TYPE_TIME_EXTEND | (u32)(delta << NT_TYPE_BITS);
		extend[1] = delta >> NT_DELTA_BITS;
		nt_local_inc(&r->extends);
		rec = (struct nt_record *)(extend + 2);
		*rec = copy;
		bytes += 2 * sizeof(u32);
	} else if (nt_ring_full(r)) {
		nt_local_inc(&r->full);
		return false;
	} else {
		nt_ring_next(r, ts);
		rec = nt_ring_room(r);
		*rec = copy;
	}
	nt_set_head(&rec->head, nt_short_head(sizeof(*rec), 0));
	nt_ring_publish(r, ts, bytes);
	return true;
}

/* Room for a record of any length, at a time. */
struct nt_room {
	u32 *head;		/* of the record, to be written by nt_room_publish() */
	u64 ts;			/* its time */
	u32 delta;		/* for its head */
	u32 before;		/* bytes of a time extend before it */
};

/*
 * Find room for a record of up to @bytes at time @ts; nothing is published yet.
 * Return: false if the sub-buffer has none: nt_ring_full(), nt_ring_next().
 */
static __always_inline bool nt_room_find(struct nt_ring *r, struct nt_room *room, u32 bytes, u64 ts)
{
	u64 delta = ts - r->last;
	bool back = (s64)delta < 0;

	room->head = (u32 *)nt_ring_room(r);
	room->before = 0;
	room->ts = back ? r->last : ts;
	if (back)
		delta = 0;
	room->delta = delta;
	if (delta > NT_DELTA_MAX && (r->pos & NT_SUBBUF_MASK) != NESTRACE_SUBBUF_HEADER)
		room->before = 2 * sizeof(u32);
	if (r->pos + room->before + bytes > r->limit + r->largest)
		return false;
	if (back)
		nt_local_inc(&r->set_forward);
	if (room->before) {
		room->head[0] = NT_TYPE_TIME_EXTEND | (u32)(delta << NT_TYPE_BITS);
		room->head[1] = delta >> NT_DELTA_BITS;
		room->head += 2;
		room->delta = 0;
	} else if (delta > NT_DELTA_MAX) {
		/* nothing in the sub-buffer is published yet: let it begin now */
		WRITE_ONCE(nt_ring_subbuf(r, r->pos >> NT_SUBBUF_SHIFT)->time_stamp, ts);
		room->delta = 0;
	}
	return true;
}

/*
 * Publish the record of @bytes in @room, up to NT_SHORT_MAX; only its head is not written. @more: bytes behind
 * it, or 0; @type: what they are, NT_TYPE_STACK or NT_TYPE_ARGS.
 */
static __always_inline void nt_room_publish(struct nt_ring *r, const struct nt_room *room, u32 bytes,
					    u32 more, u32 type)
{
	nt_set_head(room->head, more ? type | room->delta << NT_TYPE_BITS : nt_short_head(bytes, room->delta));
	if (room->before)
		nt_local_inc(&r->extends);
	if (more)
		WRITE_ONCE(r->more_bytes, r->more_bytes + more);
	nt_ring_publish(r, room->ts, room->before + bytes + more);
}

/* Return: true if, at some moment in this call, no hit in the ring was between its two counters. */
static inline bool nt_ring_hits_over(const struct nt_ring *r)
{
	u64 over = READ_ONCE(r->written) + READ_ONCE(r->full) + READ_ONCE(r->recursed) +
		   READ_ONCE(r->filtered) + READ_ONCE(r->not_watching) +
		   READ_ONCE(r->exits_dropped) + READ_ONCE(r->exits_filtered) + READ_ONCE(r->awaited);

	/* @hits is counted first and read last: pairs with nt_ring_publish() */
	smp_rmb();
	return READ_ONCE(r->hits) == over;
}

#endif
