/* SPDX-License-Identifier: GPL-2.0 */
/* For a recording in memory that outlives a restart: saves an earlier one that is there still. */
#ifndef CMD_LAST_BOOT_H
#define CMD_LAST_BOOT_H

/*
 * Save that as one of the files of @pattern, of which @keep are kept, with the directory that its recorder left beside
 * them. Without one, without the module, or after an error nothing is done: the recording will say why it cannot begin.
 */
void last_boot_save(const char *region, const char *pattern, unsigned int keep);

#endif
