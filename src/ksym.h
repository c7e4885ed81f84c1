/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The addresses of kernel symbols that are not exported. Call what is found only through
 * static_call: a patched direct call needs no ENDBR, which the kernel has sealed in functions
 * whose address it never takes.
 *
 * Context: may sleep.
 */
#ifndef NT_KSYM_H
#define NT_KSYM_H

/* Return: the first byte of the function @name, or 0. */
unsigned long nt_ksym(const char *name);
/* Return: the bytes of the function that begins at @addr, or 0. */
unsigned long nt_ksym_size(unsigned long addr);
/* Return: the address of the variable @name, or 0. */
unsigned long nt_ksym_data(const char *name);

#endif
