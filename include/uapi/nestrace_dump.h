/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * How the sessions of a machine are found in a dump of its memory, without debug information, page tables
 * or the address of the kernel. All addresses are physical. Each page says where it lies itself, so a copy
 * of one is not taken for it.
 *
 * The module has one page with an anchor. It points to a page for each session that records, and that to a
 * list of words, for each CPU that is traced:
 *	its number
 *	the offset of its counters in their first page, and the number of their pages; those pages
 *	the number of pages of its rings; those pages
 * The rings of a CPU lie one behind the other by slot, in the layout of src/ring.h.
 *
 * A region that outlives the machine (NESTRACE_IOC_PERSIST) begins with a page like the anchor, of one session, whose
 * pages are all in the region. There are copies of its counters only: the newest one has the highest position, and
 * position 0 means that a copy is being made. Records may follow that position, up to a head of 0.
 */
#ifndef _UAPI_NESTRACE_DUMP_H
#define _UAPI_NESTRACE_DUMP_H

#include <linux/types.h>

#include "uapi/nestrace.h"

/* Changes whenever anything here, in src/ring.h or in the rings does. */
#define NESTRACE_DUMP_VERSION		2
#define NESTRACE_DUMP_MAGIC_SIZE	16
#define NESTRACE_DUMP_ANCHOR_MAGIC	"nestrace-anchor"
#define NESTRACE_DUMP_REGION_MAGIC	"nestrace-region"
#define NESTRACE_DUMP_SESSION_MAGIC	"nestrace-sessio"
#define NESTRACE_DUMP_LIST_MAGIC	"nestrace-a-list"
#define NESTRACE_DUMP_SESSIONS		500

/* At the beginning of each page. */
struct nestrace_dump_head {
	char  magic[NESTRACE_DUMP_MAGIC_SIZE];
	__u64 self;		/* its address */
};

struct nestrace_dump_anchor {
	struct nestrace_dump_head head;
	__u32 version;
	__u32 page_size;
	__u64 session[NESTRACE_DUMP_SESSIONS];	/* 0: free */
};

/* The counters of a ring, FIELD(NAME, MEMBER of struct nt_ring). */
#define NESTRACE_DUMP_FIELDS(FIELD)							\
	FIELD(pos, pos) FIELD(hits, hits) FIELD(written, written) FIELD(filtered, filtered)	\
	FIELD(filtered_early, filtered_early) FIELD(recursed, recursed) FIELD(full, full)	\
	FIELD(not_watching, not_watching) FIELD(rcu_nmi, rcu_nmi) FIELD(rcu_irq, rcu_irq)	\
	FIELD(in_tracer, in_tracer) FIELD(set_forward, set_forward) FIELD(exits, exits)		\
	FIELD(exits_full, exits_full) FIELD(exits_dropped, exits_dropped)			\
	FIELD(exits_filtered, exits_filtered) FIELD(strangers, strangers) FIELD(away, away)	\
	FIELD(awaited, awaited) FIELD(no_node, missed[NT_MISSED_NO_NODE])			\
	FIELD(no_rcu, missed[NT_MISSED_NO_RCU]) FIELD(refused, missed[NT_MISSED_REFUSED])

enum nestrace_dump_field {
#define NESTRACE_DUMP_ENUM(name, member)	NESTRACE_DUMP_##name,
	NESTRACE_DUMP_FIELDS(NESTRACE_DUMP_ENUM)
#undef NESTRACE_DUMP_ENUM
	NESTRACE_DUMP_NR_FIELDS
};

struct nestrace_dump_session {
	struct nestrace_dump_head head;
	__u64 cookie;		/* of NESTRACE_IOC_COOKIE */
	__u32 flags;		/* NESTRACE_CONFIG_ bits */
	__u32 clock;		/* enum nestrace_clock */
	__u32 order;		/* NESTRACE_TIME_ bits */
	__u32 stack;		/* callers of a stack at most; 0: no stacks */
	__u32 args;		/* 1: calls have arguments */
	__u32 nr_cpus;		/* CPU numbers are below this */
	/* times as handed out are @offset + (times in the ring * @mult >> 32), or without @mult @offset + these */
	__u64 mult, offset;
	__u64 span_mult;	/* of times as handed out, ns are spans * this >> 32; 0: they are ns */
	__u64 ring_kb;		/* of a CPU */
	__u64 ring_bytes[NESTRACE_NR_SLOTS];
	__u64 time, wall_ns;	/* the time as handed out, and that since 1970 (UTC), at one moment */
	/* the machine and its kernel, as uname has them */
	char  host[65], release[65], build[65];
	__u8  reserved;
	__u32 stride;		/* bytes from a slot's counters to those of the next */
	__u32 copies;		/* of a slot's counters; 0: these are those that the machine used */
	__u32 copy_bytes;	/* from a copy to the next */
	__u16 at[NESTRACE_DUMP_NR_FIELDS];	/* where each counter is; all are u64 */
	__u64 list;		/* the first page of the list */
};

#define NESTRACE_DUMP_WORDS	507
struct nestrace_dump_list {
	struct nestrace_dump_head head;
	__u64 next;		/* 0: this is the last */
	__u64 nr;		/* of words */
	__u64 word[NESTRACE_DUMP_WORDS];
};

#endif
