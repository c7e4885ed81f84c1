/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Switches of the test builds, which break the tracer on purpose so that the tests
 * are seen to fail:
 *   NT_TEST_RECURSE	the hook calls a function that ftrace traces
 *   NT_TEST_NO_GUARD	the guard lets everything in
 */
#ifndef NT_TEST_H
#define NT_TEST_H

#ifdef NT_TEST_RECURSE
void nt_test_traced(void);
#define nt_test_recurse() do {		\
	instrumentation_begin();	\
	nt_test_traced();		\
	instrumentation_end();		\
} while (0)
#else
#define nt_test_recurse() do { } while (0)
#endif

#endif
