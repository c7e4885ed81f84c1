/* SPDX-License-Identifier: GPL-2.0 */
/* A clock of this machine, for a file: its rate, and the wall clock at one time of it. */
#ifndef LIB_CLOCK_FACTS_H
#define LIB_CLOCK_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds are cycles * mult >> shift. */
struct tsc_rate {
	uint32_t mult, shift;
};

/* Two times that are the same moment. */
struct wall_clock {
	uint64_t wall_ns;		/* since 1970, UTC */
	uint64_t clock;			/* in the units of the other clock */
};

/* Begin to measure, for a kernel that does not give the rate of the clock tsc. */
void tsc_measure(void);
/* Return: false if neither the kernel nor the time since tsc_measure() gives a rate. */
bool tsc_rate(struct tsc_rate *rate);
/*
 * Read the wall clock and the clock with this tracefs name. Return: false if that clock
 * cannot be read here.
 */
bool wall_clock_now(const char *clock, struct wall_clock *now);

#endif
