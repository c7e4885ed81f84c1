// SPDX-License-Identifier: GPL-2.0
/* The switches have no default: the compiler names the place that a new clock lacks. */
#include <stddef.h>
#include <string.h>

#include "lib/clock.h"

const char *clock_name(enum nestrace_clock clock)
{
	switch (clock) {
#define CASE(id, name)	case NESTRACE_CLOCK_##id: return #name;
	NESTRACE_CLOCKS(CASE)
#undef CASE
	}
	return NULL;
}

const char *clock_tracefs_name(enum nestrace_clock clock)
{
	switch (clock) {
	case NESTRACE_CLOCK_GLOBAL: return "global";
	case NESTRACE_CLOCK_TSC: return "x86-tsc";
	case NESTRACE_CLOCK_MONO: return "mono";
	}
	return NULL;
}

bool clock_find(const char *name, enum nestrace_clock *clock)
{
	for (*clock = 0; *clock < NESTRACE_NR_CLOCKS; ++*clock)
		if (!strcmp(name, clock_name(*clock)) || !strcmp(name, clock_tracefs_name(*clock)))
			return true;
	return false;
}

bool clock_counts_cycles(const char *tracefs_name)
{
	static const char *const seconds[] = {
		"local", "global", "uptime", "perf", "mono", "mono_raw", "tai", "tsc2nsec",
	};
	size_t i;

	for (i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		if (!strcmp(tracefs_name, seconds[i]))
			return false;
	return true;
}
