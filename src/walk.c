// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/kallsyms.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "filter.h"
#include "ksym.h"
#include "probe.h"
#include "ring.h"
#include "walk.h"

int __init nt_walk_init(void)
{
	nt_arch_walk_init();
	return NT_HAS_WALK ? NESTRACE_FEATURE_STACKS : 0;
}

static bool nt_walking;

/* Walk through this module too, so that the unwinder's lookup of modules is found. */
static noinstr void nt_walk_entered(struct nt_probe *p, unsigned long ip, struct pt_regs *regs)
{
	static u64 room[NESTRACE_STACK_MAX + 1];

	BUILD_BUG_ON(sizeof(room) < sizeof(struct nt_stack) + NESTRACE_STACK_MAX * sizeof(u64));
	WRITE_ONCE(nt_walking, true);
	instrumentation_begin();
	nt_walk(regs, ip, (struct nt_stack *)room, NESTRACE_STACK_MAX);
	instrumentation_end();
	WRITE_ONCE(nt_walking, false);
}

static bool nt_walk_found;
static struct nt_probe nt_walk_probe = { .at_nothing = nt_walk_entered, .looks = &nt_walking };

/* The unwinder calls these on some stacks only, so that one walk does not find them. */
static const char *const nt_walk_rarely[] = {
	"bpf_has_frame_pointer",	/* in a BPF program, or where there is no unwind data */
	"bpf_ksym_find",
	"rcu_read_unlock_special",	/* by rcu_read_unlock(), if preempted or due */
};

static void nt_walk_add(const char *name)
{
	struct nt_probe *p = &nt_walk_probe;
	unsigned long addr = nt_ksym(name), ip = addr ? nt_filter_location_of(addr) : 0;
	unsigned int i;

	for (i = 0; i < p->nr; i++)
		if (p->found[i] == ip)
			return;
	if (ip && p->nr < NT_PROBE_MAX)
		p->found[p->nr++] = ip;
}

static int nt_walk_find_once(void)
{
	int ret = nt_probe_calls(&nt_walk_probe);
	unsigned int i;

	for (i = 0; !ret && i < ARRAY_SIZE(nt_walk_rarely); i++)
		nt_walk_add(nt_walk_rarely[i]);
	return ret;
}

int nt_walk_find(void)
{
	static DEFINE_MUTEX(lock);
	int ret = 0;

	mutex_lock(&lock);
	if (!nt_walk_found)
		ret = nt_walk_find_once();
	if (!ret)
		smp_store_release(&nt_walk_found, true);
	mutex_unlock(&lock);
	return ret;
}

void nt_walk_calls(u64 *ip, unsigned int max)
{
	unsigned int i, nr = smp_load_acquire(&nt_walk_found) ? nt_walk_probe.nr : 0;

	for (i = 0; i < max; i++)
		ip[i] = i < nr ? nt_walk_probe.found[i] : 0;
}

int nt_walk_exclude(struct nt_exclusion *x)
{
	char name[KSYM_SYMBOL_LEN];
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < nt_walk_probe.nr; i++) {
		sprint_symbol_no_offset(name, nt_walk_probe.found[i]);
		ret = nt_exclusion_add(x, name, false);
		/* ignore names that ftrace cannot leave out, as in a module: their calls recurse and are counted */
		if (ret == -ENOENT || ret == -EINVAL)
			ret = 0;
	}
	return ret;
}
