/* SPDX-License-Identifier: GPL-2.0 */
/* The ways in which trace-cmd compresses a file of version 7. */
#ifndef PACKING_H
#define PACKING_H

#include <stdbool.h>
#include <stddef.h>

enum packing { PACKING_NONE, PACKING_ZSTD, PACKING_ZLIB };

/* Find it by its name in a file. Return: false if the name is not known. */
bool packing_find(const char *name, enum packing *packing);

/* Can @len bytes be compressed to @packed_len? This keeps a damaged length from taking all memory. */
bool packing_can(enum packing packing, size_t len, size_t packed_len);

/* Decompress to @out. Return: false if that does not give exactly @len bytes. */
bool packing_unpack(enum packing packing, void *out, size_t len, const void *packed,
		    size_t packed_len);

#endif
