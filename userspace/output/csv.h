/* SPDX-License-Identifier: GPL-2.0 */
/* Rows of CSV on stdout, all with the same columns, for databases. Quotes are as in RFC 4180. */
#ifndef OUTPUT_CSV_H
#define OUTPUT_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/reader.h"

/* Hits of a source that were lost before its next row. */
struct csv_gap {
	struct source from;
	int64_t missed;			/* -1: an unknown number */
};

struct csv {
	bool cycles;			/* times are cycles, whose rate is not known */
	bool has_utc;
	uint64_t to_utc;		/* add it to a time in ns */
	char host[256], boot[64];	/* empty: not known */
	struct csv_gap *gap;
	size_t nr_gaps;
};

/* Print the header. @r: open. */
void csv_begin(struct csv *c, const struct reader *r);
/* Print text in quotes. */
void csv_text(const char *text);
/* Print the columns up to cpu. */
void csv_row(const struct csv *c, const struct source *from, uint64_t ts);
/* Hits are missing before the next row of @from. */
void csv_gap(struct csv *c, const struct source *from, int64_t missed);
/* Before a row of @from at @ts: print the gap before it, if there is one. */
void csv_gap_row(struct csv *c, const struct source *from, uint64_t ts);
/* Print the gaps after which there is no row, and free @c. */
void csv_end(struct csv *c);

#endif
