// SPDX-License-Identifier: GPL-2.0
/*
 * For each sub-buffer there are its 16 bytes of head and then items, of which each begins with a
 * u16:
 *	0 to 0x7fff	a hit of the same call as the one at this word of the chunk
 *	RECORD		a hit, whose call follows
 *	TASK		the pid of the hits from here on follows, a u32
 *	BYTES		the rest of the sub-buffer follows
 *	ZEROES		the rest of the sub-buffer is zeroes
 *	0x8000 + N	N words follow as they are, an event of another kind
 * After a place, and after RECORD before the call, comes the delta of the time: a u16, or FAR and
 * a u32. A call is all of struct nestrace_function but the pid.
 */
#include <string.h>

#include "lib/shorthand.h"
#include "uapi/nestrace.h"

#define RECORD		0xffffU
#define BYTES		0xfffeU
#define ZEROES		0xfffdU
#define TASK		0xfffcU
#define WORDS		0x8000U
#define FAR		0xffffU

#define HEAD_BITS	5
#define HEAD_MASK	((1U << HEAD_BITS) - 1)
#define HEAD_EXTEND	30U		/* enum ring_buffer_type of the kernel */
#define HEAD_OURS	(NESTRACE_EVENT_SIZE / sizeof(uint32_t))
#define RECORD_SIZE	(sizeof(uint32_t) + NESTRACE_EVENT_SIZE)
#define TABLE_BITS	12

/* The state of the making, for one chunk. */
struct state {
	uint32_t pid;				/* of the last record */
	uint16_t table[1 << TABLE_BITS];	/* by hash: the word of the chunk where a call is; 0: none */
};

static uint32_t u32_at(const char *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static char *put(char *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	return to + len;
}

static char *put_u16(char *to, uint16_t value)
{
	return put(to, &value, sizeof(value));
}

static char *put_delta(char *to, uint32_t delta)
{
	if (delta < FAR)
		return put_u16(to, delta);
	to = put_u16(to, FAR);
	return put(to, &delta, sizeof(delta));
}

size_t shorthand_bound(size_t len)
{
	/* more than a u16 for an event of 8 bytes, or 6 bytes for a hit of 28 */
	return len + len / 2 + NESTRACE_SUBBUF_SIZE;
}

static bool is_zero(const char *p, size_t len)
{
	return !len || (!*p && !memcmp(p, p + 1, len - 1));
}

/* Return the words of an event that is not a record of ours; 0: it is not known, or too long. */
static unsigned int words_of(uint32_t head)
{
	unsigned int type = head & HEAD_MASK;

	if (type == HEAD_EXTEND)
		return 2;
	return type && type < 29 ? 1 + type : 0;
}

static bool same_call(const struct nestrace_function *a, const struct nestrace_function *b)
{
	return a->ip == b->ip && a->parent_ip == b->parent_ip && a->common == b->common;
}

static char *make_record(char *out, const char *chunk, const char *p, struct state *s)
{
	const struct nestrace_function *call = (const void *)(p + sizeof(uint32_t));
	/* calls differ in function, caller or flags */
	uint64_t sum = call->ip * 31 + call->parent_ip + call->common;
	uint16_t *place = &s->table[sum * 0x9e3779b97f4a7c15ULL >> (64 - TABLE_BITS)];
	uint32_t delta = u32_at(p) >> HEAD_BITS;

	if ((uint32_t)call->pid != s->pid) {
		s->pid = call->pid;
		out = put_u16(out, TASK);
		out = put(out, &s->pid, sizeof(s->pid));
	}
	if (*place && same_call((const void *)(chunk + *place * sizeof(uint32_t)), call)) {
		const uint16_t both[] = { *place, delta };

		if (delta < FAR)
			return put(out, both, sizeof(both));
		return put_delta(put_u16(out, *place), delta);
	}
	*place = ((const char *)call - chunk) / sizeof(uint32_t);
	out = put_u16(out, RECORD);
	out = put_delta(out, delta);
	out = put(out, &call->common, sizeof(call->common));
	return put(out, &call->ip, 2 * sizeof(call->ip));
}

static char *make_subbuf(char *out, const char *chunk, size_t at, struct state *s)
{
	const char *p = chunk + at, *all = p + NESTRACE_SUBBUF_SIZE, *end;
	uint32_t len = NESTRACE_SUBBUF_LENGTH(u32_at(p + sizeof(uint64_t))), head;
	unsigned int words;

	out = put(out, p, NESTRACE_SUBBUF_HEADER);
	p += NESTRACE_SUBBUF_HEADER;
	end = len <= all - p ? p + len : p;
	while ((size_t)(end - p) >= sizeof(head)) {
		head = u32_at(p);
		if ((head & HEAD_MASK) == HEAD_OURS && (size_t)(end - p) >= RECORD_SIZE) {
			out = make_record(out, chunk, p, s);
			p += RECORD_SIZE;
			continue;
		}
		words = words_of(head);
		if (!words || (size_t)(end - p) < words * sizeof(head))
			break;
		out = put_u16(out, WORDS + words);
		out = put(out, p, words * sizeof(head));
		p += words * sizeof(head);
	}
	if (is_zero(p, all - p))
		return put_u16(out, ZEROES);
	out = put_u16(out, BYTES);
	return put(out, p, all - p);
}

size_t shorthand_make(void *out, const void *data, size_t len)
{
	struct state s = { 0 };
	char *to = out;
	size_t at;

	for (at = 0; at < len; at += NESTRACE_SUBBUF_SIZE)
		to = make_subbuf(to, data, at, &s);
	return to - (char *)out;
}

/* The part of a short form that has not been undone. */
struct rest {
	const char *p, *end;
};

static bool get(struct rest *in, void *to, size_t len)
{
	if ((size_t)(in->end - in->p) < len)
		return false;
	memcpy(to, in->p, len);
	in->p += len;
	return true;
}

static bool get_delta(struct rest *in, uint32_t *delta)
{
	uint16_t near;

	if (!get(in, &near, sizeof(near)))
		return false;
	*delta = near;
	return near < FAR || get(in, delta, sizeof(*delta));
}

/* Undo a place or RECORD. @to has room for the record. */
static bool undo_record(struct rest *in, uint16_t item, const char *chunk, char *to, uint32_t pid)
{
	size_t place = item * sizeof(uint32_t);
	struct nestrace_function call;
	uint32_t delta, head;

	if (!get_delta(in, &delta))
		return false;
	if (item == RECORD) {
		if (!get(in, &call.common, sizeof(call.common)) ||
		    !get(in, &call.ip, 2 * sizeof(call.ip)))
			return false;
	} else {
		if (place + sizeof(call) > (size_t)(to - chunk))
			return false;
		memcpy(&call, chunk + place, sizeof(call));
	}
	call.pid = pid;
	head = HEAD_OURS | delta << HEAD_BITS;
	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), &call, sizeof(call));
	return true;
}

static bool undo_subbuf(struct rest *in, char *chunk, size_t at, uint32_t *pid)
{
	char *to = chunk + at, *end = to + NESTRACE_SUBBUF_SIZE;
	uint16_t item;
	size_t len;

	if (!get(in, to, NESTRACE_SUBBUF_HEADER))
		return false;
	to += NESTRACE_SUBBUF_HEADER;
	while (get(in, &item, sizeof(item))) {
		if (item == BYTES)
			return get(in, to, end - to);
		if (item == ZEROES) {
			memset(to, 0, end - to);
			return true;
		}
		if (item == TASK) {
			if (!get(in, pid, sizeof(*pid)))
				return false;
			continue;
		}
		len = item < WORDS || item == RECORD ? RECORD_SIZE : (item - WORDS) * sizeof(uint32_t);
		if (len > (size_t)(end - to))
			return false;
		if (item < WORDS || item == RECORD ? !undo_record(in, item, chunk, to, *pid) :
						     !get(in, to, len))
			return false;
		to += len;
	}
	return false;
}

bool shorthand_undo(void *data, size_t len, const void *in, size_t in_len)
{
	struct rest rest = { .p = in, .end = (const char *)in + in_len };
	uint32_t pid = 0;
	size_t at;

	for (at = 0; at < len; at += NESTRACE_SUBBUF_SIZE)
		if (!undo_subbuf(&rest, data, at, &pid))
			return false;
	return rest.p == rest.end;
}
