// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>

#include "kernel_features.h"

u32 nt_features __ro_after_init;
