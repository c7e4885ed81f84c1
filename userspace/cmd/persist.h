/* SPDX-License-Identifier: GPL-2.0 */
/* record --persist: a recording in reserved memory. Without it, these do nothing. */
#ifndef CMD_PERSIST_H
#define CMD_PERSIST_H

struct session_config;

/*
 * Save an earlier recording, which is there still, as one of the files of @pattern, of which @keep are kept, with the
 * directory that its recorder left beside them, which is removed then. If the memory makes no sense, it is freed.
 * Return: the file, to be freed; or NULL if there is nothing, or after an error with a message: then the recording will
 * say why it cannot begin.
 */
char *persist_save_earlier(const char *region, const char *pattern, unsigned int keep);
/* Choose rings that fill the memory, unless their size is given. Die of an error. */
void persist_size(struct session_config *s);
/* A recording whose file could not be written is in the memory only: the next one must not take that. */
void persist_keep_unsaved(struct session_config *s);
/* All that was recorded is in files: make room for the next recording. */
void persist_forget(const struct session_config *s);

#endif
