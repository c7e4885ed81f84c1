/* SPDX-License-Identifier: GPL-2.0 */
/* Livepatches, and the tasks that hold a transition, as text on stdout. */
#ifndef OUTPUT_LIVEPATCH_TEXT_H
#define OUTPUT_LIVEPATCH_TEXT_H

#include <stddef.h>

#include "uapi/nestrace.h"

struct livepatches;
struct tep_handle;

/* Print the patches, their objects and their functions. */
void livepatch_text_patches(const struct livepatches *l);
/* Write "klp_one to the patched version, for 41 s"; @l has a transition. */
void livepatch_text_transition(const struct livepatches *l, char *to, size_t size);
/* Write who a task is: "kworker/0:1-23, a kernel thread". */
void livepatch_text_who(const struct nestrace_klp_task *task, char *to, size_t size);
/* Print why a task holds the transition, where it is, how it will change its version, and what a person can do. */
void livepatch_text_task(const struct livepatches *l, const struct nestrace_klp_task *task, struct tep_handle *tep);
/* Write why in a few words, without frames: "in nt_called". */
void livepatch_text_why(const struct nestrace_klp_task *task, struct tep_handle *tep, char *to, size_t size);

#endif
