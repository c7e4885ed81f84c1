/* SPDX-License-Identifier: GPL-2.0 */
/* The lines of /proc/kallsyms, and of the copy of it in a trace file. */
#ifndef KALLSYMS_H
#define KALLSYMS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct kallsyms_line {
	uint64_t start;
	char type;
	const char *name;
	const char *module;	/* NULL: of the kernel */
};

/*
 * Take apart "ADDRESS TYPE NAME [MODULE]", which is modified and must live as long as @line.
 * Return: false if @text is no such line. There are 200,000 lines, so this uses no formats of stdio.
 */
bool kallsyms_parse(char *text, struct kallsyms_line *line);

/* Call @each for each function in @text, which stays as it is. A line's texts are valid until the last call. */
void kallsyms_functions(const char *text, void (*each)(void *arg, const struct kallsyms_line *line), void *arg);

static inline bool kallsyms_is_function(char type)
{
	return type && strchr("tTwW", type);
}

#endif
