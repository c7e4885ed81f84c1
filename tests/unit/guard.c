// SPDX-License-Identifier: GPL-2.0
/* The guards of one CPU, which lie side by side in a few words: src/guard.h. */
#include "one_cpu.h"
#include "spec.h"

#define IRQS_ON		0x200UL

static unsigned long ip_of(unsigned int slot)
{
	return 0xffffffff81000000UL + 16 * slot;
}

static void take(unsigned int slot)
{
	nt_guard_take(slot, ip_of(slot), IRQS_ON);
}

/* Return: a letter for each slot: h if its guard is held with the right ip, - if it is free. */
static const char *all(void)
{
	static char text[NESTRACE_NR_SLOTS + 1];
	unsigned int slot;

	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		text[slot] = !nt_guard_held(slot) && !nt_guard_ip(slot) ? '-' :
			     nt_guard_held(slot) && nt_guard_ip(slot) == ip_of(slot) ? 'h' : '?';
	return text;
}

/* Return: what a hit of each slot sees if only the guard of @held is: s it sees that, - it does not. */
static const char *seen_from_all(unsigned int held)
{
	static char text[NESTRACE_NR_SLOTS + 1];
	unsigned int slot;

	take(held);
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		text[slot] = nt_guard_any_upto(slot) ? 's' : '-';
	nt_guard_leave(held);
	return text;
}

int main(void)
{
	char want[NESTRACE_NR_SLOTS + 1];
	unsigned int slot, other;

	spec("guard: at first all are free");
	for (slot = 0; slot < NT_FIRST_MASKED; slot++)
		nt_guards.word[slot] = NT_GUARD_FREE;
	memset(want, '-', NESTRACE_NR_SLOTS);
	is(all(), want);

	spec("guard: each is held and freed without another");
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		take(slot);
		want[slot] = 'h';
		is(all(), want);
		nt_guard_leave(slot);
		want[slot] = '-';
		is(all(), want);
	}

	spec("guard: each is freed while all others are held");
	memset(want, 'h', NESTRACE_NR_SLOTS);
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		take(slot);
	is(all(), want);
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		nt_guard_leave(slot);
		want[slot] = '-';
		is(all(), want);
		take(slot);
		want[slot] = 'h';
	}
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		nt_guard_leave(slot);

	spec("guard: a hit sees those of the contexts that it may have interrupted");
	is_number(NT_FIRST_MASKED, 2);
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		/* the task and softirq are seen by all, a hardirq by itself and above, the rest by each other */
		for (other = 0; other < NESTRACE_NR_SLOTS; other++)
			want[other] = slot < NT_FIRST_MASKED || other > NESTRACE_SLOT_HARDIRQ ||
				      (slot == NESTRACE_SLOT_HARDIRQ && other == slot) ? 's' : '-';
		is(seen_from_all(slot), want);
	}

	spec("guard: the flags of an open slot are its holder's, and of nobody when it is free");
	for (slot = 0; slot < NT_FIRST_MASKED; slot++) {
		is_number(nt_guard_irqs_on(slot), 0);
		take(slot);
		is_number(nt_guard_irqs_on(slot), 1);
		nt_guard_irqs(slot, 0);
		is_number(nt_guard_irqs_on(slot), 0);
		is_number(nt_guard_irqs_on(!slot), 0);
		nt_guard_irqs(slot, IRQS_ON);
		is_number(nt_guard_irqs_on(slot), 1);
		nt_guard_leave(slot);
		is_number(nt_guards.word[slot], NT_GUARD_FREE);
	}

	spec_end();
	return specs_failed != 0;
}
