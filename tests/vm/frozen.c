// SPDX-License-Identifier: GPL-2.0
/*
 * Look in the memory of a kernel that crashed for a function that a flight recording has kept:
 *   frozen FILE ADDRESS
 * FILE is /proc/vmcore, and ADDRESS that of the function. Prints three numbers: calls of the
 * function, records after its last call, and all records of all sub-buffers.
 */
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uapi/nestrace.h"

#define FIRST		sizeof(uint64_t)	/* at the end of a sub-buffer, as src/ring.h says */
#define TYPE_EXTEND	30

static uint64_t wanted, *times;
static size_t nr_times, found;
static uint64_t last_call;

static void add(uint64_t ts, const struct nestrace_function *f)
{
	if (!(nr_times & (nr_times - 1)))
		times = realloc(times, (nr_times ? 2 * nr_times : 1) * sizeof(*times));
	times[nr_times++] = ts;
	/* the call of ftrace is in the first bytes */
	if (f->ip - wanted >= 16)
		return;
	found++;
	if (ts > last_call)
		last_call = ts;
}

/* Take the records of a page that looks like a sub-buffer. */
static void look(const char *page)
{
	const char *at = page + NESTRACE_SUBBUF_HEADER;
	const char *end = page + NESTRACE_SUBBUF_SIZE - FIRST - sizeof(struct nestrace_function) - 4;
	struct nestrace_function f;
	uint64_t ts;
	uint32_t head, extend;

	memcpy(&ts, page, sizeof(ts));
	for (; at <= end; at += sizeof(head) + sizeof(f)) {
		memcpy(&head, at, sizeof(head));
		if ((head & 31) == TYPE_EXTEND) {
			memcpy(&extend, at + sizeof(head), sizeof(extend));
			ts += ((uint64_t)extend << 27) + (head >> 5);
			at += 2 * sizeof(head);
			memcpy(&head, at, sizeof(head));
		}
		memcpy(&f, at + sizeof(head), sizeof(f));
		if ((head & 31) != NESTRACE_EVENT_SIZE / 4 || f.type != NESTRACE_EVENT_FUNCTION ||
		    (int64_t)f.ip >= 0 || (int64_t)f.parent_ip >= 0)
			return;
		ts += head >> 5;
		add(ts, &f);
	}
}

int main(int argc, char **argv)
{
	FILE *in = argc == 3 ? fopen(argv[1], "r") : NULL;
	static char page[NESTRACE_SUBBUF_SIZE];
	size_t i, after = 0;
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (!in || fread(&header, sizeof(header), 1, in) != 1)
		return 1;
	wanted = strtoull(argv[2], NULL, 16);
	/* the segments of memory follow each other, at multiples of a page */
	for (i = 0; i < header.e_phnum; i++) {
		if (fseek(in, header.e_phoff + i * sizeof(segment), SEEK_SET) ||
		    fread(&segment, sizeof(segment), 1, in) != 1)
			return 1;
		if (segment.p_type == PT_LOAD)
			break;
	}
	fseek(in, segment.p_offset, SEEK_SET);
	while (fread(page, sizeof(page), 1, in) == 1)
		look(page);
	for (i = 0; i < nr_times; i++)
		after += times[i] > last_call;
	printf("%zu %zu %zu\n", found, found ? after : 0, nr_times);
	return 0;
}
