// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/workqueue.h>

#include "wq.h"

struct workqueue_struct *nt_wq __ro_after_init;

int __init nt_wq_init(void)
{
	nt_wq = alloc_workqueue("nestrace", WQ_UNBOUND, 0);
	return nt_wq ? 0 : -ENOMEM;
}

void nt_wq_exit(void)
{
	destroy_workqueue(nt_wq);
}
