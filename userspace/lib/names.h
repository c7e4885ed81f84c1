/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of functions and tasks, at the time of a hit. libtraceevent looks functions up;
 * it gives every address the name of the symbol below, so ask names_find() instead.
 */
#ifndef LIB_NAMES_H
#define LIB_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct comms;
struct hit;
struct modules;
struct tep_handle;
struct tracedat;

struct names {
	struct tep_handle *tep;
	struct modules *modules;
	struct comms *comms;
	bool complete;		/* false: the symbols cannot be parsed, functions are numbers */
	/* the rest is of names.c */
	struct table *table;
	char *symbols, *times;
};

/*
 * Load the names of a file. @tep knows no function until names_take() or names_take_all() registers it,
 * because to register all of them takes as long as to count a million hits.
 */
struct names *names_load(struct tracedat *t);
/* Register all functions. Call neither of the two after this. */
void names_take_all(struct names *n);
/* Register the function at @ip. Call this before the first names_find(). */
void names_take(struct names *n, uint64_t ip);
void names_free(struct names *n);

/* Return lines of @len bytes that say when names were right, for a file; to be freed. */
char *names_times_text(struct modules *m, struct comms *c, size_t *len);

/* Set the name of the hit's task. Move its addresses to where the symbols of its time are. */
void names_place(struct names *n, struct hit *hit);
/* Do the same for the callers of a stack that nestrace recorded, in its data. */
void names_place_stack(struct names *n, const struct hit *stack);
/* Let libtraceevent, too, have the names of @hit, which names_place() has set. */
void names_of_event(struct names *n, const struct hit *hit);

/* Return a handle with the functions of @symbols, lines of kallsyms. NULL: not parsed. */
struct tep_handle *names_of_symbols(const char *symbols);
/* Return the name of the function at @ip, or NULL. */
const char *names_find(struct tep_handle *tep, uint64_t ip);
/* Return where the function at @ip begins, or @ip if no symbol covers it. */
uint64_t names_start(struct tep_handle *tep, uint64_t ip);
/* Return true if @ip is in code of the kernel that a traced function returns to. */
bool names_is_trampoline(struct tep_handle *tep, uint64_t ip);
/*
 * Return the name of the function at @ip, or its address in hex if there is no symbol; that
 * string is valid until the second next call. Not for more than one thread.
 */
const char *names_function(struct tep_handle *tep, uint64_t ip);

#endif
