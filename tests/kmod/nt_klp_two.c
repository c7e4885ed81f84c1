// SPDX-License-Identifier: GPL-2.0
/* A livepatch of one function of nt_klp_target, to be stacked. */
#define KLP_RETURNS 3
#define KLP_NARROW
#include "nt_klp.h"
