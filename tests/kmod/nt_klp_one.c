// SPDX-License-Identifier: GPL-2.0
/* A livepatch of all functions of nt_klp_target. */
#define KLP_RETURNS 2
#include "nt_klp.h"
