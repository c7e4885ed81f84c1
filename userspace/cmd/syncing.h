/* SPDX-License-Identifier: GPL-2.0 */
/* Writes a recording that is not complete to the disk once a second, so that a crash of the machine leaves it there. */
#ifndef CMD_SYNCING_H
#define CMD_SYNCING_H

struct syncing;

/* Begin with the directory @path, in a thread that nothing waits for. Return: NULL if there can be no thread. */
struct syncing *syncing_begin(const char *path);
/* Go on with another directory. */
void syncing_go_on(struct syncing *s, const char *path);
/* @s may be NULL. */
void syncing_end(struct syncing *s);

#endif
