// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "output/findings.h"

static struct finding *find(const struct findings *f, enum finding_kind kind, uint64_t ip, uint64_t parent_ip,
			    unsigned int slot)
{
	uint64_t hash = ((ip * 31 + parent_ip) * 31 + slot) * FINDING_KINDS + kind;
	size_t i = hash * 0x9e3779b97f4a7c15ULL >> 32 & (f->size - 1);
	const struct finding *at;

	for (;; i = (i + 1) & (f->size - 1)) {
		at = &f->finding[i];
		if (!at->count || (at->kind == kind && at->ip == ip && at->parent_ip == parent_ip && at->slot == slot))
			return &f->finding[i];
	}
}

static void grow(struct findings *f)
{
	struct findings old = *f;
	const struct finding *at;

	f->size = f->size ? 2 * f->size : 64;
	f->finding = xzalloc(f->size, sizeof(*f->finding));
	for (at = old.finding; at < old.finding + old.size; at++)
		if (at->count)
			*find(f, at->kind, at->ip, at->parent_ip, at->slot) = *at;
	free(old.finding);
}

struct finding *findings_get(struct findings *f, enum finding_kind kind, uint64_t ip, uint64_t parent_ip,
			     unsigned int slot)
{
	struct finding *finding;

	if (2 * f->used >= f->size)
		grow(f);
	finding = find(f, kind, ip, parent_ip, slot);
	if (finding->count)
		return finding;
	if (f->used == FINDINGS_MAX) {
		f->dropped++;
		return NULL;
	}
	f->used++;
	*finding = (struct finding){ .kind = kind, .ip = ip, .parent_ip = parent_ip, .slot = slot };
	return finding;
}

struct finding *findings_find(const struct findings *f, enum finding_kind kind, uint64_t ip, uint64_t parent_ip,
			      unsigned int slot)
{
	struct finding *finding = f->used ? find(f, kind, ip, parent_ip, slot) : NULL;

	return finding && finding->count ? finding : NULL;
}

void findings_add(struct findings *f, const struct finding *one)
{
	struct finding *to = findings_get(f, one->kind, one->ip, one->parent_ip, one->slot);
	struct finding sum = *one;

	if (!to)
		return;
	if (to->count) {
		/* the first one that has a stack is the example */
		if (to->nr && (!sum.nr || to->first < sum.first))
			sum = *to;
		sum.count = to->count + one->count;
		sum.bits = to->bits | one->bits;
		sum.first = to->first < one->first ? to->first : one->first;
		sum.last = to->last > one->last ? to->last : one->last;
		sum.longest = to->longest > one->longest ? to->longest : one->longest;
	}
	*to = sum;
}

void findings_free(struct findings *f)
{
	free(f->finding);
	*f = (struct findings){ 0 };
}
