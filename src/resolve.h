/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses of kernel symbols that are not exported. Process context, may sleep.
 * What is found is called only by static_call: a patched direct call needs no ENDBR,
 * which the kernel has sealed in functions whose address it never takes.
 */
#ifndef NT_RESOLVE_H
#define NT_RESOLVE_H

/* The first byte of function @name, or 0. */
unsigned long nt_ksym(const char *name);
/* The same for a variable, by kallsyms_lookup_name(). */
unsigned long nt_ksym_data(const char *name);

#endif
