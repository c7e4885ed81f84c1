/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Saves a recording that is not complete twice a second, and writes it to the disk once a second, so that a kill or a
 * crash of the machine leaves it there, whatever else its recorder does.
 */
#ifndef CMD_SYNCING_H
#define CMD_SYNCING_H

struct syncing;

/*
 * Begin with the directory @path, in a thread that nothing waits for. It calls @save, but not once syncing_end() is
 * called. Return: NULL if there can be no thread.
 */
struct syncing *syncing_begin(const char *path, void (*save)(void *arg), void *arg);
/* Go on with another directory. The caller holds no lock that @save takes. */
void syncing_go_on(struct syncing *s, const char *path);
/* @s may be NULL. */
void syncing_end(struct syncing *s);

#endif
