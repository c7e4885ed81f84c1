/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SVG_H
#define SVG_H

#include "stacks.h"

/* A flame graph of what was called, on standard output. */
void svg_write(const struct stacks *stacks, void *tep);

#endif
