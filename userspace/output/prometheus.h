/* SPDX-License-Identifier: GPL-2.0 */
/* Counters in the text format of Prometheus, for the textfile collector of node_exporter. */
#ifndef OUTPUT_PROMETHEUS_H
#define OUTPUT_PROMETHEUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct accounting;

/* A function in a context. */
struct prometheus_row {
	const char *name;
	unsigned int slot;
	uint64_t calls, ns;
};

struct prometheus {
	const struct accounting *accounting;
	struct prometheus_row *row;	/* is sorted; rows with one name and context are added up */
	size_t nr;
	bool times;			/* rows have @ns */
	uint64_t start_ns;		/* when the session began, since 1970 */
};

/* Write a file that takes the place of @path at once. Return: false after an error. */
bool prometheus_write(const struct prometheus *p, const char *path, struct error *e);

#endif
