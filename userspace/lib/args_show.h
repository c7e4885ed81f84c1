/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arguments and return values of calls, by the description in the file that lib/args_plan.h made.
 * Its lines are
 *	F NAME[ [MODULE]]<TAB>RETURN[<TAB>VALUE...]	a function whose prototype is known
 *	U NAME[ [MODULE]]<TAB>WHY			one whose registers are shown instead
 *	E NUMBER[<TAB>VALUE NAME...]			an enum
 *	S NUMBER[<TAB>MEMBER...]			a struct, or its first members
 * A RETURN or VALUE is "KIND SIZE WORD BIT INSTEAD NUMBER NAME": the letter of enum value_kind, in upper case if
 * signed; bytes; its word among those of the call; its bit in the word of failed reads; the word that is shown if
 * that is set; the number of its enum or struct. -1: there is none. A MEMBER has the byte, the bit in there, and the
 * number of bits (0: all) in place of WORD, BIT and INSTEAD.
 */
#ifndef LIB_ARGS_SHOW_H
#define LIB_ARGS_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct args_show;
struct hit;
struct tep_handle;
struct tracedat;

/* Return: how to show the values in a file, for args_show_free(); NULL: it has none. @tep: its formats. */
struct args_show *args_show_new(const struct tracedat *file, struct tep_handle *tep);
void args_show_free(struct args_show *a);

/* A value of a call. The texts are valid until the next one is made. */
struct arg_value {
	const char *name;
	const char *text;	/* as report shows it */
	bool is_number, is_signed;
	uint64_t number;
	bool is_string;		/* @text is in quotes, with escapes as in C */
};

/*
 * Show the values that a call recorded. @name: of its function. Return: true, if it recorded any: @put was called
 * for each, and *@why is set to why they are registers, or to NULL.
 */
bool args_show(struct args_show *a, const struct hit *hit, const char *name,
	       void (*put)(void *arg, const struct arg_value *value), void *arg, const char **why);

/* Write them as text, "count=4096, pos=0x0". Return: false if the call recorded none. */
bool args_text(struct args_show *a, const struct hit *hit, const char *name, char *to, size_t size);

/* Return value @value of a function: as a text, or NULL if it returns nothing. @known: its type is known. */
const char *args_return_text(struct args_show *a, const char *name, uint64_t value, bool *known);
/* Cut it to its type. Return: false if the type is not known, or is no number. */
bool args_return_number(struct args_show *a, const char *name, uint64_t value, struct arg_value *v);

#endif
