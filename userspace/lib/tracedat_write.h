/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writing trace.dat, version 7 (trace-cmd.dat.v7(5)), from the sub-buffers of nestrace's
 * streams. The file appears under its name only once tracedat_finish() has completed it; an
 * earlier file of that name is kept until then.
 */
#ifndef LIB_TRACEDAT_WRITE_H
#define LIB_TRACEDAT_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

struct accounting;
struct tracedat_writer;

/*
 * Begin a file. @path must stay valid; @kallsyms, of @len bytes, becomes the writer's.
 * Return: NULL after an error, with no file left behind.
 */
struct tracedat_writer *tracedat_create(const char *path, unsigned int nr_cpus,
					char *kallsyms, size_t len, struct error *e);
/*
 * Add whole sub-buffers of one CPU, for several CPUs at once. Return: false if they could
 * not be written; those before are kept.
 */
bool tracedat_append(struct tracedat_writer *w, unsigned int cpu, const void *buf, size_t len,
		     struct error *e);
/* Replace the lines of /proc/kallsyms, before the end; @text becomes the writer's. */
void tracedat_set_symbols(struct tracedat_writer *w, char *text, size_t len);
/* Set the lines that say when names were right, before the end; @text becomes the writer's. */
void tracedat_set_times(struct tracedat_writer *w, char *text, size_t len);
/*
 * Complete the file and free @w. @clock: its name in tracefs. Return: false if not all of it
 * could be written; the error says what was kept.
 */
bool tracedat_finish(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		     const char *clock, const struct accounting *a, struct error *e);
/* Leave no file behind and free @w. */
void tracedat_abandon(struct tracedat_writer *w);

#endif
