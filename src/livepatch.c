// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/livepatch.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rethook.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "compat/module.h"
#include "filter.h"
#include "ksym.h"
#include "livepatch.h"
#include "walk.h"

#ifdef CONFIG_LIVEPATCH

/* private to kernel/livepatch/ */
static struct mutex *nt_klp_mutex __ro_after_init;
static struct list_head *nt_klp_patches __ro_after_init;	/* under nt_klp_mutex, as all that follows */
static struct klp_patch **nt_klp_transition __ro_after_init;
static int *nt_klp_target __ro_after_init;

static int nt_no_task_call(struct task_struct *task, task_call_f func, void *arg)
{
	return -EOPNOTSUPP;
}

static struct task_struct *nt_no_idle_task(int cpu)
{
	return NULL;
}

static void nt_no_put_stack(struct task_struct *task)
{
}

DEFINE_STATIC_CALL(nt_task_call, nt_no_task_call);
DEFINE_STATIC_CALL(nt_idle_task, nt_no_idle_task);
DEFINE_STATIC_CALL(nt_put_stack, nt_no_put_stack);

int __init nt_livepatch_init(void)
{
	unsigned long call = nt_ksym("task_call_func"), idle = nt_ksym("idle_task"),
		      put = nt_ksym("put_task_stack");

	nt_klp_mutex = (struct mutex *)nt_ksym_data("klp_mutex");
	nt_klp_patches = (struct list_head *)nt_ksym_data("klp_patches");
	nt_klp_transition = (struct klp_patch **)nt_ksym_data("klp_transition_patch");
	nt_klp_target = (int *)nt_ksym_data("klp_target_state");
	if (!NT_HAS_WALK || !nt_klp_mutex || !nt_klp_patches || !nt_klp_transition || !call || !idle || !put)
		nt_klp_target = NULL;
	if (!nt_klp_target)
		return 0;
	static_call_update(nt_task_call, (typeof(nt_no_task_call) *)call);
	static_call_update(nt_idle_task, (typeof(nt_no_idle_task) *)idle);
	static_call_update(nt_put_stack, (typeof(nt_no_put_stack) *)put);
	return NESTRACE_FEATURE_LIVEPATCH;
}

/* The notes under construction. */
struct nt_klp_notes {
	char *start;
	u32 len, room;
	u32 left_out;
};

/* Return: a note of @length bytes, zeroed, or NULL if it does not fit. */
static void *nt_klp_add(struct nt_klp_notes *n, size_t length, u16 kind, u16 flags)
{
	struct nestrace_klp_note *note = (void *)(n->start + n->len);

	length = ALIGN(length, sizeof(u64));
	if (length > n->room - n->len) {
		/* nothing after it either: a function would be under another patch */
		n->room = n->len;
		n->left_out++;
		return NULL;
	}
	memset(note, 0, length);
	note->length = length;
	note->kind = kind;
	note->flags = flags;
	n->len += length;
	return note;
}

static void nt_klp_add_func(struct nt_klp_notes *n, const struct klp_func *func)
{
	size_t len = strlen(func->old_name) + 1;
	struct nestrace_klp_func *note;
	unsigned long location;

	note = nt_klp_add(n, sizeof(*note) + len, NESTRACE_KLP_FUNC,
			  (func->nop ? NESTRACE_KLP_NOP : 0) | (func->patched ? NESTRACE_KLP_PATCHED : 0) |
			  (func->transition ? NESTRACE_KLP_TRANSITION : 0));
	if (!note)
		return;
	note->old_func = (unsigned long)func->old_func;
	note->old_size = func->old_size;
	location = func->old_func ? nt_filter_location_of((unsigned long)func->old_func) : 0;
	note->old_body = location ? location + MCOUNT_INSN_SIZE : 0;
	note->new_func = (unsigned long)func->new_func;
	note->new_size = func->new_size;
	memcpy(note->name, func->old_name, len);
}

static void nt_klp_add_object(struct nt_klp_notes *n, const struct klp_object *obj)
{
	struct nestrace_klp_object *note;
	const struct klp_func *func;

	note = nt_klp_add(n, sizeof(*note), NESTRACE_KLP_OBJECT, obj->patched ? NESTRACE_KLP_PATCHED : 0);
	if (note && obj->name)
		strscpy(note->name, obj->name, sizeof(note->name));
	klp_for_each_func(obj, func)
		nt_klp_add_func(n, func);
}

static void nt_klp_add_patch(struct nt_klp_notes *n, const struct klp_patch *patch)
{
	struct nestrace_klp_patch *note;
	const struct klp_object *obj;
	unsigned long text, size;

	note = nt_klp_add(n, sizeof(*note), NESTRACE_KLP_PATCH,
			  (patch->enabled ? NESTRACE_KLP_ENABLED : 0) |
			  (patch->replace ? NESTRACE_KLP_REPLACE : 0) |
			  (patch->forced ? NESTRACE_KLP_FORCED : 0) |
			  (patch == *nt_klp_transition ? NESTRACE_KLP_TRANSITION : 0));
	if (note) {
		strscpy(note->name, patch->mod->name, sizeof(note->name));
		nt_module_text(patch->mod, &text, &size);
		note->text = text;
		note->text_size = size;
	}
	klp_for_each_object(patch, obj)
		nt_klp_add_object(n, obj);
}

/* A task that holds the transition. */
struct nt_klp_look {
	struct nt_task_stack stack;
	u32 why;
	u32 state;
	u32 cpu;
	u16 flags;
};

/* Context: task_call_func(): the task does not begin to run, nor does it stop; interrupts are off. */
static int nt_klp_look_at(struct task_struct *task, void *arg)
{
	struct nt_klp_look *look = arg;

	look->stack.nr = 0;
	look->state = READ_ONCE(task->__state);
	look->cpu = task_cpu(task);
	look->flags = task_is_running(task) ? NESTRACE_KLP_RUNNABLE : 0;
	if (READ_ONCE(task->on_cpu)) {
		look->why = NESTRACE_KLP_ON_CPU;
		return 0;
	}
#ifdef CONFIG_RETHOOK
	/* there the kernel's unwinder gives up; the one of 6.1 warns first */
	if (task_is_running(task) && task->rethooks.first) {
		look->why = NESTRACE_KLP_HOOKED;
		return 0;
	}
#endif
	/* an exited task has no stack, and that is reliable */
	look->stack.end = NT_TASK_STACK_WHOLE;
	if (try_get_task_stack(task)) {
		nt_walk_task(task, NULL, &look->stack);
		static_call(nt_put_stack)(task);
	}
	switch (look->stack.end) {
	case NT_TASK_STACK_WHOLE:
		look->why = NESTRACE_KLP_NOTHING;
		break;
	case NT_TASK_STACK_UNRELIABLE:
		look->why = NESTRACE_KLP_UNRELIABLE;
		break;
	case NT_TASK_STACK_GENERATED:
		look->why = NESTRACE_KLP_GENERATED;
		break;
	case NT_TASK_STACK_DEEP:
		look->why = NESTRACE_KLP_DEEP;
		break;
	}
	return 0;
}

/* Return: the code that must not be in use for a change of @func, as klp_check_stack_func() has it. */
static unsigned long nt_klp_code(const struct klp_func *func, unsigned long *size)
{
	const struct klp_func *used = func;

	if (*nt_klp_target) {
		/* a single entry: next and prev are both the list's head */
		if (func->stack_node.next == func->stack_node.prev) {
			*size = func->old_size;
			return (unsigned long)func->old_func;
		}
		used = list_next_entry(func, stack_node);
	}
	*size = used->new_size;
	return (unsigned long)used->new_func;
}

/* Return: the number of the first caller, from 1, that is in code which must not be in use; or 0. */
static u32 nt_klp_blocked(const struct nt_task_stack *stack, const struct klp_func **blocking)
{
	const struct klp_patch *patch = *nt_klp_transition;
	unsigned long code, size;
	struct klp_object *obj;
	struct klp_func *func;
	u32 i, first = 0;

	klp_for_each_object(patch, obj) {
		if (!obj->patched)
			continue;
		klp_for_each_func(obj, func) {
			code = nt_klp_code(func, &size);
			for (i = 0; i < stack->nr && (!first || i < first - 1); i++) {
				if (stack->caller[i] - code < size) {
					first = i + 1;
					*blocking = func;
				}
			}
		}
	}
	return first;
}

static void nt_klp_add_task(struct nt_klp_notes *n, struct task_struct *task, const struct nt_klp_look *look)
{
	const struct nt_task_stack *stack = &look->stack;
	const struct klp_func *func = NULL;
	struct nestrace_klp_task *note;
	u32 i;

	note = nt_klp_add(n, struct_size(note, caller, stack->nr), NESTRACE_KLP_TASK, look->flags);
	if (!note)
		return;
	if (is_idle_task(task))
		note->note.flags |= NESTRACE_KLP_IDLE;
	else if (task->flags & PF_KTHREAD)
		note->note.flags |= NESTRACE_KLP_KTHREAD;
	note->pid = task->pid;
	note->tgid = task->tgid;
	note->cpu = look->cpu;
	note->state = look->state;
	note->version = task->patch_state;
	note->why = look->why;
	note->nr = stack->nr;
	for (i = 0; i < stack->nr; i++)
		note->caller[i] = stack->caller[i];
	memcpy(note->comm, task->comm, sizeof(note->comm));
	note->comm[sizeof(note->comm) - 1] = '\0';
	if (look->why == NESTRACE_KLP_UNRELIABLE || look->why == NESTRACE_KLP_GENERATED)
		note->frame = stack->nr;
	if (look->why != NESTRACE_KLP_NOTHING)
		return;
	/* the kernel looks for its functions only in a stack that it can trust */
	note->frame = nt_klp_blocked(stack, &func);
	if (note->frame) {
		note->why = NESTRACE_KLP_IN_FUNC;
		note->func = (unsigned long)func->old_func;
	}
}

/* Note the task if it holds the transition. */
static void nt_klp_check(struct nt_klp_notes *n, struct task_struct *task, struct nt_klp_look *look, u32 *pending)
{
	if (task == current || READ_ONCE(task->patch_state) == *nt_klp_target)
		return;
	if (static_call(nt_task_call)(task, nt_klp_look_at, look) ||
	    READ_ONCE(task->patch_state) == *nt_klp_target)
		return;
	++*pending;
	nt_klp_add_task(n, task, look);
}

static void nt_klp_check_all(struct nt_klp_notes *n, struct nt_klp_look *look, u32 *pending)
{
	struct task_struct *process, *thread;
	unsigned int cpu;

	rcu_read_lock();
	for_each_process(process) {
		/* for_each_thread() names tasklist_lock under lockdep, which is not exported */
		list_for_each_entry_rcu(thread, &process->signal->thread_head, thread_node)
			nt_klp_check(n, thread, look, pending);
	}
	for_each_possible_cpu(cpu) {
		thread = static_call(nt_idle_task)(cpu);
		if (thread)
			nt_klp_check(n, thread, look, pending);
	}
	rcu_read_unlock();
}

/*
 * A look at the task that a CPU runs, by an interrupt there. A CPU whose interrupts are off is not waited for, so
 * these outlive their users.
 */
struct nt_klp_visit {
	call_single_data_t csd;
	atomic_t state;
	pid_t pid;
	struct nt_task_stack stack;
	bool seen, user;
};

enum { NT_VISIT_FREE, NT_VISIT_WAITED_FOR, NT_VISIT_OVER, NT_VISIT_LEFT };

/* This many tasks are visited. */
#define NT_KLP_VISITS	8
#define NT_KLP_VISIT_MS	50

static struct nt_klp_visit nt_klp_visits[NT_KLP_VISITS];

static void nt_klp_visit_cpu(void *arg)
{
	struct nt_klp_visit *v = arg;
	struct pt_regs *regs = current->pid == v->pid ? nt_walk_interrupted() : NULL;

	v->seen = regs;
	v->user = regs && user_mode(regs);
	v->stack.nr = 0;
	if (regs && !v->user)
		nt_walk_task(current, regs, &v->stack);
	if (atomic_cmpxchg(&v->state, NT_VISIT_WAITED_FOR, NT_VISIT_OVER) == NT_VISIT_LEFT)
		atomic_set_release(&v->state, NT_VISIT_FREE);
}

/* Visit a task on a CPU. Return: true if it was seen; then nt_klp_visit_end() must follow. */
static bool nt_klp_visit_begin(struct nt_klp_visit *v, u32 cpu, pid_t pid)
{
	unsigned int ms;

	if (atomic_cmpxchg(&v->state, NT_VISIT_FREE, NT_VISIT_WAITED_FOR) != NT_VISIT_FREE)
		return false;
	v->pid = pid;
	INIT_CSD(&v->csd, nt_klp_visit_cpu, v);
	if (smp_call_function_single_async(cpu, &v->csd)) {
		atomic_set(&v->state, NT_VISIT_FREE);
		return false;
	}
	for (ms = 0; ms < NT_KLP_VISIT_MS && atomic_read_acquire(&v->state) != NT_VISIT_OVER; ms++)
		usleep_range(1000, 2000);
	if (atomic_cmpxchg(&v->state, NT_VISIT_WAITED_FOR, NT_VISIT_LEFT) == NT_VISIT_WAITED_FOR)
		return false;
	if (!v->seen)
		atomic_set(&v->state, NT_VISIT_FREE);
	return v->seen;
}

static void nt_klp_visit_end(struct nt_klp_visit *v)
{
	atomic_set(&v->state, NT_VISIT_FREE);
}

void nt_livepatch_exit(void)
{
	unsigned int i;

	/* the function of a visit that was left is in this module */
	for (i = 0; i < NT_KLP_VISITS; i++)
		while (atomic_read(&nt_klp_visits[i].state) != NT_VISIT_FREE)
			msleep(10);
}

/* Add the stack to a note, which moves those behind it. */
static void nt_klp_add_stack(struct nt_klp_notes *n, struct nestrace_klp_task *note, const struct nt_task_stack *stack)
{
	u32 at = (char *)note - n->start, more = stack->nr * sizeof(*note->caller), i;

	if (more > n->room - n->len)
		return;
	memmove((char *)note + note->note.length + more, (char *)note + note->note.length,
		n->len - at - note->note.length);
	for (i = 0; i < stack->nr; i++)
		note->caller[i] = stack->caller[i];
	note->nr = stack->nr;
	note->note.length += more;
	n->len += more;
}

/* Add where the tasks are that run on a CPU. Their notes begin at @first, are the last, and have no callers. */
static void nt_klp_visit(struct nt_klp_notes *n, u32 first)
{
	struct nestrace_klp_task *note;
	struct nt_klp_visit *v;
	u32 at, visits = 0;

	for (at = first; at < n->len && visits < NT_KLP_VISITS; at += note->note.length) {
		note = (void *)(n->start + at);
		if (note->why != NESTRACE_KLP_ON_CPU || !note->pid)
			continue;
		v = &nt_klp_visits[visits++];
		if (!nt_klp_visit_begin(v, note->cpu, note->pid))
			continue;
		if (v->user)
			note->note.flags |= NESTRACE_KLP_USER;
		nt_klp_add_stack(n, note, &v->stack);
		nt_klp_visit_end(v);
	}
}

/* Return: the task that has the lock, which an RCU read section keeps; or NULL. */
static struct task_struct *nt_klp_owner(void)
{
	/* the low bits are the lock's own */
#ifdef CONFIG_PREEMPT_RT
	return (struct task_struct *)((unsigned long)READ_ONCE(nt_klp_mutex->rtmutex.owner) & ~1UL);
#else
	return (struct task_struct *)(atomic_long_read(&nt_klp_mutex->owner) & ~7UL);
#endif
}

/* Note the task that has the lock. */
static void nt_klp_add_owner(struct nt_klp_notes *n, struct nt_klp_look *look)
{
	struct task_struct *task;

	rcu_read_lock();
	task = nt_klp_owner();
	if (task && !static_call(nt_task_call)(task, nt_klp_look_at, look)) {
		look->why = NESTRACE_KLP_LOCK;
		nt_klp_add_task(n, task, look);
	}
	rcu_read_unlock();
}

/* Return: 0, -EINTR, or -EBUSY after a second. */
static int nt_klp_lock(void)
{
	unsigned int tries;

	for (tries = 0; tries < 100; tries++) {
		if (mutex_trylock(nt_klp_mutex))
			return 0;
		if (msleep_interruptible(10))
			return -EINTR;
	}
	return -EBUSY;
}

static int nt_klp_describe(struct nestrace_livepatch *arg, struct nt_klp_notes *n)
{
	struct nt_klp_look *look = kmalloc(sizeof(*look), GFP_KERNEL);
	const struct klp_patch *patch;
	int ret = look ? nt_klp_lock() : -ENOMEM;
	u32 first;

	arg->target = -1;
	arg->pending = 0;
	if (ret == -EBUSY)
		nt_klp_add_owner(n, look);
	if (ret)
		goto out;
	list_for_each_entry(patch, nt_klp_patches, list)
		nt_klp_add_patch(n, patch);
	first = n->len;
	if (*nt_klp_transition) {
		arg->target = *nt_klp_target;
		if (arg->flags & NESTRACE_LIVEPATCH_TASKS)
			nt_klp_check_all(n, look, &arg->pending);
	}
	mutex_unlock(nt_klp_mutex);
	nt_klp_visit(n, first);
out:
	kfree(look);
	return ret;
}

int nt_livepatch_describe(struct nestrace_livepatch *arg)
{
	struct nt_klp_notes n = { .room = arg->len };
	int ret;

	if (!nt_klp_target)
		return -EOPNOTSUPP;
	n.start = kvmalloc(max_t(u32, n.room, 1), GFP_KERNEL_ACCOUNT);
	if (!n.start)
		return -ENOMEM;
	ret = nt_klp_describe(arg, &n);
	arg->len = n.len;
	arg->left_out = n.left_out;
	if ((!ret || ret == -EBUSY) && copy_to_user(u64_to_user_ptr(arg->notes), n.start, n.len))
		ret = -EFAULT;
	kvfree(n.start);
	return ret;
}

#else
int __init nt_livepatch_init(void)
{
	return 0;
}

int nt_livepatch_describe(struct nestrace_livepatch *arg)
{
	return -EOPNOTSUPP;
}

void nt_livepatch_exit(void)
{
}
#endif
