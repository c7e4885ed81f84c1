/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * nestrace: the ABI of /dev/nestrace. nestrace(4) has an example program.
 *
 * open("/dev/nestrace") creates a session: its own filters, clock and rings. Closing the
 * last descriptor ends the session in any state; streams that are still open can be read to
 * their end. open() fails with EPERM without CAP_PERFMON or CAP_SYS_ADMIN, or if the kernel
 * is locked down for confidentiality, and with ENOMEM.
 *
 * These rules hold for every ioctl except NESTRACE_IOC_INFO and NESTRACE_IOC_FREEZE, which
 * state their own:
 *  - An ioctl is called in process context and may sleep. The ioctls of a session are
 *    serialised; a signal that arrives while one waits for another gives EINTR.
 *  - A struct begins with its size in bytes and its flags. Any other size gives EINVAL. So
 *    does a flag that is not listed here, or a reserved field that is not 0.
 *  - An unknown ioctl number gives ENOTTY.
 *  - The ioctls that configure (FILTER, PID, CGROUP, CPUS, CONFIG, PERSIST, ARGS, and STACK with a depth) give EBUSY once START
 *    or STREAM has created the rings, even if that ioctl then failed for another reason.
 *  - A bad user address gives EFAULT; lack of memory gives ENOMEM.
 *  - START and STOP take no argument: any value but 0 gives EINVAL.
 */
#ifndef _UAPI_NESTRACE_H
#define _UAPI_NESTRACE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The command and the module work together only if this number is equal. */
#define NESTRACE_ABI_VERSION	1

#define NESTRACE_DEVICE	"/dev/nestrace"

/*
 * A slot is one guard and one ring of a CPU. It serves the code that runs on one kind of
 * kernel stack at one interrupt level, so it mirrors the kernel's contexts
 * (linux/preempt.h) and exception stacks (on x86, asm/cpu_entry_area.h).
 */
enum nestrace_slot {
	NESTRACE_SLOT_TASK,
	NESTRACE_SLOT_SOFTIRQ,
	NESTRACE_SLOT_HARDIRQ,
	NESTRACE_SLOT_NMI,		/* on the NMI stack */
	NESTRACE_SLOT_NMI_INLINE,	/* NMI level on a borrowed stack: int3, NMI from user mode */
	NESTRACE_SLOT_DF,		/* double fault */
	NESTRACE_SLOT_DB,		/* debug exception */
	NESTRACE_SLOT_MCE,		/* machine check */
	NESTRACE_SLOT_VC,		/* SEV-ES #VC */
	NESTRACE_SLOT_VC2,
	NESTRACE_NR_SLOTS
};

/* The name of each slot's context, the same in every output. */
#define NESTRACE_CONTEXT_WORDS { "task", "softirq", "hardirq", "nmi", "nmi", \
				 "df", "db", "mce", "vc", "vc2" }

/*
 * Sub-buffers have the layout of the kernel's ring buffer: time stamp (u64), commit (u64),
 * data. Commit holds the bytes of data; bit 31 is set if events are missing before this
 * sub-buffer, and bit 30 if their number follows the data as a u64. A function record is
 * the kernel's ftrace:function event (type 1). If its context is not the one that
 * common_flags give, the record is four bytes longer and ends with the slot as a u32.
 * Words of 8 bytes before that slot are arguments: NESTRACE_IOC_ARGS. The upper bytes of that
 * u32 are 0, except for the NESTRACE_AUDIT_ bits of a session with NESTRACE_CONFIG_AUDIT.
 */
#define NESTRACE_SUBBUF_SIZE		4096
#define NESTRACE_SUBBUF_HEADER		16
#define NESTRACE_SUBBUF_MISSED		(1U << 31)
#define NESTRACE_SUBBUF_MISSED_STORED	(1U << 30)
#define NESTRACE_SUBBUF_LENGTH(c) \
	((__u32)(c) & ~(NESTRACE_SUBBUF_MISSED | NESTRACE_SUBBUF_MISSED_STORED))
#define NESTRACE_EVENT_FUNCTION		1
#define NESTRACE_EVENT_STACK		9	/* not the kernel's 4, because of @mark; its own 9 is the branch tracer's */
#define NESTRACE_EVENT_EXIT		10
#define NESTRACE_EVENT_ENTRY		11

/* The fields common_type, common_flags and common_preempt_count, and those of the event. */
struct nestrace_function {
	union {
		struct {
			__u16 type;		/* NESTRACE_EVENT_FUNCTION */
			__u8  flags;		/* the kernel's enum trace_flag_type */
			__u8  preempt_count;
		};
		__u32 common;
	};
	__s32 pid;		/* in the initial pid namespace */
	__u64 ip;		/* the call in the traced function */
	__u64 parent_ip;	/* the caller */
} __attribute__((packed, aligned(4)));

#define NESTRACE_EVENT_SIZE		24	/* of struct nestrace_function */

/*
 * In sessions with NESTRACE_CONFIG_RET or _EXIT: the kernel's event ftrace:funcgraph_entry, a call
 * whose return will be recorded. Calls whose return cannot be are function events. Its first fields
 * are those of the function event. Arguments and the slot follow @depth, as in that.
 */
struct nestrace_entry {
	struct nestrace_function call;	/* @call.type is NESTRACE_EVENT_ENTRY */
	__u32 depth;		/* calls of the task that have not returned, whose returns will be recorded */
} __attribute__((packed, aligned(4)));

/* ftrace:funcgraph_exit: a call has returned. Behind it comes the slot, if the flags do not say it. */
struct nestrace_exit {
	__u32 common;		/* as in struct nestrace_function; the type is NESTRACE_EVENT_EXIT */
	__s32 pid;
	__u64 ip;
	__u64 retval;		/* of the register, whether or not the function returns a value */
	__u32 depth;
	__u32 overrun;		/* 0 */
	__u64 calltime;		/* in ns, whatever the session's clock counts */
	__u64 rettime;		/* so the call took @rettime - @calltime ns */
} __attribute__((packed, aligned(4)));

/*
 * ftrace:kernel_stack, right behind its call, in sessions with NESTRACE_IOC_STACK. The callers follow
 * as u64, the nearest first. The kernel's event has no @mark.
 */
struct nestrace_stack {
	__u32 common;		/* as in struct nestrace_function; the type is NESTRACE_EVENT_STACK */
	__s32 pid;
	__u32 nr;		/* of callers */
	__u32 mark;		/* NESTRACE_STACK_ bits, and NESTRACE_STACK_BAD() */
};
#define NESTRACE_STACK_USER	(1U << 31)	/* whole: up to the entry from user mode */
#define NESTRACE_STACK_END	(1U << 30)	/* whole: up to the first function of a kernel thread */
#define NESTRACE_STACK_CUT	(1U << 29)	/* there are more callers than the session records */
#define NESTRACE_STACK_LOST	(1U << 28)	/* the unwinder may not know the caller of the last one */
/*
 * The first caller that may be wrong, from 1; 0: none. The kernel has no unwind data for the one before it.
 */
#define NESTRACE_STACK_BAD(mark)	((mark) & 0xffff)

/* The flags that give the context; the others are those of the kernel's version. */
#define NESTRACE_FLAG_HARDIRQ		0x08
#define NESTRACE_FLAG_SOFTIRQ		0x10
#define NESTRACE_FLAG_NMI		0x40

/* Features of this kernel. nestrace status says in words what a clear bit means. */
#define NESTRACE_FEATURE_RCU_PAIR	(1U << 0)	/* ct_nmi_enter and ct_irq_enter were found */
#define NESTRACE_FEATURE_IRQ_STACK	(1U << 1)	/* the hardirq stacks are known */
#define NESTRACE_FEATURE_MOD_FILTER	(1U << 2)	/* filters by :mod:NAME */
#define NESTRACE_FEATURE_FINE_CLOCK	(1U << 3)	/* the clock global is finer than the tick */
#define NESTRACE_FEATURE_TASKS		(1U << 4)	/* TASKS, PID_PROCESS and PID_FOLLOW work */
#define NESTRACE_FEATURE_EARLY_OOPS	(1U << 5)	/* an oops is a trigger before it is printed */
#define NESTRACE_FEATURE_TSC_ORDER	(1U << 6)	/* the TSC orders the clock global now, not a lock */
#define NESTRACE_FEATURE_RETURNS	(1U << 7)	/* CONFIG_RET and CONFIG_EXIT work */
#define NESTRACE_FEATURE_STACKS		(1U << 8)	/* NESTRACE_IOC_STACK works */
#define NESTRACE_FEATURE_LIVEPATCH	(1U << 9)	/* NESTRACE_IOC_LIVEPATCH works */

/* How a hit enters RCU where RCU is not watching. */
enum nestrace_rcu_mode {
	NESTRACE_RCU_PAIR,	/* ct_nmi_enter() or ct_irq_enter(), by context */
	NESTRACE_RCU_WARN,	/* warn_rcu_enter() */
	NESTRACE_RCU_OFF,	/* it does not: such hits are counted, not recorded */
};

/* Two of the module's test builds identify themselves; src/test.h has all of them. */
#define NESTRACE_INFO_TEST_RECURSE	(1U << 0)
#define NESTRACE_INFO_TEST_NO_GUARD	(1U << 1)

/*
 * NESTRACE_IOC_INFO: describes the loaded module. The first two fields never change, so a
 * command of any age can say which side is too old. @size is an output: the size that the
 * module knows. At most 128 bytes are written.
 */
struct nestrace_info {
	__u32 size;
	__u32 abi;		/* NESTRACE_ABI_VERSION of the module */
	char  version[32];	/* of the module, as in modinfo */
	__u32 features;		/* NESTRACE_FEATURE_ bits */
	__u32 rcu_mode;		/* enum nestrace_rcu_mode */
	__u32 nr_cpus;		/* CPU numbers are below this */
	__u32 sessions;		/* open sessions, including the caller's */
	__u32 running;		/* sessions that are started and not stopped */
	__u32 test;		/* NESTRACE_INFO_TEST_ bits */
	__u64 events_emitted;	/* hits emitted as trace events since the module was loaded */
	__u64 events_recursed;	/* hits that recursed, as in NESTRACE_IOC_STATS */
	__u64 events_not_watching; /* hits skipped because RCU was not watching */
	__u32 events_armed;	/* 1: an event is enabled and its functions are traced */
	__u32 reserved[9];
};

/*
 * NESTRACE_IOC_FILTER: selects the functions to trace. Without a filter all are traced.
 * @glob: address of a glob in the syntax of set_ftrace_filter, with a terminating NUL:
 *	"NAME", "GLOB", or "[GLOB]:mod:MODULE" for the functions of a loaded module. See
 *	ftrace_set_filter() and ftrace_set_notrace().
 * @len: its length without the NUL, 1 to 255.
 * Errors: EINVAL other syntax or length; ENOENT no function matches; ENODEV no such module
 * is loaded, or ftrace has shut itself down after a bug; EOPNOTSUPP this kernel does not
 * support :mod:; ENOSPC more than 16 modules are left out.
 * Modules may come and go while the session is open. A glob selects the functions of every
 * module that matches, those of its init included, before that runs; what is gone is
 * selected no longer. With NESTRACE_FILTER_NOTRACE it leaves out the functions of every module
 * that matches.
 * With NESTRACE_FILTER_NOTRACE and :mod: the module cannot be unloaded until the session
 * ends, its hits are counted as filtered, and GLOB must be empty or "*".
 */
#define NESTRACE_FILTER_NOTRACE	(1U << 0)	/* leave out what matches */
#define NESTRACE_FILTER_CLEAR	(1U << 1)	/* drop all filters of this kind; @glob and @len are 0 */
#define NESTRACE_FILTER_TRIGGER	(1U << 2)	/* a call of what matches ends the recording */
#define NESTRACE_FILTER_WAIT	(1U << 3)	/* what matches may come later, with a module; without NOTRACE */
struct nestrace_filter {
	__u32 size;
	__u32 flags;
	__u64 glob;
	__u32 len;
	__u32 reserved;
};

/*
 * Every end of a recording freezes the rings first and disarms afterwards: a ring takes no
 * more than the rest of its current sub-buffer, and later hits count as filtered, or as lost
 * if the ring was full. A trigger, a warning or an oops does so from within the kernel. The
 * kernel looks about once a second, and then stops the session as by NESTRACE_IOC_STOP;
 * NESTRACE_IOC_STATS says why.
 * A trigger works on every CPU and for every task, except for calls by the task that is just
 * arming the session; it is recorded only if the filters select it.
 * NESTRACE_FILTER_TRIGGER excludes the other flags, except NESTRACE_FILTER_WAIT.
 */

/*
 * NESTRACE_IOC_PID: trace only while this task is current, including its interrupts.
 * @pid: a thread ID in the caller's pid namespace, above 0. Without a flag the session
 * traces that number, whichever task has it. PROCESS or FOLLOW for one task holds for all
 * selected tasks of the session: the threads, or all tasks, that they create are traced too.
 * Errors: ESRCH no such task; EOPNOTSUPP this kernel does not support PROCESS and FOLLOW.
 */
#define NESTRACE_PID_FOLLOW	(1U << 0)	/* and tasks that the selected tasks create */
#define NESTRACE_PID_CLEAR	(1U << 1)	/* drop all; @pid is 0 */
#define NESTRACE_PID_PROCESS	(1U << 2)	/* the process of @pid: its threads, and new ones */
struct nestrace_pid {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__u32 reserved;
};

/*
 * NESTRACE_IOC_CGROUP: trace only while a task of this cgroup is current, or of a cgroup in it, including its
 * interrupts; tasks may come and go. @fd: of the cgroup's directory, of version 2. It excludes NESTRACE_IOC_PID.
 * NESTRACE_PID_CLEAR drops it. Errors: EBADF it is no such directory; EINVAL there are tasks already, or another
 * cgroup; EOPNOTSUPP this kernel does not show tasks that come to another cgroup.
 */
struct nestrace_cgroup {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
};

/*
 * NESTRACE_IOC_CPUS: trace only on these CPUs, instead of all present ones. @mask: address
 * of a bitmap, CPU 0 is bit 0 of byte 0; @len: its bytes, 1 to 1024.
 * Errors: EINVAL the mask holds no possible CPU.
 */
struct nestrace_cpus {
	__u32 size;
	__u32 flags;
	__u64 mask;
	__u32 len;
	__u32 reserved;
};

/*
 * The clocks, CLOCK(ID, NAME). This list is the only one: everything else expands it, or
 * switches over enum nestrace_clock without a default.
 *
 * global: nanoseconds of the kernel's sched_clock_cpu(), as in trace_clock_global(), ordered
 *         across CPUs: where one CPU sees what another has done, its time is not before the
 *         other's. The TSC orders them where the kernel trusts it, else a lock does:
 *         NESTRACE_IOC_TIME says which.
 * tsc:    cycles of the CPU. If a suspend sets the counter back, time stands still until it
 *         has caught up.
 * mono:   nanoseconds of ktime_get_mono_fast_ns(). If the clocksource is not the TSC, the
 *         kernel reads a device (hpet, acpi_pm) through functions that can be traced, and
 *         for hpet waits; hits in there count as recursion.
 */
#define NESTRACE_CLOCKS(CLOCK)	\
	CLOCK(GLOBAL, global)	\
	CLOCK(TSC, tsc)		\
	CLOCK(MONO, mono)

enum nestrace_clock {
#define NESTRACE_CLOCK_ENUM(id, name)	NESTRACE_CLOCK_##id,
	NESTRACE_CLOCKS(NESTRACE_CLOCK_ENUM)
#undef NESTRACE_CLOCK_ENUM
};

#define NESTRACE_CLOCK_COUNT(id, name)	+ 1
#define NESTRACE_NR_CLOCKS		(0 NESTRACE_CLOCKS(NESTRACE_CLOCK_COUNT))

#define NESTRACE_RING_KB_MIN	1U
#define NESTRACE_RING_KB_MAX	(4U << 20)

/*
 * NESTRACE_IOC_CONFIG: selects the clock and the size of the rings.
 * @ring_kb: KiB per CPU for all of its slots, NESTRACE_RING_KB_MIN to _MAX; rounded up to a
 *	power of two, and to two sub-buffers per slot. The task slot gets half of it, softirq,
 *	hardirq and NMI an eighth each, and the others a 64th each.
 * Errors: EINVAL a value is out of range. The first NESTRACE_IOC_START or _STREAM
 * allocates the memory. It gives ENOMEM if the rings of all sessions would take more than
 * half of the available memory, or if the caller has no CAP_IPC_LOCK and would exceed
 * RLIMIT_MEMLOCK. The memory is charged to the caller's memory cgroup.
 */
#define NESTRACE_CONFIG_OVERWRITE	(1U << 0)	/* a full ring drops its oldest sub-buffer */
#define NESTRACE_CONFIG_EMPTY		(1U << 1)	/* hits return at once, uncounted: for benchmarks */
/*
 * Filter what the caller does in task context, in all tasks with its address space, so that
 * reading the trace does not add to it. Interrupts that arrive meanwhile are traced.
 */
#define NESTRACE_CONFIG_IGNORE_SELF	(1U << 2)
#define NESTRACE_CONFIG_OOPS		(1U << 3)	/* an oops or a panic is a trigger */
#define NESTRACE_CONFIG_WARN		(1U << 4)	/* a warning of the kernel is a trigger */
/*
 * Count hits by function and slot instead of recording them. NESTRACE_IOC_COUNTS reads the counts.
 * The session has no rings and no streams. No hit recurses, and none needs RCU. @ring_kb is the
 * size of each CPU's table, rounded up to a power of two and to a page; more than 64 MiB is taken
 * as 64 MiB. An entry of 16 bytes is for one function in one slot. A hit is lost if the 64 entries
 * where its own may be are others'. EINVAL: with OVERWRITE.
 */
#define NESTRACE_CONFIG_COUNT		(1U << 5)
/*
 * Record returns, too: a call is a struct nestrace_entry, and its return a struct nestrace_exit. A
 * call whose return cannot be recorded is a struct nestrace_function. EINVAL: with COUNT. START gives
 * EOPNOTSUPP if this kernel has no rethook.
 */
#define NESTRACE_CONFIG_RET		(1U << 6)
/* With CONFIG_RET: a call is recorded only when it returns. */
#define NESTRACE_CONFIG_EXIT		(1U << 7)
/*
 * Note what is odd about a call: then its record ends with the slot, whatever its flags are, and with
 * NESTRACE_AUDIT_ bits. EINVAL: with COUNT or RET.
 */
#define NESTRACE_CONFIG_AUDIT		(1U << 8)
/* RCU was not watching, and the hit has entered it: */
#define NESTRACE_AUDIT_RCU_NMI		(1U << 8)	/* by ct_nmi_enter() */
#define NESTRACE_AUDIT_RCU_IRQ		(1U << 9)	/* by ct_irq_enter() */
#define NESTRACE_AUDIT_RCU_WARN		(1U << 10)	/* by warn_rcu_enter() */
/* Interrupts were off and lockdep believed that they are on, or the other way round; not at NMI level. */
#define NESTRACE_AUDIT_LOCKDEP_ON	(1U << 11)
#define NESTRACE_AUDIT_LOCKDEP_OFF	(1U << 12)
#define NESTRACE_AUDIT_BITS		0xff00U
struct nestrace_config {
	__u32 size;
	__u32 flags;
	__u32 clock;		/* enum nestrace_clock */
	__u32 ring_kb;
};

/*
 * NESTRACE_IOC_STACK: records the stack of each call, right after it. The functions that the unwinder calls
 * are not traced in such a session. If the unwinder calls another one, that call is counted as recursed.
 * @depth: callers at most, 1 to NESTRACE_STACK_MAX; 0 only reads. It is set to that of the session,
 * 0: no stacks.
 * @addrs: address of an array of u64, the start addresses of the only functions whose stacks are recorded.
 * @nr: entries in it, up to 2^20; 0: the stacks of all functions.
 * With NESTRACE_STACK_FIRST a CPU records the stack of the first call only, for each function, caller, slot, and
 * state: interrupts off, preemption off, NESTRACE_AUDIT_ bits. A few are taken for others, and have none.
 * @left_out: set to the addresses, as hits have them, of the functions that are not traced. Unused entries
 * at the end are 0. They are found at the first call with a @depth.
 * Errors: EINVAL also with NESTRACE_CONFIG_COUNT or _EXIT, whichever ioctl comes first. EBUSY also if the
 * session already records stacks, or ftrace is off. ENODEV as for START. EOPNOTSUPP this kernel has no ORC
 * unwinder. ENOENT none of the functions can be traced.
 */
#define NESTRACE_STACK_MAX	128
#define NESTRACE_STACK_LEFT_OUT	48
#define NESTRACE_STACK_FIRST	(1U << 0)
struct nestrace_stack_config {
	__u32 size;
	__u32 flags;
	__u32 depth;
	__u32 nr;
	__u64 addrs;
	__u64 left_out[NESTRACE_STACK_LEFT_OUT];
};

/*
 * NESTRACE_IOC_ARGS: records the arguments of calls, and filters calls by their arguments or return values.
 * Each of these ioctls gives one program to some functions; the last one for a function counts.
 * @addrs: address of an array of u64, the start addresses of the functions; @nr: entries in it, up to 2^20.
 * With @nr 0 it is the program of all functions that have none of their own.
 * @words: argument words to record, up to NESTRACE_ARGS_WORDS: first those in registers (6 on x86-64), then
 * those on the stack, as the calling convention orders them. They follow the event of the call.
 * @values: words that the steps of @nr_fetch store, up to NESTRACE_ARGS_VALUES. If there are any, they follow
 * the argument words, and before them comes a word with a bit for each STORE and STRING, from bit 0 on: it is set
 * where memory could not be read, and then the value is 0. A word of the stack that is not there is 0, too.
 * @steps: address of an array of struct nestrace_step: @nr_if steps decide at the entry and @nr_exit_if at the
 * return whether the call is recorded (0: it is); @nr_fetch steps store values. Calls and returns that do not pass
 * are counted as filtered, and write nothing. So are calls whose return is to be tested, but cannot be hooked.
 * Steps can read all memory of the kernel. Once a module goes, its functions' programs are those of all others.
 * Steps begin with ARG or RETVAL. Those of @nr_if and @nr_exit_if leave one answer, and have at most 64 at a time.
 * Errors: EINVAL also if the steps are not valid, with NESTRACE_CONFIG_COUNT, with NESTRACE_CONFIG_EXIT if
 * words are recorded, and with @nr_exit_if if there is no NESTRACE_CONFIG_EXIT. CONFIG fails with it after ARGS. ENOENT none of the
 * functions can be traced. E2BIG more than 2^20 functions or NESTRACE_ARGS_PROGRAMS programs.
 */
#define NESTRACE_ARGS_WORDS	24
#define NESTRACE_ARGS_VALUES	64
#define NESTRACE_ARGS_STEPS	255	/* of each kind */
#define NESTRACE_ARGS_PROGRAMS	4096
struct nestrace_args {
	__u32 size;
	__u32 flags;		/* 0 */
	__u64 addrs;
	__u64 steps;
	__u32 nr;
	__u8  words;
	__u8  values;
	__u8  nr_if;
	__u8  nr_exit_if;
	__u8  nr_fetch;
	__u8  reserved[7];
};

/*
 * A step works on one value of 64 bits, and on a stack of answers. Once memory could not be read, the value is
 * unknown until the next ARG or RETVAL: tests of it answer no. Only kernel memory is read, and a page that is
 * not there is not brought in.
 */
enum nestrace_op {
	NESTRACE_OP_ARG,	/* take argument word @a; not at the return */
	NESTRACE_OP_RETVAL,	/* take the return value; at the return only */
	NESTRACE_OP_READ,	/* take the @a bytes (1, 2, 4 or 8) of memory at the value plus @value */
	NESTRACE_OP_ADD,	/* add @value */
	NESTRACE_OP_AND,	/* keep the bits of @value */
	NESTRACE_OP_BITS,	/* shift left by @a and then right by @b, with the sign if @c is 1; up to 63 */
	NESTRACE_OP_TEST,	/* answer: does the value have relation @a to @value, signed if @c is 1? */
	NESTRACE_OP_TEST_STRING, /* answer: is the string there that of the next @a steps, or, if @c is 1, another? */
	NESTRACE_OP_DATA,	/* such a step: 8 bytes of the string in @value, 0 from its NUL on */
	NESTRACE_OP_BOTH,	/* of the last two answers, leave: are both yes? */
	NESTRACE_OP_EITHER,	/* ... is one of them? */
	NESTRACE_OP_STORE,	/* store the value in the next word; STORE and STRING are for fetch steps only */
	NESTRACE_OP_STRING,	/* store the string there in the next @a words, cut where they end, and ended by a NUL */
	NESTRACE_NR_OPS
};

enum nestrace_relation {
	NESTRACE_EQUAL,
	NESTRACE_NOT_EQUAL,
	NESTRACE_LESS,
	NESTRACE_LESS_EQUAL,
	NESTRACE_GREATER,
	NESTRACE_GREATER_EQUAL,
	NESTRACE_NR_RELATIONS
};

struct nestrace_step {
	__u8  op;		/* enum nestrace_op */
	__u8  a, b, c;		/* 0 where @op does not use them, as is @value */
	__u32 reserved;
	__u64 value;
};

/*
 * NESTRACE_IOC_STATS: the counters of one CPU since the session was opened. They are exact
 * once the session is stopped; then for each slot
 *	hits == recorded + lost + recursed + filtered.
 */
struct nestrace_slot_stats {
	__u64 hits;		/* calls of the hook */
	__u64 recorded;		/* in the ring, read from it, or counted by function */
	__u64 lost;		/* ring or table full, overwritten before it was read, or RCU not watching */
	__u64 recursed;		/* not recorded: the slot was in the tracer already */
	__u64 filtered;		/* by pid, CPU, module, argument or return value, or the rings were frozen */
	__u64 not_watching;	/* lost because RCU was not watching and could not be entered */
	__u64 rcu_nmi;		/* recorded after ct_nmi_enter() */
	__u64 rcu_irq;		/* recorded after ct_irq_enter() or warn_rcu_enter() */
	__u64 in_tracer;	/* arrived while another slot of the CPU was in the tracer */
	__u64 bytes;		/* written to the ring */
};

#define NESTRACE_STATS_TRIGGER	(1U << 0)	/* a trigger has ended the recording */
#define NESTRACE_STATS_OOPS	(1U << 1)	/* an oops or a panic has */
#define NESTRACE_STATS_WARN	(1U << 2)	/* a warning has */
struct nestrace_stats {
	__u32 size;
	__u32 flags;		/* in: 0; out: NESTRACE_STATS_ bits */
	__u32 cpu;		/* in: 0 to nr_cpus - 1, else EINVAL; with OVERWRITE, EINTR while a reader waits */
	__u32 ring_kb;		/* out: what the CPU's rings hold; 0: none yet, or not traced */
	struct nestrace_slot_stats slot[NESTRACE_NR_SLOTS];
	__u64 set_forward;	/* hits that were given a later time than was read, to keep the order */
};

/*
 * NESTRACE_IOC_RETURNS: the counters of one CPU in a session with CONFIG_RET, by the slot of the call;
 * a return counts on the CPU where it happens. In the sum over all CPUs
 *	calls == returned + calls that have not returned.
 * Calls of tasks that have exited inside count as not returned. @lost, @dropped and @filtered are by the slot
 * of the return. Each call whose return is not recorded is
 * in one of @no_node, @no_rcu and @refused. With CONFIG_EXIT, what NESTRACE_IOC_STATS calls recorded
 * are returns and, unless their return was to be tested, these calls; in the sum over all CPUs and slots, @hits there also holds
 * the calls that have not returned.
 * Errors: EINVAL the session does not record returns, or there is no such CPU; with OVERWRITE, EINTR
 * while a reader waits.
 */
struct nestrace_slot_returns {
	__u64 calls;		/* whose return was to be recorded */
	__u64 returned;		/* of these */
	__u64 lost;		/* returns in this slot: ring full, or overwritten before they were read */
	__u64 dropped;		/* others in this slot that are not recorded: the rings were frozen, ... */
	__u64 filtered;		/* others in this slot, by the return value */
	__u64 no_node;		/* too many calls had not returned */
	__u64 no_rcu;		/* RCU was not watching at the entry */
	__u64 refused;		/* the return must not be hooked there */
};

#define NESTRACE_RETURNS_EXIT	(1U << 0)	/* the session has CONFIG_EXIT */
struct nestrace_returns {
	__u32 size;
	__u32 flags;		/* in: 0; out: NESTRACE_RETURNS_ bits */
	__u32 cpu;		/* in: 0 to nr_cpus - 1 */
	__u32 reserved;
	struct nestrace_slot_returns slot[NESTRACE_NR_SLOTS];
};

/*
 * NESTRACE_IOC_TIME: reads the session's clock and the wall clock at one moment.
 * Errors: EINVAL before the first NESTRACE_IOC_START or _STREAM.
 */
#define NESTRACE_TIME_TSC	(1U << 0)	/* the clock is global, and the TSC orders it */
#define NESTRACE_TIME_LOCK	(1U << 1)	/* the clock is global, and a lock orders it */
#define NESTRACE_TIME_UNSTABLE	(1U << 2)	/* meanwhile the kernel has found the TSC unstable */
struct nestrace_time {
	__u32 size;
	__u32 flags;		/* in: 0; out: NESTRACE_TIME_ bits */
	__u64 clock;		/* out: by the session's clock, as in the records of now */
	__u64 wall_ns;		/* out: since 1970, UTC */
};

/*
 * NESTRACE_IOC_COOKIE: sets the number by which a reader of a dump of the machine's memory recognises the session,
 * at any time. nestrace record gives it that of its file.
 */
struct nestrace_cookie {
	__u32 size;
	__u32 flags;
	__u64 cookie;
};

/*
 * NESTRACE_IOC_BOOT: describes the session that the module's parameter boot has started, which runs, and leaves out
 * from then on what the caller does, as with NESTRACE_CONFIG_IGNORE_SELF. With NESTRACE_BOOT_TAKE it returns a
 * descriptor of that session, which is configured already. It does not wait for the ioctls of the caller's session.
 * Errors: ENOENT there is none, or it was taken over.
 */
#define NESTRACE_BOOT_TAKE	(1U << 0)
struct nestrace_boot {
	__u32 size;
	__u32 flags;
	__u32 config;		/* in: 0; out: NESTRACE_CONFIG_ bits */
	__u32 ring_kb;		/* in: 0; out: KiB per CPU */
};

/*
 * NESTRACE_IOC_PERSIST: puts the rings into memory that the kernel has reserved by reserve_mem=SIZE:ALIGN:@name. A
 * warm reboot leaves it as it is, and so does the end of the session, until NESTRACE_REGION_FORGET: a recorder that is
 * killed, too, leaves what it had not read. The first NESTRACE_IOC_START or _STREAM gives ENOSPC if the rings do not
 * fit.
 * Errors: EOPNOTSUPP the kernel cannot reserve memory by name, as before 6.11; EACCES @name does not
 * begin with NESTRACE_REGION_PREFIX; ENOENT there is no such memory; EBUSY
 * another session uses it; EEXIST it holds an earlier session; EINVAL the session counts, or has one already.
 */
#define NESTRACE_REGION_NAME	16
#define NESTRACE_REGION_PREFIX	"nestrace"	/* of all names: other memory is ramoops', or a trace instance's */
struct nestrace_persist {
	__u32 size;
	__u32 flags;
	char  name[NESTRACE_REGION_NAME];	/* ends with a NUL */
};

/*
 * NESTRACE_IOC_REGION: describes such memory. With NESTRACE_REGION_OPEN it returns a descriptor: read() and pread()
 * give what an earlier session has left there, in the layout of nestrace_dump.h. NESTRACE_REGION_FORGET lets a new
 * session use it. It does not wait for the ioctls of the caller's session.
 * Errors: EOPNOTSUPP, EACCES, ENOENT as for NESTRACE_IOC_PERSIST; with flags also EBUSY a session uses it; ENODATA it holds
 * none; EMFILE, ENFILE.
 */
#define NESTRACE_REGION_OPEN	(1U << 0)
#define NESTRACE_REGION_FORGET	(1U << 1)
struct nestrace_region {
	__u32 size;
	__u32 flags;
	char  name[NESTRACE_REGION_NAME];	/* in; ends with a NUL */
	__u64 at;		/* out: its physical address */
	__u64 bytes;		/* out */
	__u32 holds;		/* out: 1: an earlier session */
	__u32 reserved;
};

/*
 * NESTRACE_IOC_RECURSIONS: the first functions that recursed on one CPU and in one slot,
 * each with the function that was being traced on that stack. EINVAL: no such CPU or slot.
 */
#define NESTRACE_NR_RECURSIONS	4
struct nestrace_recursions {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 cpu;		/* in */
	__u32 slot;		/* in: enum nestrace_slot */
	struct {
		__u64 ip;	/* 0 ends the list */
		__u64 under_ip;
		__u64 count;
	} entry[NESTRACE_NR_RECURSIONS];
};

/*
 * NESTRACE_IOC_COUNTS: reads the counts of one CPU, or of functions that are gone, in parts. They
 * are exact once the session is stopped. Two entries may have the same function and slot; add them.
 * @flags: NESTRACE_COUNTS_GONE, and then @cpu is 0. @counts: address of an array. @nr: in: its
 * entries, above 0; out: entries filled, 0 at the end. @next: in: 0 for the first part; out: for
 * the next. @moves: out: how often entries have moved from the CPUs to what is gone. If it differs
 * between two calls, of whatever CPU or flag, discard all parts and read again.
 * The counts of a CPU are those of the functions that were the last at their addresses. If a module
 * is loaded there, the counts of the earlier functions move to NESTRACE_COUNTS_GONE.
 * Errors: EINVAL the session does not count, @nr is 0, or there is no such CPU.
 */
#define NESTRACE_COUNTS_GONE	(1U << 0)
struct nestrace_count {
	__u64 ip;
	__u64 calls;
	__u64 until;		/* when another function came to @ip, by the session's clock; 0: none did */
	__u32 slot;		/* enum nestrace_slot */
	__u32 reserved;
};

struct nestrace_counts {
	__u32 size;
	__u32 flags;
	__u32 cpu;		/* in: 0 to nr_cpus - 1 */
	__u32 nr;
	__u64 counts;
	__u64 next;
	__u32 moves;
	__u32 mixed;		/* out: 1: some could not move, for lack of memory or room */
};

/*
 * NESTRACE_IOC_STREAM: opens the stream of one CPU and returns its descriptor. It may come
 * before NESTRACE_IOC_START, so that a reader is waiting for the first hit.
 * @cpu: 0 to nr_cpus - 1 and in the session's CPU mask.
 * Errors: EINVAL another CPU, or the session counts; EBUSY the stream is open already; ENOMEM no
 * memory for the rings; EMFILE, ENFILE.
 * read() returns whole sub-buffers of NESTRACE_SUBBUF_SIZE, in time order over the CPU's
 * slots; the buffer must hold at least one (EINVAL). It waits until a sub-buffer is full or
 * its oldest record is some 100 ms old. With O_NONBLOCK it returns what is there, or
 * EAGAIN. 0: the session is stopped, or ftrace has shut itself down, and everything has been read.
 * poll() gives POLLIN for data, and POLLIN and POLLHUP once the session is stopped or ftrace has
 * shut itself down.
 */
#define NESTRACE_STREAM_NONBLOCK	(1U << 0)	/* open with O_NONBLOCK */
struct nestrace_stream_open {
	__u32 size;
	__u32 flags;
	__u32 cpu;
	__u32 reserved;
};

/*
 * NESTRACE_IOC_TASKS: takes the names that tasks had before they got another one or exited,
 * oldest first, since the first START until the session is closed.
 * @tasks: address of an array. @nr: in: its entries, above 0, else EINVAL; out: entries
 * filled. @dropped: out: older names that newer ones have pushed out, since the first START.
 * Names that could not be stored because of EFAULT are gone.
 * With NESTRACE_TASKS_RUNNING it gives the names of all tasks that there are instead: @nr is
 * their number, and as many of them as fit are stored.
 */
#define NESTRACE_TASKS_RUNNING	(1U << 0)
struct nestrace_task {
	__u64 until;		/* by the session's clock; 0 with NESTRACE_TASKS_RUNNING */
	__s32 pid;		/* in the initial pid namespace, as in the records */
	__u32 flags;
	char comm[16];		/* ends with a NUL */
};
#define NESTRACE_TASK_NEW	(1U << 0)	/* @pid is another task from @until on; no @comm */

struct nestrace_tasks_take {
	__u32 size;
	__u32 flags;
	__u64 tasks;
	__u32 nr;
	__u32 dropped;
};

/*
 * NESTRACE_IOC_MODULES: takes notes of the modules that have come or gone since the session
 * was opened, oldest first. It does not wait for the other ioctls.
 * @notes: address of a buffer for them. @len: in: its bytes; out: bytes
 * of the notes. @name: empty, or with NESTRACE_MODULES_NOTE the name of a module, which is
 * noted as it is; then @notes and @len are 0. After that a later note takes its place, so
 * a caller that has noted every module before START knows all that were traced.
 * Errors: EMSGSIZE the next note needs @len bytes; ENOENT no such module; EOPNOTSUPP this
 * kernel does not find modules by name. Notes that could not be stored because of EFAULT are
 * gone.
 *
 * A note is a struct nestrace_module; in its @length bytes follow the symbols of its code,
 * if the event is PRESENT or COMING. There is none if memory was short, or if
 * 32 MiB of notes had not been taken.
 */
#define NESTRACE_MODULES_NOTE	(1U << 0)
struct nestrace_modules_take {
	__u32 size;
	__u32 flags;
	__u64 notes;
	__u32 len;
	__u32 reserved;
	char  name[64];
};

enum nestrace_module_event {
	NESTRACE_MODULE_PRESENT,	/* noted by NESTRACE_MODULES_NOTE */
	NESTRACE_MODULE_COMING,		/* its init has not begun */
	NESTRACE_MODULE_LIVE,		/* its init is over: @init_text may become another's */
	NESTRACE_MODULE_GOING,		/* all of it may */
};

struct nestrace_module {
	__u32 length;
	__u32 event;		/* enum nestrace_module_event */
	__u64 ts;		/* by the session's clock; 0 before the first START */
	__u64 text;		/* the address of its code */
	__u64 text_size;
	__u64 init_text;	/* that of its init; 0: there is none, or its init is over */
	__u64 init_text_size;
	char  name[64];
};

struct nestrace_symbol {
	__u64 start;
	__u32 size;		/* bytes of code */
	__u32 length;		/* bytes from here to the next symbol */
	char  name[];
};

/*
 * NESTRACE_IOC_LIVEPATCH: describes the kernel's livepatches and, with NESTRACE_LIVEPATCH_TASKS, the tasks that
 * hold a transition: those that have not the version that the transition leads to. It does not wait for the
 * other ioctls. The caller is not described: it changes its version when the ioctl returns.
 * @notes: address of a buffer for notes. @len: in: its bytes, up to NESTRACE_LIVEPATCH_BYTES; out: bytes of the
 * notes. @left_out: out: notes that did not fit. @target: out: the version that a transition leads to, 0 the
 * original or 1 the patched one; -1: there is no transition. @pending: out: tasks that hold it.
 * A note is one of the structs below, of @length bytes. Patches come in the order in which they were enabled,
 * each followed by its objects, and each object by its functions. The tasks are the last.
 * Errors: EPERM without CAP_SYS_ADMIN; EOPNOTSUPP the kernel has no livepatches, or hides them from the module;
 * EBUSY a task has had the lock of livepatches for a second, as it has while callbacks of a patch run: then the
 * only note is that task, and @pending is 0. EINTR a signal.
 */
#define NESTRACE_LIVEPATCH_TASKS	(1U << 0)
#define NESTRACE_LIVEPATCH_BYTES	(4U << 20)
struct nestrace_livepatch {
	__u32 size;
	__u32 flags;
	__u64 notes;
	__u32 len;
	__s32 target;
	__u32 pending;
	__u32 left_out;
};

struct nestrace_klp_note {
	__u32 length;
	__u16 kind;		/* NESTRACE_KLP_ */
	__u16 flags;
};

#define NESTRACE_KLP_PATCH	1
#define NESTRACE_KLP_OBJECT	2
#define NESTRACE_KLP_FUNC	3
#define NESTRACE_KLP_TASK	4

#define NESTRACE_KLP_ENABLED	(1U << 0)	/* of a patch */
#define NESTRACE_KLP_REPLACE	(1U << 1)	/* it replaces all others */
#define NESTRACE_KLP_TRANSITION	(1U << 2)	/* the transition is to it, or from it; of functions, too */
#define NESTRACE_KLP_FORCED	(1U << 3)	/* a transition was forced: the module stays loaded */
struct nestrace_klp_patch {
	struct nestrace_klp_note note;
	char name[64];		/* of its module */
	__u64 text, text_size;	/* the code of that */
};

#define NESTRACE_KLP_PATCHED	(1U << 4)	/* of an object and its functions: they are redirected */
struct nestrace_klp_object {
	struct nestrace_klp_note note;
	char name[64];		/* of a module; empty: the kernel */
};

#define NESTRACE_KLP_NOP	(1U << 5)	/* it goes back to the original, because a patch replaced one without it */
struct nestrace_klp_func {
	struct nestrace_klp_note note;
	__u64 old_func, old_size;	/* 0: the object is not loaded */
	__u64 old_body;		/* where the original goes on if it is not redirected */
	__u64 new_func, new_size;
	char name[];		/* of the original */
};

#define NESTRACE_KLP_IDLE	(1U << 6)	/* an idle task, of CPU @cpu */
#define NESTRACE_KLP_KTHREAD	(1U << 7)
#define NESTRACE_KLP_RUNNABLE	(1U << 8)	/* it does not sleep */
#define NESTRACE_KLP_USER	(1U << 9)	/* it was seen in user mode */

/* Why the kernel cannot change the version of a task now. */
enum nestrace_klp_why {
	NESTRACE_KLP_ON_CPU,		/* it runs on @cpu; @caller is where it was seen, if it was */
	NESTRACE_KLP_IN_FUNC,		/* @caller number @frame, from 1, is in the code of @func */
	NESTRACE_KLP_UNRELIABLE,	/* the unwinder does not know the caller of number @frame, or 0: the first */
	NESTRACE_KLP_GENERATED,		/* number @frame is in code that the kernel does not know */
	NESTRACE_KLP_DEEP,		/* there are as many callers as the kernel looks at, or more */
	NESTRACE_KLP_HOOKED,		/* it does not sleep, and a return of its calls is hooked */
	NESTRACE_KLP_NOTHING,		/* nothing: the kernel will change it when it tries next */
	NESTRACE_KLP_LOCK,		/* it has the lock of livepatches */
	NESTRACE_KLP_NR_WHY
};

#define NESTRACE_KLP_CALLERS	100
struct nestrace_klp_task {
	struct nestrace_klp_note note;
	__s32 pid, tgid;	/* in the initial pid namespace; 0: an idle task */
	__u32 cpu;
	__u32 state;		/* the kernel's task_struct.__state; 0: it does not sleep */
	__s32 version;		/* 0 or 1, as @target */
	__u32 why;		/* enum nestrace_klp_why */
	__u32 frame;
	__u32 nr;		/* of callers */
	__u64 func;		/* the original function whose code is in use */
	char comm[16];
	__u64 caller[];		/* the nearest first */
};

#define NESTRACE_IOC_MAGIC	0xf7
#define NESTRACE_IOC_INFO	_IO(NESTRACE_IOC_MAGIC, 0)	/* struct nestrace_info * */
#define NESTRACE_IOC_FILTER	_IOW(NESTRACE_IOC_MAGIC, 1, struct nestrace_filter)
#define NESTRACE_IOC_PID	_IOW(NESTRACE_IOC_MAGIC, 2, struct nestrace_pid)
#define NESTRACE_IOC_CPUS	_IOW(NESTRACE_IOC_MAGIC, 3, struct nestrace_cpus)
#define NESTRACE_IOC_CONFIG	_IOW(NESTRACE_IOC_MAGIC, 4, struct nestrace_config)
/*
 * NESTRACE_IOC_START: arms the session. It may follow a stop; it continues in the same rings.
 * Errors: EBUSY running already, or ftrace is off (kernel.ftrace_enabled = 0); ENOMEM no
 * memory for the rings; ENOSPC that of NESTRACE_IOC_PERSIST is too small; ENODEV ftrace has shut itself down after a bug.
 */
#define NESTRACE_IOC_START	_IO(NESTRACE_IOC_MAGIC, 5)
/*
 * NESTRACE_IOC_STOP: freezes the rings and disarms the session; no hit is in flight when it
 * returns. Errors: EINVAL not running; ENODEV as for START, and then the session stays armed, its
 * rings stay frozen, and its streams end.
 */
#define NESTRACE_IOC_STOP	_IO(NESTRACE_IOC_MAGIC, 6)
/*
 * NESTRACE_IOC_FREEZE: freezes the rings of a running session, and returns at once: it waits
 * for no other ioctl. The rings keep what they hold; STOP, which takes time, may follow.
 * It takes no argument.
 */
#define NESTRACE_IOC_FREEZE	_IO(NESTRACE_IOC_MAGIC, 11)
#define NESTRACE_IOC_STATS	_IOWR(NESTRACE_IOC_MAGIC, 7, struct nestrace_stats)
#define NESTRACE_IOC_RECURSIONS	_IOWR(NESTRACE_IOC_MAGIC, 8, struct nestrace_recursions)
#define NESTRACE_IOC_STREAM	_IOW(NESTRACE_IOC_MAGIC, 9, struct nestrace_stream_open)
#define NESTRACE_IOC_TASKS	_IOWR(NESTRACE_IOC_MAGIC, 10, struct nestrace_tasks_take)
#define NESTRACE_IOC_MODULES	_IOWR(NESTRACE_IOC_MAGIC, 12, struct nestrace_modules_take)
#define NESTRACE_IOC_TIME	_IOWR(NESTRACE_IOC_MAGIC, 13, struct nestrace_time)
#define NESTRACE_IOC_COUNTS	_IOWR(NESTRACE_IOC_MAGIC, 14, struct nestrace_counts)
#define NESTRACE_IOC_RETURNS	_IOWR(NESTRACE_IOC_MAGIC, 15, struct nestrace_returns)
#define NESTRACE_IOC_STACK	_IOWR(NESTRACE_IOC_MAGIC, 16, struct nestrace_stack_config)
#define NESTRACE_IOC_ARGS	_IOW(NESTRACE_IOC_MAGIC, 17, struct nestrace_args)
#define NESTRACE_IOC_LIVEPATCH	_IOWR(NESTRACE_IOC_MAGIC, 18, struct nestrace_livepatch)
#define NESTRACE_IOC_COOKIE	_IOW(NESTRACE_IOC_MAGIC, 19, struct nestrace_cookie)
#define NESTRACE_IOC_BOOT	_IOWR(NESTRACE_IOC_MAGIC, 20, struct nestrace_boot)
#define NESTRACE_IOC_CGROUP	_IOW(NESTRACE_IOC_MAGIC, 21, struct nestrace_cgroup)
#define NESTRACE_IOC_PERSIST	_IOW(NESTRACE_IOC_MAGIC, 22, struct nestrace_persist)
#define NESTRACE_IOC_REGION	_IOWR(NESTRACE_IOC_MAGIC, 23, struct nestrace_region)

#endif
