/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rings of a CPU, one per slot, or its table of counts; and the memory behind those of a
 * session. A session that counts uses only the counters of its rings.
 */
#ifndef NT_RINGS_H
#define NT_RINGS_H

#include <linux/types.h>

#include "counts.h"
#include "ring.h"
#include "uapi/nestrace.h"

struct nt_session;
struct page;

/* A function that recursed, and the function that was being traced. */
struct nt_recursion {
	unsigned long ip;
	unsigned long under_ip;
	u64 count;
};

struct nt_rings {
	struct nt_ring slot[NESTRACE_NR_SLOTS];
	struct nt_recursion recursions[NESTRACE_NR_SLOTS][NESTRACE_NR_RECURSIONS];
	struct nt_counts counts;
	unsigned long *firsts;	/* bitmap of firsts.h; NULL: none is needed, or the CPU is not traced */
};

/* Return: the bytes of one ring, of the @ring_kb that NESTRACE_IOC_CONFIG documents. */
size_t nt_ring_bytes(unsigned int ring_kb, enum nestrace_slot slot);
/*
 * Allocate and initialise the rings of all CPUs of @s.
 * Return: 0, -EINTR if the caller is being killed, -ENOMEM if RLIMIT_MEMLOCK or half of the
 * available memory is exceeded, or -ENOSPC if its region is too small.
 * Context: may sleep; @s->lock is held.
 */
int nt_rings_alloc(struct nt_session *s);
/* Return: page @nr of the memory of @cpu, which is one of the session's. */
struct page *nt_rings_page(const struct nt_session *s, unsigned int cpu, unsigned int nr);
/* Context: may sleep; no hook or reader of @s is left. */
void nt_rings_free(struct nt_session *s);

#endif
