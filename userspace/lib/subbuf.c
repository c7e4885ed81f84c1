// SPDX-License-Identifier: GPL-2.0
#include <kbuffer.h>
#include <stdlib.h>
#include <string.h>

#include "lib/byte_order.h"
#include "lib/context.h"
#include "lib/memory.h"
#include "lib/subbuf.h"

#define TIMESTAMP_SIZE	8U		/* bytes in a sub-buffer's header, before its length */
/* enum ring_buffer_type of the kernel; a smaller one is the length in words */
#define TYPE_DATA_MAX	28
#define TYPE_PADDING		29
#define TYPE_TIME_EXTEND	30
#define TYPE_TIME_STAMP		31	/* absolute */
#define TYPE_BITS		5
#define DELTA_BITS		27
#define FIELD(name)	{ offsetof(struct nestrace_function, name), \
			  sizeof(((struct nestrace_function *)0)->name) }

#define OWN_COMMON								\
	.long_size = 8, .size = NESTRACE_SUBBUF_SIZE,				\
	.type = FIELD(type), .flags = FIELD(flags), .pid = FIELD(pid),		\
	.common_size = offsetof(struct nestrace_function, ip)
#define OWN_HIT(number, bytes)							\
	{ .type = number, .ip = FIELD(ip), .parent_ip = FIELD(parent_ip), .size = bytes, .slot_at = bytes }

const struct subbuf_format subbuf_nestrace = {
	OWN_COMMON,
	.hit = { OWN_HIT(NESTRACE_EVENT_FUNCTION, NESTRACE_EVENT_SIZE) },
	.nr_hits = 1,
};

const struct subbuf_format subbuf_nestrace_returns = {
	OWN_COMMON,
	.hit = {
		OWN_HIT(NESTRACE_EVENT_FUNCTION, NESTRACE_EVENT_SIZE),
		OWN_HIT(NESTRACE_EVENT_ENTRY, sizeof(struct nestrace_entry)),
		{
			.type = NESTRACE_EVENT_EXIT, .ip = FIELD(ip), .size = sizeof(struct nestrace_exit),
			.slot_at = sizeof(struct nestrace_exit), .is_return = true,
		},
	},
	.nr_hits = 3,
};

static bool same(struct event_field a, struct event_field b)
{
	return a.offset == b.offset && a.size == b.size;
}

static bool is_flat(const struct subbuf_format *f)
{
	const struct subbuf_format *own = &subbuf_nestrace;
	unsigned int i;

	if (f->bigendian || !same(f->type, own->type) || !same(f->flags, own->flags) ||
	    !same(f->pid, own->pid))
		return false;
	for (i = 0; i < f->nr_hits; i++)
		if (!f->hit[i].is_return &&
		    (!same(f->hit[i].ip, own->hit[0].ip) ||
		     !same(f->hit[i].parent_ip, own->hit[0].parent_ip)))
			return false;
	return true;
}

void subbuf_init_format(struct subbuf *s, const struct subbuf_format *format)
{
	memset(s, 0, sizeof(*s));
	s->format = *format;
	s->flat = is_flat(format);
	s->kbuf = kbuffer_alloc(format->long_size == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
				format->bigendian ? KBUFFER_ENDIAN_BIG : KBUFFER_ENDIAN_LITTLE);
	if (!s->kbuf)
		out_of_memory();
}

void subbuf_init(struct subbuf *s, int event)
{
	struct subbuf_format format = subbuf_nestrace;

	format.hit[0].type = event;
	subbuf_init_format(s, &format);
}

uint32_t subbuf_room(const struct subbuf_format *format)
{
	return format->size + NESTRACE_SUBBUF_SIZE;
}

/* Is an event as long as a hit of ours? */
static inline bool is_own(const char *head)
{
	return (*head & 0x1f) == NESTRACE_EVENT_SIZE / sizeof(uint32_t);
}

/* Return: the length of the short events and time extensions at the start of @data. */
static uint32_t skip_plain(const char *data, uint32_t len)
{
	const uint32_t own = sizeof(uint32_t) + NESTRACE_EVENT_SIZE;
	uint32_t type, size, at = 0;

	/* most are hits of ours: check four at once, without a dependency between them */
	while (len - at >= 4 * own && is_own(data + at) && is_own(data + at + own) &&
	       is_own(data + at + 2 * own) && is_own(data + at + 3 * own))
		at += 4 * own;
	while (at + sizeof(uint32_t) <= len) {
		type = data[at] & 0x1f;
		size = type == TYPE_TIME_EXTEND ? 2 : 1 + type;
		if (!type || (type > TYPE_DATA_MAX && type != TYPE_TIME_EXTEND) ||
		    size * sizeof(uint32_t) > len - at)
			break;
		at += size * sizeof(uint32_t);
	}
	return at;
}

/*
 * Check what kbuffer trusts: no event may be empty or go beyond the data. @plain: are all of them
 * short events or time extensions?
 */
static bool events_fit(const char *data, uint32_t len, bool swap, bool *plain)
{
	uint32_t head, length, type, at;

	*plain = !swap && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	at = *plain ? skip_plain(data, len) : 0;
	while (at + sizeof(head) <= len) {
		memcpy(&head, data + at, sizeof(head));
		/* the type is in the bits that the machine's compiler allots first */
		type = swap ? __builtin_bswap32(head) >> 27 : head & 0x1f;
		at += sizeof(head);
		switch (type) {
		case 0:		/* the next word has the length, itself included */
		case TYPE_PADDING:
			*plain = false;
			if (len - at < sizeof(length))
				return false;
			length = number_at(data + at, sizeof(length), swap);
			if (length < sizeof(length))
				return false;
			break;
		case TYPE_TIME_STAMP:
			*plain = false;
			length = 4;
			break;
		case TYPE_TIME_EXTEND:
			length = 4;
			break;
		default:
			length = type * 4;
		}
		if (length > len - at)
			return false;
		/* events begin at multiples of 4 */
		at += (length + 3) & ~3U;
	}
	return true;
}

bool subbuf_load(struct subbuf *s, void *data)
{
	const struct subbuf_format *f = &s->format;
	uint32_t head = TIMESTAMP_SIZE + f->long_size, len;
	uint64_t commit;

	commit = number_at((char *)data + TIMESTAMP_SIZE, f->long_size, f->bigendian);
	len = NESTRACE_SUBBUF_LENGTH(commit);
	/* kbuffer trusts the header, too */
	if (len > f->size - head ||
	    (commit & NESTRACE_SUBBUF_MISSED_STORED && len > f->size - head - f->long_size) ||
	    !events_fit((char *)data + head, len, f->bigendian, &s->plain) ||
	    kbuffer_load_subbuffer(s->kbuf, data)) {
		s->damaged = true;
		return false;
	}
	s->first = true;
	s->at = (char *)data + head;
	s->end = s->at + len;
	memcpy(&s->ts, data, sizeof(s->ts));
	return true;
}

/* Return: the next event of a plain sub-buffer, and its size; or NULL. */
static inline const void *next_plain(struct subbuf *s, int *size)
{
	const char *event = s->at;
	uint32_t head, type, more;

	while (s->end - event >= (ptrdiff_t)sizeof(head)) {
		memcpy(&head, event, sizeof(head));
		event += sizeof(head);
		s->ts += head >> TYPE_BITS;
		type = head & ((1U << TYPE_BITS) - 1);
		if (type != TYPE_TIME_EXTEND) {
			*size = type * sizeof(uint32_t);
			s->at = event + *size;
			return event;
		}
		memcpy(&more, event, sizeof(more));
		s->ts += (uint64_t)more << DELTA_BITS;
		event += sizeof(more);
	}
	return NULL;
}

static uint64_t field(const struct subbuf *s, const unsigned char *data, struct event_field f)
{
	return number_at(data + f.offset, f.size, s->format.bigendian);
}

/* Return the slot behind an event of ours; arguments, of 8 bytes each, may come before it. */
static uint64_t own_slot(const struct hit_format *f, const unsigned char *data, int size)
{
	uint64_t slot = NESTRACE_NR_SLOTS;

	if ((size - f->slot_at) % sizeof(uint64_t) == sizeof(uint32_t))
		slot = number_at(data + size - sizeof(uint32_t), sizeof(uint32_t), false) & ~NESTRACE_AUDIT_BITS;
	return slot;
}

/* Return the slot of a hit: as the event says it, or by its flags. */
static unsigned int slot_of(const struct subbuf *s, const struct hit_format *f,
			    const unsigned char *data, int size, unsigned int flags)
{
	uint64_t slot = NESTRACE_NR_SLOTS;

	if (f->context.size)
		slot = field(s, data, f->context);
	else if (f->slot_at && size >= f->slot_at + (int)sizeof(uint32_t))
		slot = own_slot(f, data, size);
	return slot < NESTRACE_NR_SLOTS ? context_slot(slot) : context_of_flags(flags);
}

static const struct hit_format *hit_format(const struct subbuf_format *f, int type, int size)
{
	unsigned int i;

	for (i = 0; i < f->nr_hits; i++)
		if (f->hit[i].type == type)
			return size >= f->hit[i].size ? &f->hit[i] : NULL;
	return NULL;
}

bool subbuf_next_event(struct subbuf *s, struct hit *hit)
{
	const struct subbuf_format *f = &s->format;
	const struct hit_format *format;
	struct nestrace_function own;
	unsigned long long ts;
	const unsigned char *data;
	unsigned int flags;

	hit->missed = 0;
	do {
		if (s->first)
			hit->missed = kbuffer_missed_events(s->kbuf);
		if (s->plain) {
			data = next_plain(s, &hit->size);
			ts = s->ts;
		} else {
			data = s->first ? kbuffer_read_event(s->kbuf, &ts) :
					  kbuffer_next_event(s->kbuf, &ts);
			hit->size = kbuffer_event_size(s->kbuf);
		}
		s->first = false;
		if (!data)
			return false;
	} while (hit->size < f->common_size);
	hit->ts = ts;
	hit->data = data;
	hit->ip = hit->parent_ip = 0;
	if (s->flat && hit->size >= NESTRACE_EVENT_SIZE) {
		memcpy(&own, data, sizeof(own));
		hit->type = own.type;
		hit->pid = own.pid;
		flags = own.flags;
		format = hit_format(f, own.type, hit->size);
		if (format && !format->is_return) {
			hit->ip = own.ip;
			hit->parent_ip = own.parent_ip;
		}
	} else {
		hit->type = field(s, data, f->type);
		hit->pid = field(s, data, f->pid);
		flags = field(s, data, f->flags);
		format = hit_format(f, hit->type, hit->size);
		if (format && !format->is_return) {
			hit->ip = field(s, data, format->ip);
			hit->parent_ip = format->parent_ip.size ? field(s, data, format->parent_ip) : 0;
		}
	}
	hit->is_hit = format && !format->is_return;
	hit->slot = format ? slot_of(s, format, data, hit->size, flags) : context_of_flags(flags);
	return true;
}

bool subbuf_next(struct subbuf *s, struct hit *hit)
{
	while (subbuf_next_event(s, hit)) {
		if (hit->is_hit) {
			if (s->missed && !hit->missed)
				hit->missed = s->missed;
			s->missed = 0;
			return true;
		}
		s->others++;
		if (hit->missed)
			s->missed = hit->missed;
	}
	return false;
}

/* Does each hit of @s have the module's own layout? */
static bool has_own_hits_only(const struct subbuf *s)
{
	return s->plain && s->flat && s->format.nr_hits == 1 && !s->format.hit[0].context.size &&
	       s->format.hit[0].size >= NESTRACE_EVENT_SIZE;
}

static size_t own_calls(struct subbuf *s, struct subbuf_call *call, size_t max)
{
	const struct hit_format *f = &s->format.hit[0];
	/* copies, because the compiler takes @call for a part of @s */
	const int type = f->type, least = f->size, common_size = s->format.common_size;
	const char *at = s->at, *const end = s->end;
	struct nestrace_function own;
	uint64_t ts = s->ts;
	uint32_t head, more;
	size_t nr = 0;
	int size;

	s->first = false;
	while (nr < max && end - at >= (ptrdiff_t)sizeof(head)) {
		memcpy(&head, at, sizeof(head));
		at += sizeof(head);
		ts += head >> TYPE_BITS;
		size = (head & ((1U << TYPE_BITS) - 1)) * sizeof(uint32_t);
		if (size == TYPE_TIME_EXTEND * (int)sizeof(uint32_t)) {
			memcpy(&more, at, sizeof(more));
			ts += (uint64_t)more << DELTA_BITS;
			at += sizeof(more);
			continue;
		}
		at += size;
		if (size < least) {
			s->others += size >= common_size;
			continue;
		}
		memcpy(&own, at - size, sizeof(own));
		if (own.type != type) {
			s->others++;
			continue;
		}
		call[nr++] = (struct subbuf_call){
			.ip = own.ip, .ts = ts,
			.slot = size == NESTRACE_EVENT_SIZE ? context_of_flags(own.flags) :
				slot_of(s, f, (const unsigned char *)at - size, size, own.flags),
		};
	}
	s->at = at;
	s->ts = ts;
	return nr;
}

size_t subbuf_calls(struct subbuf *s, struct subbuf_call *call, size_t max)
{
	size_t nr = 0;
	struct hit hit;

	if (has_own_hits_only(s))
		return own_calls(s, call, max);
	while (nr < max && subbuf_next(s, &hit))
		call[nr++] = (struct subbuf_call){ .ip = hit.ip, .ts = hit.ts, .slot = hit.slot };
	return nr;
}

void subbuf_free(struct subbuf *s)
{
	kbuffer_free(s->kbuf);
}
