// SPDX-License-Identifier: GPL-2.0
#include "guard.h"

DEFINE_PER_CPU(struct nt_guards, nt_guards);
