/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Perfetto's native format, TrackEvent: a protobuf on stdout. Each thread has a track. Each CPU has a
 * track, with tracks below it for its interrupt and exception contexts and its idle task. Names are stored
 * once. Times are differences to the event before, so a hit takes about 27 bytes.
 */
#ifndef OUTPUT_PERFETTO_H
#define OUTPUT_PERFETTO_H

#include <stdbool.h>
#include <stdint.h>

struct args_show;
struct graph_call;
struct hit;
struct open_call;
struct perfetto;
struct source;
struct tep_handle;

/*
 * @tep: the names of functions; @args: the arguments of calls, or NULL. Both must outlive the result. Return: to be
 * given to perfetto_end().
 */
struct perfetto *perfetto_begin(struct tep_handle *tep, struct args_show *args);
/* Take note of any event, before it is written. Times do not decrease from event to event. */
void perfetto_event(struct perfetto *p, const struct source *from, uint64_t ts);
/* A call about which nothing but its entry is known: an instant. */
void perfetto_hit(struct perfetto *p, const struct source *from, const struct hit *hit);
/* A function is entered: a slice begins. @first: no call below it, in its context, has one. */
void perfetto_entry(struct perfetto *p, const struct source *from, const struct hit *hit,
		    struct open_call *call, bool first);
/*
 * A call that has a slice ends now, and with it those inside. @returned: what it returned, or NULL if its
 * return is missing.
 */
void perfetto_exit(struct perfetto *p, const struct open_call *call, const struct graph_call *returned);
/* A call of a file without entries has returned: a slice of @returned->took ns. */
void perfetto_only_exit(struct perfetto *p, const struct source *from, const struct hit *hit,
			const struct graph_call *returned);
/* @missed events are missing before the next event of @from, -1: an unknown number. */
void perfetto_gap(struct perfetto *p, const struct source *from, int64_t missed);
/* Write what is left, and free @p. */
void perfetto_end(struct perfetto *p);

#endif
