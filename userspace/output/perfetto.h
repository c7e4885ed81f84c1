/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Perfetto's native format, TrackEvent: a protobuf on stdout. Each thread has a track. Each CPU has a
 * track, with tracks below it for its interrupt and exception contexts and its idle task. Names are stored
 * once. Times are differences to the event before, so a hit takes about 27 bytes.
 */
#ifndef OUTPUT_PERFETTO_H
#define OUTPUT_PERFETTO_H

#include <stdint.h>

struct graph_call;
struct hit;
struct perfetto;
struct source;
struct tep_handle;

/* @tep: the names of functions; it must outlive the result. Return: to be given to perfetto_end(). */
struct perfetto *perfetto_begin(struct tep_handle *tep);
/* A call about which nothing but its entry is known: an instant. Times do not decrease from call to call. */
void perfetto_hit(struct perfetto *p, const struct source *from, const struct hit *hit);
/* A function is entered, with @call->depth others below: a slice begins. */
void perfetto_entry(struct perfetto *p, const struct source *from, const struct hit *hit,
		    const struct graph_call *call);
/* It has returned. A slice ends, and with it those inside whose return is missing. */
void perfetto_exit(struct perfetto *p, const struct source *from, const struct hit *hit,
		   const struct graph_call *call);
/* The same in a file without entries: a slice of @call->took ns. */
void perfetto_only_exit(struct perfetto *p, const struct source *from, const struct hit *hit,
			const struct graph_call *call);
/* @missed events are missing before the next one of @from, -1: an unknown number. */
void perfetto_gap(struct perfetto *p, const struct source *from, int64_t missed);
/* Write what is left, and free @p. */
void perfetto_end(struct perfetto *p);

#endif
