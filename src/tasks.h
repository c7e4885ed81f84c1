/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_TASKS_H
#define NT_TASKS_H

#include "uapi/nestrace.h"

struct nt_session;

/* All in process context; session->lock is held, but for nt_tasks_free(). */
/* Notes names from now on, while the session runs; it may have been called before. */
int nt_tasks_start(struct nt_session *s);
/* The session will not run again. */
void nt_tasks_stop(struct nt_session *s);
void nt_tasks_free(struct nt_session *s);
int nt_tasks_take(struct nt_session *s, struct nestrace_task __user *user, u32 *nr, u32 *dropped);

#endif
