/* SPDX-License-Identifier: GPL-2.0 */
/* The search for the calls that periods are around: a reading of the files before the one that shows them. */
#ifndef LIB_AROUND_H
#define LIB_AROUND_H

#include <stdbool.h>

#include "lib/error.h"

struct reader;

/*
 * Find the periods of @nr open files, which share them, before anything is shown. Return: false after an
 * error, as if there is no such call; true also without periods.
 */
bool around_find(struct reader *const *r, unsigned int nr, struct error *e);
/* The same for one file. */
bool around_find_one(struct reader *r, struct error *e);

#endif
