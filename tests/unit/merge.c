// SPDX-License-Identifier: GPL-2.0
/* The records that a reader is handed, and when: src/merge.c. */
#include "compat/record_flags.h"
#include "merge.h"
#include "one_cpu.h"
#include "session.h"
#include "spec.h"
#include "stream.h"

enum { TASK = NESTRACE_SLOT_TASK, SOFTIRQ = NESTRACE_SLOT_SOFTIRQ,
       HARDIRQ = NESTRACE_SLOT_HARDIRQ, NMI = NESTRACE_SLOT_NMI };

#define PER_SUBBUF	((NT_SUBBUF_END - NESTRACE_SUBBUF_HEADER) / sizeof(struct nt_record))

static struct nt_session session;
static struct nt_rings rings;
static struct nt_stream stream;

static void *zeroed(size_t size)
{
	return memset(aligned_alloc(4096, size), 0, size);
}

/* A running session with rings of @subbufs sub-buffers. */
static void new_session(unsigned int subbufs, bool overwrite)
{
	size_t bytes = subbufs * NESTRACE_SUBBUF_SIZE;
	unsigned int i;

	memset(&rings, 0, sizeof(rings));
	memset(&nt_guards, 0, sizeof(nt_guards));
	guards_of[0] = &nt_guards;
	session = (struct nt_session){ .hook.rings = &rings, .state = NT_RUNNING, .run_seq = 1 };
	stream = (struct nt_stream){ .session = &session, .out = zeroed(NESTRACE_SUBBUF_SIZE) };
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		nt_ring_init(&rings.slot[i], zeroed(bytes), bytes, overwrite);
		stream.cursor[i].off = NESTRACE_SUBBUF_HEADER;
		stream.cursor[i].end = NESTRACE_SUBBUF_HEADER;
		stream.cursor[i].copy = zeroed(NESTRACE_SUBBUF_SIZE);
	}
}

/* Write a record with the flags of its context. With guard_held(), that hit ends. */
static void hit(unsigned int slot, u64 ts)
{
	static const u8 flags[] = {
		[SOFTIRQ] = NESTRACE_FLAG_SOFTIRQ, [HARDIRQ] = NESTRACE_FLAG_HARDIRQ, [NMI] = NESTRACE_FLAG_NMI,
	};
	struct nt_ring *r = &rings.slot[slot];
	struct nt_record *rec;

	if (!nt_guard_ip(slot))
		nt_local_inc(&r->hits);
	if (!nt_ring_has_room(r)) {
		if (nt_ring_full(r)) {
			nt_local_inc(&r->full);
			return;
		}
		nt_ring_next(r, ts);
	}
	rec = nt_ring_room(r);
	rec->event = (struct nestrace_function){ .type = NESTRACE_EVENT_FUNCTION,
						 .flags = slot <= NMI ? flags[slot] : 0, .ip = ts };
	if (!nt_ring_commit(r, rec, ts))
		nt_ring_commit_late(r, rec, ts);
}

static void hits(unsigned int slot, u64 first, unsigned int nr)
{
	while (nr--)
		hit(slot, first++);
}

/* Write a hit that an audit finds odd. */
static void odd_hit(unsigned int slot, u64 ts, u32 odd)
{
	hit(slot, ts);
	((struct nt_record *)((char *)nt_ring_room(&rings.slot[slot]) - sizeof(struct nt_record)))->event.type |= odd;
}

/* Begin a hit with @more bytes behind its record. Return: the record. */
static struct nt_record *long_hit(struct nt_ring *r, struct nt_room *room, u32 more, u64 ts)
{
	u32 bytes = sizeof(struct nt_record);
	struct nt_record *rec;

	nt_local_inc(&r->hits);
	if (!nt_room_find(r, room, bytes + more, ts)) {
		nt_ring_next(r, ts);
		nt_room_find(r, room, bytes + more, ts);
	}
	rec = (struct nt_record *)room->head;
	rec->event = (struct nestrace_function){ .type = NESTRACE_EVENT_FUNCTION, .ip = ts };
	return rec;
}

/* Write a hit with a stack of @nr callers. */
static void stack(u64 ts, unsigned int nr)
{
	struct nt_ring *r = &rings.slot[TASK];
	u32 more = sizeof(struct nt_stack) + nr * sizeof(u64);
	struct nt_record *rec;
	struct nt_stack *stack;
	struct nt_room room;

	rec = long_hit(r, &room, more, ts);
	stack = (struct nt_stack *)(rec + 1);
	*stack = (struct nt_stack){ .nr = nr };
	memset(stack->caller, 0, nr * sizeof(u64));
	nt_room_publish(r, &room, sizeof(*rec), more, NT_TYPE_STACK);
}

/* Write a hit in @slot with @words argument words, and a stack of @callers, or none if that is negative. */
static void args(unsigned int slot, u64 ts, unsigned int words, int callers)
{
	struct nt_ring *r = &rings.slot[slot];
	u32 more = nt_args_bytes(words) + (callers < 0 ? 0 : nt_stack_bytes(callers));
	struct nt_record *rec;
	struct nt_stack *stack;
	struct nt_args *args;
	struct nt_room room;
	unsigned int i;

	rec = long_hit(r, &room, more, ts);
	args = (struct nt_args *)(rec + 1);
	*args = (struct nt_args){ .nr = words, .stack = callers >= 0 };
	for (i = 0; i < words; i++)
		args->word[i] = ts + i;
	stack = (struct nt_stack *)&args->word[words];
	if (callers >= 0) {
		*stack = (struct nt_stack){ .nr = callers };
		memset(stack->caller, 0, callers * sizeof(u64));
	}
	nt_room_publish(r, &room, sizeof(*rec), more, NT_TYPE_ARGS);
}

/* A hit begins. */
static void guard_held(unsigned int slot)
{
	nt_local_inc(&rings.slot[slot].hits);
	nt_guards.half[nt_guard_half(slot)].ip = -1;
}

static void guard_held_by_another_session(unsigned int slot)
{
	nt_guards.half[nt_guard_half(slot)].ip = -1;
}

static void guard_free(unsigned int slot)
{
	nt_guards.half[nt_guard_half(slot)].ip = 0;
}

static void stopped(void)
{
	session.state = NT_STOPPED;
}

/*
 * Append what @out holds: "CONTEXT@TIME", before it "!BITS" of an audit, behind it "(N)" for N argument words, "+N" for a stack of N, and "-N" where N are
 * missing.
 */
static void append(char *text, size_t size)
{
	static const char *const words[] = NESTRACE_CONTEXT_WORDS;
	u64 ts = stream.out->time_stamp, word;
	size_t used = strlen(text);
	u32 off = 0, slot, length, i;
	const char *event;

	if (stream.out_missed)
		used += snprintf(text + used, size - used, "-%llu ",
				 (unsigned long long)stream.out_missed);
	while (off < stream.out_len && used < size) {
		u32 *p = (u32 *)(stream.out->data + off);
		u32 type = *p & 31;
		struct nestrace_function rec;

		if (type == NT_TYPE_TIME_EXTEND) {
			ts += (*p >> NT_TYPE_BITS) + ((u64)p[1] << NT_DELTA_BITS);
			off += 8;
			continue;
		}
		ts += *p >> NT_TYPE_BITS;
		length = type ? 4 * type : p[1] - 4;
		event = (const char *)(p + (type ? 1 : 2));
		off += (type ? 4 : 8) + length;
		memcpy(&rec, event, sizeof(rec));
		if (rec.type == NESTRACE_EVENT_STACK) {
			used += snprintf(text + used, size - used, "+%u ", ((const u32 *)event)[2]);
			continue;
		}
		slot = rec.flags & NESTRACE_FLAG_NMI ? NMI : rec.flags & NESTRACE_FLAG_HARDIRQ ? HARDIRQ :
		       rec.flags & NESTRACE_FLAG_SOFTIRQ ? SOFTIRQ : TASK;
		length -= NESTRACE_EVENT_SIZE;
		if (length % sizeof(u64))
			slot = *(const u32 *)(event + NESTRACE_EVENT_SIZE + length - sizeof(u32));
		if (rec.type != NESTRACE_EVENT_FUNCTION)
			used += snprintf(text + used, size - used, "type %u ", rec.type);
		if (slot & NESTRACE_AUDIT_BITS)
			used += snprintf(text + used, size - used, "!%x ", slot >> 8);
		slot &= ~NESTRACE_AUDIT_BITS;
		used += snprintf(text + used, size - used, "%s@%llu ", words[slot],
				 (unsigned long long)ts);
		if (length < sizeof(u64))
			continue;
		used += snprintf(text + used, size - used, "(%u) ", length / 8);
		for (i = 0; i < length / 8; i++) {
			memcpy(&word, event + NESTRACE_EVENT_SIZE + 8 * i, 8);
			if (word != rec.ip + i)
				used += snprintf(text + used, size - used, "torn ");
		}
	}
}

/* Expect that the stream hands out just this now. */
static void merged(const char *want)
{
	char got[512] = "";
	bool full;

	do {
		full = nt_stream_fill(&stream);
		append(got, sizeof(got));
		nt_stream_seal(&stream);
		nt_stream_next(&stream);
	} while (full);
	if (*got)
		got[strlen(got) - 1] = '\0';
	is(got, want);
}

/* Drop what the stream hands out now. */
static void drained(void)
{
	while (nt_stream_fill(&stream))
		nt_stream_next(&stream);
	nt_stream_next(&stream);
}

int main(void)
{
	unsigned int i;
	char text[64];

	spec("merge: the records of two rings come out in time order");
	new_session(2, false);
	hit(TASK, 10), hit(NMI, 20), hit(TASK, 30);
	merged("task@10 nmi@20 task@30");

	spec("merge: at the same time, the lower context comes first");
	new_session(2, false);
	hit(HARDIRQ, 10), hit(TASK, 10);
	merged("task@10 hardirq@10");

	spec("merge: a hit in flight holds back what is newer than the last of its ring");
	new_session(2, false);
	hit(TASK, 10), hit(NMI, 15), hit(TASK, 20);
	guard_held(NMI);
	merged("task@10 nmi@15");
	hit(NMI, 25), guard_free(NMI);
	merged("task@20 nmi@25");

	spec("merge: a hit in flight in a ring without records holds back everything");
	new_session(2, false);
	hit(TASK, 10);
	guard_held(HARDIRQ);
	merged("");
	hit(HARDIRQ, 15), guard_free(HARDIRQ);
	merged("task@10 hardirq@15");

	spec("merge: a record that was in flight comes out in its place");
	new_session(2, false);
	hit(TASK, 10), hit(TASK, 20);
	guard_held(SOFTIRQ);
	merged("");
	hit(SOFTIRQ, 15), guard_free(SOFTIRQ);
	merged("task@10 softirq@15 task@20");

	spec("merge: a hit of another session holds back nothing");
	new_session(2, false);
	hit(TASK, 10), hit(NMI, 20);
	guard_held_by_another_session(TASK), guard_held_by_another_session(HARDIRQ);
	merged("task@10 nmi@20");

	spec("merge: after the stop nothing is held back");
	new_session(2, false);
	hit(TASK, 10), hit(NMI, 20);
	stopped();
	merged("task@10 nmi@20");
	merged("");

	spec("merge: a context that the flags do not give is in the record");
	new_session(2, false);
	hit(NESTRACE_SLOT_DB, 10), hit(NESTRACE_SLOT_NMI_INLINE, 20);
	merged("db@10 nmi@20");

	spec("merge: what is odd about a call is behind it, and not in its type");
	new_session(2, false);
	hit(TASK, 5), odd_hit(TASK, 10, NESTRACE_AUDIT_RCU_IRQ), hit(TASK, 15);
	odd_hit(NMI, 20, NESTRACE_AUDIT_RCU_NMI | NESTRACE_AUDIT_LOCKDEP_OFF), hit(NMI, 25);
	merged("task@5 !2 task@10 task@15 !11 nmi@20 nmi@25");

	spec("merge: a long pause is a time extend");
	new_session(2, false);
	hit(TASK, 1), hit(TASK, 1ULL << 40);
	merged("task@1 task@1099511627776");

	spec("merge: what a full ring lost is reported where it is missing");
	new_session(2, false);
	hits(TASK, 1, 2 * PER_SUBBUF + 5);
	drained();
	hit(TASK, 1000);
	merged("-5 task@1000");

	spec("merge: a gap starts a new sub-buffer, after the records before it");
	new_session(2, false);
	hits(TASK, 1, 2 * PER_SUBBUF + 5);
	drained();
	hit(NMI, 990), hit(TASK, 1000);
	merged("nmi@990 -5 task@1000");

	spec("merge: an overwriting ring hands out its newest sub-buffers, and the number before");
	new_session(2, true);
	hits(TASK, 1, 3 * PER_SUBBUF + 1);
	stopped();
	is_number(nt_stream_overwritten(&stream, TASK).records, 2 * PER_SUBBUF);
	nt_stream_fill(&stream);
	is_number(stream.out_missed, 2 * PER_SUBBUF);
	is_number(stream.out->time_stamp, 2 * PER_SUBBUF + 1);

	spec("merge: fullness is that of the fullest ring, and due is an eighth");
	new_session(16, false);
	is_number(nt_stream_fullness(&stream), 0);
	hits(TASK, 1, PER_SUBBUF);
	is_number(nt_stream_fullness(&stream), 0);
	is_number(nt_stream_due(&stream), false);
	hits(TASK, 1000, PER_SUBBUF);
	is_number(nt_stream_fullness(&stream) / 64, 1);
	hits(SOFTIRQ, 1, 4 * PER_SUBBUF);
	is_number(nt_stream_fullness(&stream) / 64, 3);
	is_number(nt_stream_due(&stream), true);

	spec("merge: a reader that moves meanwhile makes no ring look full");
	new_session(16, false);
	hits(TASK, 1, 4 * PER_SUBBUF);
	stream.cursor[TASK].subbuf = 5;
	is_number(nt_stream_fullness(&stream), 0);
	is_number(nt_stream_due(&stream), false);

	spec("merge: a ring that has been overwritten many times is full");
	new_session(4, true);
	hits(TASK, 1, 100 * PER_SUBBUF);
	is_number(nt_stream_fullness(&stream), 1024);

	spec("merge: a stack comes right behind its call, in an event of its own");
	new_session(4, false);
	stack(10, 0), stack(20, 12), stack(20, 13), hit(SOFTIRQ, 20), stack(30, 128);
	merged("task@10 +0 task@20 +12 task@20 +13 softirq@20 task@30 +128");

	spec("merge: a stack that does not fit goes with its call into the next sub-buffer");
	new_session(16, false);
	for (i = 0; i < 5; i++)
		stack(i + 1, 100);
	is_number(nt_stream_fill(&stream), true);
	is_number(stream.out_len, 4 * (28 + 8 + 16 + 800));
	nt_stream_next(&stream);
	merged("task@5 +100");

	spec("merge: arguments are a part of their call, and its slot and stack come behind them");
	new_session(4, false);
	args(TASK, 10, 1, -1), args(TASK, 20, 6, 3), args(NESTRACE_SLOT_DB, 25, 2, -1);
	args(TASK, 30, 88, 100), args(NESTRACE_SLOT_DB, 35, 88, -1);
	merged("task@10 (1) task@20 (6) +3 db@25 (2) task@30 (88) +100 db@35 (88)");

	spec("merge: at each length an event has room for its words");
	for (i = 1; i <= 90; i++) {
		new_session(4, false);
		args(NESTRACE_SLOT_DB, 10, i, i % 3 ? -1 : (int)i), args(TASK, 20, i, i);
		snprintf(text, sizeof(text), i % 3 ? "db@10 (%u) task@20 (%u) +%u" : "db@10 (%u) +%u task@20 (%u) +%u",
			 i, i, i, i);
		merged(text);
	}

	spec("merge: arguments that do not fit go with their call into the next sub-buffer");
	new_session(16, false);
	for (i = 0; i < 5; i++)
		args(TASK, i + 1, 88, 24);
	is_number(nt_stream_fill(&stream), true);
	is_number(stream.out_len, 4 * (8 + 24 + 704 + 8 + 16 + 192));
	nt_stream_next(&stream);
	merged("task@5 (88) +24");

	spec("merge: an overwriting ring counts a call and its stack as one");
	new_session(2, true);
	for (i = 0; i < 9; i++)
		stack(i + 1, 100);
	stopped();
	is_number(nt_stream_overwritten(&stream, TASK).records, 4);
	nt_stream_fill(&stream);
	is_number(stream.out_missed, 4);

	spec("merge: where the clock stepped back, time stands still in the stream");
	new_session(2, false);
	hit(TASK, 50);
	merged("task@50");
	hit(NMI, 40);
	merged("nmi@50");
	is_number(stream.stepped_back, 1);

	spec_end();
	return specs_failed != 0;
}
