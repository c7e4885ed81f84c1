/* SPDX-License-Identifier: GPL-2.0 */
/* libtraceevent 1.7 crashes on some texts that it should refuse: try it in a child first. */
#ifndef LIB_SURVIVES_H
#define LIB_SURVIVES_H

#include <stdbool.h>

/*
 * Return: true if a child that calls @act ends well within a minute, or if there can be no
 * child. Standard error of @act is closed.
 */
bool survives(void (*act)(void *arg), void *arg);

#endif
