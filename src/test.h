/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Switches of the test builds, which break the tracer on purpose so that the tests
 * are seen to fail:
 *   NT_TEST_RECURSE	the hook calls a function that ftrace traces
 *   NT_TEST_FAULT	the hook reads what is not mapped, and the fault is fixed up
 *   NT_TEST_BREAKPOINT	the hook has an int3, which somebody must take as his own
 *   NT_TEST_KCSAN	the hook is no noinstr, so that KCSAN sees its accesses
 *   NT_TEST_RACE		of KCSAN's: the time of the newest record is stored unmarked
 *   NT_TEST_NO_GUARD	the guard lets everything in
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
/* the one store that the reader of a ring looks at without any order */
#undef WRITE_ONCE
#define WRITE_ONCE(x, val)						\
do {									\
	if (!__builtin_strcmp(#x, "r->last"))				\
		(x) = (val);						\
	else								\
		__WRITE_ONCE(x, val);					\
} while (0)
#endif

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

	/* the last page of all is never mapped */
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
static __always_inline void nt_test_recurse(void)
{
}
#endif

#endif
