/* SPDX-License-Identifier: GPL-2.0 */
/* nestrace livepatch --record: which version of a patched function each call runs. */
#ifndef CMD_LIVEPATCH_RECORD_H
#define CMD_LIVEPATCH_RECORD_H

struct livepatch_record {
	const char *output;		/* the trace.dat */
	const char **function;		/* names of functions to be patched later */
	unsigned int nr_functions;
	const char **patch;		/* modules of patches that come later */
	unsigned int nr_patches;
	const char *ring_kb;		/* of -b, or NULL */
	char **command;			/* argv, empty: until a signal */
};

/* Record, and print the table. @fd: of the device. Return: the exit status. */
int livepatch_record(int fd, const struct livepatch_record *r);

#endif
