/* SPDX-License-Identifier: GPL-2.0 */
/* A session that records from the module's load on, as its parameters say, until a command takes it over. */
#ifndef NT_BOOT_H
#define NT_BOOT_H

#include <linux/types.h>

struct nestrace_boot;
struct nt_session;

/* Start it, if the parameters ask for it. A failure is in the log, and keeps nothing else from working. Context: module load. */
void nt_boot_init(void);
void nt_boot_exit(void);

/*
 * Describe it. From now on, what tasks with the caller's address space do in task context is filtered. Return: 0, or
 * -ENOENT: there is none. Context: may sleep.
 */
int nt_boot_describe(struct nestrace_boot *arg);
/* Take it over. Return: NULL: there is none. Context: may sleep. */
struct nt_session *nt_boot_take(void);
/* Give it back. Context: may sleep. */
void nt_boot_put_back(struct nt_session *s);

#endif
