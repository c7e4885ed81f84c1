/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that the kernel has reserved by reserve_mem=SIZE:ALIGN:NAME, which a warm reboot leaves as it is. It is taken
 * page by page, and begins with a page of uapi/nestrace_dump.h.
 *
 * Invariant: the first page has its magic only while all that it leads to is there.
 */
#ifndef NT_REGION_H
#define NT_REGION_H

#include <linux/types.h>

struct nestrace_region;
struct nt_region;

/* Context of all: may sleep. */

/*
 * Claim the memory of that name, for @*region. Return: 0, -EOPNOTSUPP: the kernel has no reserve_mem, -EACCES: it is not for
 * nestrace, -ENOENT: no such memory, -EBUSY: it is claimed, -EEXIST: it holds a session of before, or -ENOMEM.
 */
int nt_region_claim(const char *name, struct nt_region **region);
/* Take none of it: what was taken must not be used any more. */
void nt_region_rewind(struct nt_region *r);
/* Return: the next @bytes of it, whole pages of zeroes; NULL: there are not as many. */
void *nt_region_take(struct nt_region *r, size_t bytes);
/* Let a reader find the page of a session. */
void nt_region_publish(struct nt_region *r, u64 session);
/* Let it find none. */
void nt_region_forget(struct nt_region *r);
/* Give it up; a session that is published stays. */
void nt_region_release(struct nt_region *r);

/* NESTRACE_IOC_REGION, but for the descriptor. */
int nt_region_describe(struct nestrace_region *arg);
/* Return: a descriptor that reads the memory of that name, or an error. */
int nt_region_open(const char *name);

#endif
