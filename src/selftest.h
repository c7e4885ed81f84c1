/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_SELFTEST_H
#define NT_SELFTEST_H

/*
 * Try what must hold on this machine before anything is traced.
 * Return: 0, or -EIO after a message. Context: module load.
 */
int nt_selftest(void);

#endif
