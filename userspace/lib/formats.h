/* SPDX-License-Identifier: GPL-2.0 */
/* The formats of a file's events, for libtraceevent and for reading hits. */
#ifndef LIB_FORMATS_H
#define LIB_FORMATS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct hit;
struct source_lines;
struct subbuf_format;
struct tep_handle;
struct tep_plugin_list;
struct tep_record;
struct trace_seq;
struct tracedat;
struct tracedat_buffer;

/*
 * Teach @tep the machine and the events of @t. *@plugins, unless NULL: libtraceevent's, to be
 * unloaded before @tep is freed. Return: false after an error.
 */
bool formats_load(struct tep_handle *tep, struct tracedat *t, struct tep_plugin_list **plugins,
		  struct error *e);
/* Let the callers of stacks be printed with their lines of source code. */
void formats_stack_lines(struct tep_handle *tep, struct source_lines *lines);
/* Set @f to how the events of @b are read. */
void formats_subbuf(struct tep_handle *tep, const struct tracedat *t,
		    const struct tracedat_buffer *b, struct subbuf_format *f);
/* Return @hit of @cpu as libtraceevent takes an event. */
struct tep_record formats_record(unsigned int cpu, const struct hit *hit);
/* Return true if @hit is an event of @system. @name: of the event; NULL: any. */
bool formats_event_is(struct tep_handle *tep, const struct hit *hit, const char *system,
		      const char *name);
/* Return the number in a field of an event, or 0 if there is none. */
uint64_t formats_number(struct tep_handle *tep, const struct hit *hit, const char *field);
/* Add to @seq the name of the event @hit of @cpu, ": ", and what libtraceevent prints of it. */
void formats_print(struct tep_handle *tep, unsigned int cpu, const struct hit *hit,
		   struct trace_seq *seq);

#endif
