/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_NOTHING_H
#define NT_NOTHING_H

#include <linux/types.h>

/*
 * Only returns_check.c calls it, so that a filter that selects only this function selects nothing that
 * is called.
 */
void nt_nothing(void);
/* Its code has run, so the hooks at its entry are over. */
extern bool nt_nothing_ran;

#endif
