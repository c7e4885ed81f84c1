// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/perf_event.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/trace_events.h>
#include <linux/workqueue.h>

#include "arch_preempt.h"
#include "events.h"
#include "filter.h"
#include "hit.h"
#include "hook.h"
#include "rcu.h"
#include "wq.h"

/* Each event is enabled and disabled through this, which waits until that has taken effect. */
static int nt_trace_event_reg(struct trace_event_call *call, enum trace_reg type, void *data);
#define trace_event_reg nt_trace_event_reg
#define CREATE_TRACE_POINTS
#include "trace.h"
#undef trace_event_reg

struct nt_last_recursion {
	unsigned long ip;
	unsigned long under_ip;
	unsigned int count;
};

static DEFINE_PER_CPU(struct nt_last_recursion [NESTRACE_NR_SLOTS], nt_last_recursion);

static struct nt_hook nt_events_hook = {
	.ops.flags = FTRACE_OPS_FL_PERMANENT,
	.ignored_mm = NT_NO_MM,
};

static struct nt_filter nt_events_selection;	/* of the hook */
static struct nt_exclusion nt_events_exclusion;

static DEFINE_MUTEX(nt_events_lock);	/* of the filter, and of registering the hook */
static char *nt_events_globs[2];	/* filter and notrace: globs, separated by commas */
static unsigned int nt_events_broken;	/* bits: filter, notrace could not be restored */
static bool nt_events_globs_loaded;	/* from now on they change only while ready */
static bool nt_events_armed;
static int nt_events_error;		/* of the last attempt to arm */

/*
 * Taken in reg and unreg callbacks, where the kernel holds its mutex on tracepoints, itself
 * taken under ftrace's lock: take no other lock there.
 */
static DEFINE_SPINLOCK(nt_events_users_lock);
static unsigned int nt_events_users;
static bool nt_events_ready;

static void nt_events_work(struct work_struct *work);
static DECLARE_WORK(nt_events_arming, nt_events_work);

/* Runs under the guard, and is not noinstr: what it calls may be traced, and is recursion. */
static noinline void nt_emit(enum nestrace_slot slot, unsigned long ip, unsigned long parent_ip,
			     enum nt_rcu_entry entry)
{
	static const char entered_by[][8] = {
		[NT_RCU_ENTERED_NMI] = "nmi", [NT_RCU_ENTERED_IRQ] = "irq", [NT_RCU_ENTERED_WARN] = "warn",
	};

	trace_function(ip, parent_ip, slot);
	if (entry != NT_RCU_WATCHING)
		trace_rcu_enter(ip, slot, entered_by[entry]);
}

/*
 * Report the recursion in @slot since the last report. To emit it may recurse again; the next
 * hit reports that.
 */
static noinline void nt_emit_recursion(enum nestrace_slot slot)
{
	struct nt_last_recursion *last = this_cpu_ptr(&nt_last_recursion[slot]);
	unsigned int count = this_cpu_xchg(nt_last_recursion[slot].count, 0);

	if (count)
		trace_recursion(READ_ONCE(last->ip), READ_ONCE(last->under_ip), slot, count);
}

static __always_inline void nt_note_recursion(enum nestrace_slot slot, unsigned long ip,
					    unsigned long under_ip)
{
	raw_cpu_write(nt_last_recursion[slot].ip, ip);
	raw_cpu_write(nt_last_recursion[slot].under_ip, under_ip);
	raw_cpu_inc(nt_last_recursion[slot].count);
}

/* Context: the guard is held. */
static __always_inline void nt_emit_hit(struct nt_ring *ring, enum nestrace_slot slot,
					unsigned long ip, unsigned long parent_ip)
{
	enum nt_rcu_entry entry = NT_RCU_WATCHING;
	struct nt_rcu_saved saved = {};

	if (unlikely(!nt_rcu_watching())) {
		entry = nt_rcu_enter(slot, &saved);
		if (entry == NT_RCU_NOT_WATCHING) {
			nt_local_inc(&ring->not_watching);
			return;
		}
		nt_count_rcu_entry(ring, entry);
	}
	nt_local_inc(&ring->written);
	/* emitting may turn interrupts off, which then is no sign of an interrupt */
	nt_guard_irqs(slot, 0);
	instrumentation_begin();
	nt_emit(slot, ip, parent_ip, entry);
	if (unlikely(raw_cpu_read(nt_last_recursion[slot].count)))
		nt_emit_recursion(slot);
	/* a breakpoint in here recurses in that slot */
	if (unlikely(raw_cpu_read(nt_last_recursion[NESTRACE_SLOT_NMI_INLINE].count)))
		nt_emit_recursion(NESTRACE_SLOT_NMI_INLINE);
	instrumentation_end();
	if (entry != NT_RCU_WATCHING)
		nt_rcu_exit(slot, entry, &saved);
}

static noinstr void nt_hook_events(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct nt_hook *h = container_of(ops, struct nt_hook, ops);
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = arch_local_save_flags(),
		.preempt_count = nt_preempt_count_raw(),
	};
	unsigned long under_ip;
	struct nt_ring *ring;
	enum nestrace_slot slot;

	preempt_disable_notrace();
	slot = nt_slot(&ctx);
	ring = &raw_cpu_ptr(h->rings)->slot[slot];
	nt_local_inc(&ring->hits);
	if (unlikely(nt_in_tracer(&ctx, slot, &under_ip))) {
		nt_count_recursion(h, slot, ip, under_ip);
		nt_note_recursion(slot, ip, under_ip);
	} else if (unlikely(nt_excluded(h, ip))) {
		nt_local_inc(&ring->filtered);
	} else {
		if (slot != NESTRACE_SLOT_TASK && nt_guard_any_upto(slot))
			nt_local_inc(&ring->in_tracer);
		nt_guard_take(slot, ip, ctx.irq_flags);
		nt_emit_hit(ring, slot, ip, parent_ip);
		nt_guard_leave(slot);
	}
	preempt_enable_notrace();
}

void nt_events_lost(unsigned int cpu, u64 count)
{
	trace_lost(cpu, count);
}

static bool nt_events_wanted(void)
{
	bool wanted;

	lockdep_assert_held(&nt_events_lock);
	spin_lock(&nt_events_users_lock);
	wanted = nt_events_ready && nt_events_users;
	spin_unlock(&nt_events_users_lock);
	return wanted && !nt_events_broken && nt_events_globs[0] && *nt_events_globs[0];
}

static int nt_events_arm(void)
{
	int cpu, ret;

	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	/* do not report recursion of the last time */
	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&nt_last_recursion, cpu), 0, sizeof(nt_last_recursion));
	ret = register_ftrace_function(&nt_events_hook.ops);
	if (!ret)
		WRITE_ONCE(nt_events_armed, true);
	else if (!(nt_events_hook.ops.flags & FTRACE_OPS_FL_ENABLED))
		module_put(THIS_MODULE);
	/* otherwise ftrace has shut itself down and may still call the hook, which must stay */
	return ret;
}

static int nt_events_disarm(void)
{
	int ret;

	if (!nt_events_armed)
		return 0;
	ret = unregister_ftrace_function(&nt_events_hook.ops);
	if (ret)
		return ret;
	WRITE_ONCE(nt_events_armed, false);
	module_put(THIS_MODULE);
	return 0;
}

/* Register the hook, or unregister it, as the invariant demands. */
static int nt_events_update(void)
{
	int ret = 0;

	if (!nt_events_wanted())
		ret = nt_events_disarm();
	else if (!nt_events_armed)
		ret = nt_events_arm();
	/* warn: a raw tracepoint stays enabled after an error of arming, and gets no event */
	if (ret && ret != nt_events_error)
		pr_warn("cannot arm or disarm the trace events: error %d\n", -ret);
	WRITE_ONCE(nt_events_error, ret);
	return ret;
}

static void nt_events_work(struct work_struct *work)
{
	mutex_lock(&nt_events_lock);
	nt_events_update();
	mutex_unlock(&nt_events_lock);
}

static void nt_events_add_users(int users)
{
	spin_lock(&nt_events_users_lock);
	nt_events_users += users;
	/* before the module is ready, nt_events_set_ready() does it; after unload nobody does */
	if (nt_events_ready)
		queue_work(nt_wq, &nt_events_arming);
	spin_unlock(&nt_events_users_lock);
}

int nt_events_get_user(void)
{
	nt_events_add_users(1);
	return 0;
}

void nt_events_put_user(void)
{
	nt_events_add_users(-1);
}

static int nt_trace_event_reg(struct trace_event_call *call, enum trace_reg type, void *data)
{
	enum trace_reg undo = TRACE_REG_UNREGISTER;
	const struct trace_event_file *file = data;
	int ret;

#ifdef CONFIG_PERF_EVENTS
	/* the load may yet fail, and does not wait for a perf event that counts */
	if (type == TRACE_REG_PERF_REGISTER && !READ_ONCE(nt_events_ready))
		return -ENODEV;
#endif
	ret = trace_event_reg(call, type, data);
	if (ret || call == &event_lost)
		return ret;
	switch (type) {
#ifdef CONFIG_PERF_EVENTS
	case TRACE_REG_PERF_REGISTER:
		undo = TRACE_REG_PERF_UNREGISTER;
		fallthrough;
#endif
	case TRACE_REG_REGISTER:
		flush_work(&nt_events_arming);
		ret = READ_ONCE(nt_events_error);
		if (ret) {
			trace_event_reg(call, undo, data);
			/* perf frees what a probe may still look at */
			tracepoint_synchronize_unregister();
		}
		break;
#ifdef CONFIG_PERF_EVENTS
	case TRACE_REG_PERF_UNREGISTER:
		flush_work(&nt_events_arming);
		break;
#endif
	case TRACE_REG_UNREGISTER:
		/* set_ftrace_filter's enable_event holds ftrace's lock, which the work takes */
		if (!(file->flags & EVENT_FILE_FL_SOFT_DISABLED))
			flush_work(&nt_events_arming);
		break;
	default:
		/* perf's at a context switch: may not sleep */
		break;
	}
	return ret;
}

#ifdef CONFIG_PERF_EVENTS
/*
 * An event traces the kernel: the right to count in the own task is not enough. As for
 * ftrace:function, sampling must not read the user's stack: that may fault, in any function
 * of the kernel and in any context.
 */
static int nt_event_perm(struct trace_event_call *call, struct perf_event *event)
{
	if (event->parent)
		return 0;
	if (!perfmon_capable())
		return -EPERM;
	if (!is_sampling_event(event))
		return 0;
	if (!event->attr.exclude_callchain_user && event->attr.sample_type & PERF_SAMPLE_CALLCHAIN)
		return -EINVAL;
	return event->attr.sample_type & PERF_SAMPLE_STACK_USER ? -EINVAL : 0;
}
#endif

/*
 * Set one kind of filter from @globs. For "*" none is set: to ftrace that is all functions, and
 * so a list without a glob is an error. @again: it was set before, and what it matches may have
 * gone since with its module.
 */
static int nt_events_filter(const char *globs, bool exclude, bool again)
{
	char *copy, *next, *glob;
	bool any = false;
	int ret;

	ret = exclude ? nt_exclusion_clear(&nt_events_exclusion) :
			nt_filter_clear(&nt_events_selection);
	if (ret || !globs || !*globs || (!exclude && !strcmp(globs, "*")))
		return ret;
	copy = next = kstrdup(globs, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	while (!ret && (glob = strsep(&next, ","))) {
		if (!*glob)
			continue;
		ret = exclude ? nt_exclusion_add(&nt_events_exclusion, glob, again) :
				nt_filter_add(&nt_events_selection, glob, again);
		any = true;
	}
	kfree(copy);
	return any ? ret : -EINVAL;
}

/*
 * Context: not armed. On failure restore the old filter; if even that fails, trace nothing.
 */
static int nt_events_replace_globs(char *globs, bool exclude)
{
	char *before = nt_events_globs[exclude];
	int ret = nt_events_filter(globs, exclude, false);

	if (!ret) {
		nt_events_globs[exclude] = globs;
		kfree(before);
		nt_events_broken &= ~BIT(exclude);
		return 0;
	}
	kfree(globs);
	if (nt_events_filter(before, exclude, true))
		nt_events_broken |= BIT(exclude);
	else
		nt_events_broken &= ~BIT(exclude);
	return ret;
}

static int nt_events_set(const char *value, const struct kernel_param *param)
{
	bool exclude = *(const bool *)param->arg, ready;
	char *globs = kstrdup(skip_spaces(value), GFP_KERNEL);
	int ret, again;

	if (!globs)
		return -ENOMEM;
	strim(globs);

	mutex_lock(&nt_events_lock);
	spin_lock(&nt_events_users_lock);
	ready = nt_events_ready;
	spin_unlock(&nt_events_users_lock);
	if (!ready && nt_events_globs_loaded) {
		/* the module is being loaded or unloaded */
		kfree(globs);
		ret = -EAGAIN;
	} else if (!ready) {
		/* a parameter of the load; nt_events_init() checks it */
		kfree(nt_events_globs[exclude]);
		nt_events_globs[exclude] = globs;
		ret = 0;
	} else {
		/* a registered hook does not change */
		ret = nt_events_disarm();
		if (ret)
			kfree(globs);
		else
			ret = nt_events_replace_globs(globs, exclude);
		again = nt_events_update();
		ret = ret ?: again;
	}
	mutex_unlock(&nt_events_lock);
	return ret;
}

static int nt_events_get(char *buffer, const struct kernel_param *param)
{
	int len;

	mutex_lock(&nt_events_lock);
	len = scnprintf(buffer, PAGE_SIZE, "%s\n", nt_events_broken ? "" :
			nt_events_globs[*(const bool *)param->arg] ?: "");
	mutex_unlock(&nt_events_lock);
	return len;
}

static void nt_events_free_globs(void *arg)
{
	kfree(nt_events_globs[*(const bool *)arg]);
}

static const struct kernel_param_ops nt_events_param = {
	.set = nt_events_set,
	.get = nt_events_get,
	.free = nt_events_free_globs,
};

void nt_events_info(struct nestrace_info *info)
{
	enum nestrace_slot slot;
	int cpu;

	info->events_armed = READ_ONCE(nt_events_armed);
	for_each_possible_cpu(cpu) {
		struct nt_ring *rings = per_cpu_ptr(nt_events_hook.rings, cpu)->slot;

		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
			info->events_emitted += READ_ONCE(rings[slot].written);
			info->events_recursed += READ_ONCE(rings[slot].recursed);
			info->events_not_watching += READ_ONCE(rings[slot].not_watching);
		}
	}
}

int __init nt_events_init(void)
{
	int ret;

#ifdef CONFIG_PERF_EVENTS
	event_function.perf_perm = nt_event_perm;
	event_recursion.perf_perm = nt_event_perm;
	event_rcu_enter.perf_perm = nt_event_perm;
#endif
	nt_events_hook.ops.func = nt_hook_events;
	nt_filter_new(&nt_events_selection, &nt_events_hook.ops);
	nt_exclusion_new(&nt_events_exclusion, &nt_events_hook);
	nt_events_hook.rings = alloc_percpu(struct nt_rings);
	if (!nt_events_hook.rings)
		return -ENOMEM;
	mutex_lock(&nt_events_lock);
	nt_events_globs_loaded = true;
	ret = nt_events_filter(nt_events_globs[0], false, false) ?:
	      nt_events_filter(nt_events_globs[1], true, false);
	if (ret)
		pr_err("%s: 'filter=%s notrace=%s' (%d)\n", ret == -ENOENT || ret == -ENODEV ?
		       "no such function or module" : "cannot set the filter",
		       nt_events_globs[0] ?: "", nt_events_globs[1] ?: "", ret);
	mutex_unlock(&nt_events_lock);
	if (ret)
		nt_events_exit();
	return ret;
}

/* An event may have been enabled before the module was ready. */
void __init nt_events_set_ready(void)
{
	spin_lock(&nt_events_users_lock);
	WRITE_ONCE(nt_events_ready, true);
	spin_unlock(&nt_events_users_lock);
	nt_events_work(NULL);
}

void nt_events_exit(void)
{
	/* let a write to the filter end first */
	mutex_lock(&nt_events_lock);
	spin_lock(&nt_events_users_lock);
	WRITE_ONCE(nt_events_ready, false);
	spin_unlock(&nt_events_users_lock);
	mutex_unlock(&nt_events_lock);
	cancel_work_sync(&nt_events_arming);
	nt_exclusion_free(&nt_events_exclusion);
	nt_filter_free(&nt_events_selection);
	free_percpu(nt_events_hook.rings);
}

static const bool nt_to_filter, nt_to_notrace = true;

module_param_cb(filter, &nt_events_param, (void *)&nt_to_filter, 0600);
MODULE_PARM_DESC(filter, "the functions that the trace events trace: globs, separated by commas; empty: none, *: all");
/* here it is a name */
#undef notrace
module_param_cb(notrace, &nt_events_param, (void *)&nt_to_notrace, 0600);
MODULE_PARM_DESC(notrace, "the functions that they leave out: globs, separated by commas");
