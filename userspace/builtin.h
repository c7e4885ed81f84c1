/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands. Each gets its own argv, argv[0] being "nestrace COMMAND", and returns the
 * exit status. nestrace.c lists them.
 */
#ifndef BUILTIN_H
#define BUILTIN_H

int cmd_record(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_send(int argc, char **argv);
int cmd_snapshot(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_assert(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_livepatch(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_bench(int argc, char **argv);

#endif
