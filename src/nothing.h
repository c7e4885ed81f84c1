/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_NOTHING_H
#define NT_NOTHING_H

/*
 * Only returns_check.c calls it, so that a filter that selects only this function selects nothing that
 * is called.
 */
void nt_nothing(void);

#endif
