/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The modules that are in memory, by name, and how to keep them there. A reference keeps a module
 * whose init has ended. One whose init fails goes all the same, so that such modules are listed
 * from the notice of their coming to that of their going, which waits for this lock.
 */
#ifndef NT_LOADED_H
#define NT_LOADED_H

#include <linux/types.h>

struct module;

/* Return: false if this kernel does not find modules by name. Context: module load. */
bool nt_loaded_init(void);
/* Context: module unload; nt_loaded_follow() is called no more. */
void nt_loaded_exit(void);

/*
 * Until nt_loaded_release(), no module comes or goes unnoticed, and what nt_loaded_find() finds
 * stays. Context: may sleep; hold no lock that a module's coming or going waits for.
 */
void nt_loaded_hold(void);
void nt_loaded_release(void);
/* Return: the module @name, or NULL. Context: held; call it once for each hold. */
const struct module *nt_loaded_find(const char *name);
/* Note that @mod comes, has ended its init, or goes. Context: held; the module's notifiers. */
void nt_loaded_follow(struct module *mod, unsigned long state);

/* Return: the module, with a reference, or NULL: it is not there, or its init is not over. */
struct module *nt_loaded_get(const char *name);

#endif
