/* SPDX-License-Identifier: GPL-2.0 */
/* The durations of functions as text on stdout. */
#ifndef OUTPUT_DURATION_TABLE_H
#define OUTPUT_DURATION_TABLE_H

#include <stdbool.h>

struct durations;
struct missing;
struct tep_handle;

/* Print a line for each function and context, the longest total first. @cycles: times are cycles. */
void duration_table(const struct durations *d, struct tep_handle *tep, bool cycles);
/*
 * Print how often each function that matches @glob took how long, for each context. Return: false if
 * none matches.
 */
bool duration_histograms(const struct durations *d, struct tep_handle *tep, bool cycles,
			 const char *glob);
/* Print which calls are not counted, and what is missing, in lines that begin with #. */
void duration_notes(const struct durations *d, const struct missing *missing);

#endif
