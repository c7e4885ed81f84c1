// SPDX-License-Identifier: GPL-2.0
/*
 * Measure how long it takes to arm and to disarm all functions: with ftrace's function tracer,
 * at the top and in an instance, and with nestrace, in turn. Prints the medians in cycles of
 * the TSC: "arming NAME ARM DISARM".
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#include "uapi/nestrace.h"

#define TRACING	"/sys/kernel/tracing/"
#define ROUNDS	5

static int session = -1;

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		perror(path);
		exit(1);
	}
	close(fd);
}

static void top(int on)
{
	write_to(TRACING "current_tracer", on ? "function" : "nop");
}

static void instance(int on)
{
	write_to(TRACING "instances/nt/current_tracer", on ? "function" : "nop");
}

static void nestrace(int on)
{
	if (ioctl(session, on ? NESTRACE_IOC_START : NESTRACE_IOC_STOP, 0)) {
		perror("nestrace");
		exit(1);
	}
}

static int by_number(const void *a, const void *b)
{
	const unsigned long long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int main(void)
{
	static const struct {
		const char *name;
		void (*set)(int on);
	} tracers[] = { { "ftrace", top }, { "instance", instance }, { "nestrace", nestrace } };
	enum { NR = sizeof(tracers) / sizeof(tracers[0]) };
	unsigned long long arm[NR][ROUNDS], disarm[NR][ROUNDS], at;
	struct nestrace_config config = {
		.size = sizeof(config), .flags = NESTRACE_CONFIG_IGNORE_SELF, .ring_kb = 2048,
	};
	int round, i;

	mkdir(TRACING "instances/nt", 0755);
	session = open(NESTRACE_DEVICE, O_RDWR);
	if (session < 0 || ioctl(session, NESTRACE_IOC_CONFIG, &config)) {
		perror(NESTRACE_DEVICE);
		return 1;
	}
	/* the first start allocates the rings */
	nestrace(1);
	nestrace(0);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < NR; i++) {
			at = __rdtsc();
			tracers[i].set(1);
			arm[i][round] = __rdtsc() - at;
			usleep(10000);
			at = __rdtsc();
			tracers[i].set(0);
			disarm[i][round] = __rdtsc() - at;
		}
	}
	rmdir(TRACING "instances/nt");
	for (i = 0; i < NR; i++) {
		qsort(arm[i], ROUNDS, sizeof(arm[i][0]), by_number);
		qsort(disarm[i], ROUNDS, sizeof(disarm[i][0]), by_number);
		printf("arming %s %llu %llu\n", tracers[i].name, arm[i][ROUNDS / 2],
		       disarm[i][ROUNDS / 2]);
	}
	return 0;
}
