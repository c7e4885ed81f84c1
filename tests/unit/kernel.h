/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as hook.c, merge.c and their headers need to be built in userspace.
 * A CPU is a thread, and its per-CPU variables are the thread's. An interrupt is a signal
 * handler that sets preempt_count, the stack pointer and the interrupt flag as the interrupt
 * would find them. With NT_UNIT_BENCH the stack pointer, the interrupt flag and the TSC are
 * the machine's, read by the kernel's instructions.
 */
#ifndef NT_UNIT_KERNEL_H
#define NT_UNIT_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINUX_VERSION_CODE	KERNEL_VERSION(6, 1, 0)
#define KERNEL_VERSION(a, b, c)	(((a) << 16) + ((b) << 8) + (c))
#define CONFIG_SMP		1
#define __KERNEL__		1
#define IS_ENABLED(x)		0
#define HZ			100

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef s32 __s32;
#define U64_MAX			UINT64_MAX
#define BITS_PER_LONG		64

#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define noinstr			__attribute__((noinline))
#define __maybe_unused		__attribute__((unused))
#define __percpu
#define __packed		__attribute__((packed))
#define __aligned(n)		__attribute__((aligned(n)))
#define ____cacheline_aligned	__aligned(64)
#define ____cacheline_aligned_in_smp __aligned(64)
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define SMP_CACHE_BYTES		64
#define static_assert(x)	_Static_assert(x, #x)
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#define OPTIMIZER_HIDE_VAR(v)	asm("" : "+r"(v))
#define EXPORT_SYMBOL_GPL(x)
#define __init
#define udelay(n)		do { } while (0)
#define lockdep_off()		do { } while (0)
#define lockdep_on()		do { } while (0)

/* The memory model, with no more order than the kernel promises. */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define barrier()		asm volatile("" ::: "memory")
#define data_race(x)		(x)

/* Per-CPU variables. */
#define NR_CPUS			8
extern __thread int this_cpu;
#define DECLARE_PER_CPU(type, name)	extern __thread __typeof__(type) name
#define DEFINE_PER_CPU(type, name)	__thread __typeof__(type) name
#define raw_cpu_read(x)		READ_ONCE(x)
#define raw_cpu_read_4(x)	READ_ONCE(x)
#define raw_cpu_write(x, v)	WRITE_ONCE(x, v)
#define raw_cpu_inc(x)		of_this_cpu_inc(&(x))
void of_this_cpu_inc(u64 *percpu);		/* rings of a hook */
#define raw_cpu_cmpxchg(x, o, n) __sync_val_compare_and_swap(&(x), o, n)
#ifdef NT_UNIT_BENCH
extern __thread unsigned long this_cpu_off;
#define raw_cpu_ptr(p)		((__typeof__(p))((unsigned long)(p) + this_cpu_off))
#else
void *of_this_cpu(const void *percpu);	/* rings of a hook, or a variable */
#define raw_cpu_ptr(p)		((__typeof__(p))of_this_cpu(p))
#endif
#define per_cpu_ptr(p, cpu)	((p) + (cpu))
extern struct nt_guards *guards_of[NR_CPUS];
#define per_cpu(name, cpu)	(*guards_of[cpu])

/* The context of the running code. */
#define PREEMPT_MASK		0x000000ffU
#define SOFTIRQ_MASK		0x0000ff00U
#define HARDIRQ_MASK		0x000f0000U
#define NMI_MASK		0x00f00000U
#define PREEMPT_NEED_RESCHED	0x80000000U
#define PREEMPT_DISABLE_OFFSET	1U
#define SOFTIRQ_OFFSET		0x00000100U
#define HARDIRQ_OFFSET		0x00010000U
#define NMI_OFFSET		0x00100000U
extern __thread unsigned int __preempt_count;
extern __thread unsigned long irq_flags;
#ifdef NT_UNIT_BENCH
register unsigned long current_stack_pointer asm("rsp");
#define arch_local_save_flags()	__builtin_ia32_readeflags_u64()
#else
extern __thread unsigned long current_stack_pointer;
#define arch_local_save_flags()	READ_ONCE(irq_flags)
#endif
#define X86_EFLAGS_IF		0x200
#define raw_irqs_disabled_flags(f) (!((f) & 0x200))
#define raw_local_irq_save(f)	((f) = irq_flags, irq_flags = 0)
#define raw_local_irq_restore(f) ((void)(irq_flags = (f)))
#define preempt_disable_notrace() do { __preempt_count++; barrier(); } while (0)
/* never 0 here: PREEMPT_NEED_RESCHED is inverted, and no task wants to run */
#define preempt_enable_notrace() do {		\
	barrier();				\
	if (unlikely(!--__preempt_count))	\
		__builtin_trap();		\
} while (0)

#ifndef NT_UNIT_BENCH
void unit_taking(void);
#define nt_test_taking()	unit_taking()
#ifdef NT_UNIT_COUNTS
void unit_counting(void);
#define nt_test_counting()	unit_counting()
#endif
#endif

#define THREAD_SIZE		0x4000UL
#define IRQ_STACK_SIZE		0x4000UL
struct llist_node { struct llist_node *next; };
struct task_struct {
	struct { struct llist_node *first; } rethooks;
	int pid;
	int migration_disabled;
	void *mm;
	void *stack;
	unsigned long flags;
};
extern __thread struct task_struct *current;
#define current_thread_info()	current
#define _TIF_NEED_RESCHED	8
#define instrumentation_begin()	do { } while (0)
#define instrumentation_end()	do { } while (0)

/* arch/x86/include/asm/cpu_entry_area.h: the order of the exception stacks. */
struct cea_exception_stacks {
	char DF_stack_guard[0x1000], DF_stack[0x2000];
	char NMI_stack_guard[0x1000], NMI_stack[0x2000];
	char DB_stack_guard[0x1000], DB_stack[0x2000];
	char MCE_stack_guard[0x1000], MCE_stack[0x2000];
	char VC_stack_guard[0x1000], VC_stack[0x2000];
	char VC2_stack_guard[0x1000], VC2_stack[0x2000];
};

/* RCU is always watching. */
struct context_tracking { struct { unsigned int counter; } state; };
extern __thread struct context_tracking context_tracking;
#define RCU_DYNTICKS_IDX	4
static inline long ct_dynticks_nmi_nesting(void) { return 0; }
static inline void warn_rcu_enter(void) { }
static inline void warn_rcu_exit(bool awake) { }
/* a function that no test calls may be missing */
#define DECLARE_STATIC_CALL(name, fn) extern __typeof__(fn) name##_target __attribute__((weak))
#define static_call(name)	name##_target

/* Locks and clocks. */
#define try_cmpxchg(p, old, new) __atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, \
							    __ATOMIC_RELAXED)
#define mul_u64_u64_shr(a, b, shift) ((u64)((unsigned __int128)(a) * (b) >> (shift)))
typedef struct { union { u32 val; u8 locked; }; } arch_spinlock_t;
#define __ARCH_SPIN_LOCK_UNLOCKED { { 0 } }
static inline bool arch_spin_trylock(arch_spinlock_t *lock)
{
	u32 val = READ_ONCE(lock->val);

	return !val && __atomic_compare_exchange_n(&lock->val, &val, 1, false, __ATOMIC_ACQUIRE,
						   __ATOMIC_RELAXED);
}
static inline u64 unit_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}
u64 sched_clock(void);
#define ktime_get_mono_fast_ns() unit_ns()
#if defined(NT_UNIT_NO_TSC)
/* a clock that costs nothing and stands still, unknown to the compiler */
#define rdtsc()			({ u64 now; asm volatile("xorl %k0, %k0" : "=r" (now)); now; })
#define rdtsc_ordered()		rdtsc()
#elif defined(NT_UNIT_BENCH)
#define rdtsc()			__builtin_ia32_rdtsc()
/* as the kernel patches it, where there is such an instruction */
#define rdtsc_ordered()		({ u32 cpu; __builtin_ia32_rdtscp(&cpu); })
#else
#define rdtsc()			unit_ns()
#define rdtsc_ordered()		unit_ns()
#endif
extern unsigned long jiffies;

/* Lists, and what counts.c uses besides. */
struct list_head { struct list_head *next, *prev; };
#define INIT_LIST_HEAD(l)	((l)->next = (l)->prev = (l))
#define list_empty(l)		((l)->next == (l))
#define list_entry(l, type, member) container_of(l, type, member)
#define list_last_entry(l, type, member) list_entry((l)->prev, type, member)
#define list_for_each_entry(p, l, member)				\
	for (p = list_entry((l)->next, __typeof__(*p), member); &p->member != (l);	\
	     p = list_entry(p->member.next, __typeof__(*p), member))
#define list_for_each_entry_safe(p, n, l, member)			\
	for (p = list_entry((l)->next, __typeof__(*p), member);		\
	     n = list_entry(p->member.next, __typeof__(*p), member), &p->member != (l); p = n)
static inline void list_add_tail(struct list_head *new, struct list_head *l)
{
	new->next = l;
	new->prev = l->prev;
	l->prev->next = new;
	l->prev = new;
}
struct mutex { int locked; };
#define mutex_init(m)		((m)->locked = 0)
#define mutex_lock(m)		((m)->locked++)
#define mutex_unlock(m)		((m)->locked--)
#define PAGE_SIZE		4096UL
#define GFP_KERNEL		0
#define __GFP_NOWARN		0
#define kzalloc(size, gfp)	calloc(1, size)
#define kfree(p)		free(p)
#define GFP_KERNEL_ACCOUNT	0
#define kvzalloc(size, gfp)	calloc(1, size)
#define kvfree(p)		free((void *)(p))
#define struct_size(p, member, n) (sizeof(*(p)) + (n) * sizeof((p)->member[0]))
#define copy_from_user(to, from, n) (memcpy(to, from, n), 0)
#define is_power_of_2(n)	((n) && !((n) & ((n) - 1)))
#define ERR_PTR(e)		((void *)(long)(e))
#define IS_ERR(p)		((unsigned long)(p) >= -4095UL)
#define PTR_ERR(p)		((long)(p))
#define cond_resched()		do { } while (0)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define ilog2(n)		(63 - __builtin_clzll(n))
#define roundup_pow_of_two(n)	((n) == 1 ? 1UL : 1UL << (ilog2((n) - 1) + 1))
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < NR_CPUS; (cpu)++)

/* Fields of a session that the hook does not look at. */
#define __user
struct kref { int unused; };
struct hrtimer { int unused; };
struct delayed_work { int unused; };
struct timer_list { int unused; };
typedef struct { int unused; } spinlock_t;
struct notifier_block { int unused; };
typedef struct { int unused; } wait_queue_head_t;
typedef struct { int unused; } cpumask_var_t;
typedef int pid_t;
struct pt_regs { unsigned long ax, ip, cs, flags, sp, bp, di, si, dx, cx, r8, r9; };
struct ftrace_regs { struct pt_regs regs; };
#define regs_get_kernel_argument(regs, n) 0UL
#define regs_return_value(regs)	((regs)->ax)
struct ftrace_ops;
typedef void (*ftrace_func_t)(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			      struct ftrace_regs *fregs);
struct ftrace_ops { ftrace_func_t func; };

/* The kernel's rethook, with the objpool that it has since 6.7. */
#define NT_RETHOOK_OBJPOOL
#define NT_RETHOOK_RET_ADDR
struct rethook_node;
typedef void (*rethook_handler_t)(struct rethook_node *node, void *data, unsigned long ret_addr,
				  struct pt_regs *regs);
struct rethook {
	void *data;
	rethook_handler_t handler;
};
struct rethook_node {
	struct llist_node llist;
	struct rethook *rethook;
	unsigned long ret_addr;
	unsigned long frame;
};
struct objpool_slot {
	u32 head, tail, last, mask;
	void *entries[];
};
#define nr_cpu_ids		NR_CPUS
#define cpu_possible_mask	NULL
/* those of stress.c */
#define UNIT_CPUS		3
#define cpumask_test_cpu(cpu, mask) ((cpu) < UNIT_CPUS)
#define raw_smp_processor_id()	((unsigned int)this_cpu)

#endif
