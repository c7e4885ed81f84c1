/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_KERNEL_FEATURES_H
#define NT_KERNEL_FEATURES_H

#include <linux/types.h>

/* Features of this kernel: NESTRACE_FEATURE_ bits, fixed once the module is loaded. */
extern u32 nt_features;

#endif
