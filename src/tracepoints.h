/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's tracepoints, found by name: those of tasks are not exported. */
#ifndef NT_TRACEPOINTS_H
#define NT_TRACEPOINTS_H

/* Return: NESTRACE_FEATURE_TASKS or 0. Context: module load. */
int nt_tracepoints_init(void);

/*
 * Call @probe, with @data as its first argument, whenever the tracepoint @name fires.
 * Return: 0, -ENOENT if this kernel has no such tracepoint, or another negative error.
 * Context: may sleep.
 */
int nt_probe(const char *name, void *probe, void *data);

/*
 * Undo nt_probe(). The probe may still run until tracepoint_synchronize_unregister() has
 * returned. Context: may sleep.
 */
void nt_unprobe(const char *name, void *probe, void *data);

#endif
