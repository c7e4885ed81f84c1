// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>

#include "describe.h"
#include "region.h"
#include "session.h"
#include "uapi/nestrace_dump.h"

/* The list of a session, while it is made. */
struct nt_list {
	struct nt_region *region;	/* where its pages come from; NULL: from the kernel */
	struct nestrace_dump_list *first, *last;
};

void *nt_describe_page(struct nt_region *region, const char *magic)
{
	struct nestrace_dump_head *page;

	/* as for the rings */
	page = region ? nt_region_take(region, PAGE_SIZE) :
			(void *)get_zeroed_page(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
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
		page = nt_describe_page(l->region, NESTRACE_DUMP_LIST_MAGIC);
		if (!page)
			return l->region ? -ENOSPC : -ENOMEM;
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

/* Add where the counters of a CPU are: those of the hook, or their copies in the region. */
static int nt_list_add_counters(struct nt_list *l, struct nt_session *s, unsigned int cpu)
{
	const struct nt_rings *rings = per_cpu_ptr(s->hook.rings, cpu);
	const char *counters = l->region ? (const char *)rings->slot[0].copies : (const char *)rings->slot;
	unsigned int offset = offset_in_page(counters), i;
	unsigned int nr = DIV_ROUND_UP(offset + (l->region ? NT_RING_COPIES : 1) * sizeof(rings->slot), PAGE_SIZE);
	int ret;

	ret = nt_list_add(l, offset) ?: nt_list_add(l, nr);
	for (i = 0; !ret && i < nr; i++)
		ret = nt_list_add(l, nt_percpu_physical(counters - offset + i * PAGE_SIZE));
	return ret;
}

static int nt_list_add_cpu(struct nt_list *l, struct nt_session *s, unsigned int cpu)
{
	unsigned int i;
	int ret;

	ret = nt_list_add(l, cpu) ?: nt_list_add_counters(l, s, cpu) ?: nt_list_add(l, s->memory_size >> PAGE_SHIFT);
	for (i = 0; !ret && i < s->memory_size >> PAGE_SHIFT; i++)
		ret = nt_list_add(l, page_to_phys(nt_rings_page(s, cpu, i)));
	return ret;
}

static u32 nt_describe_flags(const struct nt_session *s)
{
	return (s->overwrite ? NESTRACE_CONFIG_OVERWRITE : 0) | (s->hook.returns ? NESTRACE_CONFIG_RET : 0) |
	       (s->hook.at_exit ? NESTRACE_CONFIG_EXIT : 0) | (s->hook.audits ? NESTRACE_CONFIG_AUDIT : 0);
}

static void nt_describe_session(struct nestrace_dump_session *d, struct nt_session *s, bool copies)
{
#define NT_FIELD_AT(name, member)	[NESTRACE_DUMP_##name] = offsetof(struct nt_ring, member),
	static const u16 at[NESTRACE_DUMP_NR_FIELDS] = { NESTRACE_DUMP_FIELDS(NT_FIELD_AT) };
	enum nestrace_slot slot;

	d->cookie = s->cookie;
	d->flags = nt_describe_flags(s);
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
	d->copies = copies ? NT_RING_COPIES : 0;
	d->copy_bytes = sizeof(struct nt_ring);
	d->stride = sizeof(struct nt_ring) * (copies ? NT_RING_COPIES : 1);
	memcpy(d->at, at, sizeof(d->at));
}

struct nestrace_dump_session *nt_describe(struct nt_session *s, struct nt_region *region)
{
	struct nt_list list = { .region = region };
	struct nestrace_dump_session *d;
	unsigned int cpu;
	int ret = 0;

	lockdep_assert_held(&s->lock);
	d = nt_describe_page(region, NESTRACE_DUMP_SESSION_MAGIC);
	if (!d)
		return ERR_PTR(region ? -ENOSPC : -ENOMEM);
	for_each_cpu(cpu, s->cpus) {
		ret = ret ?: fatal_signal_pending(current) ? -EINTR : nt_list_add_cpu(&list, s, cpu);
		cond_resched();
	}
	if (!ret) {
		nt_describe_session(d, s, region);
		d->list = list.first->head.self;
		return d;
	}
	if (!region) {
		nt_list_free(list.first);
		free_page((unsigned long)d);
	}
	return ERR_PTR(ret);
}

void nt_describe_free(struct nestrace_dump_session *d)
{
	nt_list_free(phys_to_virt(d->list));
	free_page((unsigned long)d);
}
