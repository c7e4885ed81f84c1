// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/time_span.h"

bool time_span_parse(const char *text, uint64_t *ns)
{
	static const struct { const char *unit; uint64_t ns; } units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	};
	double number;
	char *end;
	size_t i;

	number = strtod(text, &end);
	for (i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) || !(number > 0) || number * units[i].ns >= 1e18)
			continue;
		*ns = number * units[i].ns;
		return *ns;
	}
	return false;
}
