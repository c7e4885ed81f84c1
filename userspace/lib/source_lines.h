/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lines of source code of functions, from the debug information (DWARF) of the kernel and its modules. It is
 * found by functions' names, so it needs no addresses of the machine that recorded.
 */
#ifndef LIB_SOURCE_LINES_H
#define LIB_SOURCE_LINES_H

#include <stdint.h>

#include "lib/error.h"

struct source_lines;
struct tep_handle;
struct tracedat;

/*
 * Load the debug information of the kernel that recorded @file, from where distributions install it, and from the
 * @nr ELF files @path, vmlinux or modules. @tep: with the file's functions; both must outlive the result.
 * Return: NULL after an error, also if there is none.
 */
struct source_lines *source_lines_new(const struct tracedat *file, struct tep_handle *tep,
				      const char *const *path, unsigned int nr, struct error *e);
/*
 * Return "FILE:LINE" of the call that returns to @ip; of the code at @ip, as where an interrupt came; or where the
 * function at @ip begins. NULL: not known. Valid until the next call.
 */
const char *source_lines_call(struct source_lines *s, uint64_t ip);
const char *source_lines_code(struct source_lines *s, uint64_t ip);
const char *source_lines_function(struct source_lines *s, uint64_t ip);
void source_lines_free(struct source_lines *s);

#endif
