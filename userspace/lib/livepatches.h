/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's livepatches and the tasks that hold a transition: the notes of NESTRACE_IOC_LIVEPATCH. */
#ifndef LIB_LIVEPATCHES_H
#define LIB_LIVEPATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "uapi/nestrace.h"

struct livepatches {
	char *notes;		/* private */
	size_t len;
	int target;		/* the version that a transition leads to, 0 or 1; -1: there is none */
	unsigned int pending;	/* tasks that hold it */
	unsigned int left_out;	/* notes that are not there */
	bool busy;		/* the lock of livepatches was taken: the only note is the task that has it */
};

/* Read them; @fd: of the device. @tasks: with the tasks. Return: false after an error. */
bool livepatches_read(struct livepatches *l, int fd, bool tasks, struct error *e);
/* Return the note after @note; NULL: the first, or: there is none. */
const struct nestrace_klp_note *livepatches_next(const struct livepatches *l,
						 const struct nestrace_klp_note *note);
/* Return the patch that a transition is to or from, or NULL. */
const struct nestrace_klp_patch *livepatches_transition(const struct livepatches *l);
void livepatches_free(struct livepatches *l);

#endif
