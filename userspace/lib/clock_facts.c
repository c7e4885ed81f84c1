// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock_facts.h"

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

static uint64_t ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void tsc_measure(void)
{
	cycles_before = cycles();
	ns_before = ns(CLOCK_MONOTONIC_RAW);
}

/* Read the page of an event of perf. Return: false if perf is not allowed. */
static bool ask_perf(struct perf_event_mmap_page *facts)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY, .size = sizeof(attr),
		.exclude_kernel = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	size_t size = sysconf(_SC_PAGESIZE);
	void *page;

	if (fd < 0)
		return false;
	page = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return false;
	/* nothing of it changes while the event does not run */
	memcpy(facts, page, sizeof(*facts));
	munmap(page, size);
	return true;
}

bool tsc_rate(struct tsc_rate *rate)
{
	uint64_t passed = ns(CLOCK_MONOTONIC_RAW) - ns_before, counted = cycles() - cycles_before;
	struct perf_event_mmap_page facts;
	double mult;

	if (ask_perf(&facts) && facts.cap_user_time && facts.time_mult) {
		*rate = (struct tsc_rate){ facts.time_mult, facts.time_shift };
		return true;
	}
	if (!cycles_before || passed < MEASURE_NS_MIN || !counted)
		return false;
	mult = (double)passed / counted;
	for (rate->shift = 0; rate->shift < 31 && mult < 1U << 31; rate->shift++)
		mult *= 2;
	rate->mult = mult;
	return true;
}
