/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which arguments a session records, and by which conditions: from what the user wrote, the programs of
 * NESTRACE_IOC_ARGS, and the description that a file needs to show what they record (lib/args_show.h).
 */
#ifndef LIB_ARGS_PLAN_H
#define LIB_ARGS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "uapi/nestrace.h"

struct args_config {
	bool all;			/* --args: of all functions */
	bool deep;			/* --args=deep: copy the texts that arguments point to */
	const char **values;		/* of -A: FUNCTION(VALUE, ...) */
	const char **conditions;	/* of --if */
	unsigned int nr_values, nr_conditions;
};

struct args_program {
	struct nestrace_args arg;	/* but for the addresses and steps */
	struct nestrace_step *step;
	uint64_t *start;		/* of the functions */
	uint32_t nr;			/* of these */
	bool others;			/* it is the program of all functions that have no other */
};

struct args_plan {
	struct args_program *program;
	size_t nr;
	char *description;		/* lines; or NULL */
	size_t len;
	bool filters;			/* there are conditions */
	/* NULL, or what a user should know: functions that a condition does not fit */
	char *note;
};

/* Does the session need a plan? */
static inline bool args_wanted(const struct args_config *c)
{
	return c->all || c->nr_values || c->nr_conditions;
}

/*
 * Make a plan for the functions that the globs of -l select; @nr_globs 0: all. Return: NULL after an error;
 * args_plan_free() frees the result.
 */
struct args_plan *args_plan_new(const struct args_config *c, const char *const *globs, unsigned int nr_globs,
				bool at_exit, struct error *e);
void args_plan_free(struct args_plan *p);

#endif
