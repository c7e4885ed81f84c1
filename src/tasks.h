/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names that tasks no longer have: each is noted when the task gets another one and when
 * it exits, from the first start of the session until it is closed.
 *
 * Context of all: may sleep; session->lock is held, except by nt_tasks_free() and
 * nt_tasks_running().
 */
#ifndef NT_TASKS_H
#define NT_TASKS_H

#include "uapi/nestrace.h"

struct nt_session;

/* Note names from here on. Return: 0 or a negative error. May be called again. */
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
/*
 * Store the names of all tasks in @user, *@nr at most. *@nr becomes their number.
 * Return: 0, -ENOMEM or -EFAULT.
 */
int nt_tasks_running(struct nestrace_task __user *user, u32 *nr);

#endif
