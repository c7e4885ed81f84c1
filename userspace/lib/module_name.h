/* SPDX-License-Identifier: GPL-2.0 */
/* The names of kernel modules, and where they are. */
#ifndef LIB_MODULE_NAME_H
#define LIB_MODULE_NAME_H

#include <stdbool.h>

/* Spell the name as the kernel does, without '-'. */
void module_name_fix(char *name);
/* Is it in memory? */
bool module_is_loaded(const char *name);
/* Is it a part of the running kernel's image? */
bool module_is_built_in(const char *name);

#endif
