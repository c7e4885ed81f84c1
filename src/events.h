/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace events of trace.h have a hook of their own, which uses only the counters of its
 * rings.
 *
 * Invariant: the hook is registered while an event that needs it is enabled, the module is
 * ready, and the filter selects something. A change takes effect asynchronously; enabling
 * and disabling an event waits for it wherever sleeping is allowed. While the hook is
 * registered, the module cannot be unloaded.
 */
#ifndef NT_EVENTS_H
#define NT_EVENTS_H

#include <linux/types.h>

struct nestrace_info;

/* Return: 0 or a negative error. Context: module load. */
int nt_events_init(void);
/* Let the hook be registered: loading has succeeded. Context: module load. */
void nt_events_set_ready(void);
/* Context: module unload, or a load that fails. The hook is not registered. */
void nt_events_exit(void);

/* Count an event that needs the hook. Context: the kernel holds its mutex on tracepoints. */
int nt_events_get_user(void);
void nt_events_put_user(void);

/* Fill the fields events_*. Context: may sleep. */
void nt_events_info(struct nestrace_info *info);
/* Emit nestrace:lost: the reader of @cpu's stream was handed a gap. Context: may sleep. */
void nt_events_lost(unsigned int cpu, u64 count);

#endif
