/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CMD_EVENTS_H
#define CMD_EVENTS_H

struct nestrace_info;

/* Print what the trace events trace; dies if the module's parameters cannot be read. */
void events_print(const struct nestrace_info *info);

#endif
