/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writing trace.dat, version 7 (trace-cmd.dat.v7(5)), from the sub-buffers of nestrace's
 * streams. The file appears under its name only once tracedat_finish() has completed it; an
 * earlier file of that name is kept until then. Meanwhile all is in a directory, from which
 * tracedat_restore() makes the file if the recorder is killed.
 */
#ifndef LIB_TRACEDAT_WRITE_H
#define LIB_TRACEDAT_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/tracedat_parts.h"

struct accounting;
struct tracedat_writer;

/*
 * Begin a file. @path must stay valid; @kallsyms, of @len bytes, becomes the writer's.
 * @clock: its name in tracefs. Return: NULL after an error, with no file left behind.
 */
struct tracedat_writer *tracedat_create(const char *path, unsigned int nr_cpus, const char *clock,
					char *kallsyms, size_t len, const struct tracedat_contents *c,
					struct error *e);
/* Return the number that identifies the recording. */
uint64_t tracedat_id(const struct tracedat_writer *w);
/* Return the directory that has the recording until it is complete. */
const char *tracedat_partial(const struct tracedat_writer *w);
/* Return true if that directory is not beside the file, because it takes no new files. */
bool tracedat_is_elsewhere(const struct tracedat_writer *w);
/* Return what an interrupted recording into the same file left, or NULL. */
const char *tracedat_kept(const struct tracedat_writer *w);
/*
 * Add whole sub-buffers of one CPU, for several CPUs at once. Return: false if they could
 * not be written; those before are kept.
 */
bool tracedat_append(struct tracedat_writer *w, unsigned int cpu, const void *buf, size_t len,
		     struct error *e);
/*
 * Return a buffer for the next sub-buffers of a CPU, and its size in @len, so that
 * tracedat_append() need not copy; NULL: there is none.
 */
void *tracedat_room(struct tracedat_writer *w, unsigned int cpu, size_t *len);
/*
 * Compress the data of one CPU that waits for it, after its last tracedat_append(); for several CPUs
 * at once. tracedat_finish() compresses what is left.
 */
void tracedat_compress(struct tracedat_writer *w, unsigned int cpu);
/* Return the bytes of the disk that wait for compression. */
uint64_t tracedat_waiting(const struct tracedat_writer *w);
/* Return the bytes that the recording has on the disk now. */
uint64_t tracedat_bytes(const struct tracedat_writer *w);
/* The same as tracedat_append(), for sub-buffers of the kernel's events. */
bool tracedat_append_events(struct tracedat_writer *w, unsigned int cpu, const void *buf, size_t len,
			    struct error *e);
/* Replace the lines of /proc/kallsyms, before the end; @text becomes the writer's. */
void tracedat_set_symbols(struct tracedat_writer *w, char *text, size_t len);
/* Set the lines that say when names were right, before the end; @text becomes the writer's. */
void tracedat_set_times(struct tracedat_writer *w, char *text, size_t len);
/*
 * Let a kill lose nothing of what was added so far. @a may be NULL. An error means only that
 * an earlier state is kept.
 */
void tracedat_save(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		   const struct accounting *a);
/* The same of a stream: that of a CPU, or behind those of all CPUs that of its events. Any thread may call it. */
void tracedat_save_stream(struct tracedat_writer *w, unsigned int stream);
/*
 * Complete the file and free @w. Return: false if it could not be written; the directory is
 * kept then, which the error says.
 */
bool tracedat_finish(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		     const struct accounting *a, struct error *e);
/* Leave nothing behind and free @w. */
void tracedat_abandon(struct tracedat_writer *w);
/*
 * Make the file of an interrupted recording. @from: the directory or the name of the file.
 * @output: the name of the file, or NULL for that of the recording, unless a newer file has
 * it. @empty: also if nothing was recorded, which is else an error. Return: the name, to be freed, with @e
 * empty or a message of what is missing; NULL after an error, which loses nothing.
 */
char *tracedat_restore(const char *from, const char *output, bool empty, struct error *e);

#endif
