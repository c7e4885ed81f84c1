// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "lib/context.h"

const char *const context_names[NESTRACE_NR_SLOTS] = NESTRACE_CONTEXT_WORDS;

uint32_t context_slots(const char *name)
{
	uint32_t slots = 0;
	unsigned int i;

	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		if (!strcmp(name, context_names[i]))
			slots |= 1U << i;
	return slots;
}
