/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers of a file in either byte order. */
#ifndef LIB_BYTE_ORDER_H
#define LIB_BYTE_ORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Return the number in 1, 2, 4 or 8 bytes at @p; of another size: 0. */
static inline uint64_t number_at(const void *p, unsigned int size, bool swap)
{
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (size) {
	case 1:
		return *(const uint8_t *)p;
	case 2:
		memcpy(&v16, p, sizeof(v16));
		return swap ? __builtin_bswap16(v16) : v16;
	case 4:
		memcpy(&v32, p, sizeof(v32));
		return swap ? __builtin_bswap32(v32) : v32;
	case 8:
		memcpy(&v64, p, sizeof(v64));
		return swap ? __builtin_bswap64(v64) : v64;
	}
	return 0;
}

#endif
