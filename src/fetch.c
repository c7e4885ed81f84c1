// SPDX-License-Identifier: GPL-2.0
#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/ptrace.h>

#include "arch_peek.h"
#include "arch_registers.h"
#include "compat/lockdep.h"
#include "fetch.h"
#include "guard.h"
#include "ring.h"

/* The state of a program that runs. */
struct nt_run {
	const struct pt_regs *entry;
	u64 retval;
	u64 value;
	bool unknown;		/* memory could not be read */
	u64 answers;		/* the newest in bit 0 */
	u64 *store;		/* the next word of the record */
	u64 failed;		/* as in the record */
	unsigned int nr_stored;
};

/* Read an argument. Return: false if it should be on the stack, but is not. */
static __always_inline bool nt_arg(const struct pt_regs *entry, unsigned int nr, u64 *to)
{
	if (nr < NT_REGISTER_ARGS) {
		*to = nt_register_arg(entry, nr);
		return true;
	}
	return nt_peek(nt_stack_args(entry) + (nr - NT_REGISTER_ARGS) * sizeof(u64), sizeof(u64), to);
}

/* Has it a byte that is 0? */
static __always_inline bool nt_has_nul(u64 word)
{
	return (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;
}

/* Clear what is behind the first NUL of eight characters. */
static __always_inline u64 nt_cut(u64 word)
{
	unsigned int bits;

	for (bits = 0; bits < 64; bits += 8)
		if (!(word >> bits & 0xff))
			return bits ? word & (~0ULL >> (64 - bits)) : 0;
	return word;
}

/*
 * Read up to eight characters at @addr, up to a NUL; what follows it is 0. Return: false if one before it is not
 * there.
 */
static __always_inline bool nt_peek_string(u64 addr, u64 *to)
{
	unsigned int i;
	u64 c;

	/* the next page may not be there, though the string ends before it */
	if ((addr & (PAGE_SIZE - 1)) <= PAGE_SIZE - sizeof(u64)) {
		if (!nt_peek(addr, sizeof(u64), to))
			return false;
		if (nt_has_nul(*to))
			*to = nt_cut(*to);
		return true;
	}
	*to = 0;
	for (i = 0; i < sizeof(u64); i++) {
		if (!nt_peek(addr + i, 1, &c))
			return false;
		*to |= c << 8 * i;
		if (!c)
			break;
	}
	return true;
}

/* Copy a string into @words words. Return: false if a part is not there; then all of them are 0. */
static __always_inline bool nt_store_string(u64 addr, u64 *to, unsigned int words)
{
	bool ended = false, ok = true;
	unsigned int i;

	for (i = 0; i < words; i++) {
		to[i] = 0;
		if (!ended && ok)
			ok = nt_peek_string(addr + i * sizeof(u64), &to[i]);
		ended |= nt_has_nul(to[i]);
	}
	if (!ok)
		for (i = 0; i < words; i++)
			to[i] = 0;
	to[words - 1] &= ~0ULL >> 8;
	return ok;
}

/* Compare a string with that of @nr steps. Return: false if it is not there. */
static __always_inline bool nt_compare_string(u64 addr, const struct nestrace_step *data, unsigned int nr,
					      bool *same)
{
	unsigned int i;
	u64 word;

	*same = true;
	for (i = 0; i < nr && *same; i++) {
		if (!nt_peek_string(addr + i * sizeof(u64), &word))
			return false;
		*same = word == data[i].value;
	}
	return true;
}

static __always_inline bool nt_relation_holds(u64 a, u64 b, enum nestrace_relation relation, bool is_signed)
{
	bool less = is_signed ? (s64)a < (s64)b : a < b;

	if (relation == NESTRACE_EQUAL)
		return a == b;
	if (relation == NESTRACE_NOT_EQUAL)
		return a != b;
	if (relation == NESTRACE_LESS)
		return less;
	if (relation == NESTRACE_LESS_EQUAL)
		return less || a == b;
	if (relation == NESTRACE_GREATER)
		return !less && a != b;
	return !less;
}

static __always_inline void nt_answer(struct nt_run *r, bool yes)
{
	r->answers = r->answers << 1 | (yes && !r->unknown);
}

static __always_inline void nt_stored(struct nt_run *r, unsigned int words)
{
	r->failed |= (u64)r->unknown << r->nr_stored++;
	r->store += words;
}

/* A chain of tests: a table of jumps would be an indirect branch. */
static __always_inline void nt_step(struct nt_run *r, const struct nestrace_step *s)
{
	bool same = false;

	if (s->op == NESTRACE_OP_ARG) {
		r->unknown = !nt_arg(r->entry, s->a, &r->value);
	} else if (s->op == NESTRACE_OP_READ) {
		r->unknown = r->unknown || !nt_peek(r->value + s->value, s->a, &r->value);
	} else if (s->op == NESTRACE_OP_BITS) {
		r->value <<= s->a;
		r->value = s->c ? (u64)((s64)r->value >> s->b) : r->value >> s->b;
	} else if (s->op == NESTRACE_OP_TEST) {
		nt_answer(r, nt_relation_holds(r->value, s->value, s->a, s->c));
	} else if (s->op == NESTRACE_OP_BOTH) {
		r->answers = r->answers >> 1 & (r->answers | ~1ULL);
	} else if (s->op == NESTRACE_OP_EITHER) {
		r->answers = r->answers >> 1 | (r->answers & 1);
	} else if (s->op == NESTRACE_OP_STORE) {
		*r->store = r->unknown ? 0 : r->value;
		nt_stored(r, 1);
	} else if (s->op == NESTRACE_OP_STRING) {
		r->unknown = !nt_store_string(r->unknown ? 0 : r->value, r->store, s->a);
		nt_stored(r, s->a);
	} else if (s->op == NESTRACE_OP_TEST_STRING) {
		r->unknown = r->unknown || !nt_compare_string(r->value, s + 1, s->a, &same);
		nt_answer(r, same != s->c);
	} else if (s->op == NESTRACE_OP_AND) {
		r->value &= s->value;
	} else if (s->op == NESTRACE_OP_ADD) {
		r->value += s->value;
	} else if (s->op == NESTRACE_OP_RETVAL) {
		r->value = r->retval;
		r->unknown = false;
	}
}

static noinstr void nt_run(struct nt_run *r, const struct nestrace_step *s, unsigned int nr)
{
	const struct nestrace_step *end = s + nr;

	for (; s < end; s++)
		nt_step(r, s);
}

struct nt_reads {
	unsigned long irq_flags;
	int lockdep_irqs;
};

/*
 * Before a fault: its functions run with interrupts off, as the first ones of an interrupt do. Turn them off, so
 * that nobody takes the fault for one. A fault tells lockdep that they are off, and leaves it so if they were.
 */
static __always_inline void nt_reads_begin(const struct nt_program *p, enum nestrace_slot slot,
					   struct nt_reads *saved)
{
	if (!p->reads)
		return;
	raw_local_irq_save(saved->irq_flags);
	nt_guard_irqs(slot, arch_local_save_flags());
	saved->lockdep_irqs = nt_lockdep_irqs_off();
}

static __always_inline void nt_reads_end(const struct nt_program *p, enum nestrace_slot slot,
					 const struct nt_reads *saved)
{
	if (!p->reads)
		return;
	nt_lockdep_irqs_restore(saved->lockdep_irqs);
	nt_guard_irqs(slot, saved->irq_flags);
	raw_local_irq_restore(saved->irq_flags);
}

noinstr bool nt_fetch_call_passes(const struct nt_program *p, const struct pt_regs *entry, enum nestrace_slot slot)
{
	struct nt_run r = { .entry = entry };
	struct nt_reads saved = { };

	if (!p->nr_if)
		return true;
	nt_reads_begin(p, slot, &saved);
	nt_run(&r, p->step, p->nr_if);
	nt_reads_end(p, slot, &saved);
	return r.answers & 1;
}

noinstr bool nt_fetch_return_passes(const struct nt_program *p, u64 retval, enum nestrace_slot slot)
{
	struct nt_run r = { .retval = retval };
	struct nt_reads saved = { };

	nt_reads_begin(p, slot, &saved);
	nt_run(&r, p->step + p->nr_if, p->nr_exit_if);
	nt_reads_end(p, slot, &saved);
	return r.answers & 1;
}

noinstr void nt_fetch(const struct nt_program *p, const struct pt_regs *entry, enum nestrace_slot slot,
		      struct nt_args *to)
{
	struct nt_run r = { .entry = entry, .store = to->word + p->words + 1 };
	struct nt_reads saved = { };
	unsigned int i;
	u64 word;

	to->nr = nt_program_words(p);
	nt_reads_begin(p, slot, &saved);
	for (i = 0; i < p->words; i++) {
		nt_arg(entry, i, &word);
		to->word[i] = word;
	}
	if (p->values) {
		nt_run(&r, p->step + p->nr_if + p->nr_exit_if, p->nr_fetch);
		to->word[p->words] = r.failed;
	}
	nt_reads_end(p, slot, &saved);
}
