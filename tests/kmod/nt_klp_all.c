// SPDX-License-Identifier: GPL-2.0
/* A livepatch of one function of nt_klp_target that replaces all others. */
#define KLP_RETURNS 4
#define KLP_NARROW
#define KLP_REPLACE
#include "nt_klp.h"
