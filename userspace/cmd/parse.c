// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/message.h"
#include "cmd/parse.h"
#include "lib/memory.h"

/* Parse digits up to *@end. Return: -1 if there are none, or too many. */
static long digits(const char *arg, char **end)
{
	long n;

	errno = 0;
	n = strtol(arg, end, 10);
	return isdigit((unsigned char)*arg) && !errno ? n : -1;
}

long parse_number(const char *arg, const char *opt, long min, long max)
{
	char *end;
	long n = digits(arg, &end);

	if (n < min || n > max || *end)
		usage("not a number from %ld to %ld: '%s %s'", min, max, opt, arg);
	return n;
}

long parse_size_kb(const char *arg, const char *opt, long min, long max)
{
	static const char units[] = "KMG";
	char *end;
	long n = digits(arg, &end);
	const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : units;
	unsigned int shift = unit ? 10 * (unit - units) : 0;

	if (n < 0 || !unit || (*end && end[1]) || n > max >> shift || n << shift < min)
		usage("not a size from %ld KiB to %ld GiB: '%s %s'; use a number of KiB, or one with K, M or G",
		      min, max >> 20, opt, arg);
	return n << shift;
}

void parse_list(const char *arg, const char *opt, long min, long max, int ranges,
		void (*add)(void *to, long number), void *to)
{
	char *end = (char *)arg;
	long first, last;

	do {
		first = last = digits(end, &end);
		if (ranges && *end == '-')
			last = digits(end + 1, &end);
		if (first < min || last > max || last < first || (*end && *end != ','))
			usage("not a list of numbers from %ld to %ld: '%s %s'; an example is %s %s", min,
			      max, opt, arg, opt, ranges ? "0-3,5" : "1,2");
		for (; first <= last; first++)
			add(to, first);
	} while (*end++);
}

int parse_help_only(int argc, char **argv, const char *help)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	int opt = getopt_long(argc, argv, "h", longs, NULL);

	if (opt == 'h')
		fputs(help, stdout);
	else if (opt != -1)
		usage(NULL);
	else if (optind < argc)
		usage("unexpected argument: '%s'; this command takes none", argv[optind]);
	return opt == 'h';
}
