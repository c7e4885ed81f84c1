/* SPDX-License-Identifier: GPL-2.0 */
/* Facts about some functions of the kernel, by their names. */
#ifndef LIB_FUNCTION_TRAITS_H
#define LIB_FUNCTION_TRAITS_H

#include <stddef.h>
#include <stdint.h>

/* It may sleep whatever its arguments are, so that to call it in atomic context is a bug. */
#define TRAIT_SLEEPS	(1U << 0)
/* Called by itself: it is called by each function that may sleep, and names it as its caller. */
#define TRAIT_MIGHT_SLEEP	(1U << 1)
/* Code of the way in of an exception or an interrupt. Before it, interrupts were on. */
#define TRAIT_ENTRY	(1U << 2)
/* Code of the way out to what was interrupted. After it, interrupts are on. */
#define TRAIT_EXIT	(1U << 3)
/* The way to user mode and back. */
#define TRAIT_USER	(1U << 14)
/* A task goes on after a switch: others ran before. */
#define TRAIT_SWITCH	(1U << 15)
/* It calls handlers in interrupts, one after the other. */
#define TRAIT_HANDLERS	(1U << 4)
/* It turns interrupts and preemption on before it returns. */
#define TRAIT_ENABLES	(1U << 16)
/* It may turn interrupts on at its end, or lowers the count of preemption by one. */
#define TRAIT_IRQS_ON	(1U << 10)
#define TRAIT_PREEMPT_ON	(1U << 11)
/* Assembly through which an interrupt comes, or an exception at NMI level. */
#define TRAIT_INTERRUPT	(1U << 5)
#define TRAIT_NMI_LEVEL	(1U << 12)
/* Unwinding ends here, and that is no hazard: retpolines, and where other tracers let functions return to. */
#define TRAIT_HOOKED	(1U << 13)
/* Code that runs softirqs. */
#define TRAIT_SOFTIRQS	(1U << 6)
/* Code within which preempt_count says hardirq, softirq, or NMI. */
#define TRAIT_IN_HARDIRQ	(1U << 7)
#define TRAIT_IN_SOFTIRQ	(1U << 8)
#define TRAIT_IN_NMI	(1U << 9)

struct function_trait;

/* By address. */
struct function_traits {
	struct function_trait *trait;
	size_t nr;
	uint64_t *start;		/* of all functions, those of modules included */
	size_t nr_starts;
};

/* Find the functions in lines of kallsyms. */
struct function_traits function_traits_of(const char *symbols);
/* Return the traits of the function at @ip. */
uint32_t function_traits_at(const struct function_traits *t, uint64_t ip);
/* Return where the function at @ip begins; 0: it is not known. */
uint64_t function_traits_start(const struct function_traits *t, uint64_t ip);
void function_traits_free(struct function_traits *t);

#endif
