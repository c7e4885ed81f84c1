/* SPDX-License-Identifier: GPL-2.0 */
/* A pager for long output: on a terminal, stdout goes through $PAGER, or through less. */
#ifndef OUTPUT_PAGER_H
#define OUTPUT_PAGER_H

#include <stdbool.h>

#include "lib/error.h"

/* Start the pager if stdout is a terminal. */
void pager_start(void);
/* Close its input and wait for it. Return: false if it could not be run. */
bool pager_end(struct error *e);
/* Return whether colours suit the terminal and the environment; ask before pager_start(). */
bool pager_colour(void);

#endif
