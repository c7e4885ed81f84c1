/* SPDX-License-Identifier: GPL-2.0 */
/* The values that a recording has of calls: arguments, what pointers point to, and return values. */
#ifndef LIB_VALUES_H
#define LIB_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* How a value is read, and printed. The letters are those in a file. */
enum value_kind {
	VALUE_VOID = 'v',
	VALUE_SIGNED = 'd',
	VALUE_UNSIGNED = 'u',
	VALUE_POINTER = 'p',
	VALUE_BOOL = 'b',
	VALUE_CHAR = 'c',
	VALUE_ENUM = 'e',
	VALUE_STRING = 's',	/* bytes, ended by a NUL */
	VALUE_WORDS = 'x',	/* a struct or union by value, or what is wider than a word */
	VALUE_MORE = '.',	/* "...": arguments that the prototype does not name */
};

struct value_type {
	enum value_kind kind;
	unsigned int size;	/* bytes */
	uint32_t enumeration;	/* VALUE_ENUM: its type in the BTF */
	bool is_signed;		/* VALUE_ENUM, VALUE_CHAR */
};

#endif
