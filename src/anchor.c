// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/reboot.h>
#include <linux/sched/signal.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>

#include "anchor.h"
#include "session.h"
#include "uapi/nestrace_dump.h"

static DEFINE_MUTEX(nt_anchor_lock);	/* of the sessions in the anchor */
static struct nestrace_dump_anchor *nt_anchor;

/* The list of a session, while it is made. */
struct nt_list {
	struct nestrace_dump_list *first, *last;
};

/* Return: a page with this at its beginning, or NULL. */
static void *nt_anchor_page(const char *magic)
{
	/* as for the rings */
	struct nestrace_dump_head *page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);

	if (page) {
		memcpy(page->magic, magic, sizeof(page->magic));
		page->self = virt_to_phys(page);
	}
	return page;
}

static int nt_list_add(struct nt_list *l, u64 word)
{
	struct nestrace_dump_list *page;

	if (!l->last || l->last->nr == NESTRACE_DUMP_WORDS) {
		page = nt_anchor_page(NESTRACE_DUMP_LIST_MAGIC);
		if (!page)
			return -ENOMEM;
		if (l->last)
			l->last->next = page->head.self;
		else
			l->first = page;
		l->last = page;
	}
	l->last->word[l->last->nr++] = word;
	return 0;
}

static void nt_list_free(struct nestrace_dump_list *page)
{
	u64 next;

	for (; page; page = next ? phys_to_virt(next) : NULL) {
		next = page->next;
		free_page((unsigned long)page);
	}
}

/* Return: the physical address of memory of alloc_percpu(). */
static u64 nt_percpu_physical(const void *p)
{
	if (is_vmalloc_addr(p))
		return page_to_phys(vmalloc_to_page(p)) + offset_in_page(p);
	return virt_to_phys((void *)p);
}

static int nt_list_add_cpu(struct nt_list *l, struct nt_session *s, unsigned int cpu)
{
	const char *rings = (const char *)per_cpu_ptr(s->hook.rings, cpu);
	unsigned int offset = offset_in_page(rings), i;
	unsigned int nr = DIV_ROUND_UP(offset + sizeof(((struct nt_rings *)NULL)->slot), PAGE_SIZE);
	int ret;

	ret = nt_list_add(l, cpu) ?: nt_list_add(l, offset) ?: nt_list_add(l, nr);
	for (i = 0; !ret && i < nr; i++)
		ret = nt_list_add(l, nt_percpu_physical(rings - offset + i * PAGE_SIZE));
	ret = ret ?: nt_list_add(l, s->memory_size >> PAGE_SHIFT);
	for (i = 0; !ret && i < s->memory_size >> PAGE_SHIFT; i++)
		ret = nt_list_add(l, page_to_phys(nt_rings_page(s, cpu, i)));
	return ret;
}

static u32 nt_anchor_flags(const struct nt_session *s)
{
	return (s->overwrite ? NESTRACE_CONFIG_OVERWRITE : 0) | (s->hook.returns ? NESTRACE_CONFIG_RET : 0) |
	       (s->hook.at_exit ? NESTRACE_CONFIG_EXIT : 0) | (s->hook.audits ? NESTRACE_CONFIG_AUDIT : 0);
}

static void nt_anchor_describe(struct nestrace_dump_session *d, struct nt_session *s)
{
#define NT_FIELD_AT(name, member)	[NESTRACE_DUMP_##name] = offsetof(struct nt_ring, member),
	static const u16 at[NESTRACE_DUMP_NR_FIELDS] = { NESTRACE_DUMP_FIELDS(NT_FIELD_AT) };
	enum nestrace_slot slot;

	d->cookie = s->cookie;
	d->flags = nt_anchor_flags(s);
	d->clock = s->clock;
	d->order = nt_clock_order_flags(s->hook.reader);
	d->stack = s->hook.stack;
	d->args = s->hook.programs != NULL;
	d->nr_cpus = nr_cpu_ids;
	d->mult = s->scale.mult;
	d->offset = s->scale.offset;
	d->span_mult = s->scale.span_mult;
	d->ring_kb = s->memory_size >> 10;
	nt_session_times(s, &d->time, &d->wall_ns);
	strscpy(d->host, init_utsname()->nodename, sizeof(d->host));
	strscpy(d->release, init_utsname()->release, sizeof(d->release));
	strscpy(d->build, init_utsname()->version, sizeof(d->build));
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		d->ring_bytes[slot] = nt_ring_bytes(s->ring_kb, slot);
	d->stride = sizeof(struct nt_ring);
	memcpy(d->at, at, sizeof(d->at));
}

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
	struct nestrace_dump_session *d;
	struct nt_list list = { };
	unsigned int cpu;
	int ret = 0;

	lockdep_assert_held(&s->lock);
	d = nt_anchor_page(NESTRACE_DUMP_SESSION_MAGIC);
	if (!d)
		return -ENOMEM;
	for_each_cpu(cpu, s->cpus) {
		ret = ret ?: fatal_signal_pending(current) ? -EINTR : nt_list_add_cpu(&list, s, cpu);
		cond_resched();
	}
	if (ret) {
		nt_list_free(list.first);
		free_page((unsigned long)d);
		return ret;
	}
	nt_anchor_describe(d, s);
	d->list = list.first->head.self;
	s->described = d;
	nt_anchor_put(d->head.self);
	return 0;
}

void nt_anchor_remove(struct nt_session *s)
{
	if (!s->described)
		return;
	nt_anchor_take(s->described->head.self);
	nt_list_free(phys_to_virt(s->described->list));
	free_page((unsigned long)s->described);
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
	nt_anchor = nt_anchor_page(NESTRACE_DUMP_ANCHOR_MAGIC);
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
