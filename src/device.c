// SPDX-License-Identifier: GPL-2.0
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "anchor.h"
#include "args.h"
#include "boot.h"
#include "counts.h"
#include "device.h"
#include "events.h"
#include "filter.h"
#include "hibernation.h"
#include "kernel_features.h"
#include "livepatch.h"
#include "loaded.h"
#include "merge.h"
#include "modules.h"
#include "persist.h"
#include "rcu.h"
#include "region.h"
#include "session.h"
#include "stream.h"
#include "tasks.h"
#include "walk.h"

#define NT_GLOB_MAX	255
#define NT_MASK_MAX	1024
#define NT_ADDRESSES_MAX	(1U << 20)

static const struct file_operations nt_fops;

/* Require the privileges that tracefs and perf require for function tracing. */
static int nt_open(struct inode *inode, struct file *file)
{
	struct nt_session *s;
	int ret;

	if (!perfmon_capable())
		return -EPERM;
	ret = security_locked_down(LOCKDOWN_TRACEFS);
	if (ret)
		return ret;
	s = nt_session_new();
	if (!s)
		return -ENOMEM;
	nt_hibernation_open(s);
	file->private_data = s;
	return 0;
}

static int nt_release(struct inode *inode, struct file *file)
{
	nt_hibernation_close(file->private_data);
	nt_session_close(file->private_data);
	return 0;
}

/* Copy a struct, which begins with its size and its flags, and check both. */
static int nt_copy_struct(void *to, const void __user *from, u32 size, u32 flags_known)
{
	const u32 *head = to;

	if (copy_from_user(to, from, size))
		return -EFAULT;
	return head[0] == size && !(head[1] & ~flags_known) ? 0 : -EINVAL;
}

#define nt_copy_arg(arg, user, flags)	nt_copy_struct(&(arg), user, sizeof(arg), flags)

static int nt_ioc_info(void __user *user)
{
	struct nestrace_info info = {
		.size = sizeof(info),
		.abi = NESTRACE_ABI_VERSION,
		.version = NT_VERSION,
		.features = nt_features |
			    (nt_clock_trusts_tsc() ? NESTRACE_FEATURE_TSC_ORDER : 0),
		.rcu_mode = nt_rcu_mode,
		.nr_cpus = nr_cpu_ids,
	};

	BUILD_BUG_ON(sizeof(info) > 128);
	nt_session_count(&info.sessions, &info.running);
	nt_events_info(&info);
	if (IS_ENABLED(NT_TEST_RECURSE))
		info.test |= NESTRACE_INFO_TEST_RECURSE;
	if (IS_ENABLED(NT_TEST_NO_GUARD))
		info.test |= NESTRACE_INFO_TEST_NO_GUARD;
	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : 0;
}

static int nt_ioc_filter(struct nt_session *s, const void __user *user)
{
	struct nestrace_filter arg;
	char *glob;
	bool wait;
	int ret;

	ret = nt_copy_arg(arg, user, NESTRACE_FILTER_NOTRACE | NESTRACE_FILTER_CLEAR |
			  NESTRACE_FILTER_TRIGGER | NESTRACE_FILTER_WAIT);
	if (ret)
		return ret;
	wait = arg.flags & NESTRACE_FILTER_WAIT;
	if (arg.reserved || (wait && arg.flags & (NESTRACE_FILTER_NOTRACE | NESTRACE_FILTER_CLEAR)) ||
	    (arg.flags & NESTRACE_FILTER_TRIGGER &&
	     arg.flags & (NESTRACE_FILTER_NOTRACE | NESTRACE_FILTER_CLEAR)))
		return -EINVAL;
	if (s->state != NT_NEW)
		return -EBUSY;
	if (arg.flags & NESTRACE_FILTER_CLEAR)
		return arg.glob || arg.len ? -EINVAL :
		       arg.flags & NESTRACE_FILTER_NOTRACE ? nt_exclusion_clear(&s->exclusion) :
							     nt_filter_clear(&s->filter);
	if (!arg.len || arg.len > NT_GLOB_MAX)
		return -EINVAL;

	glob = memdup_user_nul(u64_to_user_ptr(arg.glob), arg.len);
	if (IS_ERR(glob))
		return PTR_ERR(glob);
	if (strlen(glob) != arg.len)
		ret = -EINVAL;
	else if (arg.flags & NESTRACE_FILTER_TRIGGER)
		ret = nt_filter_add(&s->triggers.calls, glob, wait);
	else if (arg.flags & NESTRACE_FILTER_NOTRACE)
		ret = nt_exclusion_add(&s->exclusion, glob, false);
	else
		ret = nt_filter_add(&s->filter, glob, wait);
	/* without a filter, every function would be a trigger */
	if (!ret && arg.flags & NESTRACE_FILTER_TRIGGER)
		s->triggers.on_call = true;
	kfree(glob);
	return ret;
}

static int nt_ioc_pid(struct nt_session *s, const void __user *user)
{
	struct nestrace_pid arg;
	int ret;

	ret = nt_copy_arg(arg, user, NESTRACE_PID_FOLLOW | NESTRACE_PID_CLEAR |
			  NESTRACE_PID_PROCESS);
	if (ret)
		return ret;
	if (arg.reserved)
		return -EINVAL;
	if (s->state != NT_NEW)
		return -EBUSY;
	if (arg.flags & NESTRACE_PID_CLEAR) {
		if (arg.pid || arg.flags != NESTRACE_PID_CLEAR)
			return -EINVAL;
		nt_pids_clear(&s->pids);
		return 0;
	}
	if (arg.pid <= 0)
		return -EINVAL;
	return nt_pids_add(&s->pids, arg.pid, arg.flags & NESTRACE_PID_PROCESS,
			   arg.flags & NESTRACE_PID_FOLLOW);
}

static int nt_ioc_cgroup(struct nt_session *s, const void __user *user)
{
	struct nestrace_cgroup arg;
	int ret;

	ret = nt_copy_arg(arg, user, 0);
	if (ret)
		return ret;
	if (arg.reserved)
		return -EINVAL;
	return s->state == NT_NEW ? nt_pids_set_cgroup(&s->pids, arg.fd) : -EBUSY;
}

static int nt_ioc_cpus(struct nt_session *s, const void __user *user)
{
	struct nestrace_cpus arg;
	unsigned int cpu;
	u8 *mask;
	int ret;

	ret = nt_copy_arg(arg, user, 0);
	if (ret)
		return ret;
	if (arg.reserved || !arg.len || arg.len > NT_MASK_MAX)
		return -EINVAL;
	if (s->state != NT_NEW)
		return -EBUSY;
	mask = memdup_user(u64_to_user_ptr(arg.mask), arg.len);
	if (IS_ERR(mask))
		return PTR_ERR(mask);

	ret = -EINVAL;
	for_each_possible_cpu(cpu)
		if (cpu / 8 < arg.len && mask[cpu / 8] & (1 << cpu % 8))
			ret = 0;
	if (!ret) {
		cpumask_clear(s->cpus);
		for_each_possible_cpu(cpu)
			if (cpu / 8 < arg.len && mask[cpu / 8] & (1 << cpu % 8))
				cpumask_set_cpu(cpu, s->cpus);
	}
	kfree(mask);
	return ret;
}

/* Return: a table of where hits of the functions at @addr are, or an ERR_PTR. */
static struct nt_addresses *nt_addresses_new(const u64 *addr, u32 nr)
{
	u32 size = roundup_pow_of_two(2 * nr), i, at;
	struct nt_addresses *a = kvzalloc(struct_size(a, ip, size), GFP_KERNEL_ACCOUNT);
	bool any = false;
	u64 ip;

	if (!a)
		return ERR_PTR(-ENOMEM);
	a->mask = size - 1;
	for (i = 0; i < nr; i++) {
		cond_resched();
		ip = nt_filter_location_of(addr[i]);
		if (!ip || nt_address_in(a, ip))
			continue;
		for (at = nt_address_hash(ip) & a->mask; a->ip[at]; at = (at + 1) & a->mask)
			;
		a->ip[at] = ip;
		any = true;
	}
	if (any)
		return a;
	kvfree(a);
	return ERR_PTR(-ENOENT);
}

/* Return: the table for @nr addresses in user memory, or an ERR_PTR. */
static struct nt_addresses *nt_addresses_of_user(const void __user *user, u32 nr)
{
	struct nt_addresses *a;
	u64 *addr = vmemdup_user(user, nr * sizeof(*addr));

	if (IS_ERR(addr))
		return ERR_CAST(addr);
	a = nt_addresses_new(addr, nr);
	kvfree(addr);
	return a;
}

/* Return: 0 if the session can record such stacks. */
static int nt_check_stack(const struct nt_session *s, const struct nestrace_stack_config *arg)
{
	if (arg->depth > NESTRACE_STACK_MAX || arg->nr > NT_ADDRESSES_MAX || s->hook.counts ||
	    s->hook.at_exit)
		return -EINVAL;
	if (!(nt_features & NESTRACE_FEATURE_STACKS))
		return -EOPNOTSUPP;
	if (s->state != NT_NEW || s->hook.stack)
		return -EBUSY;
	return 0;
}

/* @arg: in the kernel; copied to @user before anything is changed. */
static int nt_set_stack(struct nt_session *s, struct nestrace_stack_config *arg, void __user *user)
{
	struct nt_addresses *of = NULL;
	int ret = nt_check_stack(s, arg);

	if (ret)
		return ret;
	if (arg->nr)
		of = nt_addresses_of_user(u64_to_user_ptr(arg->addrs), arg->nr);
	if (IS_ERR(of))
		return PTR_ERR(of);
	ret = nt_walk_find();
	if (!ret) {
		nt_walk_calls(arg->left_out, ARRAY_SIZE(arg->left_out));
		ret = copy_to_user(user, arg, sizeof(*arg)) ? -EFAULT : 0;
	}
	if (ret) {
		kvfree(of);
		return ret;
	}
	s->hook.stack_of = of;
	s->hook.stack_first = arg->flags & NESTRACE_STACK_FIRST;
	s->hook.stack = arg->depth;
	return 0;
}

static int nt_get_stack(const struct nt_session *s, struct nestrace_stack_config *arg,
			void __user *user)
{
	arg->depth = s->hook.stack;
	nt_walk_calls(arg->left_out, ARRAY_SIZE(arg->left_out));
	return copy_to_user(user, arg, sizeof(*arg)) ? -EFAULT : 0;
}

static int nt_ioc_stack(struct nt_session *s, void __user *user)
{
	struct nestrace_stack_config *arg = kmalloc(sizeof(*arg), GFP_KERNEL);
	int ret;

	if (!arg)
		return -ENOMEM;
	ret = nt_copy_arg(*arg, user, NESTRACE_STACK_FIRST);
	if (!ret)
		ret = arg->depth ? nt_set_stack(s, arg, user) : nt_get_stack(s, arg, user);
	kfree(arg);
	return ret;
}

/* Return: 0 if the session can have such a program. */
static int nt_check_args(const struct nt_session *s, const struct nestrace_args *arg)
{
	bool records = arg->words || arg->values;

	if (memchr_inv(arg->reserved, 0, sizeof(arg->reserved)) || arg->nr > NT_ADDRESSES_MAX ||
	    s->hook.counts || (s->hook.at_exit ? records : arg->nr_exit_if))
		return -EINVAL;
	return s->state == NT_NEW ? 0 : -EBUSY;
}

static int nt_ioc_args(struct nt_session *s, const void __user *user)
{
	struct nt_program *program;
	struct nestrace_args arg;
	u64 *addr = NULL;
	int ret;

	ret = nt_copy_arg(arg, user, 0) ?: nt_check_args(s, &arg);
	if (ret)
		return ret;
	program = nt_program_new(&arg, u64_to_user_ptr(arg.steps));
	if (IS_ERR(program))
		return PTR_ERR(program);
	if (arg.nr)
		addr = vmemdup_user(u64_to_user_ptr(arg.addrs), arg.nr * sizeof(*addr));
	/* no module goes meanwhile */
	nt_loaded_hold();
	ret = IS_ERR(addr) ? PTR_ERR(addr) : nt_programs_add(&s->hook.programs, program, addr, arg.nr);
	nt_loaded_release();
	if (!ret)
		s->hook.filters_exits |= arg.nr_exit_if;
	if (!IS_ERR(addr))
		kvfree(addr);
	if (ret)
		kfree(program);
	return ret;
}

static int nt_ioc_config(struct nt_session *s, const void __user *user)
{
	struct nestrace_config arg;
	int ret;

	ret = nt_copy_arg(arg, user, NESTRACE_CONFIG_OVERWRITE | NESTRACE_CONFIG_EMPTY |
			  NESTRACE_CONFIG_IGNORE_SELF | NESTRACE_CONFIG_OOPS |
			  NESTRACE_CONFIG_WARN | NESTRACE_CONFIG_COUNT | NESTRACE_CONFIG_RET |
			  NESTRACE_CONFIG_EXIT | NESTRACE_CONFIG_AUDIT);
	if (ret)
		return ret;
	if (arg.clock >= NESTRACE_NR_CLOCKS || arg.ring_kb < NESTRACE_RING_KB_MIN ||
	    arg.ring_kb > NESTRACE_RING_KB_MAX ||
	    (arg.flags & NESTRACE_CONFIG_COUNT &&
	     arg.flags & (NESTRACE_CONFIG_OVERWRITE | NESTRACE_CONFIG_RET)) ||
	    (arg.flags & NESTRACE_CONFIG_EXIT && !(arg.flags & NESTRACE_CONFIG_RET)) ||
	    (arg.flags & NESTRACE_CONFIG_AUDIT &&
	     arg.flags & (NESTRACE_CONFIG_COUNT | NESTRACE_CONFIG_RET)))
		return -EINVAL;
	if (s->state != NT_NEW)
		return -EBUSY;
	if ((s->hook.stack && arg.flags & (NESTRACE_CONFIG_COUNT | NESTRACE_CONFIG_EXIT)) ||
	    (s->region && arg.flags & NESTRACE_CONFIG_COUNT))
		return -EINVAL;
	/* they were checked with the flags of before */
	if (s->hook.programs)
		return -EINVAL;
	s->clock = arg.clock;
	s->ring_kb = arg.ring_kb;
	s->overwrite = arg.flags & NESTRACE_CONFIG_OVERWRITE;
	s->empty = arg.flags & NESTRACE_CONFIG_EMPTY;
	s->hook.counts = arg.flags & NESTRACE_CONFIG_COUNT;
	s->hook.returns = arg.flags & NESTRACE_CONFIG_RET;
	s->hook.at_exit = arg.flags & NESTRACE_CONFIG_EXIT;
	s->hook.audits = arg.flags & NESTRACE_CONFIG_AUDIT;
	s->triggers.on_warn = arg.flags & NESTRACE_CONFIG_WARN;
	s->triggers.on_oops = arg.flags & NESTRACE_CONFIG_OOPS;
	nt_session_ignore_mm(s, arg.flags & NESTRACE_CONFIG_IGNORE_SELF ? current->mm : NT_NO_MM);
	return 0;
}

/* Return: the calls of a ring whose returns will be recorded, or were. */
static u64 nt_ring_calls(const struct nt_ring *r, const struct nt_hook *h)
{
	u64 calls = READ_ONCE(r->awaited);
	enum nt_missed why;

	if (!h->returns || h->at_exit)
		return calls;
	calls = READ_ONCE(r->written) - READ_ONCE(r->exits);
	for (why = 0; why < NT_NR_MISSED; why++)
		calls -= READ_ONCE(r->missed[why]);
	return calls;
}

static u64 nt_ring_used(const struct nt_ring *r, const struct nt_hook *h)
{
	u64 exits = READ_ONCE(r->exits), entries = h->at_exit ? 0 : nt_ring_calls(r, h);

	return (READ_ONCE(r->written) - exits - entries) * sizeof(struct nt_record) +
	       entries * sizeof(struct nt_entry_record) + exits * sizeof(struct nt_exit_record) +
	       READ_ONCE(r->extends) * 2 * sizeof(u32) + READ_ONCE(r->more_bytes);
}

static void nt_slot_stats(struct nestrace_slot_stats *out, const struct nt_ring *r,
			  const struct nt_hook *h, struct nt_overwritten overwritten)
{
	u64 filtered_early = READ_ONCE(r->filtered_early);
	u64 exits = READ_ONCE(r->exits), exits_full = READ_ONCE(r->exits_full);
	u64 exits_dropped = READ_ONCE(r->exits_dropped), exits_filtered = READ_ONCE(r->exits_filtered);

	out->not_watching = READ_ONCE(r->not_watching);
	out->recorded = READ_ONCE(r->written) - overwritten.records;
	out->lost = READ_ONCE(r->full) + out->not_watching + overwritten.records;
	if (h->at_exit) {
		/* there, a call is lost with its return */
		out->lost += exits_dropped;
	} else {
		out->recorded -= exits - overwritten.exits;
		out->lost -= exits_full + overwritten.exits;
	}
	out->recursed = READ_ONCE(r->recursed);
	out->filtered = READ_ONCE(r->filtered) + filtered_early + exits_filtered;
	out->rcu_nmi = READ_ONCE(r->rcu_nmi);
	out->rcu_irq = READ_ONCE(r->rcu_irq);
	out->in_tracer = READ_ONCE(r->in_tracer);
	out->bytes = nt_ring_used(r, h);
	/* last: while the session runs, the others are never ahead of it */
	smp_rmb();
	out->hits = READ_ONCE(r->hits) - exits - exits_full - exits_dropped - exits_filtered +
		    filtered_early;
	if (h->counts)
		/* the rest is */
		out->recorded = out->hits - out->lost - out->filtered;
}

static int nt_ioc_stats(struct nt_session *s, void __user *user)
{
	struct nt_stream *st = NULL;
	const struct nt_ring *ring;
	struct nestrace_stats *arg;
	enum nestrace_slot i;
	bool locked;
	int ret;

	arg = kmalloc(sizeof(*arg), GFP_KERNEL);
	if (!arg)
		return -ENOMEM;
	ret = nt_copy_arg(*arg, user, 0);
	if (ret)
		goto out;
	ret = -EINVAL;
	if (arg->cpu >= nr_cpu_ids)
		goto out;
	arg->cpu = array_index_nospec(arg->cpu, nr_cpu_ids);
	if (!cpu_possible(arg->cpu))
		goto out;

	if (s->streams)
		st = s->streams[arg->cpu];
	arg->ring_kb = s->memory && cpumask_test_cpu(arg->cpu, s->cpus) ? s->memory_size >> 10 : 0;
	arg->flags = nt_hook_ended_by(&s->hook);
	/*
	 * Take the lock only in a session that overwrites: there the count needs the reader's place. Let
	 * a signal end the wait, because a reader may hold the lock during a page fault. In other
	 * sessions do not take it, because a reader that waits for it loses records.
	 */
	ret = -ERESTARTSYS;
	locked = st && s->overwrite;
	if (locked && mutex_lock_interruptible(&st->lock))
		goto out;
	arg->set_forward = st ? READ_ONCE(st->stepped_back) : 0;
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		ring = &per_cpu_ptr(s->hook.rings, arg->cpu)->slot[i];
		nt_slot_stats(&arg->slot[i], ring, &s->hook,
			      locked ? nt_stream_overwritten(st, i) : (struct nt_overwritten){ });
		arg->set_forward += READ_ONCE(ring->set_forward);
	}
	if (locked)
		mutex_unlock(&st->lock);
	ret = copy_to_user(user, arg, sizeof(*arg)) ? -EFAULT : 0;
out:
	kfree(arg);
	return ret;
}

static void nt_slot_returns(struct nestrace_slot_returns *to, const struct nt_ring *r,
			    const struct nt_hook *h, u64 overwritten)
{
	u64 full = READ_ONCE(r->exits_full);

	to->dropped = READ_ONCE(r->exits_dropped);
	to->filtered = READ_ONCE(r->exits_filtered);
	to->lost = full + overwritten;
	to->returned = READ_ONCE(r->exits) + full + to->dropped + to->filtered -
		       READ_ONCE(r->strangers) + READ_ONCE(r->away);
	to->no_node = READ_ONCE(r->missed[NT_MISSED_NO_NODE]);
	to->no_rcu = READ_ONCE(r->missed[NT_MISSED_NO_RCU]);
	to->refused = READ_ONCE(r->missed[NT_MISSED_REFUSED]);
	to->calls = nt_ring_calls(r, h);
}

static int nt_ioc_returns(struct nt_session *s, void __user *user)
{
	struct nestrace_returns *arg;
	struct nt_stream *st;
	enum nestrace_slot i;
	int ret;

	arg = kmalloc(sizeof(*arg), GFP_KERNEL);
	if (!arg)
		return -ENOMEM;
	ret = nt_copy_arg(*arg, user, 0);
	if (ret)
		goto out;
	ret = -EINVAL;
	if (arg->reserved || !s->hook.returns || arg->cpu >= nr_cpu_ids)
		goto out;
	arg->cpu = array_index_nospec(arg->cpu, nr_cpu_ids);
	if (!cpu_possible(arg->cpu))
		goto out;
	arg->flags = s->hook.at_exit ? NESTRACE_RETURNS_EXIT : 0;
	st = s->streams && s->overwrite ? s->streams[arg->cpu] : NULL;
	ret = -ERESTARTSYS;
	/* as for nt_ioc_stats() */
	if (st && mutex_lock_interruptible(&st->lock))
		goto out;
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		nt_slot_returns(&arg->slot[i], &per_cpu_ptr(s->hook.rings, arg->cpu)->slot[i], &s->hook,
				st ? nt_stream_overwritten(st, i).exits : 0);
	if (st)
		mutex_unlock(&st->lock);
	ret = copy_to_user(user, arg, sizeof(*arg)) ? -EFAULT : 0;
out:
	kfree(arg);
	return ret;
}

static int nt_ioc_time(struct nt_session *s, void __user *user)
{
	struct nestrace_time arg;
	int ret;

	ret = nt_copy_arg(arg, user, 0);
	if (ret)
		return ret;
	if (s->state == NT_NEW)
		return -EINVAL;
	/* counts have no times */
	arg.flags = s->hook.counts ? 0 : nt_clock_order_flags(s->hook.reader);
	nt_session_times(s, &arg.clock, &arg.wall_ns);
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static int nt_ioc_cookie(struct nt_session *s, const void __user *user)
{
	struct nestrace_cookie arg;
	int ret;

	ret = nt_copy_arg(arg, user, 0);
	if (ret)
		return ret;
	nt_anchor_set_cookie(s, arg.cookie);
	nt_persist_set_cookie(s, arg.cookie);
	return 0;
}

static bool nt_is_region_name(const char *name)
{
	return *name && strnlen(name, NESTRACE_REGION_NAME) < NESTRACE_REGION_NAME;
}

static int nt_ioc_persist(struct nt_session *s, const void __user *user)
{
	struct nestrace_persist arg;
	int ret;

	ret = nt_copy_arg(arg, user, 0);
	if (ret)
		return ret;
	if (!nt_is_region_name(arg.name) || s->region || s->hook.counts)
		return -EINVAL;
	return s->state == NT_NEW ? nt_region_claim(arg.name, &s->region) : -EBUSY;
}

static int nt_ioc_region(void __user *user)
{
	struct nestrace_region arg;
	int ret;

	ret = nt_copy_arg(arg, user, NESTRACE_REGION_OPEN | NESTRACE_REGION_FORGET);
	if (ret)
		return ret;
	if (!nt_is_region_name(arg.name) || arg.at || arg.bytes || arg.holds || arg.reserved ||
	    arg.flags == (NESTRACE_REGION_OPEN | NESTRACE_REGION_FORGET))
		return -EINVAL;
	ret = nt_region_describe(&arg);
	if (!ret && copy_to_user(user, &arg, sizeof(arg)))
		ret = -EFAULT;
	return ret || !(arg.flags & NESTRACE_REGION_OPEN) ? ret : nt_region_open(arg.name);
}

static int nt_ioc_recursions(struct nt_session *s, void __user *user)
{
	struct nt_recursion *r;
	struct nestrace_recursions arg;
	unsigned int i;
	int ret;

	ret = nt_copy_arg(arg, user, 0);
	if (ret)
		return ret;
	if (arg.cpu >= nr_cpu_ids || arg.slot >= NESTRACE_NR_SLOTS)
		return -EINVAL;
	arg.cpu = array_index_nospec(arg.cpu, nr_cpu_ids);
	arg.slot = array_index_nospec(arg.slot, NESTRACE_NR_SLOTS);
	if (!cpu_possible(arg.cpu))
		return -EINVAL;
	r = per_cpu_ptr(s->hook.rings, arg.cpu)->recursions[arg.slot];
	for (i = 0; i < NESTRACE_NR_RECURSIONS; i++, r++) {
		arg.entry[i].ip = READ_ONCE(r->ip);
		arg.entry[i].under_ip = READ_ONCE(r->under_ip);
		arg.entry[i].count = READ_ONCE(r->count);
	}
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

/* This many counts are handed out at once, from a buffer of the kernel. */
#define NT_COUNTS_AT_ONCE	1024

static int nt_ioc_counts(struct nt_session *s, void __user *user)
{
	struct nestrace_counts arg;
	struct nestrace_count *counts;
	int ret;

	ret = nt_copy_arg(arg, user, NESTRACE_COUNTS_GONE);
	if (ret)
		return ret;
	if (!s->hook.counts || !arg.nr || arg.cpu >= nr_cpu_ids ||
	    (arg.flags & NESTRACE_COUNTS_GONE && arg.cpu))
		return -EINVAL;
	arg.cpu = array_index_nospec(arg.cpu, nr_cpu_ids);
	if (!cpu_possible(arg.cpu))
		return -EINVAL;
	arg.nr = min_t(u32, arg.nr, NT_COUNTS_AT_ONCE);
	counts = kvcalloc(arg.nr, sizeof(*counts), GFP_KERNEL);
	if (!counts)
		return -ENOMEM;
	nt_counts_read(s, &arg, counts);
	if (copy_to_user(u64_to_user_ptr(arg.counts), counts, arg.nr * sizeof(*counts)) ||
	    copy_to_user(user, &arg, sizeof(arg)))
		ret = -EFAULT;
	kvfree(counts);
	return ret;
}

static int nt_ioc_stream(struct nt_session *s, const void __user *user)
{
	struct nestrace_stream_open arg;
	int ret;

	ret = nt_copy_arg(arg, user, NESTRACE_STREAM_NONBLOCK);
	if (ret)
		return ret;
	if (arg.reserved || arg.cpu >= nr_cpu_ids || s->hook.counts)
		return -EINVAL;
	arg.cpu = array_index_nospec(arg.cpu, nr_cpu_ids);
	ret = nt_session_prepare(s);
	if (ret)
		return ret;
	return nt_stream_open(s, arg.cpu, arg.flags & NESTRACE_STREAM_NONBLOCK);
}

static int nt_ioc_tasks(struct nt_session *s, void __user *user)
{
	struct nestrace_tasks_take arg;
	int ret;

	ret = nt_copy_arg(arg, user, NESTRACE_TASKS_RUNNING);
	if (ret)
		return ret;
	if (!arg.nr)
		return -EINVAL;
	if (arg.flags & NESTRACE_TASKS_RUNNING)
		ret = nt_tasks_running(u64_to_user_ptr(arg.tasks), &arg.nr);
	else
		ret = nt_tasks_take(s, u64_to_user_ptr(arg.tasks), &arg.nr, &arg.dropped);
	if (ret)
		return ret;
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static int nt_ioc_modules(struct nt_session *s, void __user *user)
{
	struct nestrace_modules_take arg;
	int ret, taken;

	ret = nt_copy_arg(arg, user, NESTRACE_MODULES_NOTE);
	if (ret)
		return ret;
	if (arg.reserved || strnlen(arg.name, sizeof(arg.name)) == sizeof(arg.name))
		return -EINVAL;
	if (arg.flags & NESTRACE_MODULES_NOTE) {
		if (arg.notes || arg.len)
			return -EINVAL;
		return nt_features & NESTRACE_FEATURE_MOD_FILTER ?
		       nt_modules_note(s, arg.name) : -EOPNOTSUPP;
	}
	if (*arg.name)
		return -EINVAL;
	taken = nt_modules_take(s, u64_to_user_ptr(arg.notes), &arg.len);
	ret = copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
	return ret ?: taken;
}

static int nt_ioc_livepatch(void __user *user)
{
	struct nestrace_livepatch arg;
	int ret;

	ret = nt_copy_arg(arg, user, NESTRACE_LIVEPATCH_TASKS);
	if (ret)
		return ret;
	/* as for /proc/PID/stack */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (arg.len > NESTRACE_LIVEPATCH_BYTES || arg.target || arg.pending || arg.left_out)
		return -EINVAL;
	ret = nt_livepatch_describe(&arg);
	/* EBUSY: the note is the task that has the lock */
	if (ret && ret != -EBUSY)
		return ret;
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : ret;
}

static int nt_ioc_boot(void __user *user)
{
	struct nestrace_boot arg;
	struct nt_session *s;
	int ret;

	ret = nt_copy_arg(arg, user, NESTRACE_BOOT_TAKE);
	if (ret)
		return ret;
	if (arg.config || arg.ring_kb)
		return -EINVAL;
	ret = nt_boot_describe(&arg);
	if (!ret && copy_to_user(user, &arg, sizeof(arg)))
		ret = -EFAULT;
	if (ret || !(arg.flags & NESTRACE_BOOT_TAKE))
		return ret;
	s = nt_boot_take();
	if (!s)
		return -ENOENT;
	ret = anon_inode_getfd("[nestrace]", &nt_fops, s, O_RDWR | O_CLOEXEC);
	if (ret < 0)
		nt_boot_put_back(s);
	return ret;
}

static long nt_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct nt_session *s = file->private_data;
	void __user *user = (void __user *)arg;
	long ret;

	/* these do not wait for the others */
	if (cmd == NESTRACE_IOC_INFO)
		return nt_ioc_info(user);
	if (cmd == NESTRACE_IOC_FREEZE) {
		if (arg)
			return -EINVAL;
		nt_session_freeze(s);
		return 0;
	}
	if (cmd == NESTRACE_IOC_MODULES)
		return nt_ioc_modules(s, user);
	if (cmd == NESTRACE_IOC_LIVEPATCH)
		return nt_ioc_livepatch(user);
	if (cmd == NESTRACE_IOC_BOOT)
		return nt_ioc_boot(user);
	if (cmd == NESTRACE_IOC_REGION)
		return nt_ioc_region(user);
	if (mutex_lock_interruptible(&s->lock))
		return -ERESTARTSYS;
	switch (cmd) {
	case NESTRACE_IOC_FILTER:
		ret = nt_ioc_filter(s, user);
		break;
	case NESTRACE_IOC_PID:
		ret = nt_ioc_pid(s, user);
		break;
	case NESTRACE_IOC_CGROUP:
		ret = nt_ioc_cgroup(s, user);
		break;
	case NESTRACE_IOC_CPUS:
		ret = nt_ioc_cpus(s, user);
		break;
	case NESTRACE_IOC_CONFIG:
		ret = nt_ioc_config(s, user);
		break;
	case NESTRACE_IOC_START:
		ret = arg ? -EINVAL : nt_session_start(s);
		break;
	case NESTRACE_IOC_STOP:
		ret = arg ? -EINVAL : nt_session_stop(s);
		break;
	case NESTRACE_IOC_STATS:
		ret = nt_ioc_stats(s, user);
		break;
	case NESTRACE_IOC_TIME:
		ret = nt_ioc_time(s, user);
		break;
	case NESTRACE_IOC_COOKIE:
		ret = nt_ioc_cookie(s, user);
		break;
	case NESTRACE_IOC_PERSIST:
		ret = nt_ioc_persist(s, user);
		break;
	case NESTRACE_IOC_RECURSIONS:
		ret = nt_ioc_recursions(s, user);
		break;
	case NESTRACE_IOC_COUNTS:
		ret = nt_ioc_counts(s, user);
		break;
	case NESTRACE_IOC_STACK:
		ret = nt_ioc_stack(s, user);
		break;
	case NESTRACE_IOC_ARGS:
		ret = nt_ioc_args(s, user);
		break;
	case NESTRACE_IOC_RETURNS:
		ret = nt_ioc_returns(s, user);
		break;
	case NESTRACE_IOC_TASKS:
		ret = nt_ioc_tasks(s, user);
		break;
	case NESTRACE_IOC_STREAM:
		ret = nt_ioc_stream(s, user);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&s->lock);
	return ret;
}

static const struct file_operations nt_fops = {
	.owner		= THIS_MODULE,
	.open		= nt_open,
	.release	= nt_release,
	.unlocked_ioctl	= nt_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice nt_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "nestrace",
	.fops	= &nt_fops,
	.mode	= 0600,
};

int __init nt_device_init(void)
{
	return misc_register(&nt_misc);
}

void nt_device_exit(void)
{
	misc_deregister(&nt_misc);
}
