/* SPDX-License-Identifier: GPL-2.0 */
/* The values of options. A bad value is wrong use: these functions say so and exit. */
#ifndef CMD_PARSE_H
#define CMD_PARSE_H

/* Parse a decimal number. @opt: the option, for the message. */
long parse_number(const char *arg, const char *opt, long min, long max);
/* Parse a size, plain in KiB or with K, M or G. Return: KiB. */
long parse_size_kb(const char *arg, const char *opt, long min, long max);
/* Call @add for each number of "N", "N,N"; if @ranges also of "N-N". */
void parse_list(const char *arg, const char *opt, long min, long max, int ranges,
		void (*add)(void *to, long number), void *to);
/* Handle a command that takes neither options, except help, nor arguments. Return: 1 for help. */
int parse_help_only(int argc, char **argv, const char *help);

#endif
