// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/security.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "boot.h"
#include "filter.h"
#include "hibernation.h"
#include "kernel_features.h"
#include "session.h"
#include "uapi/nestrace.h"

static char *boot;
module_param(boot, charp, 0444);
MODULE_PARM_DESC(boot, "record from the load on, until nestrace record --boot: globs of functions, separated by commas; *: all");
static unsigned int boot_kb = 8192;
module_param(boot_kb, uint, 0444);
MODULE_PARM_DESC(boot_kb, "KiB per CPU for that recording");
static bool boot_ret;
module_param(boot_ret, bool, 0444);
MODULE_PARM_DESC(boot_ret, "record returns, too");
static bool boot_overwrite;
module_param(boot_overwrite, bool, 0444);
MODULE_PARM_DESC(boot_overwrite, "keep the newest hits; else the first ones, and later ones are lost");

static DEFINE_MUTEX(nt_boot_lock);
static struct nt_session *nt_boot_session;	/* NULL: there is none, or it was taken over */

/* nt_filter_add() cuts its argument. */
static int nt_boot_add(struct nt_session *s, const char *glob, bool wait)
{
	char *copy = kstrdup(glob, GFP_KERNEL);
	int ret = copy ? nt_filter_add(&s->filter, copy, wait) : -ENOMEM;

	kfree(copy);
	return ret;
}

static int nt_boot_filter(struct nt_session *s)
{
	char *copy, *rest, *glob;
	/* a session without a filter traces all functions */
	int ret = -EINVAL;

	if (!strcmp(boot, "*"))
		return 0;
	copy = kstrdup(boot, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = copy;
	while ((glob = strsep(&rest, ","))) {
		if (!*glob)
			continue;
		ret = nt_boot_add(s, glob, false);
		if (ret == -ENOENT || ret == -ENODEV) {
			pr_notice("no function matches yet: '%s'; waiting for a module that has one\n", glob);
			ret = nt_boot_add(s, glob, true);
		}
		if (ret)
			break;
	}
	kfree(copy);
	return ret;
}

static int nt_boot_start(struct nt_session *s)
{
	int ret;

	if (boot_kb < NESTRACE_RING_KB_MIN || boot_kb > NESTRACE_RING_KB_MAX) {
		pr_err("boot_kb is out of range: '%u'; use 1 to %u\n", boot_kb, NESTRACE_RING_KB_MAX);
		return -EINVAL;
	}
	if (boot_ret && !(nt_features & NESTRACE_FEATURE_RETURNS)) {
		pr_err("this kernel cannot record returns: 'boot_ret'; leave it out\n");
		return -EOPNOTSUPP;
	}
	s->ring_kb = boot_kb;
	s->overwrite = boot_overwrite;
	s->hook.returns = boot_ret;
	mutex_lock(&s->lock);
	ret = nt_boot_filter(s) ?: nt_session_start(s);
	mutex_unlock(&s->lock);
	return ret;
}

void nt_boot_init(void)
{
	struct nt_session *s;
	int ret;

	if (!boot || !*boot)
		return;
	/* as for an open of the device */
	if (security_locked_down(LOCKDOWN_TRACEFS)) {
		pr_err("the kernel is locked down: '%s'; it forbids a boot recording\n", boot);
		return;
	}
	s = nt_session_new();
	if (!s) {
		pr_err("no memory for the boot recording: '%s'\n", boot);
		return;
	}
	nt_hibernation_open(s);
	ret = nt_boot_start(s);
	if (ret) {
		if (ret == -ENOMEM)
			pr_err("not enough memory: '%u' KiB per CPU; lower boot_kb\n", boot_kb);
		pr_err("the boot recording did not start: '%s', error %d\n", boot, -ret);
		nt_hibernation_close(s);
		nt_session_close(s);
		return;
	}
	pr_info("recording since the load: '%s'; nestrace record --boot takes it over\n", boot);
	nt_boot_put_back(s);
}

void nt_boot_exit(void)
{
	struct nt_session *s = nt_boot_take();

	if (!s)
		return;
	nt_hibernation_close(s);
	mutex_lock(&s->lock);
	if (s->state == NT_RUNNING && nt_session_stop(s)) {
		pr_err("ftrace has shut itself down: the module cannot go\n");
		/* it would jump into the module's code */
		for (;;)
			schedule_timeout_idle(HZ);
	}
	mutex_unlock(&s->lock);
	nt_session_close(s);
}

/* Record no more what the caller does: it would push out what is to be kept. */
static void nt_boot_ignore_caller(struct nt_session *s)
{
	if (!current->mm)
		return;
	mutex_lock(&s->lock);
	nt_session_ignore_mm(s, current->mm);
	mutex_unlock(&s->lock);
}

int nt_boot_describe(struct nestrace_boot *arg)
{
	int ret = -ENOENT;

	mutex_lock(&nt_boot_lock);
	if (nt_boot_session) {
		nt_boot_ignore_caller(nt_boot_session);
		arg->config = (boot_overwrite ? NESTRACE_CONFIG_OVERWRITE : 0) | (boot_ret ? NESTRACE_CONFIG_RET : 0);
		arg->ring_kb = boot_kb;
		ret = 0;
	}
	mutex_unlock(&nt_boot_lock);
	return ret;
}

struct nt_session *nt_boot_take(void)
{
	struct nt_session *s;

	mutex_lock(&nt_boot_lock);
	s = nt_boot_session;
	nt_boot_session = NULL;
	mutex_unlock(&nt_boot_lock);
	return s;
}

void nt_boot_put_back(struct nt_session *s)
{
	mutex_lock(&nt_boot_lock);
	nt_boot_session = s;
	mutex_unlock(&nt_boot_lock);
}
