// SPDX-License-Identifier: GPL-2.0
/* The ring of one slot, step by step: src/ring.h. */
#include "one_cpu.h"
#include "ring.h"
#include "spec.h"

#define PER_SUBBUF	((NT_SUBBUF_END - NESTRACE_SUBBUF_HEADER) / sizeof(struct nt_record))

static struct nt_ring ring;

/* A new ring of @subbufs sub-buffers. */
static void new_ring(unsigned int subbufs, bool overwrite)
{
	size_t bytes = subbufs * NESTRACE_SUBBUF_SIZE;

	free(ring.base);
	memset(&ring, 0, sizeof(ring));
	nt_ring_init(&ring, memset(aligned_alloc(4096, bytes), 0, bytes), bytes, overwrite);
}

/* Write a record at time @ts, as the hook does. */
static bool write_at(u64 ts)
{
	struct nt_record *rec;

	if (!nt_ring_has_room(&ring)) {
		if (nt_ring_full(&ring)) {
			nt_local_inc(&ring.full);
			return false;
		}
		nt_ring_next(&ring, ts);
	}
	rec = nt_ring_room(&ring);
	rec->event.ip = ts;
	return nt_ring_commit(&ring, rec, ts) || nt_ring_commit_late(&ring, rec, ts);
}

static void write_many(unsigned int nr)
{
	while (nr--)
		write_at(ring.last + 1);
}

static struct nt_subbuf *subbuf(u64 nr)
{
	return nt_ring_subbuf(&ring, nr);
}

/* The two words of a time extend that lies at @rec. */
static u32 *extend_at(struct nt_record *rec)
{
	return (u32 *)rec;
}

int main(void)
{
	spec("ring: a record moves pos by its size");
	new_ring(2, false);
	write_at(5);
	is_number(ring.pos, NESTRACE_SUBBUF_HEADER + sizeof(struct nt_record));
	is_number(ring.written, 1);

	spec("ring: the first record sets the time of its sub-buffer if its delta is too large");
	new_ring(2, false);
	write_at(1ULL << 40);
	is_number(subbuf(0)->time_stamp, 1ULL << 40);
	is_number(ring.extends, 0);

	spec("ring: a delta of 27 bits fits into a record");
	new_ring(2, false);
	write_at(1);
	write_at(1 + NT_DELTA_MAX);
	is_number(ring.extends, 0);

	spec("ring: a larger delta comes in a time extend before its record");
	new_ring(2, false);
	write_at(1);
	write_at(2 + NT_DELTA_MAX);
	is_number(ring.extends, 1);
	is_number(extend_at((struct nt_record *)subbuf(0)->data + 1)[0], NT_TYPE_TIME_EXTEND);
	is_number(extend_at((struct nt_record *)subbuf(0)->data + 1)[1], 1);

	spec("ring: time never goes back");
	new_ring(2, false);
	write_at(100);
	write_at(90);
	is_number(ring.last, 100);

	spec("ring: a full sub-buffer gets its commit when the next one is entered");
	new_ring(2, false);
	write_many(PER_SUBBUF);
	is_number(subbuf(0)->commit, 0);
	write_many(1);
	is_number(subbuf(0)->commit, PER_SUBBUF * sizeof(struct nt_record));

	spec("ring: each sub-buffer says how many records and losses came before it");
	new_ring(2, false);
	write_many(2 * PER_SUBBUF + 3);
	is_number(subbuf(1)->first, PER_SUBBUF);
	ring.read = 1;
	write_many(1);
	is_number(subbuf(2)->first, 2 * PER_SUBBUF + 3);

	spec("ring: without overwriting, what finds no room is lost and counted");
	new_ring(2, false);
	write_many(2 * PER_SUBBUF + 7);
	is_number(ring.written, 2 * PER_SUBBUF);
	is_number(ring.full, 7);

	spec("ring: a sub-buffer that has been read is free again");
	new_ring(2, false);
	write_many(2 * PER_SUBBUF);
	ring.read = 1;
	is_number(write_at(ring.last + 1), true);

	spec("ring: with overwriting, nothing is ever lost for lack of room");
	new_ring(2, true);
	write_many(5 * PER_SUBBUF);
	is_number(ring.full, 0);
	is_number(ring.pos >> NT_SUBBUF_SHIFT, 4);

	spec("ring: without memory it never has room");
	memset(&ring, 0, sizeof(ring));
	nt_ring_init(&ring, NULL, 0, false);
	is_number(nt_ring_has_room(&ring), false);

	spec_end();
	return specs_failed != 0;
}
