/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which modules were loaded when, and their symbols. Modules come and go, and others get
 * their addresses: the time of a hit decides whose function it was.
 *
 * A module whose addresses were another's before has its symbols at aliases: addresses that
 * nothing else has. modules_place() turns the address of a hit into that under which its
 * symbol is found. So one table of symbols serves all times.
 */
#ifndef LIB_MODULES_H
#define LIB_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct modules;
struct symbol;

/* Return an empty collection, for modules_free(). All may be called by several threads. */
struct modules *modules_new(void);
/*
 * Add the modules that are loaded, before the session @fd starts. Return: false if the kernel
 * does not find them by name.
 */
bool modules_read(struct modules *m, int fd);
/* Take from the session @fd what has come and gone. */
void modules_take(struct modules *m, int fd);
/* Return: true if modules_take() has taken anything since the last call. */
bool modules_news(struct modules *m);

/* Set the range outside of which no module ever was; modules_take() may widen it. */
void modules_range(const struct modules *m, uint64_t *low, uint64_t *high);
/* Return the address under which the symbol of @ip at the time @ts is found. */
uint64_t modules_place(struct modules *m, uint64_t ip, uint64_t ts);
/* The same for the function that was the last at @ip before the time @until. */
uint64_t modules_place_before(struct modules *m, uint64_t ip, uint64_t until);
/* Return the address that @ip stands for, if it is an alias. */
uint64_t modules_address(uint64_t ip);
/* Is this an address of a module, at any time? */
bool modules_cover(struct modules *m, uint64_t ip);

/*
 * Call @add for each symbol. @aliases: with those of modules whose addresses others had, too;
 * false: what is right at all times.
 */
void modules_symbols(struct modules *m, bool aliases,
		     void (*add)(void *arg, const struct symbol *s), void *arg);

/* Write lines for a file, which modules_load() reads. Each begins with 'm' or 's'. */
void modules_save(struct modules *m, FILE *out);
/* Take a line of modules_save(); what makes no sense is ignored. */
void modules_load(struct modules *m, const char *line);
void modules_free(struct modules *m);

#endif
