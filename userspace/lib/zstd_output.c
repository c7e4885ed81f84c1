// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "lib/memory.h"
#include "lib/zstd_output.h"

struct zstd_output {
	FILE *file;
	ZSTD_CCtx *context;
	size_t size;
	char *buffer;
};

/* Compress data, and with ZSTD_e_end complete the frame. Return: 0, or -1 with errno set. */
static int compress(struct zstd_output *z, const char *data, size_t len, ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = { .src = data, .size = len };
	ZSTD_outBuffer out;
	size_t left;

	do {
		out = (ZSTD_outBuffer){ .dst = z->buffer, .size = z->size };
		left = ZSTD_compressStream2(z->context, &out, &in, how);
		if (ZSTD_isError(left)) {
			errno = EIO;
			return -1;
		}
		if (fwrite(z->buffer, 1, out.pos, z->file) != out.pos)
			return -1;
	} while (how == ZSTD_e_end ? left : in.pos < in.size);
	return 0;
}

static ssize_t write_data(void *cookie, const char *data, size_t len)
{
	/* 0 is an error for stdio */
	return compress(cookie, data, len, ZSTD_e_continue) ? 0 : (ssize_t)len;
}

static int close_all(void *cookie)
{
	struct zstd_output *z = cookie;
	int ret = compress(z, NULL, 0, ZSTD_e_end), why = errno;

	if (fclose(z->file)) {
		ret = ret ?: EOF;
		why = errno;
	}
	ZSTD_freeCCtx(z->context);
	free(z->buffer);
	free(z);
	errno = why;
	return ret;
}

FILE *zstd_output_open(const char *path)
{
	const cookie_io_functions_t functions = { .write = write_data, .close = close_all };
	struct zstd_output *z = xzalloc(1, sizeof(*z));

	z->file = fopen(path, "we");
	if (!z->file) {
		free(z);
		return NULL;
	}
	z->context = ZSTD_createCCtx();
	z->size = ZSTD_CStreamOutSize();
	z->buffer = xrealloc(NULL, z->size);
	if (!z->context)
		out_of_memory();
	ZSTD_CCtx_setParameter(z->context, ZSTD_c_compressionLevel, 3);
	return fopencookie(z, "w", functions) ?: (out_of_memory(), NULL);
}
