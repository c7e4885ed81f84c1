/* SPDX-License-Identifier: GPL-2.0 */
/* For a recording in reserved memory: saves an earlier one that is there still. */
#ifndef CMD_LAST_BOOT_H
#define CMD_LAST_BOOT_H

/*
 * Save it as one of the files of @pattern, of which @keep are kept, with the directory that its recorder left beside
 * them, which is removed then. If the memory makes no sense, it is freed. Return: the file, to be freed; or NULL if
 * there is nothing, or after an error with a message: then the recording will say why it cannot begin.
 */
char *last_boot_save(const char *region, const char *pattern, unsigned int keep);

#endif
