/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lets a reader of the machine's memory find the rings after a crash: uapi/nestrace_dump.h.
 *
 * Invariant: whatever a pointer in there leads to is complete before the pointer is written, and is freed
 * after it has been cleared.
 */
#ifndef NT_ANCHOR_H
#define NT_ANCHOR_H

#include <linux/types.h>

struct nt_session;

/* Return: 0 or -ENOMEM. Context: module load. */
int nt_anchor_init(void);
void nt_anchor_exit(void);

/*
 * Let @s be found; its rings exist. Return: 0, -EINTR or -ENOMEM. With more sessions than there is room for, it
 * is not found. Context: may sleep; @s->lock is held.
 */
int nt_anchor_add(struct nt_session *s);
/* Context: may sleep; the rings still exist. */
void nt_anchor_remove(struct nt_session *s);
/* Set the number by which a reader recognises @s. Context: may sleep; @s->lock is held. */
void nt_anchor_set_cookie(struct nt_session *s, u64 cookie);

#endif
