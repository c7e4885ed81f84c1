/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session in a region, which a reader finds after the machine was reset, or after its recorder was killed. The
 * counters of the hook are not there, but copies of them: the hook makes one with each sub-buffer, and once a second,
 * at a reboot and in a panic there is another.
 */
#ifndef NT_PERSIST_H
#define NT_PERSIST_H

#include <linux/types.h>

struct nt_session;

/* Return: 0 or a negative error. Context: module load. */
int nt_persist_init(void);
void nt_persist_exit(void);

/* Context of the rest: may sleep; @s->lock is held, except for the last. */

/* Let a reader find @s, whose rings are in its region. Return: 0, -EINTR or -ENOSPC. */
int nt_persist_add(struct nt_session *s);
void nt_persist_set_cookie(struct nt_session *s, u64 cookie);
/* Give up the region, which keeps what @s has recorded; the counters still exist. Context: @s is stopped. */
void nt_persist_remove(struct nt_session *s);

#endif
