// SPDX-License-Identifier: GPL-2.0
/* nt_calls with another name for what it calls, which has the same place in the module. */
#define nt_called nt_twin_called
#include "nt_calls.c"
