/* SPDX-License-Identifier: GPL-2.0 */
/* nestrace stat --prometheus: counters for a monitoring system, written again and again. */
#ifndef CMD_STAT_METRICS_H
#define CMD_STAT_METRICS_H

#include <stdbool.h>

#include "lib/capture.h"

/*
 * Count until the end. Write @path each @seconds, and at the end. @times: how long functions took, too.
 * Return: the exit status.
 */
int stat_metrics(struct capture_config *config, const char *path, double seconds, bool times);

#endif
