/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_ARCH_WALK_H
#define NT_ARCH_WALK_H

#include <linux/kconfig.h>
#include <linux/types.h>

struct nt_stack;
struct nt_task_stack;
struct pt_regs;
struct task_struct;

#define NT_HAS_WALK	IS_ENABLED(CONFIG_UNWINDER_ORC)

void nt_arch_walk_init(void);
void nt_arch_walk(const struct pt_regs *entry, unsigned long ip, struct nt_stack *stack, u32 max);
struct pt_regs *nt_arch_interrupted(void);
void nt_arch_walk_task(struct task_struct *task, struct pt_regs *regs, struct nt_task_stack *stack);

#endif
