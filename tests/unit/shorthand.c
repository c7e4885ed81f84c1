// SPDX-License-Identifier: GPL-2.0
/* The short form of sub-buffers, there and back, whole and damaged: userspace/lib/shorthand.c. */
#include <stdint.h>

#include "lib/shorthand.h"
#include "spec.h"
#include "uapi/nestrace.h"

#define SUBBUF	NESTRACE_SUBBUF_SIZE

static char data[SHORTHAND_MAX], back[SHORTHAND_MAX], brief[2 * SHORTHAND_MAX];
static size_t used;		/* bytes of the sub-buffer that is being filled */

static void begin(char *subbuf)
{
	memset(subbuf, 0, SUBBUF);
	used = 0;
}

/* Add an event of @words words after its head, of which the first is @first. */
static void add(char *subbuf, uint32_t head, uint32_t first, unsigned int words)
{
	uint64_t commit;
	char *at = subbuf + NESTRACE_SUBBUF_HEADER + used;
	unsigned int i;

	memcpy(at, &head, sizeof(head));
	for (i = 0; i < words; i++, first = first * 2654435761U + 1)
		memcpy(at + 4 + 4 * i, &first, sizeof(first));
	used += 4 + 4 * words;
	commit = used;
	memcpy(subbuf + 8, &commit, sizeof(commit));
}

static void add_hit(char *subbuf, uint32_t delta, int pid, uint64_t ip)
{
	struct nestrace_function hit = { .type = 1, .pid = pid, .ip = ip, .parent_ip = ip * 3 };

	add(subbuf, 6 | delta << 5, 0, 6);
	memcpy(subbuf + NESTRACE_SUBBUF_HEADER + used - sizeof(hit), &hit, sizeof(hit));
}

/* Return the length of the short form of @data; 0 if it does not give it back. */
static size_t there_and_back(size_t len)
{
	size_t short_len = shorthand_make(brief, data, len);

	if (short_len > shorthand_bound(len) || !shorthand_undo(back, len, brief, short_len) ||
	    memcmp(back, data, len))
		return 0;
	return short_len;
}

static unsigned int some(unsigned int below)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	return (state >> 8) % below;
}

/* Fill a sub-buffer with events of all kinds, of all lengths. */
static void make_any(char *subbuf)
{
	unsigned int words;

	begin(subbuf);
	while (used + 200 < SUBBUF - NESTRACE_SUBBUF_HEADER) {
		switch (some(8)) {
		case 0:
			add(subbuf, 30 | some(1 << 27) << 5, some(5), 1);
			break;
		case 1:
			words = 1 + some(28);
			add(subbuf, words | some(1000) << 5, some(1000), words);
			break;
		case 2:
			add_hit(subbuf, some(1 << 27), some(4), some(1 << 30));
			break;
		default:
			add_hit(subbuf, some(70000), some(2), some(50));
		}
	}
	if (!some(4))
		subbuf[SUBBUF - 1] = 1;
	if (!some(8))
		memset(subbuf + NESTRACE_SUBBUF_HEADER + some(used), some(256), 9);
	if (!some(16))
		memset(subbuf + 8, 0xff, 8);
}

int main(void)
{
	size_t i, len;
	bool damaged = true;

	spec("shorthand: an empty sub-buffer takes its head and a word");
	begin(data);
	is_number(there_and_back(SUBBUF), NESTRACE_SUBBUF_HEADER + 2);

	spec("shorthand: a call that was there before takes four bytes");
	for (i = 0; i < 100; i++)
		add_hit(data, 5, 7, 1000);
	is_number(there_and_back(SUBBUF), NESTRACE_SUBBUF_HEADER + 6 + 4 + 20 + 99 * 4 + 2);

	spec("shorthand: a known call in a later sub-buffer takes four bytes, a long delta four more");
	begin(data + SUBBUF);
	add_hit(data + SUBBUF, 5, 7, 1000);
	add_hit(data + SUBBUF, 65535, 7, 1000);
	is_number(there_and_back(2 * SUBBUF) - there_and_back(SUBBUF),
		  NESTRACE_SUBBUF_HEADER + 4 + 8 + 2);

	spec("shorthand: a change of the task takes six bytes");
	add_hit(data + SUBBUF, 5, 8, 1000);
	is_number(there_and_back(2 * SUBBUF) - there_and_back(SUBBUF),
		  NESTRACE_SUBBUF_HEADER + 4 + 8 + 6 + 4 + 2);

	spec("shorthand: events of other kinds, and bytes that are no event, come back unchanged");
	for (i = 0; i < 2000; i++) {
		len = (1 + some(8)) * SUBBUF;
		for (size_t at = 0; at < len; at += SUBBUF)
			make_any(data + at);
		is_number(!there_and_back(len), false);
	}
	for (i = 0; i < sizeof(data); i++)
		data[i] = some(256);
	is_number(!there_and_back(sizeof(data)), false);

	spec("shorthand: what is cut, or too long, is refused");
	len = 3 * SUBBUF;
	for (size_t at = 0; at < len; at += SUBBUF)
		make_any(data + at);
	i = shorthand_make(brief, data, len);
	for (size_t part = 0; part < i; part++)
		damaged &= !shorthand_undo(back, len, brief, part);
	damaged &= !shorthand_undo(back, len, brief, i + 1);
	damaged &= !shorthand_undo(back, len - SUBBUF, brief, i);
	is_number(damaged, true);

	spec("shorthand: undoing damaged input stays within its buffers");
	for (i = 0; i < 20000; i++) {
		char *copy;
		size_t n;

		if (i % 50 == 0)
			for (size_t at = 0; at < len; at += SUBBUF)
				make_any(data + at);
		n = shorthand_make(brief, data, len);
		copy = malloc(n);
		memcpy(copy, brief, n);
		for (unsigned int times = 1 + some(4); times--;)
			copy[some(n)] = some(256);
		/* a sanitizer sees what is beyond */
		shorthand_undo(back, len, copy, n);
		free(copy);
	}
	spec_end();
	return !!specs_failed;
}
