// SPDX-License-Identifier: GPL-2.0
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/static_call.h>

#include "ksym.h"

static unsigned long nt_no_symbol(const char *name)
{
	return 0;
}

DEFINE_STATIC_CALL(nt_kallsyms, nt_no_symbol);

/*
 * register_kprobe() stores the address before it refuses a function that may not be probed.
 * It also moves the address past an ENDBR; kallsyms knows by how much.
 */
unsigned long nt_ksym(const char *name)
{
	/* disabled: only its address is wanted, so leave the kernel's text as it is */
	struct kprobe kp = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	char sym[KSYM_SYMBOL_LEN], *offset;
	unsigned long addr, off;

	if (!register_kprobe(&kp)) {
		addr = (unsigned long)kp.addr;
		unregister_kprobe(&kp);
	} else {
		addr = (unsigned long)kp.addr;
	}
	if (!addr)
		return 0;

	sprint_symbol(sym, addr);
	offset = strchr(sym, '+');
	if (!offset || strncmp(sym, name, offset - sym) || name[offset - sym] ||
	    sscanf(offset, "+0x%lx/", &off) != 1)
		return 0;
	return addr - off;
}

unsigned long nt_ksym_size(unsigned long addr)
{
	char sym[KSYM_SYMBOL_LEN], *size;
	unsigned long bytes;

	sprint_symbol(sym, addr);
	size = strrchr(sym, '/');
	return size && sscanf(size, "/0x%lx", &bytes) == 1 ? bytes : 0;
}

unsigned long nt_ksym_data(const char *name)
{
	unsigned long lookup = nt_ksym("kallsyms_lookup_name");

	if (!lookup)
		return 0;
	static_call_update(nt_kallsyms, (typeof(nt_no_symbol) *)lookup);
	return static_call(nt_kallsyms)(name);
}
