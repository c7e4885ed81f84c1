// SPDX-License-Identifier: GPL-2.0
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/function_traits.h"
#include "lib/kallsyms.h"
#include "lib/memory.h"

/* A symbol ends here at the latest: its size is not known, and the next may be far away. */
#define SIZE_MAX_OF_ONE	0x10000

struct function_trait {
	uint64_t start, end;		/* first: up_to() and by_address() look at it */
	uint32_t traits;
};

/*
 * Each of those with TRAIT_SLEEPS calls might_sleep() on every path, or schedule(). Functions that sleep only with
 * some arguments, as kmalloc() does, are not here, nor those that the kernel calls with interrupts off on purpose.
 */
static const struct {
	const char *glob;
	uint32_t traits;
} known[] = {
	{ "__cond_resched", TRAIT_SLEEPS | TRAIT_MIGHT_SLEEP },
	{ "__might_sleep", TRAIT_SLEEPS | TRAIT_MIGHT_SLEEP },
	{ "mutex_lock", TRAIT_SLEEPS },
	{ "mutex_lock_interruptible", TRAIT_SLEEPS },
	{ "mutex_lock_killable", TRAIT_SLEEPS },
	{ "mutex_lock_io", TRAIT_SLEEPS },
	{ "mutex_lock_nested", TRAIT_SLEEPS },
	{ "_mutex_lock_nest_lock", TRAIT_SLEEPS },
	{ "mutex_lock_interruptible_nested", TRAIT_SLEEPS },
	{ "mutex_lock_killable_nested", TRAIT_SLEEPS },
	{ "_mutex_lock_killable", TRAIT_SLEEPS },
	{ "mutex_lock_io_nested", TRAIT_SLEEPS },
	{ "ww_mutex_lock", TRAIT_SLEEPS },
	{ "ww_mutex_lock_interruptible", TRAIT_SLEEPS },
	{ "rt_mutex_lock", TRAIT_SLEEPS },
	{ "rt_mutex_lock_interruptible", TRAIT_SLEEPS },
	{ "rt_mutex_lock_killable", TRAIT_SLEEPS },
	{ "rt_mutex_lock_nested", TRAIT_SLEEPS },
	{ "down_read", TRAIT_SLEEPS },
	{ "down_read_interruptible", TRAIT_SLEEPS },
	{ "down_read_killable", TRAIT_SLEEPS },
	{ "down_read_nested", TRAIT_SLEEPS },
	{ "down_read_killable_nested", TRAIT_SLEEPS },
	{ "down_write", TRAIT_SLEEPS },
	{ "down_write_killable", TRAIT_SLEEPS },
	{ "down_write_nested", TRAIT_SLEEPS },
	{ "down_write_killable_nested", TRAIT_SLEEPS },
	{ "_down_write_nest_lock", TRAIT_SLEEPS },
	{ "down", TRAIT_SLEEPS },
	{ "down_interruptible", TRAIT_SLEEPS },
	{ "down_killable", TRAIT_SLEEPS },
	{ "down_timeout", TRAIT_SLEEPS },
	{ "percpu_down_write", TRAIT_SLEEPS },
	{ "wait_for_completion", TRAIT_SLEEPS },
	{ "wait_for_completion_io", TRAIT_SLEEPS },
	{ "wait_for_completion_timeout", TRAIT_SLEEPS },
	{ "wait_for_completion_io_timeout", TRAIT_SLEEPS },
	{ "wait_for_completion_interruptible", TRAIT_SLEEPS },
	{ "wait_for_completion_interruptible_timeout", TRAIT_SLEEPS },
	{ "wait_for_completion_killable", TRAIT_SLEEPS },
	{ "wait_for_completion_killable_timeout", TRAIT_SLEEPS },
	{ "wait_for_completion_state", TRAIT_SLEEPS },
	{ "wait_woken", TRAIT_SLEEPS },
	{ "schedule_timeout", TRAIT_SLEEPS },
	{ "schedule_timeout_interruptible", TRAIT_SLEEPS },
	{ "schedule_timeout_uninterruptible", TRAIT_SLEEPS },
	{ "schedule_timeout_killable", TRAIT_SLEEPS },
	{ "schedule_timeout_idle", TRAIT_SLEEPS },
	{ "schedule", TRAIT_SLEEPS },
	{ "yield", TRAIT_SLEEPS },
	{ "schedule_hrtimeout", TRAIT_SLEEPS },
	{ "schedule_hrtimeout_range", TRAIT_SLEEPS },
	{ "schedule_hrtimeout_range_clock", TRAIT_SLEEPS },
	{ "io_schedule", TRAIT_SLEEPS },
	{ "io_schedule_timeout", TRAIT_SLEEPS },
	{ "msleep", TRAIT_SLEEPS },
	{ "msleep_interruptible", TRAIT_SLEEPS },
	{ "usleep_range_state", TRAIT_SLEEPS },
	{ "synchronize_rcu", TRAIT_SLEEPS },
	{ "synchronize_rcu_expedited", TRAIT_SLEEPS },
	{ "synchronize_rcu_tasks", TRAIT_SLEEPS },
	{ "synchronize_rcu_tasks_rude", TRAIT_SLEEPS },
	{ "synchronize_rcu_tasks_trace", TRAIT_SLEEPS },
	{ "synchronize_srcu", TRAIT_SLEEPS },
	{ "synchronize_srcu_expedited", TRAIT_SLEEPS },
	{ "synchronize_net", TRAIT_SLEEPS },
	{ "synchronize_irq", TRAIT_SLEEPS },
	{ "rcu_barrier", TRAIT_SLEEPS },
	{ "rcu_barrier_tasks", TRAIT_SLEEPS },
	{ "rcu_barrier_tasks_rude", TRAIT_SLEEPS },
	{ "rcu_barrier_tasks_trace", TRAIT_SLEEPS },
	{ "srcu_barrier", TRAIT_SLEEPS },
	{ "flush_work", TRAIT_SLEEPS },
	{ "flush_delayed_work", TRAIT_SLEEPS },
	{ "__flush_workqueue", TRAIT_SLEEPS },
	{ "drain_workqueue", TRAIT_SLEEPS },
	{ "destroy_workqueue", TRAIT_SLEEPS },
	{ "kthread_stop", TRAIT_SLEEPS },
	{ "kthread_park", TRAIT_SLEEPS },
	{ "kthread_flush_work", TRAIT_SLEEPS },
	{ "kthread_flush_worker", TRAIT_SLEEPS },
	{ "kthread_create_on_node", TRAIT_SLEEPS },
	{ "disable_irq", TRAIT_SLEEPS },
	{ "free_irq", TRAIT_SLEEPS },
	{ "vunmap", TRAIT_SLEEPS },
	{ "kmem_cache_destroy", TRAIT_SLEEPS },
	{ "vmalloc", TRAIT_SLEEPS },
	{ "vmalloc_noprof", TRAIT_SLEEPS },
	{ "vzalloc", TRAIT_SLEEPS },
	{ "vzalloc_noprof", TRAIT_SLEEPS },
	{ "vmalloc_user", TRAIT_SLEEPS },
	{ "vmalloc_user_noprof", TRAIT_SLEEPS },
	{ "vmalloc_32", TRAIT_SLEEPS },
	{ "vmalloc_32_noprof", TRAIT_SLEEPS },
	{ "vmap", TRAIT_SLEEPS },
	{ "vm_map_ram", TRAIT_SLEEPS },
	{ "cpus_read_lock", TRAIT_SLEEPS },
	{ "cpus_write_lock", TRAIT_SLEEPS },
	{ "lock_sock_nested", TRAIT_SLEEPS },
	{ "stop_machine", TRAIT_SLEEPS },
	{ "stop_one_cpu", TRAIT_SLEEPS },
	{ "smp_call_on_cpu", TRAIT_SLEEPS },
	{ "flush_rcu_work", TRAIT_SLEEPS },
	{ "down_read_non_owner", TRAIT_SLEEPS },
	{ "rt_spin_lock", TRAIT_SLEEPS },
	{ "rt_spin_lock_nested", TRAIT_SLEEPS },
	{ "rt_read_lock", TRAIT_SLEEPS },
	{ "rt_write_lock", TRAIT_SLEEPS },
	{ "out_of_line_wait_on_bit", TRAIT_SLEEPS },
	{ "out_of_line_wait_on_bit_timeout", TRAIT_SLEEPS },
	{ "out_of_line_wait_on_bit_lock", TRAIT_SLEEPS },
	/* x86 has these, down to the NMIs */
	{ "asm_*", TRAIT_ENTRY },
	{ "asm_sysvec_*", TRAIT_INTERRUPT },
	{ "asm_common_interrupt", TRAIT_INTERRUPT },
	{ "asm_spurious_interrupt", TRAIT_INTERRUPT },
	{ "asm_exc_xen_hypervisor_callback", TRAIT_INTERRUPT },
	{ "xen_pv_evtchn_do_upcall", TRAIT_INTERRUPT },
	{ "fred_extint", TRAIT_INTERRUPT },
	{ "fred_sysvec_*", TRAIT_INTERRUPT },
	{ "asm_exc_nmi*", TRAIT_NMI_LEVEL },
	{ "asm_exc_int3", TRAIT_NMI_LEVEL },
	{ "asm_exc_debug", TRAIT_NMI_LEVEL },
	{ "asm_exc_machine_check", TRAIT_NMI_LEVEL },
	{ "asm_exc_double_fault", TRAIT_NMI_LEVEL },
	{ "asm_exc_vmm_communication", TRAIT_NMI_LEVEL },
	{ "asm_exc_control_protection", TRAIT_NMI_LEVEL },
	{ "asm_exc_invalid_op", TRAIT_NMI_LEVEL },
	{ "end_repeat_nmi", TRAIT_ENTRY | TRAIT_NMI_LEVEL },
	{ "return_to_handler", TRAIT_HOOKED },
	{ "arch_rethook_trampoline", TRAIT_HOOKED },
	{ "__kretprobe_trampoline", TRAIT_HOOKED },
	/* by design without unwind data, for the moment of a jump */
	{ "__x86_indirect_*", TRAIT_HOOKED },
	{ "__x86_return_*", TRAIT_HOOKED },
	{ "srso_*", TRAIT_HOOKED },
	{ "retbleed_*", TRAIT_HOOKED },
	{ "exc_*", TRAIT_ENTRY },
	{ "sysvec_*", TRAIT_ENTRY },
	{ "__sysvec_*", TRAIT_ENTRY | TRAIT_IN_HARDIRQ },
	{ "common_interrupt", TRAIT_ENTRY },
	{ "__common_interrupt", TRAIT_ENTRY | TRAIT_IN_HARDIRQ },
	{ "spurious_interrupt", TRAIT_ENTRY },
	{ "fred_*", TRAIT_ENTRY | TRAIT_NMI_LEVEL },
	{ "default_do_nmi", TRAIT_IN_NMI },
	{ "nmi_handle", TRAIT_IN_NMI },
	{ "*do_softirq*", TRAIT_ENTRY | TRAIT_SOFTIRQS },
	{ "handle_softirqs", TRAIT_ENTRY | TRAIT_SOFTIRQS },
	{ "run_ksoftirqd", TRAIT_SOFTIRQS },
	{ "run_timer_softirq", TRAIT_IN_SOFTIRQ },
	{ "hrtimer_run_softirq", TRAIT_IN_SOFTIRQ },
	{ "tasklet_action*", TRAIT_IN_SOFTIRQ },
	{ "tasklet_hi_action", TRAIT_IN_SOFTIRQ },
	{ "net_rx_action", TRAIT_IN_SOFTIRQ },
	{ "net_tx_action", TRAIT_IN_SOFTIRQ },
	{ "rcu_core_si", TRAIT_IN_SOFTIRQ },
	{ "entry_SYSCALL*", TRAIT_USER },
	{ "do_syscall_64", TRAIT_USER },
	{ "do_int80_*", TRAIT_USER },
	{ "ret_from_fork*", TRAIT_USER },
	{ "irqentry_enter*", TRAIT_ENTRY },
	{ "__ct_user_exit", TRAIT_USER },
	{ "vtime_user_exit", TRAIT_USER },
	{ "__ct_user_enter", TRAIT_USER },
	{ "vtime_user_enter", TRAIT_USER },
	{ "enter_from_user_mode", TRAIT_USER },
	{ "syscall_enter_from_user_mode*", TRAIT_USER },
	{ "irq_enter_rcu", TRAIT_ENTRY },
	{ "tasklet_action_common", TRAIT_HANDLERS },
	{ "call_timer_fn", TRAIT_HANDLERS },
	{ "__hrtimer_run_queues", TRAIT_HANDLERS },
	{ "rcu_do_batch", TRAIT_HANDLERS },
	{ "__napi_poll", TRAIT_HANDLERS },
	{ "blk_complete_reqs", TRAIT_HANDLERS },
	{ "irq_work_single", TRAIT_HANDLERS },
	{ "__handle_irq_event_percpu", TRAIT_HANDLERS },
	{ "__flush_smp_call_function_queue", TRAIT_HANDLERS },
	{ "irqentry_exit*", TRAIT_EXIT },
	{ "exit_to_user_mode*", TRAIT_USER },
	{ "syscall_exit_to_user_mode*", TRAIT_USER },
	{ "irq_exit_rcu", TRAIT_EXIT },
	{ "__irq_exit_rcu", TRAIT_EXIT },
	{ "_raw_*unlock*", TRAIT_PREEMPT_ON },
	{ "_raw_*unlock_irq*", TRAIT_IRQS_ON },
	{ "__raw_*unlock*", TRAIT_PREEMPT_ON },
	{ "__raw_*unlock_irq*", TRAIT_IRQS_ON },
	{ "preempt_count_sub", TRAIT_PREEMPT_ON },
	/* the tasks before may not have been traced */
	{ "finish_task_switch", TRAIT_SWITCH | TRAIT_ENABLES },
	{ "__switch_to*", TRAIT_SWITCH },
	{ "schedule_tail", TRAIT_SWITCH | TRAIT_ENABLES },
	{ "schedule*", TRAIT_ENABLES },
	{ "__schedule", TRAIT_ENABLES },
	{ "preempt_schedule*", TRAIT_ENABLES },
	{ "__local_bh_enable_ip", TRAIT_ENABLES },
	{ "trace_hardirqs_on*", TRAIT_IRQS_ON },
};

/* Between these, the CPU runs a guest with interrupts off in the host, and an interrupt ends that. */
static uint32_t traits_of_kvm(const char *name)
{
	if (!strcmp(name, "vmx_vcpu_run") || !strcmp(name, "svm_vcpu_run"))
		return TRAIT_EXIT;
	return !strcmp(name, "vmx_handle_exit_irqoff") || !strcmp(name, "svm_handle_exit_irqoff") ? TRAIT_ENTRY : 0;
}

/* Names may end with .isra.0 and the like. */
static uint32_t traits_of(const char *name)
{
	char whole[64];
	uint32_t traits = 0;
	size_t i, len = strcspn(name, ".");

	/* the names above are shorter */
	if (len >= sizeof(whole) || !len)
		return 0;
	memcpy(whole, name, len);
	whole[len] = '\0';
	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (*known[i].glob == '*' || *known[i].glob == *whole)
			if (!fnmatch(known[i].glob, whole, 0))
				traits |= known[i].traits;
	return traits;
}

/* The function before the one in hand ends where this begins. */
static void end_last(struct function_traits *t, uint64_t start)
{
	struct function_trait *last = t->nr ? &t->trait[t->nr - 1] : NULL;

	if (last && start > last->start && start < last->end)
		last->end = start;
}

static void take(void *arg, const struct kallsyms_line *line)
{
	struct function_traits *t = arg;
	uint32_t traits;

	if (!line->module)
		traits = traits_of(line->name);
	else
		traits = strncmp(line->module, "kvm", strlen("kvm")) ? 0 : traits_of_kvm(line->name);
	end_last(t, line->start);
	t->start = xgrow(t->start, t->nr_starts, sizeof(*t->start));
	t->start[t->nr_starts++] = line->start;
	if (!traits)
		return;
	/* a function may have several names */
	if (t->nr && t->trait[t->nr - 1].start == line->start) {
		t->trait[t->nr - 1].traits |= traits;
		return;
	}
	t->trait = xgrow(t->trait, t->nr, sizeof(*t->trait));
	t->trait[t->nr++] = (struct function_trait){ line->start, line->start + SIZE_MAX_OF_ONE, traits };
}

/* Compare addresses, or what begins with one. */
static int by_address(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct function_traits function_traits_of(const char *symbols)
{
	struct function_traits t = { 0 };

	kallsyms_functions(symbols, take, &t);
	if (t.nr)
		qsort(t.trait, t.nr, sizeof(*t.trait), by_address);
	if (t.nr_starts)
		qsort(t.start, t.nr_starts, sizeof(*t.start), by_address);
	return t;
}

/* Return how many of @nr sorted elements begin at or below @ip. Each of @size bytes begins with its address. */
static size_t up_to(const void *array, size_t nr, size_t size, uint64_t ip)
{
	size_t low = 0, high = nr, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (*(const uint64_t *)((const char *)array + middle * size) <= ip)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t function_traits_at(const struct function_traits *t, uint64_t ip)
{
	size_t nr = up_to(t->trait, t->nr, sizeof(*t->trait), ip);

	return nr && ip < t->trait[nr - 1].end ? t->trait[nr - 1].traits : 0;
}

uint64_t function_traits_start(const struct function_traits *t, uint64_t ip)
{
	size_t nr = up_to(t->start, t->nr_starts, sizeof(*t->start), ip);

	return nr && ip - t->start[nr - 1] < SIZE_MAX_OF_ONE ? t->start[nr - 1] : 0;
}

void function_traits_free(struct function_traits *t)
{
	free(t->start);
	free(t->trait);
}
