// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/byte_order.h"
#include "lib/file_time.h"
#include "lib/memory.h"

#define INTERPOLATE	1	/* the flag of TIME_SHIFT */

void file_time_date(struct file_time *t, const char *data)
{
	/* microseconds */
	t->offset += (int64_t)(strtoull(data, NULL, 0) * 1000);
	t->dated = true;
	t->changes = true;
}

void file_time_offset(struct file_time *t, const char *data)
{
	t->offset += strtoll(data, NULL, 0);
	t->changes = true;
}

bool file_time_tsc(struct file_time *t, const char *data, size_t len, bool swap)
{
	uint32_t shift;

	if (len < 16)
		return false;
	shift = number_at(data + 4, 4, swap);
	if (shift > 63)
		return false;
	t->mult = number_at(data, 4, swap);
	t->shift = shift;
	t->changes |= t->mult;
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct time_sample *x = a, *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

/* Sort the samples, and keep one of each time. */
static void sort_samples(struct time_shift *s)
{
	unsigned int i, nr = 0;

	if (s->nr)
		qsort(s->sample, s->nr, sizeof(*s->sample), by_time);
	for (i = 0; i < s->nr; i++)
		if (!i || s->sample[i].time != s->sample[i - 1].time)
			s->sample[nr++] = s->sample[i];
	s->nr = nr;
}

bool file_time_shift(struct file_time *t, const char *data, size_t len, bool swap)
{
	size_t at = 16, size = sizeof(uint64_t);
	struct time_sample *s;
	unsigned int cpu, i;
	uint32_t nr_cpus;

	if (len < at || t->cpu)
		return false;
	/* the first eight bytes identify the recording of the host */
	t->interpolate = number_at(data + 8, 4, swap) & INTERPOLATE;
	nr_cpus = number_at(data + 12, 4, swap);
	if (nr_cpus > (len - at) / sizeof(uint32_t))
		return false;
	t->cpu = xzalloc(nr_cpus ? nr_cpus : 1, sizeof(*t->cpu));
	t->nr_cpus = nr_cpus;
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		struct time_shift *c = &t->cpu[cpu];
		uint32_t nr;

		if (len - at < sizeof(nr))
			return false;
		nr = number_at(data + at, sizeof(nr), swap);
		at += sizeof(nr);
		if (nr > (len - at) / (3 * size))
			return false;
		c->sample = xzalloc(nr ? nr : 1, sizeof(*c->sample));
		c->nr = nr;
		for (i = 0; i < nr; i++, at += size)
			c->sample[i].time = number_at(data + at, size, swap);
		for (i = 0; i < nr; i++, at += size)
			c->sample[i].offset = number_at(data + at, size, swap);
		for (i = 0; i < nr; i++, at += size)
			c->sample[i].scaling = number_at(data + at, size, swap);
	}
	/* older files end here */
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		for (i = 0; i < t->cpu[cpu].nr && len - at >= size; i++, at += size) {
			s = &t->cpu[cpu].sample[i];
			s->fraction = number_at(data + at, size, swap) & 63;
		}
	}
	for (cpu = 0; cpu < nr_cpus; cpu++)
		sort_samples(&t->cpu[cpu]);
	t->changes = true;
	return true;
}

/* Return @ts by the samples @a and the later @b. */
static uint64_t between(const struct file_time *t, const struct time_sample *a,
			const struct time_sample *b, uint64_t ts)
{
	__int128 delta = b->time - a->time, offset = a->offset;

	if (t->interpolate && delta > 0)
		offset += (((__int128)ts - a->time) * ((__int128)b->offset - a->offset) + delta / 2) /
			  delta;
	return (ts * a->scaling >> a->fraction) + (uint64_t)offset;
}

static uint64_t host_time(const struct file_time *t, unsigned int cpu, uint64_t ts)
{
	const struct time_shift *c;
	unsigned int low = 0, high, middle;

	if (cpu >= t->nr_cpus || !t->cpu[cpu].nr)
		return ts;
	c = &t->cpu[cpu];
	if (c->nr == 1)
		return ts + c->sample[0].offset;
	/* the last pair of samples whose first is not later, or the nearest pair */
	high = c->nr - 2;
	while (low < high) {
		middle = (low + high + 1) / 2;
		if (c->sample[middle].time <= ts)
			low = middle;
		else
			high = middle - 1;
	}
	return between(t, &c->sample[low], &c->sample[low + 1], ts);
}

uint64_t file_time_correct(const struct file_time *t, bool top, unsigned int cpu, uint64_t ts)
{
	if (top)
		ts = host_time(t, cpu, ts);
	if (t->mult)
		ts = (unsigned __int128)ts * t->mult >> t->shift;
	return ts + t->offset;
}

void file_time_free(struct file_time *t)
{
	unsigned int i;

	for (i = 0; i < t->nr_cpus; i++)
		free(t->cpu[i].sample);
	free(t->cpu);
}
