// SPDX-License-Identifier: GPL-2.0
/*
 * Let each thread of a process, and a child, make 10 calls of nt_called():
 *   threads BEFORE AFTER [FILE]
 * starts BEFORE threads, waits until FILE exists, and starts AFTER more threads. The calls are
 * made after that. Prints a line "main TID", "before TID", "after TID" or "child TID" for each
 * task, and "end".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_THREADS	64

static const char calls[] = "here 10";

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pid_t tids[MAX_THREADS];

static void make_calls(void)
{
	int fd = open("/proc/nt_calls", O_WRONLY);

	if (fd < 0 || write(fd, calls, sizeof(calls) - 1) < 0) {
		perror("/proc/nt_calls");
		exit(1);
	}
	close(fd);
}

static void *thread(void *arg)
{
	pid_t *tid = arg;

	*tid = gettid();
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	make_calls();
	return NULL;
}

static void run_child(void)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		make_calls();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "threads: the child failed\n");
		exit(1);
	}
	printf("child %d\n", pid);
}

int main(int argc, char **argv)
{
	int before = argc > 2 ? atoi(argv[1]) : 0, after = argc > 2 ? atoi(argv[2]) : 0, i;
	pthread_t threads[MAX_THREADS];

	if (argc < 3 || before < 0 || after < 0 || before + after > MAX_THREADS) {
		fprintf(stderr, "usage: threads BEFORE AFTER [FILE], at most %d threads\n",
			MAX_THREADS);
		return 2;
	}
	pthread_mutex_lock(&gate);
	for (i = 0; i < before + after; i++) {
		while (i == before && argc > 3 && access(argv[3], F_OK))
			usleep(10000);
		if (pthread_create(&threads[i], NULL, thread, &tids[i])) {
			fprintf(stderr, "threads: cannot start thread %d\n", i);
			return 1;
		}
	}
	pthread_mutex_unlock(&gate);
	make_calls();
	for (i = 0; i < before + after; i++)
		pthread_join(threads[i], NULL);

	printf("main %d\n", getpid());
	for (i = 0; i < before + after; i++)
		printf("%s %d\n", i < before ? "before" : "after", tids[i]);
	run_child();
	puts("end");
	return 0;
}
