// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "arch_registers.h"
#include "args.h"
#include "filter.h"
#include "ops.h"

#define NT_PROGRAMS_OF_MAX	(1U << 20)
#define NT_ANSWERS_MAX		64	/* bits of what fetch.c keeps them in */

enum nt_steps { NT_STEPS_IF, NT_STEPS_EXIT_IF, NT_STEPS_FETCH };

/* The steps so far. */
struct nt_check {
	enum nt_steps kind;
	const struct nestrace_step *step;
	unsigned int left;		/* of the steps after this one */
	bool has_value;
	bool reads;			/* memory */
	unsigned int answers, words;
};

/* Do the fields that @op does not use hold 0? */
static bool nt_step_is_clean(const struct nestrace_step *s)
{
	static const struct { bool a, b, c, value; } uses[NESTRACE_NR_OPS] = {
		[NESTRACE_OP_ARG] = { .a = true },
		[NESTRACE_OP_READ] = { .a = true, .value = true },
		[NESTRACE_OP_ADD] = { .value = true },
		[NESTRACE_OP_AND] = { .value = true },
		[NESTRACE_OP_BITS] = { .a = true, .b = true, .c = true },
		[NESTRACE_OP_TEST] = { .a = true, .c = true, .value = true },
		[NESTRACE_OP_TEST_STRING] = { .a = true, .c = true },
		[NESTRACE_OP_DATA] = { .value = true },
		[NESTRACE_OP_STRING] = { .a = true },
	};

	return s->op < NESTRACE_NR_OPS && !s->reserved && s->c <= 1 && (uses[s->op].a || !s->a) &&
	       (uses[s->op].b || !s->b) && (uses[s->op].c || !s->c) && (uses[s->op].value || !s->value);
}

/* Return: the steps of data after a TEST_STRING, 0: they are not valid. */
static unsigned int nt_check_data(const struct nt_check *c)
{
	unsigned int i;

	if (c->step->a > c->left)
		return 0;
	for (i = 1; i <= c->step->a; i++)
		if (c->step[i].op != NESTRACE_OP_DATA || !nt_step_is_clean(&c->step[i]))
			return 0;
	/* it ends in a NUL, so fetch.c does */
	return c->step[i - 1].value >> 56 ? 0 : c->step->a;
}

static bool nt_check_answer(struct nt_check *c)
{
	return c->kind != NT_STEPS_FETCH && c->has_value && ++c->answers <= NT_ANSWERS_MAX;
}

static bool nt_check_store(struct nt_check *c, unsigned int words)
{
	c->words += words;
	return c->kind == NT_STEPS_FETCH && c->has_value && words;
}

/* Return: how many steps this one takes; 0: it is not valid. */
static unsigned int nt_check_step(struct nt_check *c)
{
	const struct nestrace_step *s = c->step;
	bool ok = c->has_value;
	unsigned int more;

	if (!nt_step_is_clean(s))
		return 0;
	switch ((enum nestrace_op)s->op) {
	case NESTRACE_OP_ARG:
		ok = c->kind != NT_STEPS_EXIT_IF && s->a < NESTRACE_ARGS_WORDS;
		c->has_value = true;
		c->reads |= s->a >= NT_REGISTER_ARGS;
		break;
	case NESTRACE_OP_RETVAL:
		ok = c->kind == NT_STEPS_EXIT_IF;
		c->has_value = true;
		break;
	case NESTRACE_OP_READ:
		ok &= s->a <= 8 && is_power_of_2(s->a);
		c->reads = true;
		break;
	case NESTRACE_OP_ADD:
	case NESTRACE_OP_AND:
		break;
	case NESTRACE_OP_BITS:
		ok &= s->a < 64 && s->b < 64;
		break;
	case NESTRACE_OP_TEST:
		ok = s->a < NESTRACE_NR_RELATIONS && nt_check_answer(c);
		break;
	case NESTRACE_OP_TEST_STRING:
		more = nt_check_data(c);
		c->reads = true;
		return more && nt_check_answer(c) ? 1 + more : 0;
	case NESTRACE_OP_BOTH:
	case NESTRACE_OP_EITHER:
		ok = c->answers >= 2;
		c->answers--;
		break;
	case NESTRACE_OP_STORE:
		ok = nt_check_store(c, 1);
		break;
	case NESTRACE_OP_STRING:
		ok = nt_check_store(c, s->a);
		c->reads = true;
		break;
	case NESTRACE_OP_DATA:
	case NESTRACE_NR_OPS:
		ok = false;
	}
	return ok;
}

/* Are these steps valid? They store @words. Set *@reads if they read memory. */
static bool nt_check_steps(const struct nestrace_step *step, unsigned int nr, enum nt_steps kind,
			   unsigned int words, bool *reads)
{
	struct nt_check c = { .kind = kind, .step = step, .left = nr };
	unsigned int took;

	while (c.left) {
		c.left--;
		took = nt_check_step(&c);
		if (!took)
			return false;
		c.step += took;
		c.left -= took - 1;
	}
	*reads |= c.reads;
	return c.words == words && c.answers == (kind != NT_STEPS_FETCH && nr);
}

static bool nt_program_check(struct nt_program *p)
{
	const struct nestrace_step *step = p->step;

	p->reads = p->words > NT_REGISTER_ARGS;
	return nt_check_steps(step, p->nr_if, NT_STEPS_IF, 0, &p->reads) &&
	       nt_check_steps(step + p->nr_if, p->nr_exit_if, NT_STEPS_EXIT_IF, 0, &p->reads) &&
	       nt_check_steps(step + p->nr_if + p->nr_exit_if, p->nr_fetch, NT_STEPS_FETCH, p->values, &p->reads);
}

struct nt_program *nt_program_new(const struct nestrace_args *arg, const void __user *steps)
{
	unsigned int nr = arg->nr_if + arg->nr_exit_if + arg->nr_fetch;
	struct nt_program *p;

	if (arg->words > NESTRACE_ARGS_WORDS || arg->values > NESTRACE_ARGS_VALUES)
		return ERR_PTR(-EINVAL);
	p = kzalloc(struct_size(p, step, nr), GFP_KERNEL_ACCOUNT);
	if (!p)
		return ERR_PTR(-ENOMEM);
	p->words = arg->words;
	p->values = arg->values;
	p->nr_if = arg->nr_if;
	p->nr_exit_if = arg->nr_exit_if;
	p->nr_fetch = arg->nr_fetch;
	if (copy_from_user(p->step, steps, nr * sizeof(*p->step))) {
		kfree(p);
		return ERR_PTR(-EFAULT);
	}
	if (!nt_program_check(p)) {
		kfree(p);
		return ERR_PTR(-EINVAL);
	}
	return p;
}

static void nt_program_set(struct nt_programs *to, u64 ip, const struct nt_program *p)
{
	u32 at = nt_address_hash(ip) & to->mask;

	while (to->of[at].ip && to->of[at].ip != ip)
		at = (at + 1) & to->mask;
	to->nr += !to->of[at].ip;
	to->of[at] = (struct nt_program_of){ ip, p };
}

/* Return: a table with what @from (NULL: nothing) has, and room for @more functions. */
static struct nt_programs *nt_programs_grow(const struct nt_programs *from, u32 more)
{
	u32 size = roundup_pow_of_two(2 * ((from ? from->nr : 0) + more) + 1), i;
	struct nt_programs *to = kvzalloc(struct_size(to, of, size), GFP_KERNEL_ACCOUNT);

	if (!to)
		return NULL;
	to->mask = size - 1;
	if (!from)
		return to;
	to->all = from->all;
	to->others = from->others;
	to->nr_programs = from->nr_programs;
	for (i = 0; i <= from->mask; i++) {
		if (from->of[i].ip)
			nt_program_set(to, from->of[i].ip, from->of[i].program);
		cond_resched();
	}
	return to;
}

int nt_programs_add(struct nt_programs **programs, struct nt_program *program, const u64 *addr, u32 nr)
{
	struct nt_programs *from = *programs, *to = from;
	bool any = !nr;
	u32 i;
	u64 ip;

	if (from && (nr > NT_PROGRAMS_OF_MAX - from->nr || from->nr_programs == NESTRACE_ARGS_PROGRAMS))
		return -E2BIG;
	if (!from || 2 * (from->nr + nr) > from->mask)
		to = nt_programs_grow(from, max(nr, from ? from->nr : 0));
	if (!to)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		cond_resched();
		ip = nt_filter_location_of(addr[i]);
		if (!ip)
			continue;
		nt_program_set(to, ip, program);
		any = true;
	}
	if (!any) {
		if (to != from)
			kvfree(to);
		return -ENOENT;
	}
	if (!nr)
		to->others = program;
	program->next = to->all;
	to->all = program;
	to->nr_programs++;
	if (to != from)
		kvfree(from);
	*programs = to;
	return 0;
}

void nt_programs_forget(struct nt_programs *programs, unsigned long start, unsigned long size)
{
	u32 i;

	for (i = 0; programs && size && i <= programs->mask; i++)
		if (programs->of[i].ip - start < size)
			WRITE_ONCE(programs->of[i].program, programs->others);
}

void nt_programs_free(struct nt_programs *programs)
{
	struct nt_program *p, *next;

	for (p = programs ? programs->all : NULL; p; p = next) {
		next = p->next;
		kfree(p);
	}
	kvfree(programs);
}
