/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading trace.dat, versions 6 and 7 (trace-cmd.dat.v6(5), trace-cmd.dat.v7(5)), of any
 * machine. Nothing in the file is trusted.
 */
#ifndef LIB_TRACEDAT_READ_H
#define LIB_TRACEDAT_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/packing.h"

struct file_time;

/* The data of one CPU in one buffer. */
struct tracedat_cpu {
	uint64_t offset, size;	/* bytes in the file */
	struct chunks *chunks;	/* NULL: not compressed */
};

/* The buffer of one instance of ftrace. */
struct tracedat_buffer {
	char *name;		/* of the instance; "" for the top one */
	char *clock;		/* its name in tracefs; NULL: that of the file */
	bool is_text;		/* lines of a latency tracer, as the data of CPU 0 */
	uint32_t subbuf_size;
	unsigned int nr_cpus;
	struct tracedat_cpu *cpu;
};

/* The format of an event, as in tracefs. */
struct tracedat_format {
	char *system, *text;
};

struct tracedat {
	char *path;
	int fd;
	uint64_t size;		/* bytes of the file */
	bool bigendian;
	unsigned int long_size;	/* bytes in a long of the machine */
	enum packing packing;
	char *header_page;	/* the format of a sub-buffer's header */
	struct tracedat_format *format;
	unsigned int nr_formats;
	char *kallsyms;
	char *printk;		/* the formats of trace_printk() */
	char *cmdlines;
	char *times;		/* of names, in a file of ours; NULL: the file has none */
	char *args;		/* what calls have of their arguments, in a file of ours; or NULL */
	char *clock;		/* its name in tracefs; NULL: the file has none */
	uint64_t id;		/* that identifies the recording; 0: the file has none */
	char *uname;		/* "Linux HOST RELEASE MACHINE", or NULL */
	struct tracedat_buffer *buffer;	/* the top instance is the first, if it is there */
	unsigned int nr_buffers;
	unsigned int nr_cpus;	/* the most of any buffer */
	struct file_time *time;
	char **cpustat;		/* by CPU */
	unsigned int nr_cpustat;	/* may be fewer than CPUs */
	bool is_nestrace;	/* nestrace recorded it */
	bool truncated;		/* a CPU's data goes beyond the end of the file */
};

/* Return: NULL after an error. */
struct tracedat *tracedat_open(const char *path, struct error *e);
/*
 * Read sub-buffer @nr of @cpu of @b, b->subbuf_size bytes; of compressed data, not one before
 * the last that was read. Return: 1, 0 at the end, or -1 after an error.
 */
int tracedat_read(struct tracedat *t, const struct tracedat_buffer *b, unsigned int cpu,
		  uint64_t nr, void *buf, struct error *e);
/* Give the text of @b to @put, some lines at a time. Return: false after an error. */
bool tracedat_text(struct tracedat *t, const struct tracedat_buffer *b,
		   void (*put)(const char *lines), struct error *e);
void tracedat_close(struct tracedat *t);

#endif
