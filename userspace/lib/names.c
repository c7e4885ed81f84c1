// SPDX-License-Identifier: GPL-2.0
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/names.h"
#include "lib/tracedat_read.h"

/* Replace what a terminal would take for a control character. */
static void clean(char *text)
{
	for (; *text; text++) {
		unsigned char c = *text, next = text[1];

		/* UTF-8 has control characters of two bytes, too */
		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ||
		    (c == 0xc2 && next >= 0x80 && next <= 0x9f))
			*text = '?';
	}
}

struct tep_handle *names_load(struct tracedat *t, bool *complete)
{
	struct tep_handle *tep = tep_alloc();
	char *line, *save, *comm;

	if (!tep)
		out_of_memory();
	clean(t->kallsyms);
	clean(t->cmdlines);
	*complete = !*t->kallsyms || !tep_parse_kallsyms(tep, t->kallsyms);
	for (line = strtok_r(t->cmdlines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		comm = strchr(line, ' ');
		if (comm)
			tep_register_comm(tep, comm + 1, atoi(line));
	}
	return tep;
}

const char *names_function(struct tep_handle *tep, uint64_t ip)
{
	static char number[2][24];
	static int turn;
	const char *name = tep_find_function(tep, ip);

	if (name)
		return name;
	turn = !turn;
	snprintf(number[turn], sizeof(number[turn]), "0x%" PRIx64, ip);
	return number[turn];
}
