/* SPDX-License-Identifier: GPL-2.0 */
/* Claims about the calls of a run, as nestrace assert takes them: CONTEXT:GLOB, perhaps with a limit. */
#ifndef LIB_CLAIMS_H
#define LIB_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/functions.h"

enum claim_kind { CLAIM_NEVER, CLAIM_ALWAYS, CLAIM_MAX, CLAIM_MAX_TIME, CLAIM_KINDS };

/* The options' names, without "--". */
extern const char *const claim_names[CLAIM_KINDS];

struct claim {
	enum claim_kind kind;
	const char *text;		/* as it was given */
	int slot;			/* of the context; -1: any */
	char *glob;
	struct function_glob functions;	/* @glob, taken apart */
	uint64_t limit;			/* of calls, or of ns for each: it must not be reached */
	uint64_t *start;		/* of the functions that match, sorted, after claims_find() */
	size_t nr;
	/* a name that matches, of a function that ftrace knows by another, @known_as, which does not; or empty */
	char alias[128], known_as[128];
};

struct modules;

struct claims {
	struct claim *claim;
	unsigned int nr;
};

/* Add a claim; @text must live as long. Return: false after an error. */
bool claims_add(struct claims *c, enum claim_kind kind, const char *text, struct error *e);
/* Find the functions of all claims in the lines of kallsyms, and in @m unless it is NULL. */
void claims_find(struct claims *c, const char *kallsyms, struct modules *m);
/* Does the function that begins at @start match? */
bool claim_has(const struct claim *c, uint64_t start);
void claims_free(struct claims *c);

#endif
