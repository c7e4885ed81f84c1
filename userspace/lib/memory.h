/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that is always there: these functions end the process when there is no more, the
 * only case in which the library prints and exits. Free the result with free().
 */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <stddef.h>
#include <stdio.h>

/* The exit status of out_of_memory(); 1 unless a command sets another. */
extern int out_of_memory_status;

/* Say so on standard error and exit. */
_Noreturn void out_of_memory(void);
void *xrealloc(void *p, size_t size);
/* Return @nr zeroed elements of @size bytes. */
void *xzalloc(size_t nr, size_t size);
char *xstrdup(const char *s);
/* Open a stream into memory: fclose() leaves *@text, of *@len bytes, to be freed. */
FILE *xmemstream(char **text, size_t *len);

/* Return @array with room for one more than the @nr elements of @size bytes. Its room is the next power of two. */
static inline void *xgrow(void *array, size_t nr, size_t size)
{
	return nr & (nr - 1) ? array : xrealloc(array, (nr ? 2 * nr : 1) * size);
}

#endif
