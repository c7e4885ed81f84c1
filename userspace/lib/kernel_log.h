/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's log, /dev/kmsg. */
#ifndef LIB_KERNEL_LOG_H
#define LIB_KERNEL_LOG_H

/* Return how many seconds ago the kernel last logged a line with @text; negative: not, or not to be read. */
double kernel_log_age(const char *text);

#endif
