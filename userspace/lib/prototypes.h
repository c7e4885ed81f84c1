/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The prototypes of the kernel's functions, by the BTF of the kernel and its modules, as far as they are sure:
 * one function has the name, it is not the clone of a compiler, and BTF has it.
 */
#ifndef LIB_PROTOTYPES_H
#define LIB_PROTOTYPES_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define REGISTER_ARGS	6	/* arguments in registers; on x86-64 */

/* Where a parameter is: @words of the call's argument words, from @word on. */
struct parameter {
	const char *name;
	uint32_t type;		/* of the BTF; 0: "..." */
	unsigned int word, words;
};

struct prototype {
	char *name, *module;	/* @module NULL: of the kernel */
	uint64_t start;		/* its address */
	unsigned int copies;	/* functions with that name in that object */
	bool unsure;		/* BTF does not say where its arguments are */
	const struct btf *btf;	/* NULL: it has no type information that helps */
	uint32_t type;		/* its BTF_KIND_FUNC_PROTO */
};

struct prototypes {
	struct prototype *of;	/* by name, and then by module */
	size_t nr;
	/* private */
	struct btf *kernel, **module;
	size_t nr_modules;
};

/*
 * Read those of the functions that match, as functions_matching() has it; @nr_globs 0: of all. A glob may match
 * nothing yet. Return: NULL after an error.
 */
struct prototypes *prototypes_read(const char *const *globs, unsigned int nr_globs, struct error *e);
void prototypes_free(struct prototypes *p);

/* Return: that of NAME or NAME:mod:MODULE; NULL and why in @e, if there is none that is sure. */
const struct prototype *prototypes_find(const struct prototypes *p, const char *name, struct error *e);
/* Return: why it has no type information, in a word or two; NULL: it has. */
const char *prototype_unknown(const struct prototype *p);

/* Return: its number of parameters. */
unsigned int prototype_nr(const struct prototype *p);
/* Set @to to its parameters, up to @max. Return: their number. */
unsigned int prototype_parameters(const struct prototype *p, struct parameter *to, unsigned int max);
/* Return: the type that it returns, 0: void. */
uint32_t prototype_returns(const struct prototype *p);
/* Return: the type without typedefs and qualifiers; 0: void. */
uint32_t plain_type(const struct btf *btf, uint32_t type);

#endif
