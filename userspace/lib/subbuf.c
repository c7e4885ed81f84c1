// SPDX-License-Identifier: GPL-2.0
#include <kbuffer.h>
#include <stdlib.h>
#include <string.h>

#include "lib/context.h"
#include "lib/memory.h"
#include "lib/subbuf.h"

void subbuf_init(struct subbuf *s, int event)
{
	memset(s, 0, sizeof(*s));
	s->event = event;
	s->kbuf = kbuffer_alloc(KBUFFER_LSIZE_8, KBUFFER_ENDIAN_LITTLE);
	if (!s->kbuf)
		out_of_memory();
}

/* Check what kbuffer trusts: no event may be empty or go beyond the data. */
static bool events_fit(const char *data, uint32_t len)
{
	uint32_t head, length, at = 0;

	while (at + sizeof(head) <= len) {
		memcpy(&head, data + at, sizeof(head));
		at += sizeof(head);
		switch (head & 0x1f) {
		case 0:		/* the next word has the length, itself included */
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
	/* kbuffer trusts the header, too */
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

static unsigned int slot_of(const struct nestrace_function *f, const unsigned char *data, int size)
{
	uint32_t slot;

	/* the four bytes behind the event are the slot, see uapi/nestrace.h */
	if (size >= NESTRACE_EVENT_SIZE + (int)sizeof(slot)) {
		memcpy(&slot, data + NESTRACE_EVENT_SIZE, sizeof(slot));
		if (slot < NESTRACE_NR_SLOTS)
			return context_slot(slot);
	}
	if (f->flags & NESTRACE_FLAG_NMI)
		return NESTRACE_SLOT_NMI;
	if (f->flags & NESTRACE_FLAG_HARDIRQ)
		return NESTRACE_SLOT_HARDIRQ;
	return f->flags & NESTRACE_FLAG_SOFTIRQ ? NESTRACE_SLOT_SOFTIRQ : NESTRACE_SLOT_TASK;
}

bool subbuf_next(struct subbuf *s, struct hit *hit)
{
	struct nestrace_function f;
	unsigned long long ts;
	unsigned char *data;
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
		if (size >= NESTRACE_EVENT_SIZE) {
			memcpy(&f, data, sizeof(f));
			if (f.type == s->event)
				break;
		}
		s->others++;
	}
	hit->ts = ts;
	hit->data = data;
	hit->size = size;
	hit->pid = f.pid;
	hit->ip = f.ip;
	hit->parent_ip = f.parent_ip;
	hit->slot = slot_of(&f, data, size);
	return true;
}

void subbuf_free(struct subbuf *s)
{
	kbuffer_free(s->kbuf);
}
