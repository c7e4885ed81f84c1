/* SPDX-License-Identifier: GPL-2.0 */
/* How many nanoseconds a cycle of the clock tsc takes, on this machine. */
#ifndef LIB_TSC_H
#define LIB_TSC_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds are cycles * mult >> shift. */
struct tsc_rate {
	uint32_t mult, shift;
};

/* Begin to measure, for a kernel that does not give its rate. */
void tsc_measure(void);
/* Return: false if neither the kernel nor the time since tsc_measure() gives a rate. */
bool tsc_rate(struct tsc_rate *rate);

#endif
