// SPDX-License-Identifier: GPL-2.0
/*
 * The trace events' own session: what they trace, and its hook. It has no file and no
 * rings' memory; of its rings only the counters are used.
 *
 * Invariant: the hook is registered while an event that needs it is enabled, the module is
 * ready, and the filter is not NT_EVENTS_NONE; soon after one of these has changed, and
 * before who enables or disables an event goes on, if that may wait. While it is, the module
 * is pinned.
 */
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

/* first, as it may change what noinstr is */
#include "test.h"

#include "compat/preempt.h"
#include "hit.h"
#include "main.h"
#include "rcu.h"
#include "session.h"

/* Each event is enabled and disabled by this, which waits for what that leads to. */
static int nt_trace_event_reg(struct trace_event_call *call, enum trace_reg type, void *data);
#define trace_event_reg nt_trace_event_reg
#define CREATE_TRACE_POINTS
#include "events.h"
#undef trace_event_reg

#define NT_EVENTS_NONE	"-"

struct nt_last_recursion {
	unsigned long ip;
	unsigned long under_ip;
	unsigned int count;
};

static DEFINE_PER_CPU(struct nt_last_recursion [NESTRACE_NR_SLOTS], nt_last_recursion);

static struct nt_session nt_events = {
	.ops.flags = FTRACE_OPS_FL_PERMANENT,
	.ignored_mm = NT_NO_MM,
	.lock = __MUTEX_INITIALIZER(nt_events.lock),
};
static char *nt_events_globs[2];	/* by "exclude"; of @nt_events.lock, as these */
static bool nt_events_broken;		/* the filter could not be set back */
static bool nt_events_globs_loaded;		/* these globs have been: they change only while ready */
static int nt_events_error;		/* of the last arming */

/* The kernel holds its lock on tracepoints, which it also takes under ftrace's: only this then. */
static DEFINE_SPINLOCK(nt_events_enabled);
static unsigned int nt_events_users;
static bool nt_events_ready;

static void nt_events_work(struct work_struct *work);
static DECLARE_WORK(nt_events_arming, nt_events_work);

/* Under the guard, and no noinstr: what it calls may be traced, and is refused. */
static noinline void nt_emit(enum nestrace_slot slot, unsigned long ip, unsigned long parent_ip,
			     enum nt_rcu_entry wake)
{
	static const char how[][8] = {
		[NT_RCU_ENTERED_NMI] = "nmi", [NT_RCU_ENTERED_IRQ] = "irq", [NT_RCU_ENTERED_WARN] = "warn",
	};

	trace_function(ip, parent_ip, slot);
	if (wake != NT_RCU_WATCHING)
		trace_rcu_wake(ip, slot, how[wake]);
}

/* What was refused in @slot meanwhile. Emitting it may refuse more, which waits for the next. */
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

/* The guard is held. */
static __always_inline void nt_emit_hit(struct nt_ring *ring, enum nestrace_slot slot,
					unsigned long ip, unsigned long parent_ip)
{
	enum nt_rcu_entry wake = NT_RCU_WATCHING;
	struct nt_rcu_saved saved = {};

	if (unlikely(!nt_rcu_watching())) {
		wake = nt_rcu_enter(slot, &saved);
		if (wake == NT_RCU_NOT_WATCHING) {
			nt_local_inc(&ring->not_watching);
			return;
		}
		nt_count_rcu_entry(ring, wake);
	}
	nt_local_inc(&ring->written);
	/* what emitting calls may turn interrupts off, which then tells of none */
	nt_guard_irqs(slot, 0);
	instrumentation_begin();
	nt_emit(slot, ip, parent_ip, wake);
	if (unlikely(raw_cpu_read(nt_last_recursion[slot].count)))
		nt_emit_recursion(slot);
	/* of a breakpoint in here */
	if (unlikely(raw_cpu_read(nt_last_recursion[NESTRACE_SLOT_NMI_INLINE].count)))
		nt_emit_recursion(NESTRACE_SLOT_NMI_INLINE);
	instrumentation_end();
	if (wake != NT_RCU_WATCHING)
		nt_rcu_exit(slot, wake, &saved);
}

static noinstr void nt_hook_events(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct nt_session *s = container_of(ops, struct nt_session, ops);
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
	ring = &raw_cpu_ptr(s->rings)->slot[slot];
	nt_local_inc(&ring->hits);
	if (unlikely(nt_in_tracer(&ctx, slot, &under_ip))) {
		nt_count_recursion(s, slot, ip, under_ip);
		nt_note_recursion(slot, ip, under_ip);
	} else if (unlikely(nt_excluded(s, ip))) {
		nt_local_inc(&ring->filtered);
	} else {
		if (slot != NESTRACE_SLOT_TASK && nt_interrupts_tracer())
			nt_local_inc(&ring->in_tracer);
		nt_guard_take(slot, ip, ctx.irq_flags);
		nt_emit_hit(ring, slot, ip, parent_ip);
		nt_guard_leave(slot);
	}
	preempt_enable_notrace();
}

/* The stream of @cpu tells its reader of a gap. */
void nt_events_lost(unsigned int cpu, u64 count)
{
	trace_lost(cpu, count);
}

static bool nt_events_wanted(void)
{
	bool wanted;

	spin_lock(&nt_events_enabled);
	wanted = nt_events_ready && nt_events_users;
	spin_unlock(&nt_events_enabled);
	return wanted && !nt_events_broken && strcmp(nt_events_globs[0] ?: "", NT_EVENTS_NONE);
}

static int nt_events_arm(void)
{
	int cpu, ret;

	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	/* what was refused the last time is not told of what is armed now */
	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&nt_last_recursion, cpu), 0, sizeof(nt_last_recursion));
	ret = register_ftrace_function(&nt_events.ops);
	if (!ret)
		WRITE_ONCE(nt_events.state, NT_RUNNING);
	else if (!(nt_events.ops.flags & FTRACE_OPS_FL_ENABLED))
		module_put(THIS_MODULE);
	/* else ftrace has shut itself down: what it may still call must stay */
	return ret;
}

static int nt_events_disarm(void)
{
	int ret;

	if (nt_events.state != NT_RUNNING)
		return 0;
	ret = unregister_ftrace_function(&nt_events.ops);
	if (ret)
		return ret;
	WRITE_ONCE(nt_events.state, NT_STOPPED);
	module_put(THIS_MODULE);
	return 0;
}

/* Registers the hook, or takes it off, as the invariant has it. @nt_events.lock is held. */
static int nt_events_update(void)
{
	int ret = 0;

	if (!nt_events_wanted())
		ret = nt_events_disarm();
	else if (nt_events.state != NT_RUNNING)
		ret = nt_events_arm();
	WRITE_ONCE(nt_events_error, ret);
	return ret;
}

static void nt_events_work(struct work_struct *work)
{
	mutex_lock(&nt_events.lock);
	nt_events_update();
	mutex_unlock(&nt_events.lock);
}

static void nt_events_count(int users)
{
	spin_lock(&nt_events_enabled);
	nt_events_users += users;
	/* before it is ready nt_events_set_ready() does it, after that nobody */
	if (nt_events_ready)
		queue_work(nt_wq, &nt_events_arming);
	spin_unlock(&nt_events_enabled);
}

int nt_events_get_user(void)
{
	nt_events_count(1);
	return 0;
}

void nt_events_put_user(void)
{
	nt_events_count(-1);
}

static int nt_trace_event_reg(struct trace_event_call *call, enum trace_reg type, void *data)
{
	enum trace_reg undo = TRACE_REG_UNREGISTER;
	const struct trace_event_file *file = data;
	int ret;

#ifdef CONFIG_PERF_EVENTS
	/* loading, which may yet fail, does not wait for who counts */
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
			/* perf frees what the hook, if it was left on, looks at */
			tracepoint_synchronize_unregister();
		}
		break;
#ifdef CONFIG_PERF_EVENTS
	case TRACE_REG_PERF_UNREGISTER:
		flush_work(&nt_events_arming);
		break;
#endif
	case TRACE_REG_UNREGISTER:
		/* of set_ftrace_filter's enable_event: under ftrace's lock, which the work takes */
		if (!(file->flags & EVENT_FILE_FL_SOFT_DISABLED))
			flush_work(&nt_events_arming);
		break;
	default:
		/* perf's, of a task that is switched to or from: may not sleep */
		break;
	}
	return ret;
}

#ifdef CONFIG_PERF_EVENTS
/* Enabling one traces the kernel, so the right to count in one's own task is not enough. */
static int nt_event_perm(struct trace_event_call *call, struct perf_event *event)
{
	return event->parent || perfmon_capable() ? 0 : -EPERM;
}
#endif

/* Sets the filter of @nt_events from @globs, which are separated by commas. */
static int nt_events_filter(const char *globs, bool exclude)
{
	char *copy, *next, *glob;
	int ret;

	ret = nt_filter_clear(&nt_events, exclude);
	if (ret || !globs || !strcmp(globs, NT_EVENTS_NONE))
		return ret;
	copy = next = kstrdup(globs, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	while (!ret && (glob = strsep(&next, ",")))
		if (*glob)
			ret = nt_filter_set(&nt_events, glob, exclude);
	kfree(copy);
	return ret;
}

static int nt_events_filters(void)
{
	return nt_events_filter(nt_events_globs[0], false) ?:
	       nt_events_filter(nt_events_globs[1], true);
}

/* Not armed: it is set, or what was before is set again; if that can't be, nothing is traced. */
static int nt_events_filter_new(char *globs, bool exclude)
{
	char *before = nt_events_globs[exclude];
	int ret;

	nt_events_globs[exclude] = globs;
	ret = nt_events_filters();
	if (ret)
		swap(nt_events_globs[exclude], before);
	kfree(before);
	nt_events_broken = ret && nt_events_filters();
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
	if (exclude && !strcmp(globs, NT_EVENTS_NONE)) {
		kfree(globs);
		return -EINVAL;
	}

	mutex_lock(&nt_events.lock);
	spin_lock(&nt_events_enabled);
	ready = nt_events_ready;
	spin_unlock(&nt_events_enabled);
	if (!ready && nt_events_globs_loaded) {
		/* loading goes on, or unloading */
		kfree(globs);
		ret = -EAGAIN;
	} else if (!ready) {
		/* when the module is loaded; nt_events_init() looks at it */
		kfree(nt_events_globs[exclude]);
		nt_events_globs[exclude] = globs;
		ret = 0;
	} else {
		/* the filter of who runs does not change */
		ret = nt_events_disarm();
		if (ret)
			kfree(globs);
		else
			ret = nt_events_filter_new(globs, exclude);
		again = nt_events_update();
		ret = ret ?: again;
	}
	mutex_unlock(&nt_events.lock);
	return ret;
}

static int nt_events_get(char *buffer, const struct kernel_param *param)
{
	int len;

	mutex_lock(&nt_events.lock);
	len = scnprintf(buffer, PAGE_SIZE, "%s\n", nt_events_broken ? NT_EVENTS_NONE :
			nt_events_globs[*(const bool *)param->arg] ?: "");
	mutex_unlock(&nt_events.lock);
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

/* For NESTRACE_IOC_INFO. */
void nt_events_info(struct nestrace_info *info)
{
	enum nestrace_slot slot;
	int cpu;

	info->events_armed = READ_ONCE(nt_events.state) == NT_RUNNING;
	for_each_possible_cpu(cpu) {
		struct nt_ring *rings = per_cpu_ptr(nt_events.rings, cpu)->slot;

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
	event_rcu_wake.perf_perm = nt_event_perm;
#endif
	nt_events.ops.func = nt_hook_events;
	nt_events.rings = alloc_percpu(struct nt_rings);
	if (!nt_events.rings)
		return -ENOMEM;
	mutex_lock(&nt_events.lock);
	nt_events_globs_loaded = true;
	ret = nt_events_filters();
	if (ret)
		pr_err("filter=%s notrace=%s: no such function or module (%d)\n",
		       nt_events_globs[0] ?: "", nt_events_globs[1] ?: "", ret);
	mutex_unlock(&nt_events.lock);
	if (ret)
		nt_events_exit();
	return ret;
}

/* The last of loading: one may have been enabled before the module was ready. */
void __init nt_events_set_ready(void)
{
	spin_lock(&nt_events_enabled);
	WRITE_ONCE(nt_events_ready, true);
	spin_unlock(&nt_events_enabled);
	nt_events_work(NULL);
}

/* Not armed: the module would be pinned, and being on its way out it can't be any more. */
void nt_events_exit(void)
{
	/* who is setting the filter ends first */
	mutex_lock(&nt_events.lock);
	spin_lock(&nt_events_enabled);
	WRITE_ONCE(nt_events_ready, false);
	spin_unlock(&nt_events_enabled);
	mutex_unlock(&nt_events.lock);
	cancel_work_sync(&nt_events_arming);
	nt_filter_free(&nt_events);
	free_percpu(nt_events.rings);
}

static const bool nt_to_filter, nt_to_notrace = true;

module_param_cb(filter, &nt_events_param, (void *)&nt_to_filter, 0600);
MODULE_PARM_DESC(filter, "what the trace events trace: globs, separated by commas; empty: all, -: nothing");
/* a name, here */
#undef notrace
module_param_cb(notrace, &nt_events_param, (void *)&nt_to_notrace, 0600);
MODULE_PARM_DESC(notrace, "what they leave out: globs, separated by commas");
