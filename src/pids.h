/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pids that a hook traces: a bitmap, so that the hook looks its pid up by one load.
 *
 * Invariant: while new tasks are watched, the bit of a new task is set or cleared before
 * that task runs. The bit of a task that is gone stays until the pid is reused.
 */
#ifndef NT_PIDS_H
#define NT_PIDS_H

#include <linux/types.h>

struct cgroup;
struct nt_hook;

struct nt_pids {
	struct nt_hook *hook;		/* whose @pids this is */
	bool watching;			/* new tasks are seen */
	struct cgroup *cgroup;		/* the bits are those of its tasks; NULL: of chosen ones */
	bool watching_cgroup;		/* tasks that come to another one are seen */
	bool children;			/* and inherit the bit of their parent, not only threads */
};

void nt_pids_init(struct nt_pids *p, struct nt_hook *hook);

/*
 * Trace the task @nr of the caller's pid namespace.
 * @process: and all threads of its process, those that start later too.
 * @children: and every task that a traced task creates from now on.
 * Return: 0, -ESRCH, -ENOMEM, or -EOPNOTSUPP if this kernel does not show new tasks.
 * Context: may sleep; the hook is not registered, and calls are serialised.
 */
int nt_pids_add(struct nt_pids *p, pid_t nr, bool process, bool children);

/*
 * Trace the tasks of a cgroup (version 2) and of those in it, as tasks come and go. @fd: of its directory.
 * Return: 0, -EBADF: it is none; -EINVAL: there are pids or another one; -ENOMEM, or -EOPNOTSUPP if this kernel
 * does not show such changes. Context: as nt_pids_add().
 */
int nt_pids_set_cgroup(struct nt_pids *p, int fd);

/* Drop all pids: then every task is traced. Context: as nt_pids_add(). */
void nt_pids_clear(struct nt_pids *p);

#endif
