// SPDX-License-Identifier: GPL-2.0
/* A livepatch of nt_klp_target with a callback that sleeps. */
#define KLP_RETURNS 5
#define KLP_NARROW
#define KLP_CALLBACK
#include "nt_klp.h"
