// SPDX-License-Identifier: GPL-2.0
/* Find the functions that enter and exit RCU. None of them is exported. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "rcu.h"
#include "ksym.h"

static char *rcu = "auto";
module_param(rcu, charp, 0444);
MODULE_PARM_DESC(rcu, "how a hit enters RCU where it is not watching: auto, pair, warn, or off (such hits are lost)");

enum nestrace_rcu_mode nt_rcu_mode __ro_after_init = NESTRACE_RCU_PAIR;

noinstr void nt_rcu_nop(void)
{
}

DEFINE_STATIC_CALL(nt_nmi_enter, nt_rcu_nop);
DEFINE_STATIC_CALL(nt_nmi_exit, nt_rcu_nop);
DEFINE_STATIC_CALL(nt_irq_enter, nt_rcu_nop);
DEFINE_STATIC_CALL(nt_irq_exit, nt_rcu_nop);

int __init nt_rcu_init(void)
{
	unsigned long nmi_enter = nt_ksym("ct_nmi_enter");
	unsigned long nmi_exit = nt_ksym("ct_nmi_exit");
	unsigned long irq_enter = nt_ksym("ct_irq_enter");
	unsigned long irq_exit = nt_ksym("ct_irq_exit");
	bool pair = nmi_enter && nmi_exit && irq_enter && irq_exit;

	if (!strcmp(rcu, "off")) {
		nt_rcu_mode = NESTRACE_RCU_OFF;
	} else if (!strcmp(rcu, "warn")) {
		nt_rcu_mode = NESTRACE_RCU_WARN;
	} else if (!strcmp(rcu, "pair") && !pair) {
		pr_err("ct_nmi_enter and ct_irq_enter not found: 'rcu=pair'; use rcu=auto\n");
		return -ENOENT;
	} else if (!strcmp(rcu, "pair") || !strcmp(rcu, "auto")) {
		nt_rcu_mode = pair ? NESTRACE_RCU_PAIR : NESTRACE_RCU_WARN;
	} else {
		pr_err("unknown mode: 'rcu=%s'; use auto, pair, warn or off\n", rcu);
		return -EINVAL;
	}

	if (!pair)
		return 0;
	static_call_update(nt_nmi_enter, (nt_rcu_fn *)nmi_enter);
	static_call_update(nt_nmi_exit, (nt_rcu_fn *)nmi_exit);
	static_call_update(nt_irq_enter, (nt_rcu_fn *)irq_enter);
	static_call_update(nt_irq_exit, (nt_rcu_fn *)irq_exit);
	return NESTRACE_FEATURE_RCU_PAIR;
}
