/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The times of a trace file, corrected as its options say: TSC2NSEC turns cycles into
 * nanoseconds, DATE and OFFSET add to each time, and TIME_SHIFT turns a guest's times into
 * those of its host.
 */
#ifndef LIB_FILE_TIME_H
#define LIB_FILE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The time of the host at a time of the guest. */
struct time_sample {
	uint64_t time;
	int64_t offset;
	uint64_t scaling;
	uint64_t fraction;	/* bits of @scaling behind the binary point */
};

struct time_shift {
	struct time_sample *sample;
	unsigned int nr;
};

struct file_time {
	uint32_t mult, shift;	/* nanoseconds are cycles * @mult >> @shift; @mult 0: unknown */
	int64_t offset;		/* nanoseconds to add */
	bool dated;		/* @offset makes it wall clock */
	bool interpolate;	/* between samples */
	struct time_shift *cpu;
	unsigned int nr_cpus;
	bool changes;		/* something above is set */
};

/* Take the option's @len bytes of @data, which a NUL follows. @swap: from another byte order. */
void file_time_date(struct file_time *t, const char *data);
void file_time_offset(struct file_time *t, const char *data);
bool file_time_tsc(struct file_time *t, const char *data, size_t len, bool swap);
/* Return: false if the option makes no sense. */
bool file_time_shift(struct file_time *t, const char *data, size_t len, bool swap);
/* Return the corrected time @ts of @cpu. @top: it is in the top instance. */
uint64_t file_time_correct(const struct file_time *t, bool top, unsigned int cpu, uint64_t ts);
void file_time_free(struct file_time *t);

#endif
