/* SPDX-License-Identifier: GPL-2.0 */
/* The event of a stack that nestrace recorded: struct nestrace_stack. */
#ifndef LIB_STACK_EVENT_H
#define LIB_STACK_EVENT_H

#include <stdint.h>
#include <string.h>

#include "lib/subbuf.h"
#include "uapi/nestrace.h"

/* Take the callers. Return: their number. */
static inline unsigned int stack_event_callers(const struct hit *event, uint64_t caller[NESTRACE_STACK_MAX])
{
	unsigned int nr = event->size > (int)sizeof(struct nestrace_stack) ?
			  (event->size - sizeof(struct nestrace_stack)) / sizeof(*caller) : 0;

	if (nr > NESTRACE_STACK_MAX)
		nr = NESTRACE_STACK_MAX;
	memcpy(caller, (const char *)event->data + sizeof(struct nestrace_stack), nr * sizeof(*caller));
	return nr;
}

#endif
