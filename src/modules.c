// SPDX-License-Identifier: GPL-2.0
#include <linux/align.h>
#include <linux/elf.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "args.h"
#include "compat/module.h"
#include "filter.h"
#include "loaded.h"
#include "modules.h"
#include "session.h"

/* Beyond this, notes that are not taken have no symbols; beyond the second, none is taken. */
#define NT_MODULES_BYTES	(32 << 20)
#define NT_MODULES_BYTES_MAX	(NT_MODULES_BYTES + (1 << 20))

struct nt_module_note {
	struct list_head node;
	struct nestrace_module note;	/* @note.length bytes, with the symbols */
};

static LIST_HEAD(nt_modules_sessions);	/* under the lock of loaded.h */

/* Return: the session's time; 0 before it starts. */
static u64 nt_modules_time(struct nt_session *s)
{
	u64 ts = 0;

	preempt_disable_notrace();
	/* until then another clock may be chosen */
	if (smp_load_acquire(&s->state) >= NT_RUNNING)
		ts = nt_session_time(s);
	preempt_enable_notrace();
	return ts;
}

#ifdef CONFIG_KALLSYMS
static bool nt_is_function(const struct mod_kallsyms *k, unsigned int i)
{
	const char *name = k->strtab + k->symtab[i].st_name;

	return k->symtab[i].st_shndx != SHN_UNDEF && *name && strchr("tTwW", k->typetab[i]);
}

static u32 nt_symbol_length(const char *name)
{
	return ALIGN(sizeof(struct nestrace_symbol) + strlen(name) + 1, 8);
}

/*
 * Store the symbols of @mod at @at, @max bytes at most; without @at only count. There are fewer
 * when its init ends meanwhile. Return: their bytes.
 */
static size_t nt_symbols(const struct module *mod, void *at, size_t max)
{
	const struct mod_kallsyms *k;
	struct nestrace_symbol *out;
	const char *name;
	size_t bytes = 0;
	unsigned int i;
	u32 length;

	rcu_read_lock_sched();
	k = rcu_dereference_sched(mod->kallsyms);
	for (i = 0; k && i < k->num_symtab; i++) {
		if (!nt_is_function(k, i))
			continue;
		name = k->strtab + k->symtab[i].st_name;
		length = nt_symbol_length(name);
		if (length > max - bytes)
			break;
		if (at) {
			out = at + bytes;
			out->start = k->symtab[i].st_value;
			out->size = k->symtab[i].st_size;
			out->length = length;
			memcpy(out->name, name, strlen(name) + 1);
		}
		bytes += length;
	}
	rcu_read_unlock_sched();
	return bytes;
}
#else
static size_t nt_symbols(const struct module *mod, void *at, size_t max)
{
	return 0;
}
#endif

static struct nt_module_note *nt_note_alloc(size_t symbols, gfp_t gfp)
{
	return kvzalloc(sizeof(struct nt_module_note) + symbols, gfp | __GFP_NOWARN);
}

/*
 * Add a note. Return: 0 or -ENOMEM.
 * Context: @mod stays as it is, because its state is being changed, or as nt_loaded_find() says.
 */
static int nt_modules_add(struct nt_modules *m, const struct module *mod, u32 event, u64 ts)
{
	bool with_symbols = event == NESTRACE_MODULE_PRESENT || event == NESTRACE_MODULE_COMING;
	size_t symbols = with_symbols ? nt_symbols(mod, NULL, NT_MODULES_BYTES) : 0;
	/* charge the caller for the notes that it asks for */
	gfp_t gfp = event == NESTRACE_MODULE_PRESENT ? GFP_KERNEL_ACCOUNT : GFP_KERNEL;
	struct nt_module_note *n = NULL;
	struct nestrace_module *note;
	unsigned long start, size;

	mutex_lock(&m->lock);
	if (m->bytes + symbols <= NT_MODULES_BYTES)
		n = nt_note_alloc(symbols, gfp);
	if (!n && event != NESTRACE_MODULE_PRESENT && m->bytes <= NT_MODULES_BYTES_MAX) {
		/* without a name it is still not another module's */
		symbols = 0;
		n = nt_note_alloc(0, gfp);
	}
	if (!n) {
		mutex_unlock(&m->lock);
		return -ENOMEM;
	}
	note = &n->note;
	if (symbols)
		symbols = nt_symbols(mod, note + 1, symbols);
	note->length = sizeof(*note) + symbols;
	note->event = event;
	note->ts = ts;
	nt_module_text(mod, &start, &size);
	note->text = start;
	note->text_size = size;
	nt_module_init_text(mod, &start, &size);
	note->init_text = start;
	note->init_text_size = size;
	strscpy(note->name, mod->name, sizeof(note->name));
	list_add_tail(&n->node, &m->notes);
	m->bytes += note->length;
	mutex_unlock(&m->lock);
	return 0;
}

/* Retire the counts at the addresses of @mod, which are of earlier functions. */
static void nt_modules_retire(struct nt_session *s, const struct module *mod, u64 ts)
{
	struct nt_text text;

	nt_module_text(mod, &text.start, &text.size);
	nt_module_init_text(mod, &text.init_start, &text.init_size);
	nt_counts_retire(s, &text, ts);
}

/* Take its programs from @mod, which goes. */
static void nt_modules_forget(struct nt_session *s, const struct module *mod)
{
	struct nt_text text;

	nt_module_text(mod, &text.start, &text.size);
	nt_module_init_text(mod, &text.init_start, &text.init_size);
	nt_programs_forget(s->hook.programs, text.start, text.size);
	nt_programs_forget(s->hook.programs, text.init_start, text.init_size);
}

static int nt_on_module(struct notifier_block *nb, unsigned long state, void *data)
{
	static const u32 events[] = {
		[MODULE_STATE_COMING] = NESTRACE_MODULE_COMING,
		[MODULE_STATE_LIVE] = NESTRACE_MODULE_LIVE,
		[MODULE_STATE_GOING] = NESTRACE_MODULE_GOING,
	};
	struct nt_session *s;
	u64 ts;

	if (state >= ARRAY_SIZE(events))
		return NOTIFY_DONE;
	nt_loaded_hold();
	nt_loaded_follow(data, state);
	list_for_each_entry(s, &nt_modules_sessions, modules.node) {
		ts = nt_modules_time(s);
		nt_modules_add(&s->modules, data, events[state], ts);
		/* hook.counts is fixed once the session has run */
		if (state == MODULE_STATE_COMING && ts && s->hook.counts)
			nt_modules_retire(s, data, ts);
		if (state == MODULE_STATE_GOING)
			nt_modules_forget(s, data);
	}
	nt_filter_module_event(data, state);
	nt_loaded_release();
	return NOTIFY_DONE;
}

static struct notifier_block nt_modules_notifier = { .notifier_call = nt_on_module };

int __init nt_modules_init(void)
{
	return register_module_notifier(&nt_modules_notifier);
}

void nt_modules_exit(void)
{
	unregister_module_notifier(&nt_modules_notifier);
	nt_loaded_exit();
}

void nt_modules_open(struct nt_session *s)
{
	mutex_init(&s->modules.lock);
	INIT_LIST_HEAD(&s->modules.notes);
	nt_loaded_hold();
	list_add(&s->modules.node, &nt_modules_sessions);
	nt_loaded_release();
}

void nt_modules_close(struct nt_session *s)
{
	struct nt_module_note *n, *next;

	nt_loaded_hold();
	list_del(&s->modules.node);
	nt_loaded_release();
	list_for_each_entry_safe(n, next, &s->modules.notes, node)
		kvfree(n);
}

int nt_modules_note(struct nt_session *s, const char *name)
{
	const struct module *mod;
	int ret = -ENOENT;

	nt_loaded_hold();
	mod = nt_loaded_find(name);
	if (mod)
		ret = nt_modules_add(&s->modules, mod, NESTRACE_MODULE_PRESENT, 0);
	nt_loaded_release();
	return ret;
}

/* Move the oldest notes to @taken, *@len bytes at most. Return: 0 or -EMSGSIZE, with *@len set. */
static int nt_modules_detach(struct nt_modules *m, struct list_head *taken, u32 *len)
{
	struct nt_module_note *n, *next;
	u32 max = *len;
	int ret = 0;

	*len = 0;
	mutex_lock(&m->lock);
	list_for_each_entry_safe(n, next, &m->notes, node) {
		if (n->note.length > max - *len) {
			if (!*len) {
				*len = n->note.length;
				ret = -EMSGSIZE;
			}
			break;
		}
		*len += n->note.length;
		m->bytes -= n->note.length;
		list_move_tail(&n->node, taken);
	}
	mutex_unlock(&m->lock);
	return ret;
}

int nt_modules_take(struct nt_session *s, void __user *user, u32 *len)
{
	struct nt_module_note *n, *next;
	LIST_HEAD(taken);
	int ret = nt_modules_detach(&s->modules, &taken, len);

	/* without the lock, which modules wait for: this may wait for a page */
	list_for_each_entry_safe(n, next, &taken, node) {
		if (copy_to_user(user, &n->note, n->note.length))
			ret = -EFAULT;
		user += n->note.length;
		kvfree(n);
	}
	return ret;
}
