// SPDX-License-Identifier: GPL-2.0
/*
 * singlestep N: make N steps of a child that loops over plain instructions and system calls.
 * Prints the number of steps, and the number of those over a system call: such a step ends
 * without a debug exception.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "singlestep: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void child(void)
{
	unsigned long sum = 0, i;

	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		_exit(1);
	raise(SIGSTOP);
	for (i = 0;; i++) {
		sum += i * sum ^ i;
		if (!(i % 4))
			sum += syscall(SYS_getppid);
	}
}

/* Wait for @pid to stop with signal @sig. */
static void stopped(pid_t pid, int sig)
{
	int status;

	if (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == sig)
		return;
	fprintf(stderr, "singlestep: the child did not stop with signal %d; its status is %#x\n",
		sig, status);
	exit(1);
}

/* Return: whether the next instruction of @pid is SYSCALL, 0f 05. */
static int at_syscall(pid_t pid)
{
	struct user_regs_struct regs;
	long text;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs))
		die("the child's registers");
	errno = 0;
	text = ptrace(PTRACE_PEEKTEXT, pid, regs.rip, 0);
	if (errno)
		die("the child's text");
	return (text & 0xffff) == 0x050f;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1, syscalls = 0, i;
	pid_t pid = fork();

	if (!pid)
		child();
	stopped(pid, SIGSTOP);
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL))
		die("PTRACE_O_EXITKILL");
	for (i = 0; i < n; i++) {
		syscalls += at_syscall(pid);
		if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0))
			die("step");
		stopped(pid, SIGTRAP);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%ld %ld\n", n, syscalls);
	return 0;
}
