// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/ftrace_users.h"
#include "lib/functions.h"
#include "lib/kernel_log.h"
#include "lib/livepatches.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "lib/utf8.h"
#include "output/livepatch_text.h"

/* ---- patches ---- */

/* A function of a patch. */
struct row {
	const struct nestrace_klp_patch *patch;
	const struct nestrace_klp_object *object;
	const struct nestrace_klp_func *func;
	unsigned int others;		/* users of ftrace that trace it, besides livepatch */
};

struct rows {
	struct row *row;
	size_t nr;
	int object_width, name_width;
};

static const char *object_name(const struct nestrace_klp_object *o)
{
	return *o->name ? o->name : "vmlinux";
}

static void take_rows(const struct livepatches *l, struct rows *rows)
{
	const struct nestrace_klp_note *note = NULL;
	struct row row = { 0 };

	while ((note = livepatches_next(l, note))) {
		if (note->kind == NESTRACE_KLP_PATCH)
			row = (struct row){ .patch = (const void *)note };
		else if (note->kind == NESTRACE_KLP_OBJECT)
			row.object = (const void *)note;
		if (note->kind != NESTRACE_KLP_FUNC)
			continue;
		row.func = (const void *)note;
		rows->row = xrealloc(rows->row, (rows->nr + 1) * sizeof(*rows->row));
		rows->row[rows->nr++] = row;
		if ((int)strlen(object_name(row.object)) > rows->object_width)
			rows->object_width = strlen(object_name(row.object));
		if ((int)strlen(row.func->name) > rows->name_width)
			rows->name_width = strlen(row.func->name);
	}
}

static void take_users(void *arg, const char *function, unsigned int users)
{
	struct rows *rows = arg;
	size_t i;

	for (i = 0; i < rows->nr; i++)
		if (rows->row[i].func->note.flags & NESTRACE_KLP_PATCHED && users &&
		    !strcmp(rows->row[i].func->name, function))
			rows->row[i].others = users - 1;
}

/* Return the place of @row in the stack of its function, from 1, set *@depth, and *@top to the row that runs. */
static unsigned int place(const struct rows *rows, const struct row *row, unsigned int *depth,
			  const struct row **top)
{
	unsigned int at = 0;
	size_t i;

	*depth = 0;
	for (i = 0; i < rows->nr; i++) {
		if (!(rows->row[i].func->note.flags & NESTRACE_KLP_PATCHED) ||
		    rows->row[i].func->old_func != row->func->old_func)
			continue;
		++*depth;
		*top = &rows->row[i];
		if (&rows->row[i] == row)
			at = *depth;
	}
	return at;
}

static void put_row(const struct rows *rows, const struct row *row)
{
	unsigned int flags = row->func->note.flags, depth, at;
	const struct row *top = row;

	printf("  %-*s %-*s ", rows->object_width, object_name(row->object), rows->name_width, row->func->name);
	if (!row->func->old_func) {
		printf("%16s -> %-16s  the module is not loaded\n", "-", "-");
		return;
	}
	printf("%016llx -> %016llx  ", row->func->old_func, row->func->new_func);
	at = place(rows, row, &depth, &top);
	if (!at)
		printf("not active");
	else if (flags & NESTRACE_KLP_TRANSITION)
		printf("in transition: tasks run either version");
	else if (top != row)
		printf("covered by %s", top->patch->name);
	else
		printf("active");
	if (flags & NESTRACE_KLP_NOP)
		printf(", the original again");
	if (depth > 1)
		printf(", %u of %u from below", at, depth);
	if (row->others)
		printf("; shared with %u other user%s of ftrace", row->others, row->others > 1 ? "s" : "");
	printf("\n");
}

static void put_age(const char *format, const char *name)
{
	char *text;
	double age;

	if (asprintf(&text, format, name) < 0)
		out_of_memory();
	age = kernel_log_age(text);
	free(text);
	if (age >= 0)
		printf(", for %.0f s", age);
}

static void put_patch(const struct livepatches *l, const struct nestrace_klp_patch *p)
{
	unsigned int flags = p->note.flags;
	char text[256];

	printf("%s: %s", p->name, flags & NESTRACE_KLP_ENABLED ? "enabled" : "not enabled");
	if (flags & NESTRACE_KLP_ENABLED && !(flags & NESTRACE_KLP_TRANSITION))
		put_age("livepatch: '%s': patching complete", p->name);
	if (flags & NESTRACE_KLP_REPLACE)
		printf("; it replaces all patches before it");
	if (flags & NESTRACE_KLP_FORCED)
		printf("; forced, so its module stays");
	if (flags & NESTRACE_KLP_TRANSITION) {
		livepatch_text_transition(l, text, sizeof(text));
		printf("; in transition of %s", text);
	}
	printf("\n");
}

void livepatch_text_patches(const struct livepatches *l)
{
	const struct nestrace_klp_note *note = NULL;
	struct rows rows = { 0 };
	bool shared = false, read;
	size_t at = 0;

	take_rows(l, &rows);
	read = ftrace_users_each(take_users, &rows);
	while ((note = livepatches_next(l, note))) {
		if (note->kind != NESTRACE_KLP_PATCH)
			continue;
		put_patch(l, (const void *)note);
		for (; at < rows.nr && rows.row[at].patch == (const void *)note; at++) {
			put_row(&rows, &rows.row[at]);
			shared |= rows.row[at].others;
		}
	}
	if (shared)
		printf("# shared: ftrace calls the users of such a function through its list function. If a user calls such a\n"
		       "# function itself, from the second such level in one context on nobody is called, and the original runs.\n");
	if (!read && rows.nr)
		printf("# shared functions are not known, because tracefs cannot be read\n");
	free(rows.row);
}

/* ---- transitions ---- */

void livepatch_text_transition(const struct livepatches *l, char *to, size_t size)
{
	const struct nestrace_klp_patch *p = livepatches_transition(l);
	const char *way = l->target ? "patching" : "unpatching";
	double age;
	char *text;

	/* the kernel logs it for a reversal, too */
	if (asprintf(&text, "livepatch: '%s': starting %s transition", p ? p->name : "", way) < 0)
		out_of_memory();
	age = kernel_log_age(text);
	free(text);
	snprintf(to, size, "%s to the %s version", p ? p->name : "a patch", l->target ? "patched" : "original");
	if (age >= 0)
		snprintf(to + strlen(to), size - strlen(to), ", for %.0f s", age);
}

/* ---- tasks ---- */

/* The kernel's bits of task_struct.__state, the same from 6.1 to 7.3. */
#define INTERRUPTIBLE	0x1
#define UNINTERRUPTIBLE	0x2
#define WAKEKILL	0x100	/* with that: killable */
#define STOPPED		0x4
#define TRACED		0x8
#define NOLOAD		0x400

static const char *sleep_of(uint32_t state)
{
	if (state & INTERRUPTIBLE)
		return "sleeps, interruptibly";
	if (state & NOLOAD)
		return "sleeps, idle";
	if (state & UNINTERRUPTIBLE)
		return "sleeps, uninterruptibly";
	if (state & STOPPED)
		return "is stopped";
	return state & TRACED ? "is stopped by a debugger" : "sleeps";
}

void livepatch_text_who(const struct nestrace_klp_task *task, char *to, size_t size)
{
	char *comm;

	if (task->note.flags & NESTRACE_KLP_IDLE) {
		snprintf(to, size, "swapper/%u, the idle task of CPU %u", task->cpu, task->cpu);
		return;
	}
	comm = utf8_clean(task->comm, "");
	snprintf(to, size, "%s-%d", comm, task->pid);
	free(comm);
	if (task->note.flags & NESTRACE_KLP_KTHREAD)
		snprintf(to + strlen(to), size - strlen(to), ", a kernel thread");
	else if (task->tgid != task->pid)
		snprintf(to + strlen(to), size - strlen(to), ", a thread of process %d", task->tgid);
}

/* Return "NAME+0xOFFSET"; valid until the next call. */
static const char *code(struct tep_handle *tep, uint64_t ip)
{
	static char text[256];
	uint64_t start = names_start(tep, ip);

	if (start == ip)
		snprintf(text, sizeof(text), "%s", names_function(tep, ip));
	else
		snprintf(text, sizeof(text), "%s+0x%" PRIx64, names_function(tep, ip), ip - start);
	return text;
}

void livepatch_text_why(const struct nestrace_klp_task *task, struct tep_handle *tep, char *to, size_t size)
{
	uint64_t ip = task->frame && task->frame <= task->nr ? task->caller[task->frame - 1] : 0;

	switch (task->why) {
	case NESTRACE_KLP_ON_CPU:
		snprintf(to, size, "it runs on CPU %u", task->cpu);
		if (task->note.flags & NESTRACE_KLP_USER)
			snprintf(to + strlen(to), size - strlen(to), ", in user mode");
		break;
	case NESTRACE_KLP_IN_FUNC:
		snprintf(to, size, "frame %u is in %s", task->frame, code(tep, ip));
		if (names_start(tep, ip) != task->func)
			snprintf(to + strlen(to), size - strlen(to), ", a version of %s",
				 names_function(tep, task->func));
		break;
	case NESTRACE_KLP_UNRELIABLE:
		if (ip)
			snprintf(to, size, "its stack is not reliable: the unwinder does not know the caller of frame %u, %s",
				 task->frame, code(tep, ip));
		else
			snprintf(to, size, "its stack is not reliable: the unwinder does not know where it begins");
		break;
	case NESTRACE_KLP_GENERATED:
		snprintf(to, size, "its stack is not reliable: frame %u, 0x%" PRIx64 ", is in code that the kernel does not know",
			 task->frame, ip);
		break;
	case NESTRACE_KLP_DEEP:
		snprintf(to, size, "its stack is deeper than the %u frames that the kernel looks at", NESTRACE_KLP_CALLERS - 1);
		break;
	case NESTRACE_KLP_HOOKED:
		snprintf(to, size, "it waits for a CPU, and the return of one of its calls is hooked");
		break;
	case NESTRACE_KLP_LOCK:
		snprintf(to, size, "it has the lock of livepatches");
		break;
	default:
		snprintf(to, size, "nothing holds it any more; the kernel tries again about once a second");
	}
}

/* How a running kernel thread changes its version depends on the kernel. */
static const char *running_thread(void)
{
	struct utsname uts;
	int major = 0;

	if (!uname(&uts))
		sscanf(uts.release, "%d", &major);
	if (functions_exist("klp_cond_resched") || (major == 6 && functions_exist("__klp_sched_try_switch")))
		return "when it sleeps or calls cond_resched(), outside of what is patched";
	if (functions_exist("__klp_sched_try_switch"))
		return "when it calls schedule(), outside of what is patched";
	return "when it sleeps outside of what is patched; this kernel cannot change a kernel thread that runs";
}

static const char *how(const struct nestrace_klp_task *task)
{
	unsigned int flags = task->note.flags;

	if (task->why == NESTRACE_KLP_LOCK)
		return "nothing changes, and no patch comes or goes, until it releases the lock";
	if (task->why == NESTRACE_KLP_NOTHING)
		return "by itself, in a second or two";
	if (flags & NESTRACE_KLP_USER)
		return "by now: the interrupt of this look has brought it through the kernel";
	if (flags & NESTRACE_KLP_IDLE)
		return "in the idle loop, which the kernel wakes every second; as long as other tasks keep the CPU, it does not get there";
	if (flags & NESTRACE_KLP_KTHREAD && flags & NESTRACE_KLP_RUNNABLE)
		return running_thread();
	if (flags & NESTRACE_KLP_KTHREAD)
		return task->why == NESTRACE_KLP_IN_FUNC ? "once that function has returned, when it sleeps again" :
							   "once it has run on, when it sleeps with a stack that can be unwound";
	return task->why == NESTRACE_KLP_IN_FUNC ? "once that function has returned; at the latest on its way to user mode" :
						   "on its way to user mode, or when it sleeps with a stack that can be unwound";
}

static const char *what_to_do(const struct livepatches *l, const struct nestrace_klp_task *task)
{
	unsigned int flags = task->note.flags;

	if (task->why == NESTRACE_KLP_LOCK)
		return "find what the callback of the patch waits for: the frames show it";
	if (task->why == NESTRACE_KLP_HOOKED)
		return "end what hooks returns: nestrace record --ret, a kretprobe, an fprobe; or let it have a CPU";
	if (task->why == NESTRACE_KLP_NOTHING || flags & NESTRACE_KLP_USER)
		return "wait";
	if (flags & NESTRACE_KLP_IDLE)
		return "let the CPU be idle for a moment: find the task that keeps it";
	if (flags & NESTRACE_KLP_KTHREAD && flags & NESTRACE_KLP_RUNNABLE)
		return "stop the work that it was given; it ignores signals";
	if (flags & NESTRACE_KLP_KTHREAD)
		return task->state & INTERRUPTIBLE ?
		       "trigger what it waits for; the kernel wakes it 15 s after the start, and every 15 s" :
		       "trigger what it waits for; it ignores signals";
	if (task->state & (STOPPED | TRACED))
		return task->state & TRACED ? "let the debugger continue it" : "let it continue: kill -CONT";
	if (flags & NESTRACE_KLP_RUNNABLE)
		return "wait, or find what keeps it in the kernel";
	if (task->state & INTERRUPTIBLE)
		return "wait: the kernel interrupts its sleep 15 s after the start, and every 15 s; if it sleeps again, end it";
	if (task->state & WAKEKILL)
		return "trigger what it waits for; of the signals, it obeys KILL only";
	return "trigger what it waits for; it ignores signals";
}

#define ALIKE	3	/* frames of one function in a row that are shown */

static void put_frames(const struct nestrace_klp_task *task, struct tep_handle *tep)
{
	unsigned int i, alike = 0, hidden = 0;

	for (i = 0; i < task->nr; i++) {
		alike = i && names_start(tep, task->caller[i]) == names_start(tep, task->caller[i - 1]) ? alike + 1 : 0;
		/* show the beginning and the end of a recursion */
		if (alike >= ALIKE && i + 1 < task->nr && i + 1 != task->frame &&
		    names_start(tep, task->caller[i + 1]) == names_start(tep, task->caller[i])) {
			hidden++;
			continue;
		}
		if (hidden)
			printf("        %u more of %s\n", hidden, names_function(tep, task->caller[i]));
		hidden = 0;
		printf("  %c %2u  %s\n", i + 1 == task->frame ? '>' : ' ', i + 1, code(tep, task->caller[i]));
	}
}

void livepatch_text_task(const struct livepatches *l, const struct nestrace_klp_task *task, struct tep_handle *tep)
{
	const struct nestrace_klp_patch *p = livepatches_transition(l);
	char text[512];

	livepatch_text_who(task, text, sizeof(text));
	printf("%s: ", text);
	if (task->why != NESTRACE_KLP_ON_CPU && task->why != NESTRACE_KLP_HOOKED)
		printf("it %s; ", task->note.flags & NESTRACE_KLP_RUNNABLE ? "waits for a CPU" : sleep_of(task->state));
	livepatch_text_why(task, tep, text, sizeof(text));
	printf("%s\n", text);
	put_frames(task, tep);
	if (task->why == NESTRACE_KLP_ON_CPU && !task->nr && !(task->note.flags & (NESTRACE_KLP_USER | NESTRACE_KLP_IDLE)))
		printf("    it had left the CPU before its stack was read\n");
	printf("  it changes: %s\n", how(task));
	printf("  you can: %s\n", what_to_do(l, task));
	if (p && task->why != NESTRACE_KLP_NOTHING && task->why != NESTRACE_KLP_LOCK)
		printf("  or: reverse the transition: echo %d > /sys/kernel/livepatch/%s/enabled\n", !l->target, p->name);
}
