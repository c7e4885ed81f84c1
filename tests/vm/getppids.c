// SPDX-License-Identifier: GPL-2.0
/* Calls getppid() as often as told. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1;

	while (n-- > 0)
		syscall(SYS_getppid);
	return 0;
}
