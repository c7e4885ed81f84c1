/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Callbacks of a suspend and of the resume, on one CPU with interrupts off. Those of a module come
 * first in a suspend and last in a resume. Kbuild looks whether they have an argument.
 */
#ifndef NT_COMPAT_SYSCORE_H
#define NT_COMPAT_SYSCORE_H

#include <linux/syscore_ops.h>

/* Define the static @name, with int @suspend_fn(void) and void @resume_fn(void). */
#ifdef NT_SYSCORE_DATA
#define NT_SYSCORE(name, suspend_fn, resume_fn)				\
static int name##_suspend(void *data)					\
{									\
	return suspend_fn();						\
}									\
									\
static void name##_resume(void *data)					\
{									\
	resume_fn();							\
}									\
									\
static const struct syscore_ops name##_ops = {				\
	.suspend = name##_suspend, .resume = name##_resume,		\
};									\
static struct syscore name = { .ops = &name##_ops }
#define nt_register_syscore	register_syscore
#define nt_unregister_syscore	unregister_syscore
#else
#define NT_SYSCORE(name, suspend_fn, resume_fn)	\
static struct syscore_ops name = { .suspend = suspend_fn, .resume = resume_fn }
#define nt_register_syscore	register_syscore_ops
#define nt_unregister_syscore	unregister_syscore_ops
#endif

#endif
