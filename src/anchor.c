// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/string.h>

#include "anchor.h"
#include "describe.h"
#include "session.h"
#include "uapi/nestrace_dump.h"

static DEFINE_MUTEX(nt_anchor_lock);	/* of the sessions in the anchor */
static struct nestrace_dump_anchor *nt_anchor;

static void nt_anchor_put(u64 session)
{
	unsigned int i;

	mutex_lock(&nt_anchor_lock);
	for (i = 0; i < NESTRACE_DUMP_SESSIONS && nt_anchor->session[i]; i++)
		;
	/* after what it points to, for whoever looks at the memory later */
	if (i < NESTRACE_DUMP_SESSIONS)
		smp_store_release(&nt_anchor->session[i], session);
	mutex_unlock(&nt_anchor_lock);
}

static void nt_anchor_take(u64 session)
{
	unsigned int i;

	mutex_lock(&nt_anchor_lock);
	for (i = 0; i < NESTRACE_DUMP_SESSIONS; i++)
		if (nt_anchor->session[i] == session)
			WRITE_ONCE(nt_anchor->session[i], 0);
	mutex_unlock(&nt_anchor_lock);
}

int nt_anchor_add(struct nt_session *s)
{
	struct nestrace_dump_session *d = nt_describe(s, NULL);

	if (IS_ERR(d))
		return PTR_ERR(d);
	s->described = d;
	nt_anchor_put(d->head.self);
	return 0;
}

void nt_anchor_remove(struct nt_session *s)
{
	if (!s->described)
		return;
	nt_anchor_take(s->described->head.self);
	nt_describe_free(s->described);
	s->described = NULL;
}

void nt_anchor_set_cookie(struct nt_session *s, u64 cookie)
{
	lockdep_assert_held(&s->lock);
	s->cookie = cookie;
	if (s->described)
		WRITE_ONCE(s->described->cookie, cookie);
}

/* The next kernel must not find it in memory that is not cleared. A crash does not come by here. */
static int nt_anchor_on_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	memset(nt_anchor, 0, PAGE_SIZE);
	return NOTIFY_DONE;
}

static struct notifier_block nt_anchor_reboot = {
	.notifier_call = nt_anchor_on_reboot,
};

int nt_anchor_init(void)
{
	int ret;

	BUILD_BUG_ON(sizeof(struct nestrace_dump_anchor) > PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct nestrace_dump_session) > PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct nestrace_dump_list) != PAGE_SIZE);
	BUILD_BUG_ON(sizeof(NESTRACE_DUMP_ANCHOR_MAGIC) != NESTRACE_DUMP_MAGIC_SIZE);
	nt_anchor = nt_describe_page(NULL, NESTRACE_DUMP_ANCHOR_MAGIC);
	if (!nt_anchor)
		return -ENOMEM;
	nt_anchor->version = NESTRACE_DUMP_VERSION;
	nt_anchor->page_size = PAGE_SIZE;
	ret = register_reboot_notifier(&nt_anchor_reboot);
	if (ret)
		free_page((unsigned long)nt_anchor);
	return ret;
}

void nt_anchor_exit(void)
{
	unregister_reboot_notifier(&nt_anchor_reboot);
	/* a later dump must not have it */
	memset(nt_anchor, 0, PAGE_SIZE);
	free_page((unsigned long)nt_anchor);
}
