// SPDX-License-Identifier: GPL-2.0
/* Programs of arguments, as the module checks and runs them: src/args.c, src/fetch.c. */
#include <errno.h>
#include <stdio.h>

#include "args.h"
#include "fetch.h"
#include "one_cpu.h"
#include "ring.h"
#include "spec.h"

/* The kernel's memory is this one; nothing else is there. */
char unit_memory[256];
unsigned int unit_peeks, unit_peeks_interrupted;	/* and those that an interrupt could have come in */

static struct pt_regs entry;
static u64 on_stack[8];		/* the return address, and arguments behind it */
static struct nt_programs *programs;

unsigned long nt_filter_location_of(unsigned long addr)
{
	return addr > 1000 ? 0 : addr + 4;
}

static struct nt_program *make(struct nestrace_args arg, const struct nestrace_step *step)
{
	return nt_program_new(&arg, step);
}

#define STEPS(...)	((struct nestrace_step[]){ __VA_ARGS__ })
#define NR(steps)	(sizeof(steps) / sizeof((steps)[0]))
#define ARG(n)		{ .op = NESTRACE_OP_ARG, .a = (n) }
#define READ(n, off)	{ .op = NESTRACE_OP_READ, .a = (n), .value = (u64)(off) }
#define TEST(r, v)	{ .op = NESTRACE_OP_TEST, .a = NESTRACE_##r, .value = (u64)(v) }
#define STEST(r, v)	{ .op = NESTRACE_OP_TEST, .a = NESTRACE_##r, .c = 1, .value = (u64)(v) }
#define STORE		{ .op = NESTRACE_OP_STORE }
#define STRING(n)	{ .op = NESTRACE_OP_STRING, .a = (n) }
#define BITS(l, r, s)	{ .op = NESTRACE_OP_BITS, .a = (l), .b = (r), .c = (s) }
#define BOTH		{ .op = NESTRACE_OP_BOTH }
#define EITHER		{ .op = NESTRACE_OP_EITHER }
#define RETVAL		{ .op = NESTRACE_OP_RETVAL }

/* Do these steps, as a condition of the entry, pass? -1: they are refused. */
#define passes(...) ({									\
	struct nestrace_step steps_[] = { __VA_ARGS__ };				\
	struct nt_program *p_ = make((struct nestrace_args){ .nr_if = NR(steps_) }, steps_); \
	int yes_ = IS_ERR(p_) ? -1 : nt_fetch_call_passes(p_, &entry, NESTRACE_SLOT_TASK);			\
											\
	if (!IS_ERR(p_))								\
		free(p_);								\
	yes_;										\
})

#define refused(...)	is_number(passes(__VA_ARGS__), (u64)-1)

/* Store @values words with these steps in @out, behind the word of what failed. Return: false if refused. */
static bool fetch(unsigned int values, const struct nestrace_step *steps, unsigned int nr, struct nt_args *out)
{
	struct nt_program *p = make((struct nestrace_args){ .values = values, .nr_fetch = nr }, steps);

	if (IS_ERR(p))
		return false;
	nt_fetch(p, &entry, NESTRACE_SLOT_TASK, out);
	free(p);
	return true;
}

static u64 memory(unsigned int at)
{
	return (u64)(unsigned long)unit_memory + at;
}

static void conditions(void)
{
	spec("args: arguments are those of the calling convention: six registers, then the stack");
	entry = (struct pt_regs){ .di = 10, .si = 11, .dx = 12, .cx = 13, .r8 = 14, .r9 = 15,
				  .sp = memory(0) };
	on_stack[0] = 99, on_stack[1] = 16, on_stack[2] = 17;
	memcpy(unit_memory, on_stack, sizeof(on_stack));
	is_number(passes(ARG(0), TEST(EQUAL, 10)), 1);
	is_number(passes(ARG(5), TEST(EQUAL, 15)), 1);
	is_number(passes(ARG(6), TEST(EQUAL, 16)), 1);
	is_number(passes(ARG(7), TEST(EQUAL, 17)), 1);

	spec("args: each relation, with and without signs");
	entry.di = -5;
	is_number(passes(ARG(0), STEST(LESS, 0)), 1);
	is_number(passes(ARG(0), TEST(LESS, 0)), 0);
	is_number(passes(ARG(0), STEST(GREATER, -6)), 1);
	is_number(passes(ARG(0), STEST(GREATER, -5)), 0);
	is_number(passes(ARG(0), STEST(GREATER_EQUAL, -5)), 1);
	is_number(passes(ARG(0), STEST(LESS_EQUAL, -5)), 1);
	is_number(passes(ARG(0), STEST(LESS_EQUAL, -6)), 0);
	is_number(passes(ARG(0), TEST(NOT_EQUAL, 1)), 1);

	spec("args: answers are joined");
	is_number(passes(ARG(1), TEST(EQUAL, 11), ARG(2), TEST(EQUAL, 0), EITHER), 1);
	is_number(passes(ARG(1), TEST(EQUAL, 11), ARG(2), TEST(EQUAL, 0), BOTH), 0);
	is_number(passes(ARG(1), TEST(EQUAL, 11), ARG(2), TEST(EQUAL, 12), ARG(3), TEST(EQUAL, 0), EITHER, BOTH), 1);
	is_number(passes(ARG(1), TEST(EQUAL, 0), ARG(2), TEST(EQUAL, 12), BOTH, ARG(3), TEST(EQUAL, 13), EITHER), 1);

	spec("args: bits are taken out, with their sign");
	entry.di = 0xffff80f0;
	is_number(passes(ARG(0), BITS(48, 48, 1), STEST(EQUAL, -32528)), 1);
	is_number(passes(ARG(0), BITS(56, 60, 0), TEST(EQUAL, 15)), 1);

	spec("args: memory is read; where there is none, each test of it says no");
	unit_memory[100] = 0x81;
	unit_memory[101] = 1;
	entry.di = memory(98);
	is_number(passes(ARG(0), READ(1, 2), TEST(EQUAL, 0x81)), 1);
	is_number(passes(ARG(0), READ(2, 2), TEST(EQUAL, 0x181)), 1);
	is_number(passes(ARG(0), READ(8, 1000), TEST(EQUAL, 0)), 0);
	is_number(passes(ARG(0), READ(8, 1000), TEST(NOT_EQUAL, 0)), 0);
	is_number(passes(ARG(0), READ(8, 1000), TEST(NOT_EQUAL, 0), ARG(1), TEST(EQUAL, 11), EITHER), 1);
	entry.di = 0;
	is_number(passes(ARG(0), READ(8, 0), READ(8, 0), TEST(EQUAL, 0)), 0);

	spec("args: texts are compared to their end");
	strcpy(unit_memory + 120, "exactly8");
	entry.di = memory(120);
#define TEXT(n, ...)	{ .op = NESTRACE_OP_TEST_STRING, .a = (n), .c = other }, __VA_ARGS__
#define DATA(text)	{ .op = NESTRACE_OP_DATA, .value = (text) }
	for (int other = 0; other < 2; other++) {
		is_number(passes(ARG(0), TEXT(2, DATA(0x38796c7463617865ULL), DATA(0))), !other);
		is_number(passes(ARG(0), TEXT(1, DATA(0x00796c7463617865ULL))), other);
		is_number(passes(ARG(0), TEXT(2, DATA(0x38796c7463617865ULL), DATA(1))), other);
	}
	entry.di = memory(1000);
	for (int other = 0; other < 2; other++)
		is_number(passes(ARG(0), TEXT(1, DATA(0))), 0);
	{
		int other = 0;

		refused(ARG(0), TEXT(1, DATA(0x38796c7463617865ULL)));
		refused(ARG(0), TEXT(2, DATA(0)));
		refused(ARG(0), TEXT(1, STORE));
	}
}

static void stores(void)
{
	struct nt_args *out = malloc(nt_args_bytes(1 + 64));

	spec("args: values are stored, and what could not be read is marked");
	strcpy(unit_memory + 200, "a text");
	entry.di = memory(200);
	entry.si = memory(5000);
	is_number(fetch(6, STEPS(ARG(0), STRING(2), ARG(1), READ(4, 0), STORE, ARG(1), STRING(2), ARG(2), STORE), 9, out), 1);
	is_number(out->nr, 7);
	is_number(out->word[0], 1 << 1 | 1 << 2);
	is((char *)&out->word[1], "a text");
	is_number(out->word[3], 0);
	is_number(out->word[4], 0);
	is_number(out->word[6], 12);

	spec("args: a long text is cut, and ends; one that goes beyond what is there is not read");
	memset(unit_memory + 176, 'x', 80);
	entry.di = memory(176);
	is_number(fetch(2, STEPS(ARG(0), STRING(2)), 2, out), 1);
	is((char *)&out->word[1], "xxxxxxxxxxxxxxx");
	is_number(fetch(16, STEPS(ARG(0), STRING(16)), 2, out), 1);
	is_number(out->word[0], 1);
	is_number(out->word[1] | out->word[9] | out->word[10], 0);
	unit_memory[255] = '\0';
	is_number(fetch(16, STEPS(ARG(0), STRING(16)), 2, out), 1);
	is_number(out->word[0], 0);
	is_number(strlen((char *)&out->word[1]), 79);

	spec("args: steps store as many words as were said");
	is_number(fetch(1, STEPS(ARG(0), STRING(2)), 2, out), 0);
	is_number(fetch(3, STEPS(ARG(0), STRING(2)), 2, out), 0);
	is_number(fetch(0, STEPS(ARG(0), STRING(0)), 2, out), 0);
	is_number(fetch(1, STEPS(ARG(0), TEST(EQUAL, 0), STORE), 3, out), 0);
	is_number(fetch(1, STEPS(RETVAL, STORE), 2, out), 0);
	is_number(fetch(65, STEPS(ARG(0), STRING(65)), 2, out), 0);
	free(out);
}

static void refusals(void)
{
	struct nestrace_step unclean = { .op = NESTRACE_OP_ARG, .b = 1 };

	spec("args: steps that are not valid are refused");
	refused(TEST(EQUAL, 0));
	refused(READ(8, 0), TEST(EQUAL, 0));
	refused(ARG(0));
	refused(ARG(24), TEST(EQUAL, 0));
	refused(ARG(0), READ(3, 0), TEST(EQUAL, 0));
	refused(ARG(0), READ(16, 0), TEST(EQUAL, 0));
	refused(ARG(0), READ(0, 0), TEST(EQUAL, 0));
	refused(ARG(0), BITS(64, 0, 0), TEST(EQUAL, 0));
	refused(ARG(0), BITS(0, 0, 2), TEST(EQUAL, 0));
	refused(ARG(0), TEST(EQUAL, 0), BOTH);
	refused(ARG(0), TEST(EQUAL, 0), ARG(0), TEST(EQUAL, 0));
	refused(ARG(0), STORE, TEST(EQUAL, 0));
	refused(RETVAL, TEST(EQUAL, 0));
	refused(ARG(0), { .op = NESTRACE_OP_DATA }, TEST(EQUAL, 0));
	refused(ARG(0), { .op = NESTRACE_NR_OPS }, TEST(EQUAL, 0));
	refused(ARG(0), { .op = NESTRACE_OP_TEST, .a = NESTRACE_NR_RELATIONS });
	refused(unclean, TEST(EQUAL, 0));
	refused({ .op = NESTRACE_OP_ARG, .reserved = 1 }, TEST(EQUAL, 0));
	refused({ .op = NESTRACE_OP_ARG, .value = 1 }, TEST(EQUAL, 0));
}

static void returns(void)
{
	struct nt_program *p;

	spec("args: a return value is tested at the return");
	p = make((struct nestrace_args){ .nr_if = 2, .nr_exit_if = 3 },
		 STEPS(ARG(0), TEST(EQUAL, 7), RETVAL, BITS(32, 32, 1), STEST(LESS, 0)));
	is_number(IS_ERR(p), 0);
	is_number(nt_fetch_return_passes(p, 0xfffffffe, NESTRACE_SLOT_TASK), 1);
	is_number(nt_fetch_return_passes(p, 0x7fffffff, NESTRACE_SLOT_TASK), 0);
	entry.di = 7;
	is_number(nt_fetch_call_passes(p, &entry, NESTRACE_SLOT_TASK), 1);
	entry.di = 8;
	is_number(nt_fetch_call_passes(p, &entry, NESTRACE_SLOT_TASK), 0);
	free(p);
	p = make((struct nestrace_args){ .nr_exit_if = 2 }, STEPS(ARG(0), TEST(EQUAL, 7)));
	is_number(IS_ERR(p), 1);
}

static void interrupts(void)
{
	struct nt_args *out = malloc(nt_args_bytes(8));
	struct nt_program *p;

	spec("args: memory is read with interrupts off, as the guard says then, too");
	unit_peeks = unit_peeks_interrupted = 0;
	entry.di = memory(8);
	is_number(passes(ARG(0), READ(4, 0), TEST(EQUAL, 1), ARG(0), READ(4, 500), TEST(EQUAL, 1), EITHER), 0);
	is_number(fetch(1, STEPS(ARG(0), READ(8, 0), STORE), 3, out), 1);
	is_number(fetch(1, STEPS(ARG(0), STRING(1)), 2, out), 1);
	is_number(passes(ARG(6), TEST(EQUAL, 1)), 0);
	p = make((struct nestrace_args){ .words = 7 }, STEPS({ 0 }));
	nt_fetch(p, &entry, NESTRACE_SLOT_TASK, out);
	free(p);
	is_number(unit_peeks, 6);
	is_number(unit_peeks_interrupted, 0);
	is_number(irq_flags, 0x200);
	is_number(raw_cpu_read(nt_guards.half[0].irq_flags), 0x200);
	free(out);
}

static void tables(void)
{
	struct nt_hook hook = { 0 };
	struct nt_program *p, *q;
	u64 addr[900], i;

	spec("args: each function finds its program, and the others find theirs");
	is_number(nt_program_of(&hook, 5) == NULL, 1);
	p = make((struct nestrace_args){ .words = 6 }, STEPS({ 0 }));
	is_number(nt_programs_add(&programs, p, NULL, 0), 0);
	hook.programs = programs;
	is_number(nt_program_of(&hook, 5) == p, 1);
	q = make((struct nestrace_args){ .words = 7 }, STEPS({ 0 }));
	for (i = 0; i < 900; i++)
		addr[i] = i + 50;
	is_number(nt_programs_add(&programs, q, addr, 900), 0);
	hook.programs = programs;
	for (i = 0; i < 900; i++)
		if (nt_program_of(&hook, i + 54) != q)
			is_number(i, 12345);
	is_number(nt_program_of(&hook, 53) == p, 1);
	is_number(nt_program_of(&hook, 954) == p, 1);

	spec("args: the last program of a function counts");
	p = make((struct nestrace_args){ .words = 8 }, STEPS({ 0 }));
	is_number(nt_programs_add(&programs, p, addr, 2), 0);
	hook.programs = programs;
	is_number(nt_program_of(&hook, 54) == p, 1);
	is_number(nt_program_of(&hook, 56) == q, 1);

	spec("args: functions that cannot be traced are an error, if they are all");
	addr[0] = 2000;
	p = make((struct nestrace_args){ .words = 8 }, STEPS({ 0 }));
	is_number(nt_programs_add(&programs, p, addr, 1), (u64)-ENOENT);
	addr[1] = 700;
	is_number(nt_programs_add(&programs, p, addr, 2), 0);
	nt_programs_free(programs);
}

/* Run whatever is accepted: the sanitizers watch. */
static void any_steps(void)
{
	struct nestrace_step step[12];
	unsigned int seed = 1, nr, i, accepted = 0;
	struct nestrace_args arg;
	struct nt_program *p;
	struct nt_args *out;
	u64 tries;

	spec("args: whatever is accepted can be run");
	entry = (struct pt_regs){ .di = memory(3), .si = memory(250), .dx = memory(128), .sp = memory(240) };
	for (tries = 0; tries < 3000000; tries++) {
		arg = (struct nestrace_args){ .words = rand_r(&seed) % 25 };
		nr = rand_r(&seed) % 8;
		for (i = 0; i < nr; i++) {
			step[i] = (struct nestrace_step){ .op = rand_r(&seed) % NESTRACE_NR_OPS };
			if (rand_r(&seed) % 3)
				step[i].a = rand_r(&seed) % 9;
			if (rand_r(&seed) % 2)
				step[i].value = rand_r(&seed) % 3 ? rand_r(&seed) % 16 : -1ULL << rand_r(&seed) % 64;
			if (step[i].op == NESTRACE_OP_STORE)
				arg.values++;
			if (step[i].op == NESTRACE_OP_STRING)
				arg.values += step[i].a;
		}
		arg.nr_if = arg.values ? 0 : nr;
		arg.nr_fetch = arg.values ? nr : 0;
		p = make(arg, step);
		if (IS_ERR(p))
			continue;
		accepted++;
		nt_fetch_call_passes(p, &entry, NESTRACE_SLOT_TASK);
		out = malloc(nt_args_bytes(nt_program_words(p)));
		nt_fetch(p, &entry, NESTRACE_SLOT_TASK, out);
		if (out->nr != nt_program_words(p))
			is_number(out->nr, nt_program_words(p));
		free(out);
		free(p);
	}
	is_number(accepted > 10000, 1);
}

int main(void)
{
	conditions();
	stores();
	refusals();
	returns();
	interrupts();
	tables();
	any_steps();
	spec_end();
	return specs_failed > 0;
}
