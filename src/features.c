// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>

#include "features.h"

u32 nt_features __ro_after_init;
