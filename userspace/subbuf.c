// SPDX-License-Identifier: GPL-2.0
#include <kbuffer.h>
#include <stdlib.h>
#include <string.h>

#include "nestrace.h"
#include "subbuf.h"

/* trace_flag_type of the kernel */
#define FLAG_HARDIRQ	0x08
#define FLAG_SOFTIRQ	0x10
#define FLAG_NMI	0x40

void subbuf_init(struct subbuf *s, int event)
{
	memset(s, 0, sizeof(*s));
	s->event = event;
	s->kbuf = kbuffer_alloc(KBUFFER_LSIZE_8, KBUFFER_ENDIAN_LITTLE);
	if (!s->kbuf)
		die("out of memory");
}

/* kbuffer trusts lengths: no event may be empty or go beyond the data. */
static bool events_fit(const char *data, uint32_t len)
{
	uint32_t head, length, at = 0;

	while (at + sizeof(head) <= len) {
		memcpy(&head, data + at, sizeof(head));
		at += sizeof(head);
		switch (head & 0x1f) {
		case 0:		/* the length is in the next word, and counts it */
		case 29:	/* padding */
			if (len - at < sizeof(length))
				return false;
			memcpy(&length, data + at, sizeof(length));
			if (length < sizeof(length))
				return false;
			break;
		case 30:	/* time extension */
		case 31:	/* absolute time */
			length = 4;
			break;
		default:
			length = (head & 0x1f) * 4;
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
	uint64_t commit;
	uint32_t len;

	memcpy(&commit, (char *)data + 8, sizeof(commit));
	len = NESTRACE_SUBBUF_LENGTH(commit);
	/* kbuffer trusts what it is given */
	if (len > NESTRACE_SUBBUF_SIZE - NESTRACE_SUBBUF_HEADER ||
	    (commit & NESTRACE_SUBBUF_MISSED_STORED &&
	     len > NESTRACE_SUBBUF_SIZE - NESTRACE_SUBBUF_HEADER - sizeof(uint64_t)) ||
	    !events_fit((char *)data + NESTRACE_SUBBUF_HEADER, len) ||
	    kbuffer_load_subbuffer(s->kbuf, data)) {
		s->damaged = true;
		return false;
	}
	s->first = true;
	return true;
}

static unsigned int slot_of(const unsigned char *data, int size)
{
	uint32_t slot;

	/* four bytes more than the event: the slot itself, see uapi/nestrace.h */
	if (size >= NESTRACE_EVENT_SIZE + (int)sizeof(slot)) {
		memcpy(&slot, data + NESTRACE_EVENT_SIZE, sizeof(slot));
		/* to the reader an NMI is one, on whichever stack */
		if (slot < NESTRACE_NR_SLOTS)
			return slot == NESTRACE_SLOT_NMI_INLINE ? NESTRACE_SLOT_NMI : slot;
	}
	if (data[2] & FLAG_NMI)
		return NESTRACE_SLOT_NMI;
	if (data[2] & FLAG_HARDIRQ)
		return NESTRACE_SLOT_HARDIRQ;
	return data[2] & FLAG_SOFTIRQ ? NESTRACE_SLOT_SOFTIRQ : NESTRACE_SLOT_TASK;
}

bool subbuf_next(struct subbuf *s, struct hit *hit)
{
	unsigned long long ts;
	unsigned char *data;
	uint16_t type;
	int size;

	for (;;) {
		hit->missed = 0;
		if (s->first) {
			hit->missed = kbuffer_missed_events(s->kbuf);
			data = kbuffer_read_event(s->kbuf, &ts);
		} else {
			data = kbuffer_next_event(s->kbuf, &ts);
		}
		s->first = false;
		if (!data)
			return false;
		size = kbuffer_event_size(s->kbuf);
		type = 0;
		if (size >= NESTRACE_EVENT_SIZE)
			memcpy(&type, data, sizeof(type));
		if (size >= NESTRACE_EVENT_SIZE && type == s->event)
			break;
		s->others++;
	}
	hit->ts = ts;
	hit->data = data;
	hit->size = size;
	memcpy(&hit->pid, data + 4, 4);
	memcpy(&hit->ip, data + 8, 8);
	memcpy(&hit->parent_ip, data + 16, 8);
	hit->slot = slot_of(data, size);
	return true;
}

void subbuf_free(struct subbuf *s)
{
	kbuffer_free(s->kbuf);
}
