/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Switches of the test builds, which break the tracer on purpose so that the tests are seen
 * to fail. Kbuild includes this file before any other, in test builds only.
 *   NT_TEST_RECURSE	the hook calls a function that ftrace traces
 *   NT_TEST_FAULT	the hook reads an unmapped address, and the fault is fixed up
 *   NT_TEST_BREAKPOINT	the hook hits an int3, which a helper module handles
 *   NT_TEST_KCSAN	the hook is not noinstr, so that KCSAN sees its accesses
 *   NT_TEST_RACE	with KCSAN: the time of the newest record is stored unmarked
 *   NT_TEST_NO_GUARD	the guard admits every hit
 */
#ifndef NT_TEST_H
#define NT_TEST_H

#include <linux/compiler.h>
#include <linux/instrumentation.h>

#ifdef NT_TEST_KCSAN
#undef noinstr
#define noinstr notrace noinline
#endif

#ifdef NT_TEST_RACE
/* unmark the one store that the reader of a ring looks at without any order */
#undef WRITE_ONCE
#define WRITE_ONCE(x, val)						\
do {									\
	if (!__builtin_strcmp(#x, "r->last"))				\
		(x) = (val);						\
	else								\
		__WRITE_ONCE(x, val);					\
} while (0)
#endif

#define nt_test_recurse	nt_test_recurse
#if defined(NT_TEST_RECURSE)
void nt_test_traced(void);

static __always_inline void nt_test_recurse(void)
{
	instrumentation_begin();
	nt_test_traced();
	instrumentation_end();
}
#elif defined(NT_TEST_FAULT)
#include <linux/uaccess.h>

static __always_inline void nt_test_recurse(void)
{
	int value;

	/* the last page of the address space is never mapped */
	__get_kernel_nofault(&value, (int *)-PAGE_SIZE, int, fixed_up);
fixed_up:
	return;
}
#elif defined(NT_TEST_BREAKPOINT)
static __always_inline void nt_test_recurse(void)
{
	asm volatile("int3");
}
#else
#undef nt_test_recurse
#endif

#endif
