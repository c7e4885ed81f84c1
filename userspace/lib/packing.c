// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/packing.h"
#include "lib/tracedat_format.h"

/* Limit the ratio: zstd exceeds it only for constant data, and zlib never does. */
#define RATIO_MAX	20000

bool packing_find(const char *name, enum packing *packing)
{
	static const char *const names[] = {
		[PACKING_NONE] = "none", [PACKING_ZSTD] = TRACEDAT_ZSTD, [PACKING_ZLIB] = "zlib",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i], name)) {
			*packing = i;
			return true;
		}
	}
	return false;
}

bool packing_can(enum packing packing, size_t len, size_t packed_len)
{
	size_t most = packing == PACKING_ZLIB ? compressBound(len) : ZSTD_compressBound(len);

	return packing != PACKING_NONE && packed_len <= most && len / RATIO_MAX <= packed_len;
}

/* Keep the context for the next chunk, instead of making one for each. */
static bool unpack_zstd(void *out, size_t len, const void *packed, size_t packed_len)
{
	static __thread ZSTD_DCtx *context;

	if (!context)
		context = ZSTD_createDCtx();
	return context && ZSTD_decompressDCtx(context, out, len, packed, packed_len) == len;
}

bool packing_unpack(enum packing packing, void *out, size_t len, const void *packed,
		    size_t packed_len)
{
	uLongf got = len;

	switch (packing) {
	case PACKING_ZSTD:
		return unpack_zstd(out, len, packed, packed_len);
	case PACKING_ZLIB:
		return uncompress(out, &got, packed, packed_len) == Z_OK && got == len;
	case PACKING_NONE:
		break;
	}
	return false;
}
