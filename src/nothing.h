/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_NOTHING_H
#define NT_NOTHING_H

/* It is never called, so that a filter that selects only this function selects nothing. */
void nt_nothing(void);

#endif
