// SPDX-License-Identifier: GPL-2.0
/* turns N: two threads, on CPU 0 and CPU 1, call getppid() in turns, N times each. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int to[2][2];		/* a pipe to each thread */
static long turns;

static void *thread(void *arg)
{
	long cpu = (long)arg, n;
	cpu_set_t set;
	char token;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		abort();
	for (n = 0; n < turns; n++) {
		if (read(to[cpu][0], &token, 1) != 1)
			abort();
		syscall(SYS_getppid);
		if (write(to[!cpu][1], &token, 1) != 1)
			abort();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t other;

	turns = argc > 1 ? atol(argv[1]) : 1;
	if (pipe(to[0]) || pipe(to[1]) || write(to[0][1], "", 1) != 1) {
		perror("turns");
		return 1;
	}
	pthread_create(&other, NULL, thread, (void *)1L);
	thread((void *)0L);
	pthread_join(other, NULL);
	return 0;
}
