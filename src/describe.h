/* SPDX-License-Identifier: GPL-2.0 */
/* Describes a session to a reader of the machine's memory: the pages of uapi/nestrace_dump.h. */
#ifndef NT_DESCRIBE_H
#define NT_DESCRIBE_H

struct nestrace_dump_session;
struct nt_region;
struct nt_session;

/* Return: a page of @region, or without it of the kernel, that begins with @magic; NULL: none is left. Context: may sleep. */
void *nt_describe_page(struct nt_region *region, const char *magic);
/*
 * Describe @s, whose rings exist, in pages of @region, or without it of the kernel. In a region, the counters are those
 * of @copies. Return: -EINTR, -ENOMEM or, of a region, -ENOSPC. Context: may sleep; @s->lock is held.
 */
struct nestrace_dump_session *nt_describe(struct nt_session *s, struct nt_region *region);
/* Free what is not in a region. Context: may sleep. */
void nt_describe_free(struct nestrace_dump_session *d);

#endif
