// SPDX-License-Identifier: GPL-2.0
/*
 * A helper for the tests. Writing to /proc/nt_oops harms the writing task:
 *   bug    BUG()
 *   fault  an access to an address that is not mapped
 *   warn   WARN() with a text
 *   panic  panic()
 *   call ADDRESS   a function of the kernel without arguments, such as ftrace_kill()
 */
#include <linux/bug.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/proc_fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define NT_NOT_MAPPED	0xabc8UL

static noinline void nt_oops_now(const char *how)
{
	unsigned long address;

	if (sysfs_streq(how, "bug"))
		BUG();
	if (sysfs_streq(how, "fault"))
		WRITE_ONCE(*(int *)NT_NOT_MAPPED, 1);
	if (sysfs_streq(how, "panic"))
		panic("nt_oops");
	if (sscanf(how, "call %lx", &address) == 1)
		((void (*)(void))address)();
	WARN(sysfs_streq(how, "warn"), "nt_oops: a warning\n");
}

static ssize_t nt_oops_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	char how[32] = "";

	if (len >= sizeof(how) || copy_from_user(how, buf, len))
		return -EINVAL;
	nt_oops_now(how);
	return len;
}

static const struct proc_ops nt_oops_ops = {
	.proc_write = nt_oops_write,
};

static int __init nt_oops_init(void)
{
	return proc_create("nt_oops", 0200, NULL, &nt_oops_ops) ? 0 : -ENOMEM;
}

static void __exit nt_oops_exit(void)
{
	remove_proc_entry("nt_oops", NULL);
}

module_init(nt_oops_init);
module_exit(nt_oops_exit);
MODULE_DESCRIPTION("test helper for nestrace: cause an oops or a warning");
MODULE_LICENSE("GPL");
