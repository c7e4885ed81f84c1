// SPDX-License-Identifier: GPL-2.0
/* The corrections of times that a file has: userspace/lib/file_time.c. */
#include <string.h>

#include "lib/file_time.h"
#include "spec.h"

static unsigned char option[512];
static unsigned int used;

static void put(uint64_t number, unsigned int size)
{
	memcpy(option + used, &number, size);
	used += size;
}

/* Begin an option TIME_SHIFT for @nr_cpus. */
static void shift(unsigned int flags, unsigned int nr_cpus)
{
	used = 0;
	put(1, 8);
	put(flags, 4);
	put(nr_cpus, 4);
}

/* Two samples of a CPU: +@a from time 1000 on, and +@b from 2000 on. */
static void two_samples(uint64_t a, uint64_t b)
{
	put(2, 4);
	put(1000, 8), put(2000, 8);
	put(a, 8), put(b, 8);
	put(1, 8), put(1, 8);
}

int main(void)
{
	struct file_time t;

	spec("file_time: without options a time stays");
	t = (struct file_time){ 0 };
	is_number(file_time_correct(&t, true, 0, 12345), 12345);

	spec("file_time: cycles become nanoseconds, of 64 bits");
	used = 0;
	put(0x40000000, 4), put(31, 4), put(0, 8);
	is_number(file_time_tsc(&t, (char *)option, used, false), true);
	is_number(file_time_correct(&t, true, 0, 2000), 1000);
	is_number(file_time_correct(&t, true, 0, 1ULL << 60), 1ULL << 59);

	spec("file_time: an option that is too short is refused");
	is_number(file_time_tsc(&t, (char *)option, used - 1, false), false);

	spec("file_time: a date counts microseconds, an offset nanoseconds, and both add up");
	t = (struct file_time){ 0 };
	file_time_date(&t, "0x3e8");
	file_time_offset(&t, "-500");
	is_number(file_time_correct(&t, true, 0, 7), 1000000 - 500 + 7);
	is_number(t.dated, true);

	spec("file_time: a guest's times are shifted by the sample before them");
	t = (struct file_time){ 0 };
	shift(0, 2);
	two_samples(10, 20);
	two_samples(100, 200);
	is_number(file_time_shift(&t, (char *)option, used, false), true);
	is_number(file_time_correct(&t, true, 0, 1500), 1510);
	is_number(file_time_correct(&t, true, 1, 1500), 1600);

	spec("file_time: only those of the top instance, and of CPUs that have samples");
	is_number(file_time_correct(&t, false, 0, 1500), 1500);
	is_number(file_time_correct(&t, true, 2, 1500), 1500);
	file_time_free(&t);

	spec("file_time: a guest's times are interpolated if the file says so");
	t = (struct file_time){ 0 };
	shift(1, 1);
	two_samples(10, 20);
	is_number(file_time_shift(&t, (char *)option, used, false), true);
	is_number(file_time_correct(&t, true, 0, 1500), 1515);
	file_time_free(&t);

	spec("file_time: samples beyond the end of the option are refused");
	t = (struct file_time){ 0 };
	is_number(file_time_shift(&t, (char *)option, used - 1, false), false);
	file_time_free(&t);
	t = (struct file_time){ 0 };
	shift(0, 0x40000000);
	is_number(file_time_shift(&t, (char *)option, used, false), false);
	file_time_free(&t);

	spec_end();
	return specs_failed != 0;
}
