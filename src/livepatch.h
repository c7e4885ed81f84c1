/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's livepatches, and the tasks that hold a transition. */
#ifndef NT_LIVEPATCH_H
#define NT_LIVEPATCH_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "uapi/nestrace.h"

/* Return: NESTRACE_FEATURE_LIVEPATCH, or 0. Context: module load. */
int nt_livepatch_init(void);
/* Wait for what may still run in here. Context: module unload, after the device is gone. */
void nt_livepatch_exit(void);
/* Do what NESTRACE_IOC_LIVEPATCH says. Return: 0 or its error. Context: may sleep. */
int nt_livepatch_describe(struct nestrace_livepatch *arg);

#endif
