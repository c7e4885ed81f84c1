// SPDX-License-Identifier: GPL-2.0
/*
 * A helper for the tests: functions with known return values, a tail call, and one that sleeps.
 *
 *   echo "twice 100" > /proc/nt_return	calls nt_twice(0) to nt_twice(99), which returns 2 * n + 1
 *   echo "tail 100" > /proc/nt_return	calls nt_tail(), which ends with a jump to nt_twice()
 *   echo "sleep 500" > /proc/nt_return	calls nt_sleep(), which sleeps for 500 ms
 *   echo "exit 1" > /proc/nt_return	a thread exits inside of nt_exit()
 */
#include <linux/delay.h>
#include <linux/kthread.h>

#define HELPER_TEXT 64
#include "nt_helper.h"

u64 nt_twice(u64 n);
u64 nt_tail(u64 n);
int nt_sleep(unsigned int ms);
int nt_exit(void *unused);

noinline u64 nt_twice(u64 n)
{
	barrier();
	return 2 * n + 1;
}

noinline u64 nt_tail(u64 n)
{
	barrier();
	/* the last call: GCC makes it a jump */
	return nt_twice(n);
}

noinline int nt_sleep(unsigned int ms)
{
	msleep(ms);
	return -(int)ms;
}

noinline int nt_exit(void *unused)
{
	kthread_complete_and_exit(NULL, 0);
	return 1;
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	return NMI_DONE;
}

static int command(char *text)
{
	struct task_struct *task;
	unsigned int i, nr;
	char word[16];

	if (sscanf(text, "%15s %u", word, &nr) != 2)
		return -EINVAL;
	if (!strcmp(word, "sleep")) {
		nt_sleep(nr);
		return 0;
	}
	if (!strcmp(word, "exit")) {
		for (i = 0; i < nr; i++) {
			task = kthread_run(nt_exit, NULL, "nt_exit");
			if (IS_ERR(task))
				return PTR_ERR(task);
		}
		msleep(100);
		return 0;
	}
	for (i = 0; i < nr; i++)
		if (!strcmp(word, "tail") ? nt_tail(i) != 2 * i + 1 : nt_twice(i) != 2 * i + 1)
			return -EIO;
	return 0;
}

static int show(struct seq_file *m, void *v)
{
	return 0;
}

module_init(helper_register);
module_exit(helper_unregister);
MODULE_DESCRIPTION("test helper for nestrace: functions with known return values");
MODULE_LICENSE("GPL");
