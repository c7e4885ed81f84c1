/* SPDX-License-Identifier: GPL-2.0 */
/* The words for the context that a hit ran in, by its slot (enum nestrace_slot). */
#ifndef LIB_CONTEXT_H
#define LIB_CONTEXT_H

#include <stdint.h>

#include "uapi/nestrace.h"

/* All words, for messages and help. */
#define CONTEXT_LIST	"task, softirq, hardirq, nmi, df, db, mce, vc, vc2"

extern const char *const context_names[NESTRACE_NR_SLOTS];

/* Return the slots that @name stands for, a bit each; 0 if there is no such context. */
uint32_t context_slots(const char *name);

/* Return the slot under which outputs show @slot: an NMI is one context on either stack. */
static inline unsigned int context_slot(unsigned int slot)
{
	return slot == NESTRACE_SLOT_NMI_INLINE ? NESTRACE_SLOT_NMI : slot;
}

#define CONTEXT_FLAGS	(NESTRACE_FLAG_NMI | NESTRACE_FLAG_HARDIRQ | NESTRACE_FLAG_SOFTIRQ)

/*
 * Return the slot that the flags of an event give. A table, because contexts alternate too often for branches to be
 * predicted.
 */
static inline unsigned int context_of_flags(unsigned int flags)
{
	static const uint8_t slots[CONTEXT_FLAGS + 1] = {
		[NESTRACE_FLAG_SOFTIRQ] = NESTRACE_SLOT_SOFTIRQ,
		[NESTRACE_FLAG_HARDIRQ] = NESTRACE_SLOT_HARDIRQ,
		[NESTRACE_FLAG_HARDIRQ | NESTRACE_FLAG_SOFTIRQ] = NESTRACE_SLOT_HARDIRQ,
		[NESTRACE_FLAG_NMI ... CONTEXT_FLAGS] = NESTRACE_SLOT_NMI,
	};

	return slots[flags & CONTEXT_FLAGS];
}

#endif
