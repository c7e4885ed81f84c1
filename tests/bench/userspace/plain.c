// SPDX-License-Identifier: GPL-2.0
/*
 * The operations that nestrace is compared with: copying the record into a ring of the same
 * size, reading the TSC, both, and LTTng-UST's clock, clock_gettime().
 */
#include "bench.h"
#include "ring.h"

static char ring[RING_SIZE] __aligned(4096);
/* not static, so that the compiler cannot keep its contents in registers */
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

/* Store the time after the copy: a copy of a fresh store would wait for it. */
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
