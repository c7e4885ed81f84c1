// SPDX-License-Identifier: GPL-2.0
/*
 * What nestrace is compared with: the record copied into a ring of the same size, the
 * TSC read, and both; and LTTng-UST's clock, clock_gettime().
 */
#include "bench.h"
#include "ring.h"

static char ring[RING_SIZE] __aligned(4096);
/* seen by all, so that the compiler can't know what is in it and keep it in registers */
struct nt_record plain_record = { .event.type = NESTRACE_EVENT_FUNCTION };

void make_memcpy(uint64_t first, uint64_t nr)
{
	u64 pos = 0;

	while (nr--) {
		memcpy(ring + pos, &plain_record, sizeof(plain_record));
		barrier();
		pos += sizeof(plain_record);
		if (pos > RING_SIZE - sizeof(plain_record))
			pos = 0;
	}
}

void make_rdtsc(uint64_t first, uint64_t nr)
{
	while (nr--)
		asm volatile("" : : "r" (rdtsc()));
}

/* The time is stored after the copy: a copy of what was just stored would wait for it. */
void make_memcpy_rdtsc(uint64_t first, uint64_t nr)
{
	u64 pos = 0;

	while (nr--) {
		u32 now = rdtsc();

		memcpy(ring + pos, &plain_record, sizeof(plain_record));
		barrier();
		((struct nt_record *)(ring + pos))->head = now;
		barrier();
		pos += sizeof(plain_record);
		if (pos > RING_SIZE - sizeof(plain_record))
			pos = 0;
	}
}

void make_clock_gettime(uint64_t first, uint64_t nr)
{
	struct timespec ts;

	while (nr--)
		clock_gettime(CLOCK_MONOTONIC, &ts);
}
