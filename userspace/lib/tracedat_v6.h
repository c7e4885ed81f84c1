/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of a trace.dat of version 6 (trace-cmd.dat.v6(5)) before its data. A listener completes the file. They
 * come in this order, and each once.
 */
#ifndef LIB_TRACEDAT_V6_H
#define LIB_TRACEDAT_V6_H

#include "lib/tracedat_parts.h"

void tracedat_v6_begin(struct block *b, const struct tracedat_contents *c);
void tracedat_v6_symbols(struct block *b, const char *kallsyms, size_t len);
/* @c: for arguments. */
void tracedat_v6_end(struct block *b, const struct tracedat_contents *c, const char *cmdlines, size_t len,
		     const struct tracedat_facts *f, const struct accounting *a);

#endif
