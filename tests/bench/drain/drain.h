/* SPDX-License-Identifier: GPL-2.0 */
/* The way of hits from the rings to the spool, for one CPU: the module's side, built in userspace. */
#ifndef DRAIN_H
#define DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void rings_init(void);
/* Write a hit as the hook does. Return: false if its ring is full. */
bool rings_hit(unsigned int slot, uint64_t ts, uint64_t ip, uint64_t parent_ip, int pid);
/* Fill @out with a sub-buffer of the merged stream, as read() does. Return: its bytes, 0: nothing more is there. */
size_t stream_read(void *out);

#endif
