// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/kallsyms.h"

bool kallsyms_parse(char *text, struct kallsyms_line *line)
{
	char *at, *end;

	line->start = strtoull(text, &at, 16);
	if (at == text || *at != ' ')
		return false;
	at += strspn(at, " ");
	line->type = *at;
	if (!*at || *++at != ' ')
		return false;
	line->name = at + strspn(at, " ");
	end = (char *)line->name + strcspn(line->name, " \t\n");
	at = end + strspn(end, " \t");
	line->module = NULL;
	if (*at == '[') {
		line->module = at + 1;
		at[1 + strcspn(at + 1, "]\n")] = '\0';
	}
	*end = '\0';
	return *line->name;
}
