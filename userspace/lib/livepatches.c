// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "lib/livepatches.h"
#include "lib/memory.h"

bool livepatches_read(struct livepatches *l, int fd, bool tasks, struct error *e)
{
	struct nestrace_livepatch arg = {
		.size = sizeof(arg),
		.flags = tasks ? NESTRACE_LIVEPATCH_TASKS : 0,
		.len = 256 << 10,
	};
	bool ok;

	*l = (struct livepatches){ 0 };
	for (;;) {
		l->notes = xrealloc(l->notes, arg.len);
		arg.notes = (uintptr_t)l->notes;
		arg.target = arg.pending = arg.left_out = 0;
		ok = !ioctl(fd, NESTRACE_IOC_LIVEPATCH, &arg);
		if (!ok && errno == EINTR)
			continue;
		if (!ok || !arg.left_out || arg.len >= NESTRACE_LIVEPATCH_BYTES / 2)
			break;
		arg.len = NESTRACE_LIVEPATCH_BYTES;
	}
	l->busy = !ok && errno == EBUSY;
	if (ok || l->busy) {
		l->len = arg.len;
		l->target = arg.target;
		l->pending = arg.pending;
		l->left_out = arg.left_out;
		return true;
	}
	if (errno == EOPNOTSUPP)
		error_set(e, "no support for livepatches: '/dev/nestrace'; the kernel needs CONFIG_LIVEPATCH, CONFIG_KALLSYMS_ALL and the ORC unwinder");
	else if (errno == EPERM)
		error_set(e, "no permission to read tasks' stacks: '/dev/nestrace'; run as root, or with CAP_SYS_ADMIN");
	else
		error_set_errno(e, "cannot read the livepatches from '/dev/nestrace'");
	livepatches_free(l);
	return false;
}

const struct nestrace_klp_note *livepatches_next(const struct livepatches *l,
						 const struct nestrace_klp_note *note)
{
	const char *at = note ? (const char *)note + note->length : l->notes;

	return at < l->notes + l->len ? (const void *)at : NULL;
}

const struct nestrace_klp_patch *livepatches_transition(const struct livepatches *l)
{
	const struct nestrace_klp_note *note = NULL;

	while ((note = livepatches_next(l, note)))
		if (note->kind == NESTRACE_KLP_PATCH && note->flags & NESTRACE_KLP_TRANSITION)
			return (const void *)note;
	return NULL;
}

void livepatches_free(struct livepatches *l)
{
	free(l->notes);
	*l = (struct livepatches){ .target = -1 };
}
