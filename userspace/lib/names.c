// SPDX-License-Identifier: GPL-2.0
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/names.h"
#include "lib/printable.h"
#include "lib/tracedat_read.h"

struct tep_handle *names_load(struct tracedat *t, bool *complete)
{
	struct tep_handle *tep = tep_alloc();
	char *line, *save, *comm;

	if (!tep)
		out_of_memory();
	make_printable(t->kallsyms, strlen(t->kallsyms));
	make_printable(t->cmdlines, strlen(t->cmdlines));
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
