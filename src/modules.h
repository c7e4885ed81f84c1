/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The modules that come and go while a session is open, with their symbols: once a module is
 * gone, nothing else knows the names of the functions that were traced in it.
 */
#ifndef NT_MODULES_H
#define NT_MODULES_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "uapi/nestrace.h"

struct nt_session;

struct nt_modules {
	struct mutex lock;
	struct list_head notes;		/* oldest first */
	size_t bytes;			/* of the notes */
	struct list_head node;		/* of all sessions */
};

/* Watch modules, for notes and for filters. Context: module load and unload. */
int nt_modules_init(void);
void nt_modules_exit(void);

/* Context of these: may sleep; session->lock need not be held. */

/* Note every module that comes or goes from here on. */
void nt_modules_open(struct nt_session *s);
/* Stop that, and free the notes. */
void nt_modules_close(struct nt_session *s);
/* Note the module @name as it is now. Return: 0, -ENOENT or -ENOMEM. */
int nt_modules_note(struct nt_session *s, const char *name);
/*
 * Move the oldest notes, *@len bytes at most, to @user. *@len becomes their bytes, or for
 * -EMSGSIZE those of the oldest note. Return: 0, -EMSGSIZE or -EFAULT.
 */
int nt_modules_take(struct nt_session *s, void __user *user, u32 *len);

#endif
