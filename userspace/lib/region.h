/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that the kernel has reserved by reserve_mem=SIZE:ALIGN:NAME, and what a session has left there. */
#ifndef LIB_REGION_H
#define LIB_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct memory_dump;

/* Return: its bytes, or 0 after an error. */
uint64_t region_bytes(const char *name, struct error *e);
/* Return: true if a session of before has left something there; false also after an error. */
bool region_holds(const char *name);
/* Open what a session has left there. Return: NULL after an error. */
struct memory_dump *region_open(const char *name, struct error *e);
/* Let another session use it. Return: false after an error. */
bool region_forget(const char *name, struct error *e);
/* Put the rings of the session @session there. Return: false after an error. */
bool region_use(int session, const char *name, struct error *e);

#endif
