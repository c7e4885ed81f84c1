/* SPDX-License-Identifier: GPL-2.0 */
/* The rate of the clock tsc of this machine, for a file. */
#ifndef LIB_CLOCK_FACTS_H
#define LIB_CLOCK_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds are cycles * mult >> shift. */
struct tsc_rate {
	uint32_t mult, shift;
};

/* Begin to measure, for a kernel that does not give the rate of the clock tsc. */
void tsc_measure(void);
/* Return: false if neither the kernel nor the time since tsc_measure() gives a rate. */
bool tsc_rate(struct tsc_rate *rate);

#endif
