/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Our own workqueue: our works take ftrace's lock, whose holder may be waiting for the works
 * of the system's workqueue.
 */
#ifndef NT_WQ_H
#define NT_WQ_H

struct workqueue_struct;

extern struct workqueue_struct *nt_wq;

/* Return: 0 or -ENOMEM. Context: module load. */
int nt_wq_init(void);
/* Wait for the works and free the queue. Context: module unload. */
void nt_wq_exit(void);

#endif
