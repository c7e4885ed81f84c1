/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The events of a sub-buffer, read with libtraceevent's kbuffer; or without it where all of
 * them are as the module writes them: of this machine's byte order, and short.
 */
#ifndef LIB_SUBBUF_H
#define LIB_SUBBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kbuffer;

/* The place of a number in an event. @size 0: there is none. */
struct event_field {
	uint16_t offset, size;
};

/* Where an event that is a hit has what it says. */
struct hit_format {
	int type;
	struct event_field ip, parent_ip, context;
	int size;		/* the least bytes that hold these fields */
	int slot_at;		/* a longer event has its slot here, see uapi/nestrace.h; 0: no slot */
	bool is_return;		/* no hit: only its slot is of interest */
};

#define HIT_FORMATS	4	/* function of ftrace and nestrace, funcgraph_entry, funcgraph_exit */

/* The sub-buffers and events of a machine. */
struct subbuf_format {
	bool bigendian;
	unsigned int long_size;		/* bytes of a long in the kernel: 4 or 8 */
	uint32_t size;			/* bytes of a sub-buffer */
	struct event_field type, flags, pid;	/* common to all events */
	int common_size;		/* the least bytes that hold these */
	struct hit_format hit[HIT_FORMATS];
	unsigned int nr_hits;
};

/* Those of the module's streams; and of streams that may have returns, too. */
extern const struct subbuf_format subbuf_nestrace, subbuf_nestrace_returns;

struct hit {
	uint64_t ts;		/* in the unit of the recording's clock */
	uint64_t ip, parent_ip;
	int pid;
	unsigned int slot;	/* of its context, as by context_slot() */
	int64_t missed;		/* events missing before it; -1: an unknown number */
	bool is_hit;		/* false: another event, without @ip and @parent_ip */
	int type;
	const void *data;	/* the event itself, in the sub-buffer */
	int size;
	const char *comm;	/* the task's name then; set by names_place() */
};

struct subbuf {
	struct kbuffer *kbuf;
	struct subbuf_format format;
	bool first;
	bool flat;		/* events begin as struct nestrace_function: read them so, for speed */
	bool plain;		/* this sub-buffer needs no kbuffer to find its events, for speed */
	const char *at, *end;	/* if @plain: its next event, and the end of its events */
	uint64_t ts;		/* if @plain: of the last event */
	bool damaged;		/* a sub-buffer did not make sense */
	int64_t missed;		/* before an event that subbuf_next() skipped */
	uint64_t others;	/* events that subbuf_next() skipped */
};

/* Prepare to read sub-buffers of the module's streams, or of those of a file. */
void subbuf_init(struct subbuf *s, int event);
void subbuf_init_format(struct subbuf *s, const struct subbuf_format *format);
/* Return how many bytes the buffer of a sub-buffer must have; behind the data they need not be set. */
uint32_t subbuf_room(const struct subbuf_format *format);
/* Begin with @data, of subbuf_room() bytes. Return: false if it is damaged. */
bool subbuf_load(struct subbuf *s, void *data);
/* Get the next event. Return: false at the end. */
bool subbuf_next_event(struct subbuf *s, struct hit *hit);
/* Get the next hit. Return: false at the end. */
bool subbuf_next(struct subbuf *s, struct hit *hit);
struct subbuf_call {
	uint64_t ip, ts;
	unsigned int slot;
};
/* Get address, time and slot of up to @max hits. Return: their number, 0 at the end. */
size_t subbuf_calls(struct subbuf *s, struct subbuf_call *call, size_t max);
void subbuf_free(struct subbuf *s);

#endif
