/* SPDX-License-Identifier: GPL-2.0 */
/* A module's text is in core_layout and init_layout until 6.3, and in mem[] from 6.4 on. */
#ifndef NT_COMPAT_MODULE_H
#define NT_COMPAT_MODULE_H

#include <linux/module.h>
#include <linux/version.h>

static inline void nt_module_text(const struct module *mod, unsigned long *start,
				  unsigned long *size)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	*start = (unsigned long)mod->mem[MOD_TEXT].base;
	*size = mod->mem[MOD_TEXT].size;
#else
	*start = (unsigned long)mod->core_layout.base;
	*size = mod->core_layout.text_size;
#endif
}

/* The text that is freed once the module has ended its init. */
static inline void nt_module_init_text(const struct module *mod, unsigned long *start,
				       unsigned long *size)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	*start = (unsigned long)mod->mem[MOD_INIT_TEXT].base;
	*size = mod->mem[MOD_INIT_TEXT].size;
#else
	*start = (unsigned long)mod->init_layout.base;
	*size = mod->init_layout.text_size;
#endif
}

#endif
