/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading trace.dat, versions 6 and 7 (trace-cmd.dat.v6(5), trace-cmd.dat.v7(5)), of any
 * recording with this machine's word size. Nothing in the file is trusted.
 */
#ifndef LIB_TRACEDAT_READ_H
#define LIB_TRACEDAT_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct tracedat {
	char *path;
	int fd;
	uint64_t size;		/* bytes of the file */
	char *function_format;	/* of the ftrace:function event */
	int function;		/* its ID */
	char *kallsyms;
	char *cmdlines;
	char *times;		/* of names, in a file of ours; NULL: the file has none */
	char *clock;		/* its name in tracefs; NULL: the file has none */
	unsigned int nr_cpus;
	char **cpustat;		/* by CPU */
	unsigned int nr_cpustat;	/* may be fewer than CPUs */
	struct {
		uint64_t offset, size;	/* bytes in the file */
		struct chunks *chunks;	/* NULL: not compressed */
	} *cpu;
	bool truncated;		/* a CPU's data goes beyond the end of the file */
};

/* Return: NULL after an error. */
struct tracedat *tracedat_open(const char *path, struct error *e);
/*
 * Read sub-buffer @nr of @cpu; of compressed data, not one before the last that was read.
 * Return: 1, 0 at the end, or -1 after an error.
 */
int tracedat_read(struct tracedat *t, unsigned int cpu, uint64_t nr, void *buf, struct error *e);
void tracedat_close(struct tracedat *t);

#endif
