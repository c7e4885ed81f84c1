// SPDX-License-Identifier: GPL-2.0
/*
 * Invariant: a record is handed out only when no record with an earlier time can still
 * appear in another ring of the CPU. The watermark is the time up to which that is known.
 * It comes from a snapshot that looks at the CPU in this order:
 *   1. the time of each ring's newest record;
 *   2. the guards;
 *   3. each ring's position.
 * A hit that begins after 2 has no time before any seen at 1, since a CPU's clock does not
 * go back. A hit that was over at 2 is below the positions of 3. A hit in flight at 2 has no
 * time before its own ring's newest at 1, so no record beyond that is handed out. All sessions
 * share the guards: the counters say whether a held one is for a hit of this session. Once the
 * session is stopped there is no watermark.
 */
#include <linux/jiffies.h>
#include <linux/string.h>

#include "compat/record_flags.h"
#include "guard.h"
#include "merge.h"
#include "session.h"
#include "stream.h"

struct nt_snapshot {
	u64 watermark;
	u64 pos[NESTRACE_NR_SLOTS];
};

struct nt_ring *nt_stream_ring(struct nt_stream *st, enum nestrace_slot slot)
{
	return &per_cpu_ptr(st->session->hook.rings, st->cpu)->slot[slot];
}

bool nt_stream_ended(struct nt_stream *st)
{
	/* pairs with the release in nt_session_stop() */
	return smp_load_acquire(&st->session->state) == NT_STOPPED;
}

/* Return: bytes that the reader has not read of a ring; its place may move meanwhile. */
static s64 nt_stream_unread(struct nt_stream *st, enum nestrace_slot slot)
{
	const struct nt_cursor *c = &st->cursor[slot];

	return READ_ONCE(nt_stream_ring(st, slot)->pos) -
	       (READ_ONCE(c->subbuf) << NT_SUBBUF_SHIFT | READ_ONCE(c->off));
}

bool nt_stream_has_data(struct nt_stream *st)
{
	enum nestrace_slot i;

	if (READ_ONCE(st->out_len))
		return true;
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		if (nt_stream_unread(st, i) > 0)
			return true;
	return false;
}

unsigned int nt_stream_fullness(struct nt_stream *st)
{
	unsigned int most = 0;
	enum nestrace_slot i;

	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		s64 unread = nt_stream_unread(st, i);
		u64 part = (nt_stream_ring(st, i)->mask + 1) / 1024;

		/* negative if the reader moves between the loads, more than all if it is lapped */
		if (unread > (s64)NT_SUBBUF_MASK)
			most = max_t(u64, most, min_t(u64, unread / part, 1024));
	}
	return most;
}

bool nt_stream_due(struct nt_stream *st)
{
	return nt_stream_fullness(st) >= 1024 / 8;
}

static void nt_stream_snapshot(struct nt_stream *st, struct nt_snapshot *snap)
{
	const struct nt_guards *guards = &per_cpu(nt_guards, st->cpu);
	unsigned long run_seq;
	bool writers;
	u64 newest = 0, in_flight = U64_MAX;
	u64 last[NESTRACE_NR_SLOTS];
	enum nestrace_slot i;

	/* pairs with nt_session_start() */
	run_seq = smp_load_acquire(&st->session->run_seq);
	writers = !nt_stream_ended(st);

	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		last[i] = READ_ONCE(nt_stream_ring(st, i)->last);
		newest = max(newest, last[i]);
	}
	smp_rmb();	/* 1 before 2 */
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		if (READ_ONCE(guards->half[nt_guard_half(i)].ip) && !nt_ring_hits_over(nt_stream_ring(st, i)))
			in_flight = min(in_flight, last[i]);
	smp_rmb();	/* 2 before 3; pairs with the release in nt_guard_leave() */
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		/* pairs with the writer's releases: what lies below is complete */
		snap->pos[i] = smp_load_acquire(&nt_stream_ring(st, i)->pos);

	/* without a start in between, stopped before and after: the positions are final */
	writers |= !nt_stream_ended(st) || READ_ONCE(st->session->run_seq) != run_seq;
	snap->watermark = writers ? min(newest, in_flight) : U64_MAX;
}

/* Return: the oldest sub-buffer that a writer at @pos has not overwritten. */
static u64 nt_oldest(const struct nt_ring *r, u64 pos)
{
	u64 current_nr = pos >> NT_SUBBUF_SHIFT, nr = nt_ring_subbufs(r);

	return current_nr < nr ? 0 : current_nr - nr + 1;
}

/* The cursor is at the head of a sub-buffer: count what is missing before it. */
static void nt_cursor_begin(const struct nt_ring *r, struct nt_cursor *c)
{
	u64 missed = c->view->first - c->index, exits = c->view->first_exits - c->exits;

	c->index = c->view->first;
	c->exits = c->view->first_exits;
	c->missed += missed;
	if (r->overwrite) {
		c->overwritten.records += missed;
		c->overwritten.exits += exits;
	}
	c->ts = c->view->time_stamp;
}

/*
 * Look at what the writer has added below @limit, in a copy if it may be overwritten. Return: true
 * if there is a byte to read.
 */
static bool nt_cursor_refill(struct nt_ring *r, struct nt_cursor *c, u64 limit)
{
	u64 head = limit >> NT_SUBBUF_SHIFT;
	u64 oldest;

	while (c->off == c->end) {
		if (c->complete) {
			WRITE_ONCE(c->subbuf, c->subbuf + 1);
			WRITE_ONCE(c->off, NESTRACE_SUBBUF_HEADER);
			c->end = NESTRACE_SUBBUF_HEADER;
			c->complete = false;
			/* the writer may reuse it: everything in it has been read */
			smp_store_release(&r->read, c->subbuf);
		}
		if (r->overwrite) {
			/* the writer may be beyond @limit by now */
			oldest = nt_oldest(r, smp_load_acquire(&r->pos));
			if (c->subbuf < oldest) {
				WRITE_ONCE(c->subbuf, oldest);
				WRITE_ONCE(c->off, NESTRACE_SUBBUF_HEADER);
				c->end = NESTRACE_SUBBUF_HEADER;
			}
		}
		if (c->subbuf > head ||
		    (c->subbuf == head && (limit & NT_SUBBUF_MASK) <= c->end))
			return false;

		c->view = nt_ring_subbuf(r, c->subbuf);
		if (r->overwrite) {
			/* the writer may race with this; then drop the copy */
			data_race(memcpy(c->copy, c->view, sizeof(*c->copy)));
			smp_rmb();	/* pairs with the smp_wmb() of nt_ring_next() */
			if (c->subbuf < nt_oldest(r, READ_ONCE(r->pos)))
				continue;
			c->view = c->copy;
		}

		c->complete = c->subbuf < head;
		c->end = c->complete ? NESTRACE_SUBBUF_HEADER + c->view->commit :
				     limit & NT_SUBBUF_MASK;
		if (c->off == NESTRACE_SUBBUF_HEADER)
			nt_cursor_begin(r, c);
	}
	return true;
}

/* Return: the next record below @limit, left unread, and its time; or NULL. */
static const struct nt_record *nt_cursor_peek(struct nt_ring *r, struct nt_cursor *c,
					      u64 limit, u64 *ts)
{
	const u32 *head;

	while (nt_cursor_refill(r, c, limit)) {
		head = (const u32 *)((const char *)c->view + c->off);
		if ((*head & NT_TYPE_MASK) != NT_TYPE_TIME_EXTEND) {
			*ts = c->ts + (*head >> NT_TYPE_BITS);
			return (const struct nt_record *)head;
		}
		c->ts += ((u64)head[1] << NT_DELTA_BITS) + (*head >> NT_TYPE_BITS);
		WRITE_ONCE(c->off, c->off + 2 * sizeof(u32));
	}
	return NULL;
}

static u32 nt_record_type(const struct nt_record *rec)
{
	return rec->head & NT_TYPE_MASK;
}

/* Return: the bytes of a record without its arguments and its stack. */
static u32 nt_record_bytes(const struct nt_record *rec)
{
	if (nt_record_type(rec) != NT_TYPE_STACK && nt_record_type(rec) != NT_TYPE_ARGS)
		return sizeof(u32) * (1 + nt_record_type(rec));
	return rec->event.type == NESTRACE_EVENT_ENTRY ? sizeof(struct nt_entry_record) : sizeof(*rec);
}

/* Return: what is behind a call; nt_record_type() says what it is. */
static const void *nt_record_more(const struct nt_record *rec)
{
	return (const char *)rec + nt_record_bytes(rec);
}

/* Return: the arguments of a record, or NULL. */
static const struct nt_args *nt_record_args(const struct nt_record *rec)
{
	return nt_record_type(rec) == NT_TYPE_ARGS ? nt_record_more(rec) : NULL;
}

/* Return: the stack of a record, or NULL. */
static const struct nt_stack *nt_record_stack(const struct nt_record *rec)
{
	const struct nt_args *args = nt_record_args(rec);

	if (args)
		return args->stack ? (const void *)&args->word[args->nr] : NULL;
	return nt_record_type(rec) == NT_TYPE_STACK ? nt_record_more(rec) : NULL;
}

/* Return: all bytes of a record. */
static u32 nt_record_size(const struct nt_record *rec)
{
	const struct nt_args *args = nt_record_args(rec);
	const struct nt_stack *stack = nt_record_stack(rec);

	return nt_record_bytes(rec) + (args ? nt_args_bytes(args->nr) : 0) +
	       (stack ? nt_stack_bytes(stack->nr) : 0);
}

static bool nt_record_is_exit(const struct nt_record *rec)
{
	return rec->event.type == NESTRACE_EVENT_EXIT;
}

static void nt_cursor_take(struct nt_cursor *c, const struct nt_record *rec, u64 ts)
{
	c->ts = ts;
	WRITE_ONCE(c->off, c->off + nt_record_size(rec));
	c->index++;
	c->exits += nt_record_is_exit(rec);
	c->missed = 0;
}

static enum nestrace_slot nt_slot_by_flags(u8 flags)
{
	if (flags & NESTRACE_FLAG_NMI)
		return NESTRACE_SLOT_NMI;
	if (flags & NESTRACE_FLAG_HARDIRQ)
		return NESTRACE_SLOT_HARDIRQ;
	return flags & NESTRACE_FLAG_SOFTIRQ ? NESTRACE_SLOT_SOFTIRQ : NESTRACE_SLOT_TASK;
}

/* Copy a return to where its event goes, as it is handed out. */
static void nt_out_exit(struct nestrace_exit *to, const struct nt_exit_record *rec,
			const struct nt_clock_scale *scale, u64 ts)
{
	/* where the TSC stepped back, the end may come before the beginning */
	u64 begin = min(nt_clock_scaled(scale, rec->event.calltime), ts);

	*to = (struct nestrace_exit){
		.common = rec->event.common,
		.pid = rec->event.pid,
		.ip = rec->event.ip,
		.retval = rec->event.retval,
		.depth = rec->event.depth,
		.calltime = nt_clock_span_ns(scale, begin),
	};
	to->rettime = to->calltime + nt_clock_span_ns(scale, ts - begin);
}

/* Return: the bytes of an event of @bytes with its head, and its length where the head cannot hold it. */
static u32 nt_out_bytes(u32 bytes)
{
	bytes += sizeof(u32);
	return bytes > NT_SHORT_MAX ? bytes + sizeof(u32) : bytes;
}

/* Put the head of an event of @bytes at @p. Return: where the event goes. */
static void *nt_out_head(u32 *p, u32 bytes, u32 delta)
{
	if (bytes + sizeof(u32) <= NT_SHORT_MAX) {
		*p = nt_short_head(bytes + sizeof(u32), delta);
		return p + 1;
	}
	/* put the length in a word of its own, and include that word */
	p[0] = delta << NT_TYPE_BITS;
	p[1] = bytes + sizeof(u32);
	return p + 2;
}

static u32 nt_stack_event_bytes(const struct nt_stack *stack)
{
	return sizeof(struct nestrace_stack) + stack->nr * sizeof(u64);
}

/* Put the stack of @rec at @p, as an event of the same time. */
static void nt_out_stack(u32 *p, const struct nt_record *rec, const struct nt_stack *stack)
{
	struct nestrace_stack *to = nt_out_head(p, nt_stack_event_bytes(stack), 0);

	to->common = NESTRACE_EVENT_STACK | (rec->event.common & ~0xffffU);
	to->pid = rec->event.pid;
	to->nr = stack->nr;
	to->mark = stack->mark;
	memcpy(to + 1, stack->caller, stack->nr * sizeof(u64));
}

/* Return: false if the record does not fit. Room for the number of missed ones stays free. */
static bool nt_out_append(struct nt_stream *st, const struct nt_record *rec, u64 ts,
			  enum nestrace_slot slot)
{
	enum nestrace_slot by_flags = nt_slot_by_flags(rec->event.flags);
	bool extend, own_slot, stepped_back, exit = nt_record_is_exit(rec);
	u32 bytes = exit ? sizeof(struct nestrace_exit) : nt_record_bytes(rec) - sizeof(u32);
	const struct nt_args *args = nt_record_args(rec);
	const struct nt_stack *stack = nt_record_stack(rec);
	u32 words = args ? args->nr * sizeof(u64) : 0, all, len;
	u32 odd = rec->event.type & NESTRACE_AUDIT_BITS;
	char *to;
	u64 delta;
	u32 *p;

	ts = nt_clock_scaled(&st->session->scale, ts);
	/* where the TSC stepped back, as over a suspend, not all rings have seen it */
	stepped_back = (s64)(ts - st->out_ts) < 0;
	if (stepped_back)
		ts = st->out_ts;
	delta = st->out_len ? ts - st->out_ts : 0;
	extend = delta >> NT_DELTA_BITS;
	/* NMI_INLINE and NMI are the same context */
	own_slot = odd || (slot != by_flags &&
			   !(slot == NESTRACE_SLOT_NMI_INLINE && by_flags == NESTRACE_SLOT_NMI));
	all = bytes + words + (own_slot ? sizeof(u32) : 0);
	len = (extend ? 2 * sizeof(u32) : 0) + nt_out_bytes(all) +
	      (stack ? nt_out_bytes(nt_stack_event_bytes(stack)) : 0);
	if (st->out_len + len > sizeof(st->out->data))
		return false;

	WRITE_ONCE(st->stepped_back, st->stepped_back + stepped_back);
	if (!st->out_len) {
		st->out->time_stamp = ts;
		st->out_since = jiffies;
	}
	p = (u32 *)(st->out->data + st->out_len);
	if (extend) {
		*p++ = NT_TYPE_TIME_EXTEND | (u32)(delta << NT_TYPE_BITS);
		*p++ = delta >> NT_DELTA_BITS;
		delta = 0;
	}
	to = nt_out_head(p, all, delta);
	if (exit)
		nt_out_exit((struct nestrace_exit *)to, (const struct nt_exit_record *)rec,
			    &st->session->scale, ts);
	else
		memcpy(to, &rec->event, bytes);
	if (odd)
		((struct nestrace_function *)to)->type &= ~NESTRACE_AUDIT_BITS;
	if (args)
		memcpy(to + bytes, args->word, words);
	if (own_slot)
		*(u32 *)(to + bytes + words) = slot | odd;
	if (stack)
		nt_out_stack((u32 *)(to + all), rec, stack);
	st->out_len += len;
	st->out_ts = ts;
	return true;
}

/* The first eight bytes of a record: its head, and the first fields of its event. */
union nt_record_begin {
	struct {
		u32 head;
		u16 type;
		u8 flags, preempt_count;
	};
	u64 word;
};

/* A record passes if its first word has @value in the bits of @mask. */
struct nt_record_test {
	union nt_record_begin mask, value;
};

/* Test for a record, not a time extend, whose flags say that it is of @slot. */
static struct nt_record_test nt_plain_record(enum nestrace_slot slot)
{
	const u8 contexts = NESTRACE_FLAG_NMI | NESTRACE_FLAG_HARDIRQ | NESTRACE_FLAG_SOFTIRQ;
	struct nt_record_test test = {
		.mask = { .head = NT_TYPE_MASK, .type = NESTRACE_AUDIT_BITS },
		.value = { .head = NESTRACE_EVENT_SIZE / sizeof(u32) },
	};

	switch (slot) {
	case NESTRACE_SLOT_TASK:
		test.mask.flags = contexts;
		break;
	case NESTRACE_SLOT_SOFTIRQ:
		test.mask.flags = contexts;
		test.value.flags = NESTRACE_FLAG_SOFTIRQ;
		break;
	case NESTRACE_SLOT_HARDIRQ:
		test.mask.flags = NESTRACE_FLAG_NMI | NESTRACE_FLAG_HARDIRQ;
		test.value.flags = NESTRACE_FLAG_HARDIRQ;
		break;
	case NESTRACE_SLOT_NMI:
	case NESTRACE_SLOT_NMI_INLINE:
		test.mask.flags = NESTRACE_FLAG_NMI;
		test.value.flags = NESTRACE_FLAG_NMI;
		break;
	default:
		/* no flags say that: let nothing pass */
		test.value.flags = NESTRACE_FLAG_NMI;
	}
	return test;
}

/*
 * Hand out the next records up to @until that need only a new delta, as most do. @out has a record
 * already, and no gap follows it.
 */
static void nt_stream_run_plain(struct nt_stream *st, struct nt_cursor *c,
				enum nestrace_slot slot, u64 until)
{
	const struct nt_record_test test = nt_plain_record(slot);
	const struct nt_record *first = (const void *)((const char *)c->view + c->off), *rec = first;
	struct nt_record *to = (void *)(st->out->data + st->out_len);
	size_t nr = min_t(size_t, c->end - c->off, sizeof(st->out->data) - st->out_len) / sizeof(*rec);
	const u64 offset = st->session->scale.offset;
	/* deltas need no offset */
	const struct nt_clock_scale scale = { .mult = st->session->scale.mult };
	u64 ts = c->ts, out_ts = st->out_ts - offset, next, delta;
	union nt_record_begin begin;

	for (; rec < first + nr; rec++, to++) {
		memcpy(&begin, rec, sizeof(begin));
		next = ts + (begin.head >> NT_TYPE_BITS);
		delta = nt_clock_scaled(&scale, next) - out_ts;
		if ((begin.word & test.mask.word) != test.value.word || next > until ||
		    delta > NT_DELTA_MAX)
			break;
		to->head = NESTRACE_EVENT_SIZE / sizeof(u32) | (u32)delta << NT_TYPE_BITS;
		to->event = rec->event;
		ts = next;
		out_ts += delta;
	}
	nr = rec - first;
	c->ts = ts;
	c->index += nr;
	WRITE_ONCE(c->off, c->off + nr * sizeof(*rec));
	st->out_len += nr * sizeof(*rec);
	st->out_ts = out_ts + offset;
}

/*
 * Hand out the records of @slot up to @until. Return: true when @out can take no more: it is
 * full, or a gap follows, which only the head of a sub-buffer can report.
 */
static bool nt_stream_run(struct nt_stream *st, enum nestrace_slot slot, u64 limit, u64 until)
{
	struct nt_ring *r = nt_stream_ring(st, slot);
	struct nt_cursor *c = &st->cursor[slot];
	const struct nt_record *rec;
	u64 ts;

	while ((rec = nt_cursor_peek(r, c, limit, &ts)) && ts <= until) {
		if (c->missed && st->out_len)
			return true;
		if (!nt_out_append(st, rec, ts, slot))
			return true;
		if (c->missed)
			st->out_missed = c->missed;
		nt_cursor_take(c, rec, ts);
		nt_stream_run_plain(st, c, slot, until);
	}
	return false;
}

bool nt_stream_fill(struct nt_stream *st)
{
	struct nt_snapshot snap;
	u64 next[NESTRACE_NR_SLOTS];
	enum nestrace_slot i, first;
	u64 until;

	nt_stream_snapshot(st, &snap);
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		if (!nt_cursor_peek(nt_stream_ring(st, i), &st->cursor[i], snap.pos[i], &next[i]))
			next[i] = U64_MAX;

	for (;;) {
		/* find the ring with the earliest record, and the time up to which it has no rival */
		first = 0;
		until = snap.watermark;
		for (i = 1; i < NESTRACE_NR_SLOTS; i++) {
			if (next[i] < next[first]) {
				until = min(until, next[first]);
				first = i;
			} else {
				until = min(until, next[i]);
			}
		}
		if (next[first] == U64_MAX || next[first] > snap.watermark)
			return false;
		if (nt_stream_run(st, first, snap.pos[first], until))
			return true;
		if (!nt_cursor_peek(nt_stream_ring(st, first), &st->cursor[first],
				    snap.pos[first], &next[first]))
			next[first] = U64_MAX;
	}
}

void nt_stream_seal(struct nt_stream *st)
{
	u64 commit = st->out_len;
	u32 used = st->out_len;

	if (st->out_missed) {
		commit |= NESTRACE_SUBBUF_MISSED | NESTRACE_SUBBUF_MISSED_STORED;
		/* nt_out_append() has left room for it, if only that of @first */
		memcpy((char *)st->out + NESTRACE_SUBBUF_HEADER + st->out_len, &st->out_missed,
		       sizeof(u64));
		used += sizeof(u64);
	}
	st->out->commit = commit;
	/* clear what an earlier sub-buffer has left */
	memset(st->out->data + used, 0, NESTRACE_SUBBUF_SIZE - NESTRACE_SUBBUF_HEADER - used);
}

void nt_stream_next(struct nt_stream *st)
{
	st->out_len = 0;
	st->out_missed = 0;
}

/* Return: the records that the cursor has looked at and not yet handed out. */
static struct nt_overwritten nt_cursor_held(const struct nt_cursor *c)
{
	struct nt_overwritten held = { };
	const struct nt_record *rec;
	u32 off = c->off;

	while (off < c->end) {
		rec = (const struct nt_record *)((const char *)c->view + off);
		if ((rec->head & NT_TYPE_MASK) == NT_TYPE_TIME_EXTEND) {
			off += 2 * sizeof(u32);
		} else {
			off += nt_record_size(rec);
			held.records++;
			held.exits += nt_record_is_exit(rec);
		}
	}
	return held;
}

struct nt_overwritten nt_stream_overwritten(struct nt_stream *st, enum nestrace_slot slot)
{
	struct nt_ring *r = nt_stream_ring(st, slot);
	struct nt_cursor *c = &st->cursor[slot];
	struct nt_overwritten sum = c->overwritten, held;
	u64 oldest, first, first_exits;

	if (!r->overwrite)
		return sum;
	do {
		/* as in nt_cursor_refill(): read, and check that it was not overwritten */
		oldest = nt_oldest(r, smp_load_acquire(&r->pos));
		if (oldest <= c->subbuf)
			return sum;
		first = READ_ONCE(nt_ring_subbuf(r, oldest)->first);
		first_exits = READ_ONCE(nt_ring_subbuf(r, oldest)->first_exits);
		smp_rmb();	/* pairs with the smp_wmb() of nt_ring_next() */
	} while (oldest != nt_oldest(r, READ_ONCE(r->pos)));
	held = nt_cursor_held(c);
	sum.records += first - (c->index + held.records);
	sum.exits += first_exits - (c->exits + held.exits);
	return sum;
}
