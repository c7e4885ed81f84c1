/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The common part of the helpers: a file in /proc with the name of the module, and a handler
 * of NMIs. A text of less than HELPER_TEXT bytes that is written to the file is a command; one
 * command runs at a time. Reading the file shows the results.
 */
#ifndef NT_HELPER_H
#define NT_HELPER_H

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nmi.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <asm/nmi.h>

#include "../../src/compat/timer.h"

/* The module defines these. */
static int command(char *text);
static int show(struct seq_file *m, void *v);
static int on_nmi(unsigned int type, struct pt_regs *regs);

static DEFINE_MUTEX(busy);

static ssize_t helper_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	char text[HELPER_TEXT];
	int ret;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, len))
		return -EFAULT;
	text[len] = '\0';
	mutex_lock(&busy);
	ret = command(text);
	mutex_unlock(&busy);
	return ret ?: len;
}

static int helper_open(struct inode *inode, struct file *file)
{
	return single_open(file, show, NULL);
}

static const struct proc_ops helper_ops = {
	.proc_open	= helper_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= single_release,
	.proc_write	= helper_write,
};

static int __init helper_register(void)
{
	int ret = register_nmi_handler(NMI_LOCAL, on_nmi, 0, KBUILD_MODNAME);

	if (ret)
		return ret;
	if (proc_create(KBUILD_MODNAME, 0600, NULL, &helper_ops))
		return 0;
	unregister_nmi_handler(NMI_LOCAL, KBUILD_MODNAME);
	return -ENOMEM;
}

static void helper_unregister(void)
{
	remove_proc_entry(KBUILD_MODNAME, NULL);
	unregister_nmi_handler(NMI_LOCAL, KBUILD_MODNAME);
}

#endif
