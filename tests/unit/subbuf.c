// SPDX-License-Identifier: GPL-2.0
/* The hits of a sub-buffer: userspace/lib/subbuf.c. */
#include "lib/context.h"
#include "lib/subbuf.h"
#include "spec.h"

enum { FUNCTION = 1, OTHER = 9 };

static struct subbuf sub;
static unsigned char page[2 * NESTRACE_SUBBUF_SIZE];
static uint32_t used;

static void put(const void *data, size_t size)
{
	memcpy(page + NESTRACE_SUBBUF_HEADER + used, data, size);
	used += size;
}

static void put32(uint32_t word)
{
	put(&word, sizeof(word));
}

/* A new sub-buffer that begins at time @ts. */
static void begin(uint64_t ts)
{
	memset(page, 0, sizeof(page));
	memcpy(page, &ts, sizeof(ts));
	used = 0;
}

/* A function record @delta after the one before; with a slot, four bytes longer. */
static void record(uint32_t delta, uint16_t type, uint8_t flags, uint64_t ip, int slot)
{
	struct nestrace_function f = { .type = type, .flags = flags, .pid = 7, .ip = ip };

	put32((sizeof(f) / 4 + (slot >= 0)) | delta << 5);
	put(&f, sizeof(f));
	if (slot >= 0)
		put32(slot);
}

/* The same with @words arguments, none of them a slot, before the slot. */
static void record_args(uint32_t delta, uint8_t flags, uint64_t ip, unsigned int words, int slot)
{
	struct nestrace_function f = { .type = FUNCTION, .flags = flags, .pid = 7, .ip = ip };
	uint32_t bytes = sizeof(f) + 8 * words + 4 * (slot >= 0);

	/* a longer one has its length in a word of its own */
	if (bytes <= 112) {
		put32(bytes / 4 | delta << 5);
	} else {
		put32(delta << 5);
		put32(bytes + 4);
	}
	put(&f, sizeof(f));
	for (; words; words--)
		put(&(uint64_t){ NESTRACE_SLOT_MCE }, 8);
	if (slot >= 0)
		put32(slot);
}

static void hit(uint32_t delta, uint64_t ip)
{
	record(delta, FUNCTION, 0, ip, -1);
}

/* Load it, with these flags in its commit. */
static bool load(uint32_t flags)
{
	uint64_t commit = used | flags;

	memcpy(page + 8, &commit, sizeof(commit));
	subbuf_free(&sub);
	subbuf_init(&sub, FUNCTION);
	return subbuf_load(&sub, page);
}

/* Expect these hits: "CONTEXT IP@TIME", and "-N" where N events are missing. */
static void hits(const char *want)
{
	char got[512] = "";
	size_t len = 0;
	struct hit h;

	while (subbuf_next(&sub, &h)) {
		if (h.missed)
			len += snprintf(got + len, sizeof(got) - len, "-%lld ",
					(long long)h.missed);
		len += snprintf(got + len, sizeof(got) - len, "%s %llx@%llu ",
				context_names[h.slot], (unsigned long long)h.ip,
				(unsigned long long)h.ts);
	}
	if (len)
		got[len - 1] = '\0';
	is(got, want);
}

/* Put @number at @used of the page, in the byte order of a big-endian machine. */
static void put_big(uint64_t number, unsigned int size)
{
	while (size--)
		page[used++] = number >> 8 * size;
}

/* A sub-buffer of a big-endian machine of 32 bits: one hit in an interrupt, 5 after 100. */
static void load_foreign(void)
{
	static const struct subbuf_format foreign = {
		.bigendian = true, .long_size = 4, .size = NESTRACE_SUBBUF_SIZE,
		.type = { 0, 2 }, .flags = { 2, 1 }, .pid = { 4, 4 }, .common_size = 8,
		.hit = { { .type = FUNCTION, .ip = { 8, 4 }, .parent_ip = { 12, 4 }, .size = 16 } },
		.nr_hits = 1,
	};

	memset(page, 0, sizeof(page));
	used = 0;
	put_big(100, 8);
	put_big(20, 4);
	put_big(4U << 27 | 5, 4);
	put_big(FUNCTION, 2);
	put_big(NESTRACE_FLAG_HARDIRQ, 1);
	put_big(0, 1);
	put_big(7, 4);
	put_big(0xc0001234, 4);
	put_big(0xc0005678, 4);
	subbuf_free(&sub);
	subbuf_init_format(&sub, &foreign);
	is_number(subbuf_load(&sub, page), true);
}

int main(void)
{
	struct subbuf_format others;
	uint64_t commit;
	struct hit h;

	subbuf_init(&sub, FUNCTION);

	spec("subbuf: times are sums of deltas");
	begin(100);
	hit(0, 0xa), hit(5, 0xb), hit(7, 0xc);
	is_number(load(0), true);
	hits("task a@100 task b@105 task c@112");

	spec("subbuf: the slot is behind arguments, however many there are");
	begin(100);
	record_args(0, 0, 0x10, 6, -1);
	record_args(1, 0, 0x20, 6, NESTRACE_SLOT_DB);
	record_args(1, 0x10, 0x30, 40, -1);
	record_args(1, 0x10, 0x40, 40, NESTRACE_SLOT_HARDIRQ);
	record(1, FUNCTION, 0, 0x50, NESTRACE_SLOT_DF);
	is_number(load(0), true);
	hits("task 10@100 db 20@101 softirq 30@102 hardirq 40@103 df 50@104");

	spec("subbuf: a time extend adds to the time");
	begin(100);
	hit(0, 0xa);
	put32(30 | 3 << 5), put32(1);
	hit(0, 0xb);
	load(0);
	hits("task a@100 task b@134217831");

	spec("subbuf: the flags give the context");
	begin(1);
	record(0, FUNCTION, NESTRACE_FLAG_SOFTIRQ, 0xa, -1);
	record(0, FUNCTION, NESTRACE_FLAG_HARDIRQ | NESTRACE_FLAG_SOFTIRQ, 0xb, -1);
	record(0, FUNCTION, NESTRACE_FLAG_NMI | NESTRACE_FLAG_HARDIRQ, 0xc, -1);
	load(0);
	hits("softirq a@1 hardirq b@1 nmi c@1");

	spec("subbuf: a longer record says its context itself");
	begin(1);
	record(0, FUNCTION, NESTRACE_FLAG_NMI, 0xa, NESTRACE_SLOT_DB);
	record(0, FUNCTION, 0, 0xb, NESTRACE_SLOT_NMI_INLINE);
	load(0);
	hits("db a@1 nmi b@1");

	spec("subbuf: what follows a hit in a file of others is no context");
	begin(1);
	record(0, FUNCTION, 0, 0xa, NESTRACE_SLOT_NMI);
	record(0, FUNCTION, NESTRACE_FLAG_HARDIRQ, 0xb, NESTRACE_SLOT_TASK);
	commit = used;
	memcpy(page + 8, &commit, sizeof(commit));
	others = subbuf_nestrace;
	others.hit[0].slot_at = 0;
	subbuf_free(&sub);
	subbuf_init_format(&sub, &others);
	is_number(subbuf_load(&sub, page), true);
	hits("task a@1 hardirq b@1");

	spec("subbuf: an event has its context in a field");
	begin(1);
	record(0, OTHER, 0, 0xa, NESTRACE_SLOT_DB);
	memcpy(page + 8, &(uint64_t){ used }, sizeof(uint64_t));
	others.hit[0].type = OTHER;
	others.hit[0].context = (struct event_field){ NESTRACE_EVENT_SIZE, 4 };
	others.hit[0].size = NESTRACE_EVENT_SIZE + 4;
	subbuf_free(&sub);
	subbuf_init_format(&sub, &others);
	is_number(subbuf_load(&sub, page), true);
	hits("db a@1");

	spec("subbuf: a hit of a big-endian machine with 32 bits");
	load_foreign();
	hits("hardirq c0001234@105");

	spec("subbuf: the length of a big-endian event is checked");
	load_foreign();
	page[12] = 5 << 3;
	is_number(subbuf_load(&sub, page), false);

	spec("subbuf: the number of missing events comes with the first hit");
	begin(1);
	hit(0, 0xa), hit(1, 0xb);
	memcpy(page + NESTRACE_SUBBUF_HEADER + used, &(uint64_t){ 77 }, 8);
	load(NESTRACE_SUBBUF_MISSED | NESTRACE_SUBBUF_MISSED_STORED);
	hits("-77 task a@1 task b@2");

	spec("subbuf: an unknown number of missing events is -1");
	begin(1);
	hit(0, 0xa);
	load(NESTRACE_SUBBUF_MISSED);
	hits("--1 task a@1");

	spec("subbuf: events of other types are skipped and counted");
	begin(1);
	record(0, OTHER, 0, 0xa, -1);
	hit(3, 0xb);
	load(0);
	hits("task b@4");
	is_number(sub.others, 1);

	spec("subbuf: a gap before an event that is skipped comes with the next hit");
	begin(1);
	record(0, OTHER, 0, 0xa, -1);
	hit(3, 0xb);
	load(NESTRACE_SUBBUF_MISSED);
	hits("--1 task b@4");

	spec("subbuf: all events are available, with their context");
	begin(1);
	record(0, OTHER, NESTRACE_FLAG_SOFTIRQ, 0xa, -1);
	load(0);
	is_number(subbuf_next_event(&sub, &h), true);
	is_number(h.is_hit, false);
	is_number(h.type, OTHER);
	is_number(h.pid, 7);
	is_number(h.slot, NESTRACE_SLOT_SOFTIRQ);
	is_number(subbuf_next_event(&sub, &h), false);

	spec("subbuf: a length beyond the page is damage");
	begin(1);
	used = NESTRACE_SUBBUF_SIZE;
	is_number(load(0), false);
	is_number(sub.damaged, true);

	spec("subbuf: an event that ends beyond the data is damage");
	begin(1);
	hit(0, 0xa);
	used -= 4;
	is_number(load(0), false);

	spec("subbuf: an empty sub-buffer has no hits");
	begin(1);
	is_number(load(0), true);
	hits("");

	spec_end();
	subbuf_free(&sub);
	return specs_failed != 0;
}
