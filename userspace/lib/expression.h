/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Texts of a user about the arguments and the return value of a function, as steps of NESTRACE_IOC_ARGS:
 *	file->f_path.dentry->d_name.name
 *	count > 4096 && (flags & 0x40) || retval == -ENOENT
 */
#ifndef LIB_EXPRESSION_H
#define LIB_EXPRESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/values.h"
#include "uapi/nestrace.h"

struct btf;
struct prototype;

#define STRING_WORDS	8	/* of a string that is copied: 63 characters at most */

/* Steps, up to NESTRACE_ARGS_STEPS. */
struct steps {
	struct nestrace_step step[NESTRACE_ARGS_STEPS];
	unsigned int nr;
};

/* A value that a call has. */
struct expression_value {
	struct value_type type;
	int argument;		/* it is this argument word, and needs no steps; or -1 */
	int pointer;		/* a text: the argument word that points to it; or -1 */
};

/*
 * Take a value of the function from *@at, which is moved behind it, and add the steps that store it. @text: all
 * that the user wrote, for messages. Return: false after an error.
 */
bool expression_value(const struct prototype *of, const char *text, const char **at, struct steps *fetch,
		      struct expression_value *value, struct error *e);

/*
 * Take a condition. @entry: gets the steps of what is known when the function is entered, @exit: of what is known
 * when it returns. Several conditions for the same steps must all hold. Return: false after an error, and
 * *@failed_at is how much of @text was understood.
 */
bool expression_condition(const struct prototype *of, const char *text, struct steps *entry,
			  struct steps *exit, size_t *failed_at, struct error *e);

/* Return: the words that a text of this type takes. */
unsigned int string_words(const struct value_type *type);

/* Return: how a value of this type is read; @type 0 is void. */
struct value_type value_type_of(const struct btf *btf, uint32_t type);

/* Return: is it a pointer to characters? @constant: which cannot be changed through it. */
bool type_is_string(const struct btf *btf, uint32_t type, bool constant);

#endif
