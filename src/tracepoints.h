/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Probes on the kernel's own tracepoints, by name: those of the scheduler are not
 * exported as symbols. Process context, may sleep. Probes may not sleep;
 * nt_unprobe_wait() waits for those that still run.
 */
#ifndef NT_TRACEPOINTS_H
#define NT_TRACEPOINTS_H

/* -ENOENT: this kernel has no such tracepoint */
int nt_probe(const char *name, void *probe, void *data);
void nt_unprobe(const char *name, void *probe, void *data);
void nt_unprobe_wait(void);

#endif
