// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/tsc.h"

#define MEASURE_NS_MIN	100000000	/* a shorter time gives no rate of any use */

static uint64_t cycles_before, ns_before;

static uint64_t cycles(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return 0;
#endif
}

static uint64_t ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void tsc_measure(void)
{
	cycles_before = cycles();
	ns_before = ns();
}

/* The page of any event of perf has the rate. */
static bool ask_perf(struct tsc_rate *rate)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY, .size = sizeof(attr),
		.exclude_kernel = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	size_t size = sysconf(_SC_PAGESIZE);
	const volatile struct perf_event_mmap_page *page;
	bool known;

	if (fd < 0)
		return false;
	page = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return false;
	known = page->cap_user_time && page->time_mult;
	*rate = (struct tsc_rate){ page->time_mult, page->time_shift };
	munmap((void *)page, size);
	return known;
}

bool tsc_rate(struct tsc_rate *rate)
{
	uint64_t passed = ns() - ns_before, counted = cycles() - cycles_before;
	double mult;

	if (ask_perf(rate))
		return true;
	if (!cycles_before || passed < MEASURE_NS_MIN || !counted)
		return false;
	mult = (double)passed / counted;
	for (rate->shift = 0; rate->shift < 31 && mult < 1U << 31; rate->shift++)
		mult *= 2;
	rate->mult = mult;
	return true;
}
