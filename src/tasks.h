/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of tasks that are gone before userspace can look in /proc: noted when they call
 * exec and when they exit, while their session runs. The probes stay until the session is
 * closed, because to remove them is to wait for RCU.
 *
 * Context of all: may sleep; session->lock is held, except by nt_tasks_free().
 */
#ifndef NT_TASKS_H
#define NT_TASKS_H

#include "uapi/nestrace.h"

struct nt_session;

/* Note names whenever @s runs. Return: 0 or a negative error. May be called again. */
int nt_tasks_start(struct nt_session *s);
/* Remove the probes: @s will not run again. */
void nt_tasks_stop(struct nt_session *s);
/* Free the names; no probe is left. */
void nt_tasks_free(struct nt_session *s);
/*
 * Move the oldest names, *@nr at most, to @user. *@nr becomes their number, and *@dropped
 * the number of older names that were pushed out since the start. Return: 0, -ENOMEM or -EFAULT.
 */
int nt_tasks_take(struct nt_session *s, struct nestrace_task __user *user, u32 *nr, u32 *dropped);

#endif
