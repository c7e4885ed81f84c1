/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of a machine in a file: an ELF core dump, as QEMU and /proc/vmcore have it, or a compressed one
 * of kdump. Nothing in the file is trusted. All addresses are physical.
 */
#ifndef LIB_MEMORY_DUMP_H
#define LIB_MEMORY_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define MEMORY_DUMP_PAGE	4096

struct memory_dump;

/* Return: NULL after an error. */
struct memory_dump *memory_dump_open(const char *path, struct error *e);
/* The memory from @at on, as @fd has it, which belongs to the dump then. */
struct memory_dump *memory_dump_of(int fd, uint64_t at, uint64_t size);
/* Return: false if the file does not have these bytes. */
bool memory_dump_read(struct memory_dump *d, uint64_t at, void *buf, size_t len);
/* Call @found for each page that begins with @len bytes of @magic, until it returns false. */
void memory_dump_find(struct memory_dump *d, const void *magic, size_t len,
		      bool (*found)(void *arg, uint64_t at), void *arg);
/* Return true if the file ends before the memory that it says it has. */
bool memory_dump_is_cut(const struct memory_dump *d);
void memory_dump_close(struct memory_dump *d);

#endif
