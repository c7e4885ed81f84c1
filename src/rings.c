// SPDX-License-Identifier: GPL-2.0
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "rings.h"
#include "session.h"

#define NT_SUBBUFS_MIN	2

/* Split @ring_kb as NESTRACE_IOC_CONFIG documents. */
static size_t nt_ring_bytes(unsigned int ring_kb, enum nestrace_slot slot)
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
	char *base = s->memory[cpu];
	enum nestrace_slot slot;

	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		struct nt_ring *r = &rings->slot[slot];
		size_t bytes = nt_ring_bytes(s->ring_kb, slot);

		nt_ring_init(r, base, bytes, s->overwrite);
		r->frozen = &s->hook.frozen;
		base += bytes;
	}
}

/* A ring without memory never has room: hits on CPUs that are not traced are filtered. */
static void nt_rings_disable(struct nt_session *s)
{
	unsigned int cpu;
	enum nestrace_slot slot;

	for_each_possible_cpu(cpu)
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			nt_ring_init(&per_cpu_ptr(s->hook.rings, cpu)->slot[slot], NULL, 0, false);
}

int nt_rings_alloc(struct nt_session *s)
{
	unsigned int cpu;
	enum nestrace_slot slot;

	lockdep_assert_held(&s->lock);
	BUILD_BUG_ON(NESTRACE_SUBBUF_SIZE != PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct nt_subbuf) != NESTRACE_SUBBUF_SIZE);
	BUILD_BUG_ON(sizeof(struct nt_record) != NESTRACE_EVENT_SIZE + sizeof(u32));

	s->memory = kcalloc(nr_cpu_ids, sizeof(*s->memory), GFP_KERNEL);
	if (!s->memory)
		return -ENOMEM;
	s->memory_size = 0;
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		s->memory_size += nt_ring_bytes(s->ring_kb, slot);
	if ((u64)s->memory_size * cpumask_weight(s->cpus) >
	    (u64)max(si_mem_available(), 0L) << PAGE_SHIFT)
		goto err;

	for_each_cpu(cpu, s->cpus) {
		s->memory[cpu] = __vmalloc(s->memory_size, GFP_KERNEL | __GFP_ZERO |
					   __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
		if (!s->memory[cpu])
			goto err;
	}
	nt_rings_disable(s);
	for_each_cpu(cpu, s->cpus)
		nt_rings_carve(s, cpu);
	return 0;
err:
	nt_rings_free(s);
	return -ENOMEM;
}

void nt_rings_free(struct nt_session *s)
{
	unsigned int cpu;

	if (!s->memory)
		return;
	for_each_cpu(cpu, s->cpus)
		vfree(s->memory[cpu]);
	kfree(s->memory);
	s->memory = NULL;
}
