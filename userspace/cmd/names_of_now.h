/* SPDX-License-Identifier: GPL-2.0 */
/* The names of the kernel's functions as they are now. */
#ifndef CMD_NAMES_OF_NOW_H
#define CMD_NAMES_OF_NOW_H

struct tep_handle;

/* Return the names in lines of kallsyms, for tep_free(). An error ends the process after a message. */
struct tep_handle *names_of_lines(const char *symbols);
/* Return the names, for tep_free(). @fd: of the device. An error ends the process after a message. */
struct tep_handle *names_of_now(int fd);

#endif
