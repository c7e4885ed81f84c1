// SPDX-License-Identifier: GPL-2.0
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "firsts.h"
#include "region.h"
#include "rings.h"
#include "session.h"

#define NT_SUBBUFS_MIN	2

/* Protects @nt_pages_reserved, until the reserved pages are allocated and not available any more. */
static DEFINE_MUTEX(nt_pages_lock);
static long nt_pages_reserved;		/* of all sessions */

/*
 * The memory of a CPU's rings. The pages are kept: not every supported kernel accounts well for
 * vfree() of mapped pages.
 */
struct nt_memory {
	void *base;
	struct page **pages;
};

size_t nt_ring_bytes(unsigned int ring_kb, enum nestrace_slot slot)
{
	static const u8 shift[NESTRACE_NR_SLOTS] = {
		[NESTRACE_SLOT_TASK] = 1, [NESTRACE_SLOT_SOFTIRQ] = 3, [NESTRACE_SLOT_HARDIRQ] = 3,
		[NESTRACE_SLOT_NMI] = 3, [NESTRACE_SLOT_NMI_INLINE] = 6, [NESTRACE_SLOT_DF] = 6,
		[NESTRACE_SLOT_DB] = 6, [NESTRACE_SLOT_MCE] = 6, [NESTRACE_SLOT_VC] = 6, [NESTRACE_SLOT_VC2] = 6,
	};
	size_t bytes = roundup_pow_of_two((size_t)ring_kb << 10) >> shift[slot];

	return max_t(size_t, bytes, NT_SUBBUFS_MIN * NESTRACE_SUBBUF_SIZE);
}

static void nt_rings_carve(struct nt_session *s, unsigned int cpu)
{
	struct nt_rings *rings = per_cpu_ptr(s->hook.rings, cpu);
	char *base = s->memory[cpu].base;
	enum nestrace_slot slot;

	if (s->hook.counts) {
		nt_counts_init(&rings->counts, base, s->memory_size);
		return;
	}
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		struct nt_ring *r = &rings->slot[slot];
		size_t bytes = nt_ring_bytes(s->ring_kb, slot);

		nt_ring_init(r, base, bytes, s->overwrite);
		if (s->hook.returns)
			nt_ring_fit(r, sizeof(struct nt_exit_record));
		r->frozen = &s->hook.frozen;
		r->order = &s->order;
		base += bytes;
	}
	rings->firsts = s->hook.stack_first ? (unsigned long *)base : NULL;
}

/* A ring without memory never has room: hits on CPUs that are not traced are filtered. */
static void nt_rings_disable(struct nt_session *s)
{
	unsigned int cpu;
	enum nestrace_slot slot;

	for_each_possible_cpu(cpu) {
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			nt_ring_init(&per_cpu_ptr(s->hook.rings, cpu)->slot[slot], NULL, 0, false);
		nt_counts_init(&per_cpu_ptr(s->hook.rings, cpu)->counts, NULL, 0);
		per_cpu_ptr(s->hook.rings, cpu)->firsts = NULL;
	}
}

/* Return: the bytes of each CPU. */
static size_t nt_memory_size(const struct nt_session *s)
{
	enum nestrace_slot slot;
	size_t bytes = 0;

	if (s->hook.counts)
		return nt_counts_bytes(s->ring_kb);
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		bytes += nt_ring_bytes(s->ring_kb, slot);
	if (s->hook.stack_first)
		bytes += NT_FIRSTS_BYTES;
	return bytes;
}

/* Return: the pages of all CPUs' rings. */
static unsigned long nt_session_pages(const struct nt_session *s)
{
	return (s->memory_size >> PAGE_SHIFT) * cpumask_weight(s->cpus);
}

/*
 * Reserve the pages of @s: the rings of all sessions take at most half of the memory that would be
 * available without them, and count as locked memory of the process (RLIMIT_MEMLOCK).
 */
static int nt_pages_reserve(struct nt_session *s)
{
	long pages = nt_session_pages(s);
	int ret;

	lockdep_assert_held(&nt_pages_lock);
	if (nt_pages_reserved + max(si_mem_available(), 0L) < 2 * (nt_pages_reserved + pages))
		return -ENOMEM;
	ret = account_locked_vm(current->mm, pages, true);
	if (ret)
		return ret;
	/* keep the mm, which gives the pages back; its task may be gone by then */
	mmgrab(current->mm);
	s->memory_mm = current->mm;
	nt_pages_reserved += pages;
	return 0;
}

static void nt_pages_unreserve(struct nt_session *s)
{
	lockdep_assert_held(&nt_pages_lock);
	if (!s->memory_mm)
		return;
	account_locked_vm(s->memory_mm, nt_session_pages(s), false);
	mmdrop(s->memory_mm);
	s->memory_mm = NULL;
	nt_pages_reserved -= nt_session_pages(s);
}

/* Take @nr pages of @region. */
static int nt_memory_take(struct nt_memory *m, unsigned int nr, struct nt_region *region)
{
	unsigned int i;

	m->pages = kvcalloc(nr, sizeof(*m->pages), GFP_KERNEL | __GFP_NOWARN);
	if (!m->pages)
		return -ENOMEM;
	m->base = nt_region_take(region, (size_t)nr << PAGE_SHIFT);
	if (!m->base)
		return -ENOSPC;
	for (i = 0; i < nr; i++)
		m->pages[i] = virt_to_page(m->base + (i << PAGE_SHIFT));
	return 0;
}

/* Give back what nt_memory_take() has taken: its pages are the region's. */
static void nt_memory_return(struct nt_memory *m)
{
	kvfree(m->pages);
}

static void nt_memory_free(struct nt_memory *m, unsigned int nr)
{
	unsigned int i;

	vunmap(m->base);
	for (i = 0; m->pages && i < nr && m->pages[i]; i++) {
		__free_page(m->pages[i]);
		cond_resched();
	}
	kvfree(m->pages);
}

/* Allocate @nr zeroed pages on @cpu's node, charged to the memory cgroup of current. */
static int nt_memory_alloc(struct nt_memory *m, unsigned int nr, unsigned int cpu)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	unsigned int i;

	m->pages = kvcalloc(nr, sizeof(*m->pages), GFP_KERNEL | __GFP_NOWARN);
	if (!m->pages)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		m->pages[i] = alloc_pages_node(cpu_to_node(cpu), gfp, 0);
		if (!m->pages[i])
			return -ENOMEM;
		cond_resched();
	}
	m->base = vmap(m->pages, nr, VM_MAP, PAGE_KERNEL);
	return m->base ? 0 : -ENOMEM;
}

static int nt_rings_alloc_memory(struct nt_session *s)
{
	unsigned int nr = s->memory_size >> PAGE_SHIFT, cpu;
	int ret = 0;

	/* the machine does without a region's memory anyway */
	if (s->region)
		nt_region_rewind(s->region);
	else
		ret = nt_pages_reserve(s);
	for_each_cpu(cpu, s->cpus) {
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret)
			break;
		ret = s->region ? nt_memory_take(&s->memory[cpu], nr, s->region) :
				  nt_memory_alloc(&s->memory[cpu], nr, cpu);
	}
	return ret;
}

int nt_rings_alloc(struct nt_session *s)
{
	unsigned int cpu;
	int ret;

	lockdep_assert_held(&s->lock);
	BUILD_BUG_ON(NESTRACE_SUBBUF_SIZE != PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct nt_subbuf) != NESTRACE_SUBBUF_SIZE);
	BUILD_BUG_ON(sizeof(struct nestrace_function) != NESTRACE_EVENT_SIZE);

	s->memory = kcalloc(nr_cpu_ids, sizeof(*s->memory), GFP_KERNEL_ACCOUNT);
	if (!s->memory)
		return -ENOMEM;
	s->memory_size = nt_memory_size(s);
	/* a region takes no pages, and may take long to clear */
	ret = s->region ? 0 : mutex_lock_killable(&nt_pages_lock);
	if (!ret) {
		ret = nt_rings_alloc_memory(s);
		if (!s->region)
			mutex_unlock(&nt_pages_lock);
	}
	if (ret) {
		nt_rings_free(s);
		return ret;
	}
	nt_rings_disable(s);
	for_each_cpu(cpu, s->cpus)
		nt_rings_carve(s, cpu);
	return 0;
}

struct page *nt_rings_page(const struct nt_session *s, unsigned int cpu, unsigned int nr)
{
	return s->memory[cpu].pages[nr];
}

void nt_rings_free(struct nt_session *s)
{
	unsigned int cpu;

	if (!s->memory)
		return;
	for_each_cpu(cpu, s->cpus) {
		if (s->region)
			nt_memory_return(&s->memory[cpu]);
		else
			nt_memory_free(&s->memory[cpu], s->memory_size >> PAGE_SHIFT);
	}
	mutex_lock(&nt_pages_lock);
	nt_pages_unreserve(s);
	mutex_unlock(&nt_pages_lock);
	kfree(s->memory);
	s->memory = NULL;
}
