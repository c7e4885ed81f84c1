// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/suspend.h>

#include "hibernation.h"
#include "session.h"

static LIST_HEAD(nt_hibernation_sessions);
/* protects the list; taken before the lock of a session */
static DEFINE_MUTEX(nt_hibernation_lock);
static bool nt_hibernating;

static void nt_hibernation_set(bool hibernating)
{
	unsigned int paused = 0;
	struct nt_session *s;

	mutex_lock(&nt_hibernation_lock);
	nt_hibernating = hibernating;
	list_for_each_entry(s, &nt_hibernation_sessions, hibernation) {
		mutex_lock(&s->lock);
		paused += nt_session_pause(s, hibernating);
		mutex_unlock(&s->lock);
	}
	mutex_unlock(&nt_hibernation_lock);
	if (paused)
		pr_info("%u sessions %s\n", paused,
			hibernating ? "pause for the hibernation" : "trace again");
}

static int nt_hibernation_event(struct notifier_block *nb, unsigned long event, void *unused)
{
	if (event == PM_HIBERNATION_PREPARE)
		nt_hibernation_set(true);
	else if (event == PM_POST_HIBERNATION)
		nt_hibernation_set(false);
	return NOTIFY_DONE;
}

static struct notifier_block nt_hibernation_notifier = {
	.notifier_call = nt_hibernation_event,
};

int __init nt_hibernation_init(void)
{
	return register_pm_notifier(&nt_hibernation_notifier);
}

void nt_hibernation_exit(void)
{
	unregister_pm_notifier(&nt_hibernation_notifier);
}

void nt_hibernation_open(struct nt_session *s)
{
	mutex_lock(&nt_hibernation_lock);
	list_add(&s->hibernation, &nt_hibernation_sessions);
	s->paused = nt_hibernating;
	mutex_unlock(&nt_hibernation_lock);
}

void nt_hibernation_close(struct nt_session *s)
{
	mutex_lock(&nt_hibernation_lock);
	list_del(&s->hibernation);
	mutex_unlock(&nt_hibernation_lock);
}
