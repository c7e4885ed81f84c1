/* SPDX-License-Identifier: GPL-2.0 */
/* A span of time as a person writes it. */
#ifndef LIB_TIME_SPAN_H
#define LIB_TIME_SPAN_H

#include <stdbool.h>
#include <stdint.h>

/* Parse "2ms": a number above 0 with ns, us, ms or s, up to 30 years. Return: false if it is none. */
bool time_span_parse(const char *text, uint64_t *ns);

#endif
