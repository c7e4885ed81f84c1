/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * nestrace: the ABI of /dev/nestrace.
 *
 * open("/dev/nestrace") makes a session: its own filters, clock and rings.
 * Closing the last descriptor of it ends the session, whatever it was doing; streams
 * that are still open can be read to their end.
 * open() fails with EPERM without CAP_PERFMON or CAP_SYS_ADMIN, or if the kernel
 * is locked down for confidentiality, and with ENOMEM.
 *
 * Rules that hold for every ioctl but NESTRACE_IOC_INFO, which says its own:
 *  - it is called in process context, may sleep, and is serialised against the
 *    others of its session; a signal that comes while it waits gives EINTR.
 *  - a struct begins with its size in bytes and its flags. Another size is
 *    refused with EINVAL, a flag or reserved field not listed here with EINVAL.
 *  - an unknown ioctl number is refused with ENOTTY.
 *  - what configures (FILTER, PID, CPUS, CONFIG) is refused with EBUSY once START
 *    or STREAM has made the rings, even if it then failed for another reason.
 *  - a bad user address gives EFAULT; lack of memory gives ENOMEM.
 *  - START and STOP take no argument: another than 0 gives EINVAL.
 */
#ifndef _UAPI_NESTRACE_H
#define _UAPI_NESTRACE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The command and the module work together only if this number is equal. */
#define NESTRACE_ABI_VERSION	1

#define NESTRACE_DEVICE	"/dev/nestrace"

/*
 * A slot is one guard and one ring of a CPU, for the code that runs on one
 * kind of kernel stack at one interrupt level. Mirrors the kernel's contexts
 * (linux/preempt.h) and exception stacks (asm/cpu_entry_area.h).
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

/* The word for each slot, the same in every output. */
#define NESTRACE_CONTEXT_WORDS { "task", "softirq", "hardirq", "nmi", "nmi", \
			"df", "db", "mce", "vc", "vc2" }

/*
 * Sub-buffers have the layout of the kernel's ring buffer: time stamp (u64),
 * commit (u64: bytes of data, bit 31 = events are missing before this
 * sub-buffer, bit 30 = their number follows the data as a u64), data.
 * A function record is the kernel's ftrace:function event (type 1). Where the
 * slot is not the one that common_flags tell, the record is four bytes longer
 * and ends with the slot as a u32.
 */
#define NESTRACE_SUBBUF_SIZE		4096
#define NESTRACE_SUBBUF_HEADER	16
#define NESTRACE_SUBBUF_MISSED	(1U << 31)
#define NESTRACE_SUBBUF_MISSED_STORED	(1U << 30)
#define NESTRACE_SUBBUF_LENGTH(c)	((__u32)(c) & ~(NESTRACE_SUBBUF_MISSED | NESTRACE_SUBBUF_MISSED_STORED))
#define NESTRACE_EVENT_FUNCTION	1
#define NESTRACE_EVENT_SIZE		24

/* What this kernel gives; a bit that is missing is told by status in words. */
#define NESTRACE_FEATURE_RCU_PAIR	(1U << 0)	/* ct_nmi_enter, ct_irq_enter found */
#define NESTRACE_FEATURE_IRQ_STACK	(1U << 1)	/* the hardirq stacks are known */
#define NESTRACE_FEATURE_MOD_FILTER	(1U << 2)	/* :mod:NAME can be resolved */
#define NESTRACE_FEATURE_FINE_CLOCK	(1U << 3)	/* NESTRACE_CLOCK_GLOBAL is finer than the tick */
#define NESTRACE_FEATURE_TASKS	(1U << 4)	/* NESTRACE_IOC_TASKS, NESTRACE_PID_FOLLOW: sched tracepoints found */

/* How RCU is woken where it is asleep. */
enum nestrace_rcu_mode {
	NESTRACE_RCU_PAIR,	/* the nmi or the irq pair, by context */
	NESTRACE_RCU_WARN,	/* warn_rcu_enter(), warn_rcu_exit() */
	NESTRACE_RCU_OFF,	/* it is not: such hits are skipped and counted */
};

/* two of the test builds of the module say so; all of them: src/test.h */
#define NESTRACE_INFO_TEST_RECURSE	(1U << 0)
#define NESTRACE_INFO_TEST_NO_GUARD	(1U << 1)

/*
 * NESTRACE_IOC_INFO: what the loaded module is. The first two fields never change,
 * so that a command of any age can say which side is too old. @size is an
 * output here: the size the module knows; at most 128 bytes are written.
 */
struct nestrace_info {
	__u32 size;
	__u32 abi;		/* NESTRACE_ABI_VERSION of the module */
	char  version[32];	/* of the module, as in modinfo */
	__u32 features;		/* NESTRACE_FEATURE_ bits */
	__u32 rcu_mode;		/* enum nestrace_rcu_mode */
	__u32 nr_cpus;		/* CPU numbers are below this */
	__u32 sessions;		/* open now, with the asking one */
	__u32 running;		/* of these, started and not stopped */
	__u32 test;		/* NESTRACE_INFO_TEST_ bits */
	__u64 events_emitted;	/* hits handed to the kernel's trace events, since the module's load */
	__u64 events_recursed;	/* of theirs refused, as NESTRACE_IOC_STATS has it */
	__u64 events_asleep;	/* skipped, as RCU was asleep and can't be woken */
	__u32 events_armed;	/* 1: one of these events is enabled, and hits come */
	__u32 reserved[9];
};

/*
 * NESTRACE_IOC_FILTER: which functions are traced. Without any, all are.
 * @glob: address of a glob in the syntax of set_ftrace_filter, with a
 *	terminating nul: "NAME", "GLOB", or "[GLOB]:mod:MODULE" for those of one
 *	loaded module. Mirrors ftrace_set_filter(), ftrace_set_notrace().
 * @len: its length without the nul, 1 to 255.
 * Errors: EINVAL another syntax or length, ENOENT no function matches, ENODEV no
 * such module is loaded, or ftrace has disabled itself after a bug,
 * EOPNOTSUPP :mod: can't be had on this kernel, ENOSPC more than 16 modules
 * are excluded.
 * With NESTRACE_FILTER_NOTRACE and :mod: the module stays pinned until the session
 * ends, its hits are counted as filtered, and GLOB must be empty or "*".
 */
#define NESTRACE_FILTER_NOTRACE	(1U << 0)	/* leave out what matches */
#define NESTRACE_FILTER_CLEAR		(1U << 1)	/* forget all of this kind; @glob and @len are 0 */
#define NESTRACE_FILTER_TRIGGER	(1U << 2)	/* a hit of what matches ends the recording, see below */
struct nestrace_filter {
	__u32 size;
	__u32 flags;
	__u64 glob;
	__u32 len;
	__u32 reserved;
};

/*
 * What ends a recording from within, a trigger or an oops, closes the rings at once: each
 * takes no more than the rest of its sub-buffer, further hits are counted as filtered, or as
 * lost where the ring was full. Some 10 ms later the session is stopped, as by NESTRACE_IOC_STOP;
 * NESTRACE_IOC_STATS tells by what. A trigger is a trigger on every CPU and for every task; it is
 * traced only if it is wanted by the other filters. NESTRACE_FILTER_TRIGGER goes with no other flag.
 */

/*
 * NESTRACE_IOC_PID: trace only while this task is current, its interrupts included.
 * @pid: a thread id of the caller's pid namespace, above 0. It is the number that is
 * traced: with NESTRACE_PID_FOLLOW until another task gets it, without it whoever gets it next.
 * Errors: ESRCH no such task, EOPNOTSUPP follow can't be had on this kernel.
 */
#define NESTRACE_PID_FOLLOW	(1U << 0)	/* and the children of all added pids */
#define NESTRACE_PID_CLEAR	(1U << 1)	/* forget all; @pid is 0 */
struct nestrace_pid {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__u32 reserved;
};

/*
 * NESTRACE_IOC_CPUS: trace only on these CPUs, not on all that are present. @mask:
 * address of a bit mask, CPU 0 is bit 0 of byte 0; @len: its bytes, 1 to 1024.
 * Errors: EINVAL the mask holds no possible CPU.
 */
struct nestrace_cpus {
	__u32 size;
	__u32 flags;
	__u64 mask;
	__u32 len;
	__u32 reserved;
};

enum nestrace_clock {
	NESTRACE_CLOCK_GLOBAL,	/* ns, ordered across CPUs; as trace_clock_global() */
	NESTRACE_CLOCK_TSC,		/* cycles; if a suspend sets it back, time stands until then */
	NESTRACE_CLOCK_MONO,		/* ns, ktime_get_mono_fast_ns(); see below */
	NESTRACE_NR_CLOCKS
};

/*
 * Where the kernel's clocksource is not the TSC, NESTRACE_CLOCK_MONO reads another (hpet,
 * acpi_pm), by functions that can be traced and, of hpet, wait: hits in there are
 * refused and counted.
 */
#define NESTRACE_CLOCK_WORDS { "global", "tsc", "mono" }

#define NESTRACE_RING_KB_MIN	1U
#define NESTRACE_RING_KB_MAX	(4U << 20)

/*
 * NESTRACE_IOC_CONFIG: clock and rings. @ring_kb: KiB per CPU, for all of its slots,
 * NESTRACE_RING_KB_MIN to NESTRACE_RING_KB_MAX; rounded up to a power of two, and to two
 * sub-buffers a slot. Half is the task slot's, an eighth each softirq's,
 * hardirq's and nmi's, a 64th each of the rest.
 * Errors: EINVAL a value out of range. That the machine has not so much free
 * is said by the first NESTRACE_IOC_START or NESTRACE_IOC_STREAM, with ENOMEM.
 */
#define NESTRACE_CONFIG_OVERWRITE	(1U << 0)	/* a full ring drops its oldest sub-buffer */
#define NESTRACE_CONFIG_EMPTY		(1U << 1)	/* hits end at once, uncounted: for benchmarks */
/*
 * What the caller does at task level is filtered: of all tasks with its address space, so
 * that reading the trace does not make the trace. Interrupts that come meanwhile are traced.
 */
#define NESTRACE_CONFIG_IGNORE_SELF	(1U << 2)
#define NESTRACE_CONFIG_OOPS		(1U << 3)	/* an oops or a panic ends the recording */
struct nestrace_config {
	__u32 size;
	__u32 flags;
	__u32 clock;		/* enum nestrace_clock */
	__u32 ring_kb;
};

/*
 * NESTRACE_IOC_STATS: the counters of one CPU since the session was opened. They are
 * exact once the session is stopped, and then for each slot
 *	hits == recorded + lost + recursed + filtered.
 */
struct nestrace_slot_stats {
	__u64 hits;		/* calls of the hook */
	__u64 recorded;		/* in the ring, or read from it */
	__u64 lost;		/* ring full, overwritten unread, or RCU asleep */
	__u64 recursed;		/* refused: the slot was in the tracer already */
	__u64 filtered;		/* not wanted: pid, CPU, excluded module, the caller; or closed */
	__u64 asleep;		/* of lost: RCU was asleep and could not be woken */
	__u64 woken_nmi;	/* of recorded: RCU woken by the nmi pair */
	__u64 woken_irq;	/* of recorded: RCU woken by the irq pair or warn_rcu_enter() */
	__u64 nested;		/* arrived while another slot of the CPU was in the tracer */
	__u64 bytes;		/* written to the ring */
};

#define NESTRACE_STATS_TRIGGER	(1U << 0)	/* a trigger has ended the recording */
#define NESTRACE_STATS_OOPS		(1U << 1)	/* an oops or a panic has */
struct nestrace_stats {
	__u32 size;
	__u32 flags;		/* in: 0; out: NESTRACE_STATS_ bits */
	__u32 cpu;		/* in: 0 to nr_cpus - 1, else EINVAL; EINTR while a reader waits */
	__u32 ring_kb;		/* out: what the CPU's rings hold; 0 = none yet, or not traced */
	struct nestrace_slot_stats slot[NESTRACE_NR_SLOTS];
};

/*
 * NESTRACE_IOC_RECURSIONS: the first refused functions of one CPU and slot, each with
 * the function that was being traced on that stack. EINVAL no such CPU or slot.
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
 * NESTRACE_IOC_STREAM: the stream of one CPU, as a new descriptor (the return
 * value). Errors of any new descriptor (EMFILE, ENFILE). @cpu: 0 to nr_cpus - 1
 * and in the session's CPU mask, else EINVAL; EBUSY if its stream is open already;
 * ENOMEM no room for the rings. May come before NESTRACE_IOC_START, so that a reader is
 * there for the first hit.
 * read() gives whole sub-buffers of NESTRACE_SUBBUF_SIZE, time-ordered over the CPU's
 * slots; it wants room for at least one (EINVAL). It waits until a sub-buffer
 * is full or its oldest record is some 100 ms old; with O_NONBLOCK it gives
 * what there is, or EAGAIN. 0 = the session is stopped and all is read.
 * poll() reports POLLIN for data, and POLLIN and POLLHUP once the session is stopped.
 */
#define NESTRACE_STREAM_NONBLOCK	(1U << 0)	/* open it with O_NONBLOCK */
struct nestrace_stream_open {
	__u32 size;
	__u32 flags;
	__u32 cpu;
	__u32 reserved;
};

/*
 * NESTRACE_IOC_TASKS: take the names of tasks that did exec or exit while the session
 * ran, oldest first; a later name of a pid replaces an earlier. @tasks: address
 * of room for @nr (in: above 0, else EINVAL; out: how many were given).
 * @dropped: out: how many found no room in the module, since the start. Names that
 * could not be stored for EFAULT are gone.
 */
struct nestrace_task {
	__s32 pid;		/* of the initial pid namespace, as in the records */
	char comm[16];
};

struct nestrace_tasks_take {
	__u32 size;
	__u32 flags;		/* 0 */
	__u64 tasks;
	__u32 nr;
	__u32 dropped;
};

#define NESTRACE_IOC_MAGIC	0xf7
#define NESTRACE_IOC_INFO	_IO(NESTRACE_IOC_MAGIC, 0)	/* struct nestrace_info * */
#define NESTRACE_IOC_FILTER	_IOW(NESTRACE_IOC_MAGIC, 1, struct nestrace_filter)
#define NESTRACE_IOC_PID	_IOW(NESTRACE_IOC_MAGIC, 2, struct nestrace_pid)
#define NESTRACE_IOC_CPUS	_IOW(NESTRACE_IOC_MAGIC, 3, struct nestrace_cpus)
#define NESTRACE_IOC_CONFIG	_IOW(NESTRACE_IOC_MAGIC, 4, struct nestrace_config)
/*
 * NESTRACE_IOC_START: arm. May be repeated after a stop, goes on in the same rings.
 * Errors: EBUSY running already, or ftrace is off (kernel.ftrace_enabled = 0);
 * ENOMEM no room for the rings; ENODEV ftrace has disabled itself after a bug.
 */
#define NESTRACE_IOC_START	_IO(NESTRACE_IOC_MAGIC, 5)
/*
 * NESTRACE_IOC_STOP: disarm; no hit is in flight when it returns. EINVAL not running; ENODEV as
 * for START, and then it stays armed.
 */
#define NESTRACE_IOC_STOP	_IO(NESTRACE_IOC_MAGIC, 6)
#define NESTRACE_IOC_STATS	_IOWR(NESTRACE_IOC_MAGIC, 7, struct nestrace_stats)
#define NESTRACE_IOC_RECURSIONS	_IOWR(NESTRACE_IOC_MAGIC, 8, struct nestrace_recursions)
#define NESTRACE_IOC_STREAM	_IOW(NESTRACE_IOC_MAGIC, 9, struct nestrace_stream_open)
#define NESTRACE_IOC_TASKS	_IOWR(NESTRACE_IOC_MAGIC, 10, struct nestrace_tasks_take)

#endif
