// SPDX-License-Identifier: GPL-2.0
/* Claims of nestrace assert, and the functions that they are about: userspace/lib/claims.c. */
#include <stdint.h>

#include "lib/claims.h"
#include "spec.h"
#include "uapi/nestrace.h"

static struct claims claims;
static struct error error;

/* Take one claim. Return: false if it is none. */
static bool take(enum claim_kind kind, const char *text)
{
	claims_free(&claims);
	claims = (struct claims){ 0 };
	return claims_add(&claims, kind, text, &error);
}

int main(void)
{
	static const char symbols[] =
		"ffffffff81000000 T __do_sys_read\nffffffff81000000 T __x64_sys_read\n"
		"ffffffff81000100 t vfs_read\nffffffff81000200 t vfs_write\nffffffff81000300 d vfs_data\n"
		"0000000000000000 T vfs_hidden\nffffffffc0000000 t vfs_read\t[ext4]\n";
	static const char *const no_times[] = { "f<", "f<5", "f<0ms", "f<-1ms", "f<1m", "f<1e30s", "f<nan", "f<0.5ns" };
	static const char *const no_counts[] = { "f<", "f<0", "f<-1", "f<x", "f<1x", "f<99999999999999999999" };
	size_t i;

	spec("claims: a context, or any");
	is_number(take(CLAIM_NEVER, "nmi:vfs_*"), 1);
	is_number(claims.claim[0].slot, NESTRACE_SLOT_NMI);
	is(claims.claim[0].glob, "vfs_*");
	is_number(take(CLAIM_NEVER, "vfs_read"), 1);
	is_number(claims.claim[0].slot == -1, 1);
	is_number(take(CLAIM_NEVER, "any:vfs_read"), 1);
	is_number(claims.claim[0].slot == -1, 1);
	is(claims.claim[0].glob, "vfs_read");

	spec("claims: a module, with a context and without");
	is_number(take(CLAIM_NEVER, "task:vfs_read:mod:ext4"), 1);
	is(claims.claim[0].glob, "vfs_read:mod:ext4");
	is_number(take(CLAIM_NEVER, ":mod:ext4"), 1);
	is(claims.claim[0].functions.module, "ext4");
	is_number(claims.claim[0].slot == -1, 1);

	spec("claims: limits");
	is_number(take(CLAIM_MAX, "task:f<1000"), 1);
	is_number(claims.claim[0].limit, 1000);
	is(claims.claim[0].glob, "f");
	is_number(take(CLAIM_MAX_TIME, "f<2.5ms"), 1);
	is_number(claims.claim[0].limit, 2500000);
	is_number(take(CLAIM_MAX_TIME, "f<1s"), 1);
	is_number(claims.claim[0].limit, 1000000000);

	spec("claims: limits that are none, or missing, or too many");
	for (i = 0; i < sizeof(no_times) / sizeof(no_times[0]); i++)
		is_number(take(CLAIM_MAX_TIME, no_times[i]), 0);
	for (i = 0; i < sizeof(no_counts) / sizeof(no_counts[0]); i++)
		is_number(take(CLAIM_MAX, no_counts[i]), 0);
	is_number(take(CLAIM_MAX, "f"), 0);
	is_number(take(CLAIM_NEVER, "f<5"), 0);
	is_number(take(CLAIM_NEVER, "nmi:"), 0);
	is_number(take(CLAIM_NEVER, ""), 0);

	spec("claims: functions by name, in the kernel and in modules; no data, and nothing hidden");
	take(CLAIM_NEVER, "vfs_*");
	claims_find(&claims, symbols, NULL);
	is_number(claims.claim[0].nr, 3);
	is_number(claim_has(&claims.claim[0], 0xffffffff81000200), 1);
	is_number(claim_has(&claims.claim[0], 0xffffffffc0000000), 1);
	is_number(claim_has(&claims.claim[0], 0xffffffff81000300), 0);
	is_number(claim_has(&claims.claim[0], 0), 0);
	take(CLAIM_NEVER, "vfs_read:mod:ext4");
	claims_find(&claims, symbols, NULL);
	is_number(claims.claim[0].nr, 1);

	spec("claims: a name that ftrace does not know is an alias");
	take(CLAIM_NEVER, "__x64_sys_*");
	claims_find(&claims, symbols, NULL);
	is_number(claims.claim[0].nr, 0);
	is(claims.claim[0].alias, "__x64_sys_read");
	is(claims.claim[0].known_as, "__do_sys_read");
	take(CLAIM_NEVER, "*_sys_*");
	claims_find(&claims, symbols, NULL);
	is(claims.claim[0].alias, "");
	claims_free(&claims);
	spec_end();
	return specs_failed != 0;
}
