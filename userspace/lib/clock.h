/* SPDX-License-Identifier: GPL-2.0 */
/* The clocks of a session. NESTRACE_CLOCKS of the uapi header is the only list of them. */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdbool.h>

#include "uapi/nestrace.h"

/* The names, with a space before each, as a string literal for help and messages. */
#define CLOCK_LIST_WORD(id, name)	" " #name
#define CLOCK_LIST			NESTRACE_CLOCKS(CLOCK_LIST_WORD)

const char *clock_name(enum nestrace_clock clock);
/* Return the name in tracefs' trace_clock, which trace.dat holds and trace-cmd knows. */
const char *clock_tracefs_name(enum nestrace_clock clock);
/* Find a clock by either name. Return: false if there is none. */
bool clock_find(const char *name, enum nestrace_clock *clock);
/*
 * Return true if times of the clock with this tracefs name are shown as they are, not as
 * seconds, because they are cycles or a count. trace-cmd shows those of boot so, too.
 */
bool clock_counts_cycles(const char *tracefs_name);

#endif
