// SPDX-License-Identifier: GPL-2.0
#include "merge.h"
#include "one_cpu.h"
#include "session.h"
#include "stream.h"

#include "drain.h"

#define SUBBUFS	64

static struct nt_session session;
static struct nt_rings rings;
static struct nt_stream stream;

static void *zeroed(size_t size)
{
	return memset(aligned_alloc(4096, size), 0, size);
}

void rings_init(void)
{
	size_t bytes = SUBBUFS * NESTRACE_SUBBUF_SIZE;
	unsigned int i;

	guards_of[0] = &nt_guards;
	session = (struct nt_session){ .hook.rings = &rings, .state = NT_RUNNING, .run_seq = 1 };
	stream = (struct nt_stream){ .session = &session, .out = zeroed(NESTRACE_SUBBUF_SIZE) };
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		nt_ring_init(&rings.slot[i], zeroed(bytes), bytes, false);
		stream.cursor[i].off = NESTRACE_SUBBUF_HEADER;
		stream.cursor[i].end = NESTRACE_SUBBUF_HEADER;
		stream.cursor[i].copy = zeroed(NESTRACE_SUBBUF_SIZE);
	}
}

bool rings_hit(unsigned int slot, uint64_t ts, uint64_t ip, uint64_t parent_ip, int pid)
{
	static const u8 flags[NESTRACE_NR_SLOTS] = {
		[NESTRACE_SLOT_SOFTIRQ] = NESTRACE_FLAG_SOFTIRQ, [NESTRACE_SLOT_HARDIRQ] = NESTRACE_FLAG_HARDIRQ,
		[NESTRACE_SLOT_NMI] = NESTRACE_FLAG_NMI,
	};
	struct nt_ring *r = &rings.slot[slot];
	struct nt_record *rec;

	if (!nt_ring_has_room(r)) {
		if (nt_ring_full(r))
			return false;
		nt_ring_next(r, ts);
	}
	nt_local_inc(&r->hits);
	rec = nt_ring_room(r);
	rec->event = (struct nestrace_function){ .type = NESTRACE_EVENT_FUNCTION, .flags = flags[slot], .pid = pid,
						 .ip = ip, .parent_ip = parent_ip };
	if (!nt_ring_commit(r, rec, ts))
		nt_ring_commit_late(r, rec, ts);
	return true;
}

/* As nt_stream_read() hands out a sub-buffer. A function of its own, so that it is counted. */
__attribute__((noinline)) static void copy_to_reader(void *out)
{
	memcpy(out, stream.out, NESTRACE_SUBBUF_SIZE);
}

size_t stream_read(void *out)
{
	if (!nt_stream_fill(&stream))
		return 0;
	nt_stream_seal(&stream);
	copy_to_reader(out);
	nt_stream_next(&stream);
	return NESTRACE_SUBBUF_SIZE;
}
