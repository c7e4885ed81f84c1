/* SPDX-License-Identifier: GPL-2.0 */
/* What main.c sets up and takes down, in its order. */
#ifndef NT_MAIN_H
#define NT_MAIN_H

#include <linux/types.h>

struct nestrace_info;
struct workqueue_struct;

#define NT_VERSION	"0.1.0"

extern u32 nt_features;		/* NESTRACE_FEATURE_ bits, fixed once loaded */
/* for what waits under ftrace's lock: not the system's, whose works that lock's holder waits for */
extern struct workqueue_struct *nt_wq;

int nt_stacks_init(void);
void nt_stacks_exit(void);
int nt_rcu_init(void);
int nt_filter_init(void);
int nt_clock_init(void);
int nt_tracepoints_init(void);
int nt_selftest(void);
int nt_events_init(void);
void nt_events_set_ready(void);
void nt_events_exit(void);
int nt_device_init(void);
void nt_device_exit(void);

/* events.c, while the module is loaded */
void nt_events_info(struct nestrace_info *info);
void nt_events_lost(unsigned int cpu, u64 count);

#endif
