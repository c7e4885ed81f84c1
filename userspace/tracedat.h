/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.dat: version 7, as trace-cmd.dat.v7(5) describes it, is written for sub-buffers of
 * nestrace's streams; that and version 6 are read, of any recording of this word size.
 */
#ifndef TRACEDAT_H
#define TRACEDAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct accounting;

/*
 * Writing. The file appears under its name only when tracedat_finish() has made it
 * whole; one that was there before is kept until then.
 */
struct tracedat_writer;

/* Dies if the file can't be made. @kallsyms becomes the writer's. */
struct tracedat_writer *tracedat_create(const char *path, unsigned int nr_cpus,
					char *kallsyms, size_t len);
/*
 * Whole sub-buffers of one CPU; may run for several CPUs at once. False, and a
 * message, if they could not be written; what came before is kept.
 */
bool tracedat_append(struct tracedat_writer *w, unsigned int cpu, const void *buf, size_t len);
/* More of /proc/kallsyms, before the end. */
void tracedat_add_symbols(struct tracedat_writer *w, const char *text, size_t len);
/* Returns 0, or -1 after a message. Frees @w. */
int tracedat_finish(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		    const char *clock, const struct accounting *a);
/* Leaves no file behind. Frees @w. */
void tracedat_abandon(struct tracedat_writer *w);

/* Reading. Messages name the file and what is wrong with it. */
struct tracedat {
	char *path;
	int fd;
	uint64_t size;		/* of the file */
	char *function_format;	/* of the ftrace:function event */
	int function;		/* its id */
	char *kallsyms;
	char *cmdlines;
	char *clock;		/* "global", "x86-tsc", ... */
	unsigned int nr_cpus;
	char **cpustat;		/* by CPU; may be fewer */
	unsigned int nr_cpustat;
	struct {
		uint64_t offset, size;
		struct chunks *chunks;	/* NULL: not compressed */
	} *cpu;
	bool truncated;		/* a CPU's data goes beyond the end of the file */
};

/* NULL, and a message, if it is no such file, or no function trace. */
struct tracedat *tracedat_open(const char *path);
/* Sub-buffer @nr of @cpu, with none before an earlier one; 1, 0 at the end, -1 after a message. */
int tracedat_read(struct tracedat *t, unsigned int cpu, uint64_t nr, void *buf);
void tracedat_close(struct tracedat *t);

#endif
