// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/kallsyms.h"
#include "lib/memory.h"

/* Avoid the C library here: for 200,000 lines its functions add a tenth to the time of nestrace stat -i. */
static char *skip(char *at, char c)
{
	while (*at == c)
		at++;
	return at;
}

/* Read a hexadecimal number. Return: what follows it. */
static char *hex(char *at, uint64_t *number)
{
	for (*number = 0; isxdigit((unsigned char)*at); at++)
		*number = *number << 4 | ((*at & 0xf) + (*at > '9' ? 9 : 0));
	return at;
}

bool kallsyms_parse(char *text, struct kallsyms_line *line)
{
	char *at = hex(text, &line->start), *end;

	if (at == text || *at != ' ')
		return false;
	at = skip(at, ' ');
	line->type = *at;
	if (!*at || *++at != ' ')
		return false;
	end = skip(at, ' ');
	line->name = end;
	while (*end && *end != ' ' && *end != '\t' && *end != '\n')
		end++;
	at = end + strspn(end, " \t");
	line->module = NULL;
	if (*at == '[') {
		line->module = at + 1;
		at[1 + strcspn(at + 1, "]\n")] = '\0';
	}
	*end = '\0';
	return *line->name;
}

void kallsyms_functions(const char *text, void (*each)(void *arg, const struct kallsyms_line *line), void *arg)
{
	char *copy = xstrdup(text), *at, *save;
	struct kallsyms_line line;

	for (at = strtok_r(copy, "\n", &save); at; at = strtok_r(NULL, "\n", &save))
		if (kallsyms_parse(at, &line) && kallsyms_is_function(line.type))
			each(arg, &line);
	free(copy);
}
