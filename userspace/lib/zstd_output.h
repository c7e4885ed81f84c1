/* SPDX-License-Identifier: GPL-2.0 */
/* A stream into a file that zstd compresses. */
#ifndef LIB_ZSTD_OUTPUT_H
#define LIB_ZSTD_OUTPUT_H

#include <stdio.h>

/* Open it; fclose() completes it, and fails with errno set if anything could not be written. Return: NULL with errno set. */
FILE *zstd_output_open(const char *path);

#endif
