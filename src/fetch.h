/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs of arguments, as a hook runs them. Memory is read as far as it is there; a page that is missing is a
 * fault, whose functions can be traced, and recurse. Context of all: any, NMI included; the guard of @slot is held.
 */
#ifndef NT_FETCH_H
#define NT_FETCH_H

#include <linux/types.h>

#include "args.h"
#include "ops.h"

struct nt_args;
struct pt_regs;

/* Return: the program of the function at @ip, or NULL. */
static __always_inline const struct nt_program *nt_program_of(const struct nt_hook *h, unsigned long ip)
{
	const struct nt_programs *p = h->programs;
	u32 at;

	if (!p)
		return NULL;
	for (at = nt_address_hash(ip) & p->mask; p->of[at].ip; at = (at + 1) & p->mask)
		if (p->of[at].ip == ip)
			return READ_ONCE(p->of[at].program);
	return p->others;
}

/* Does the call pass? @entry: the registers at the entry. */
bool nt_fetch_call_passes(const struct nt_program *p, const struct pt_regs *entry, enum nestrace_slot slot);
/* Does the return? @p tests returns. */
bool nt_fetch_return_passes(const struct nt_program *p, u64 retval, enum nestrace_slot slot);
/* Write the words that are recorded; @to->stack is the caller's. */
void nt_fetch(const struct nt_program *p, const struct pt_regs *entry, enum nestrace_slot slot, struct nt_args *to);

#endif
