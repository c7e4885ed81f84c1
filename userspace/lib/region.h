/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that the kernel has reserved by reserve_mem=SIZE:ALIGN:NAME, and what a session has left there. */
#ifndef LIB_REGION_H
#define LIB_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct memory_dump;

/* How to ask for such memory, in a message with its name. */
#define REGION_NO_NAME	"not a name of reserved memory for nestrace: '%s'; use one that begins with nestrace, of 15 characters at most"
#define REGION_MISSING	"no reserved memory has that name: '%s'; boot with reserve_mem=64M:2M:%s"
#define REGION_NO_KERNEL	"this kernel cannot reserve memory by name: '%s'; use Linux 6.11 or later, and build the module for it"

/* Return: its bytes, or 0 after an error. */
uint64_t region_bytes(const char *name, struct error *e);
/* Return: true if a session of before has left something there; false also after an error. */
bool region_holds(const char *name);
/* Open what a session has left there. Return: NULL after an error. */
struct memory_dump *region_open(const char *name, struct error *e);
/* Let another session use it. Return: false after an error. */
bool region_forget(const char *name, struct error *e);

#endif
