/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs: which arguments of a function are recorded, and which of its calls and returns. They are checked
 * when they come, so that fetch.c can trust them.
 */
#ifndef NT_ARGS_H
#define NT_ARGS_H

#include <linux/types.h>

#include "uapi/nestrace.h"

struct nt_program {
	struct nt_program *next;	/* of all in a session */
	u8 words, values;		/* as in struct nestrace_args */
	u8 nr_if, nr_exit_if, nr_fetch;
	bool reads;			/* memory that may not be there */
	struct nestrace_step step[];	/* those of @nr_if first, then of @nr_exit_if, then of @nr_fetch */
};

/* A hash table, at least half free. */
struct nt_programs {
	struct nt_program *all;
	const struct nt_program *others;	/* of functions that are not here; or NULL */
	u32 nr_programs, nr;
	u32 mask;			/* of its size */
	struct nt_program_of {
		u64 ip;			/* as hits have it; 0: free */
		const struct nt_program *program;
	} of[];
};

/* Return: the words of arguments and values that it records, with that of failed reads. */
static __always_inline u32 nt_program_words(const struct nt_program *p)
{
	return p->words + (p->values ? 1 + p->values : 0);
}

/*
 * Return: the program of @arg, whose steps are checked, for nt_programs_add() or kfree(); or an ERR_PTR:
 * -EINVAL, -EFAULT, -ENOMEM. Context: may sleep.
 */
struct nt_program *nt_program_new(const struct nestrace_args *arg, const void __user *steps);

/*
 * Give it to the functions at @addr, or to all others if @nr is 0. Return: 0, and @programs owns it; -ENOENT
 * none can be traced; -E2BIG, -ENOMEM. Context: may sleep; before the hook is registered.
 */
int nt_programs_add(struct nt_programs **programs, struct nt_program *program, const u64 *addr, u32 nr);
/*
 * Give the functions in a module's text, which goes, the program of all others. Context: not beside
 * nt_programs_add(); hits may read meanwhile.
 */
void nt_programs_forget(struct nt_programs *programs, unsigned long start, unsigned long size);
/* Context: the hook is not registered any more. */
void nt_programs_free(struct nt_programs *programs);

#endif
