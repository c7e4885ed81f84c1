// SPDX-License-Identifier: GPL-2.0
/*
 * The reader of a dead machine finds in its rings what the module would have handed out. Rings that src/ring.h
 * has written are read by src/merge.c and by userspace/lib/dead_rings.c.
 */
#include "compat/record_flags.h"
#include "lib/context.h"
#include "lib/dead_rings.h"
#include "lib/memory_dump.h"
#include "merge.h"
#include "one_cpu.h"
#include "session.h"
#include "spec.h"
#include "stream.h"

#define SUBBUFS		4
#define RINGS_BYTES	(NESTRACE_NR_SLOTS * SUBBUFS * NESTRACE_SUBBUF_SIZE)
#define SUBBUFS_MAX	(2 * NESTRACE_NR_SLOTS * SUBBUFS)

static struct nt_session session;
static struct nt_rings rings;
static struct nt_stream stream;
static char *memory;			/* of the rings; its physical address is 0 */
static struct nt_ring copies[NESTRACE_NR_SLOTS][NT_RING_COPIES];	/* as in a region */
static bool has_copies;
static u64 unreadable = U64_MAX;	/* a page that the dump lacks */

bool memory_dump_read(struct memory_dump *d, uint64_t at, void *buf, size_t len)
{
	if (at == unreadable || at + len > RINGS_BYTES)
		return false;
	memcpy(buf, memory + at, len);
	return true;
}

void *xzalloc(size_t nr, size_t size)
{
	return calloc(nr, size);
}

static void new_session(bool overwrite, bool returns)
{
	unsigned int i;

	if (!memory)
		memory = aligned_alloc(4096, RINGS_BYTES);
	memset(memory, 0, RINGS_BYTES);
	memset(&rings, 0, sizeof(rings));
	memset(&nt_guards, 0, sizeof(nt_guards));
	guards_of[0] = &nt_guards;
	free(stream.out);
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		free(stream.cursor[i].copy);
	session = (struct nt_session){
		.hook.rings = &rings, .state = NT_RUNNING, .run_seq = 1, .hook.returns = returns,
		.scale = { .mult = 3ULL << 31, .offset = 1000, .span_mult = 1ULL << 31 },
	};
	stream = (struct nt_stream){
		.session = &session, .out = memset(aligned_alloc(4096, NESTRACE_SUBBUF_SIZE), 0, NESTRACE_SUBBUF_SIZE),
	};
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		nt_ring_init(&rings.slot[i], memory + i * SUBBUFS * NESTRACE_SUBBUF_SIZE, SUBBUFS * NESTRACE_SUBBUF_SIZE,
			     overwrite);
		if (returns)
			nt_ring_fit(&rings.slot[i], sizeof(struct nt_exit_record));
		if (has_copies) {
			memset(copies[i], 0, sizeof(copies[i]));
			rings.slot[i].copies = copies[i];
			nt_ring_copy(copies[i], &rings.slot[i]);
		}
		stream.cursor[i].off = NESTRACE_SUBBUF_HEADER;
		stream.cursor[i].end = NESTRACE_SUBBUF_HEADER;
		if (overwrite)
			stream.cursor[i].copy = aligned_alloc(4096, NESTRACE_SUBBUF_SIZE);
	}
}

static u64 now;

/* Find room in a ring as the hook does. Return: false if the record is lost. */
static bool find_room(struct nt_ring *r, struct nt_room *room, u32 bytes, bool exit)
{
	nt_local_inc(&r->hits);
	if (nt_room_find(r, room, bytes, now))
		return true;
	if (nt_ring_full(r)) {
		nt_local_inc(&r->full);
		if (exit)
			nt_local_inc(&r->exits_full);
		nt_ring_close(r);
		return false;
	}
	nt_ring_next(r, now);
	return nt_room_find(r, room, bytes, now);
}

/* Write a record of a kind, with flags that are right or wrong for the slot. */
static void hit(unsigned int slot, unsigned int kind, unsigned int words, unsigned int callers)
{
	struct nt_ring *r = &rings.slot[slot];
	bool is_entry = kind == 1, is_exit = kind == 2, args = words, stack = callers;
	u32 bytes = is_exit ? sizeof(struct nt_exit_record) : is_entry ? sizeof(struct nt_entry_record) : sizeof(struct nt_record);
	u32 more = is_exit ? 0 : (args ? nt_args_bytes(words) : 0) + (stack ? nt_stack_bytes(callers) : 0);
	struct nt_room room;
	struct nt_record *rec;
	struct nt_exit_record *exit;
	struct nt_stack *s;
	struct nt_args *a;
	char *p;

	if (!find_room(r, &room, bytes + more, is_exit))
		return;
	rec = (struct nt_record *)room.head;
	exit = (struct nt_exit_record *)room.head;
	if (is_exit) {
		memset(&exit->event, 0, sizeof(exit->event));
		exit->event.type = NESTRACE_EVENT_EXIT;
		exit->event.flags = rand() & 0x58;
		exit->event.ip = now;
		exit->event.retval = rand();
		exit->event.calltime = now - rand() % 100;
		exit->event.depth = rand() % 9;
		r->exits++;
	} else {
		rec->event = (struct nestrace_function){
			.type = is_entry ? NESTRACE_EVENT_ENTRY : NESTRACE_EVENT_FUNCTION, .flags = rand() & 0x58,
			.ip = now, .parent_ip = rand(), .pid = rand(),
		};
		if (is_entry)
			((struct nt_entry_record *)rec)->event.depth = rand() % 9;
		else if (rand() % 8 == 0)
			rec->event.type |= NESTRACE_AUDIT_RCU_IRQ;
	}
	p = (char *)room.head + bytes;
	if (more && args) {
		a = (struct nt_args *)p;
		*a = (struct nt_args){ .nr = words, .stack = stack };
		memset(a->word, 0x5a, words * sizeof(u64));
		p += nt_args_bytes(words);
	}
	if (more && stack) {
		s = (struct nt_stack *)p;
		*s = (struct nt_stack){ .nr = callers, .mark = NESTRACE_STACK_USER };
		memset(s->caller, 0x77, callers * sizeof(u64));
	}
	nt_room_publish(r, &room, bytes, more, args ? NT_TYPE_ARGS : NT_TYPE_STACK);
}

static void hits(unsigned int nr, bool returns, bool more)
{
	while (nr--) {
		/* often the same time, and sometimes a pause that needs a time extend */
		now += rand() % 3 ? rand() % 2 : rand() % 50 ? 100 : NT_DELTA_MAX + rand() % 5;
		hit(rand() % NESTRACE_NR_SLOTS, returns ? rand() % 3 : 0, more && rand() % 4 == 0 ? 1 + rand() % 6 : 0,
		    more && rand() % 4 == 0 ? 1 + rand() % 60 : 0);
	}
}

/* The sub-buffers that the module hands out. */
static char module_out[SUBBUFS_MAX][NESTRACE_SUBBUF_SIZE];
static unsigned int module_nr;

static void read_module(void)
{
	bool full;

	module_nr = 0;
	do {
		full = nt_stream_fill(&stream);
		if (!stream.out_len)
			break;
		nt_stream_seal(&stream);
		memcpy(module_out[module_nr++], stream.out, NESTRACE_SUBBUF_SIZE);
		nt_stream_next(&stream);
	} while (full && module_nr < SUBBUFS_MAX);
}

/* Return: the position of the newest copy of a ring's counters. */
static u64 copied_pos(unsigned int slot)
{
	u64 pos = 0;
	unsigned int i;

	for (i = 0; i < NT_RING_COPIES; i++)
		if (copies[slot][i].pos > pos)
			pos = copies[slot][i].pos;
	return pos;
}

static struct dead_session dead;
static struct dead_cpu dead_cpu;

/* Make what a dump of now would have. */
static void die(void)
{
	static u64 page[RINGS_BYTES / NESTRACE_SUBBUF_SIZE];
	unsigned int i;

	dead = (struct dead_session){ .cpu = &dead_cpu, .nr_cpus = 1 };
	dead.about.mult = session.scale.mult;
	dead.about.offset = session.scale.offset;
	dead.about.span_mult = session.scale.span_mult;
	dead.about.copies = has_copies ? NT_RING_COPIES : 0;
	dead_cpu = (struct dead_cpu){ .page = (uint64_t *)page };
	for (i = 0; i < RINGS_BYTES / NESTRACE_SUBBUF_SIZE; i++)
		page[i] = i * NESTRACE_SUBBUF_SIZE;
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		dead.about.ring_bytes[i] = SUBBUFS * NESTRACE_SUBBUF_SIZE;
		dead_cpu.count[i][NESTRACE_DUMP_pos] = has_copies ? copied_pos(i) : rings.slot[i].pos;
	}
}

/* Return how many sub-buffers differ from those of the module. */
static unsigned int differences(const struct dead_joint *joint, u64 *records)
{
	struct dead_rings *r = dead_rings_open(NULL, &dead, 0, joint);
	char subbuf[NESTRACE_SUBBUF_SIZE];
	unsigned int nr = 0, bad = 0, i;

	while (dead_rings_next(r, subbuf)) {
		bad += nr >= module_nr || memcmp(subbuf, module_out[nr], NESTRACE_SUBBUF_SIZE);
		nr++;
	}
	for (*records = 0, i = 0; i < NESTRACE_NR_SLOTS; i++)
		*records += dead_rings_kept(r)[i].records;
	bad += dead_rings_damaged(r);
	dead_rings_close(r);
	return bad + (nr != module_nr);
}

static void compare(bool overwrite, bool returns, bool more)
{
	const struct dead_joint all = { .total = true };
	unsigned int seed, bad = 0, i;
	u64 records, written, read = 0;

	for (seed = 0; seed < 200; seed++) {
		srand(seed);
		now = rand() % 1000;
		new_session(overwrite, returns);
		hits(rand() % 6000, returns, more);
		die();
		session.state = NT_STOPPED;
		read_module();
		bad += differences(&all, &records) != 0;
		for (written = 0, i = 0; i < NESTRACE_NR_SLOTS; i++)
			written += rings.slot[i].written;
		read += records;
		bad += overwrite ? records > written : records != written;
	}
	is_number(bad, 0);
	is_number(read > 100 * 1000, 1);
}

/*
 * Begin a record that is not published, and use the oldest sub-buffer again as far as @words of it, as a machine
 * that is reset in the middle of a hit. Return: the records that are gone.
 */
static u64 reset_within(struct nt_ring *r, unsigned int words)
{
	u64 nr = r->pos >> NT_SUBBUF_SHIFT, gone;
	struct nt_subbuf *sb = nt_ring_subbuf(r, nr + 1), *next = nt_ring_subbuf(r, nr + 2);
	char *room = (char *)nt_ring_room(r);
	unsigned int i;

	if (r->pos <= r->limit)
		memset(room + sizeof(u32), 0x5a, sizeof(struct nt_record) - sizeof(u32));
	if (nr + 1 < SUBBUFS)
		return 0;
	gone = next->first - sb->first;
	sb->time_stamp = r->last;
	if (!words)
		return gone;
	sb->first_exits = r->exits + r->exits_full;
	sb->first = r->written + r->full;
	for (i = 0; i < words; i++)
		((u64 *)sb->data)[i] = 0;
	return gone;
}

/* Take the joint with a file that has these sub-buffers. Only plain records. */
static void join(struct dead_joint *j)
{
	unsigned int i;
	u64 ts, commit, missed;
	u32 off, head, more, slot;
	struct nestrace_function f;

	*j = (struct dead_joint){ .total = true };
	for (i = 0; i < module_nr; i++) {
		memcpy(&ts, module_out[i], 8);
		memcpy(&commit, module_out[i] + 8, 8);
		for (off = 0; off < NESTRACE_SUBBUF_LENGTH(commit);) {
			memcpy(&head, module_out[i] + 16 + off, 4);
			memcpy(&more, module_out[i] + 20 + off, 4);
			ts += head >> NT_TYPE_BITS;
			if ((head & NT_TYPE_MASK) == NT_TYPE_TIME_EXTEND) {
				ts += (u64)more << NT_DELTA_BITS;
				off += 8;
				continue;
			}
			memcpy(&f, module_out[i] + 20 + off, sizeof(f));
			off += 4 + 4 * (head & NT_TYPE_MASK);
			slot = context_of_flags(f.flags);
			if ((head & NT_TYPE_MASK) * 4 > NESTRACE_EVENT_SIZE)
				memcpy(&slot, module_out[i] + 16 + off - 4, 4);
			j->records++;
			if (ts != j->ts)
				memset(j->at_ts, 0, sizeof(j->at_ts));
			j->ts = ts;
			j->at_ts[context_slot(slot & 0xff)]++;
		}
		if (commit & NESTRACE_SUBBUF_MISSED_STORED) {
			memcpy(&missed, module_out[i] + 16 + NESTRACE_SUBBUF_LENGTH(commit), 8);
			j->records += missed;
		}
	}
}

/* Return the records in what the module hands out now. */
static u64 module_records(void)
{
	struct dead_joint j;

	join(&j);
	return j.records;
}

int main(void)
{
	struct dead_joint joint;
	unsigned int seed, bad, gaps = 0, missing;
	struct dead_rings *r;
	u64 records, left, commit;
	char subbuf[NESTRACE_SUBBUF_SIZE];

	spec("dead rings: what is read is what the module would have handed out");
	compare(false, false, false);
	spec("dead rings: the same of rings that overwrite");
	compare(true, false, false);
	spec("dead rings: the same with returns");
	compare(false, true, false);
	spec("dead rings: the same with arguments and stacks");
	compare(false, false, true);
	spec("dead rings: the same with all of them, of rings that overwrite");
	compare(true, true, true);

	has_copies = true;
	spec("dead rings: in memory that outlives the machine, what its copies do not have yet is found, too");
	compare(false, false, false);
	compare(true, false, false);
	compare(false, true, false);
	compare(true, true, true);

	spec("dead rings: a reset in the middle of a hit costs that hit, and at most the oldest sub-buffer of the ring");
	for (bad = 0, seed = 0; seed < 600; seed++) {
		struct nt_ring *ring = &rings.slot[0];
		u64 gone, oldest;

		srand(seed);
		now = 7;
		new_session(true, seed & 2);
		while (rand() % 5000)
			hit(0, seed & 2 ? rand() % 3 : 0, seed & 4 ? rand() % 3 : 0, seed & 4 ? rand() % 20 : 0), now += 1 + rand() % 9;
		die();
		oldest = (ring->pos >> NT_SUBBUF_SHIFT) < SUBBUFS ? 0 : nt_ring_subbuf(ring, (ring->pos >> NT_SUBBUF_SHIFT) + 1)->first;
		gone = reset_within(ring, rand() % 3 ? rand() % 508 : 0);
		/* at one time with the next, its header does not say that it is used again */
		r = dead_rings_open(NULL, &dead, 0, &(struct dead_joint){ .total = true });
		for (records = 0; dead_rings_next(r, subbuf);)
			;
		records = dead_rings_kept(r)->records;
		bad += dead_rings_damaged(r) || records != ring->written - oldest - gone;
		bad += ring->written != copies[0][(ring->pos >> NT_SUBBUF_SHIFT) & 1].written + dead_rings_kept(r)->followed;
		dead_rings_close(r);
	}
	is_number(bad, 0);
	has_copies = false;

	spec("dead rings: what the file has is left out, and nothing else");
	for (bad = 0, seed = 0; seed < 300; seed++) {
		srand(seed);
		now = 7;
		new_session(false, false);
		hits(rand() % 3000, false, false);
		read_module();
		join(&joint);
		hits(rand() % 1000, false, false);
		die();
		session.state = NT_STOPPED;
		/* one that the module had in hand when the file was written is in its next sub-buffer */
		read_module();
		left = module_records();
		differences(&joint, &records);
		bad += records > left;
		/* losses in between are reported at once, and later */
		r = dead_rings_open(NULL, &dead, 0, &joint);
		for (; dead_rings_next(r, subbuf); records += missing) {
			memcpy(&commit, subbuf + 8, 8);
			missing = 0;
			if (commit & NESTRACE_SUBBUF_MISSED_STORED)
				memcpy(&missing, subbuf + 16 + NESTRACE_SUBBUF_LENGTH(commit), 4);
		}
		dead_rings_close(r);
		bad += records != left;
	}
	is_number(bad, 0);

	spec("dead rings: what neither the file nor the memory has is a gap of that many");
	for (bad = 0, seed = 0; seed < 100; seed++) {
		srand(seed);
		now = 7;
		new_session(true, false);
		hits(500, false, false);
		die();
		session.state = NT_STOPPED;
		read_module();
		join(&joint);
		session.state = NT_RUNNING;
		hits(20000, false, false);
		die();
		differences(&joint, &records);
		r = dead_rings_open(NULL, &dead, 0, &joint);
		left = joint.records + records;
		for (; dead_rings_next(r, subbuf); left += missing) {
			memcpy(&commit, subbuf + 8, 8);
			missing = 0;
			if (commit & NESTRACE_SUBBUF_MISSED_STORED)
				memcpy(&missing, subbuf + 16 + NESTRACE_SUBBUF_LENGTH(commit), 4);
			gaps += missing > 0;
		}
		dead_rings_close(r);
		bad += left != 20500;
	}
	is_number(bad, 0);
	is_number(gaps >= 100, 1);

	spec("dead rings: a page that the dump lacks costs the rest of its ring, and is reported");
	srand(1);
	new_session(false, false);
	hits(2000, false, false);
	die();
	unreadable = 1 * NESTRACE_SUBBUF_SIZE;
	r = dead_rings_open(NULL, &dead, 0, &(struct dead_joint){ .total = true });
	while (dead_rings_next(r, subbuf))
		;
	is_number(dead_rings_damaged(r), 1);
	is_number(dead_rings_kept(r)[0].records > 0 && dead_rings_kept(r)[0].records < rings.slot[0].written, 1);
	is_number(dead_rings_kept(r)[1].records, rings.slot[1].written);
	dead_rings_close(r);
	unreadable = U64_MAX;

	spec("dead rings: whatever bytes the memory has, reading them ends");
	for (bad = 0, seed = 0; seed < 3000; seed++) {
		unsigned int i, nr = 0;

		srand(seed);
		now = 7;
		new_session(seed & 1, seed & 2);
		hits(2500, seed & 2, seed & 4);
		die();
		for (i = 0; i < 1U << rand() % 12; i++)
			memory[rand() % RINGS_BYTES] = rand();
		if (seed % 8 == 0)
			dead_cpu.count[rand() % NESTRACE_NR_SLOTS][NESTRACE_DUMP_pos] ^= 1ULL << rand() % 64;
		r = dead_rings_open(NULL, &dead, 0, &(struct dead_joint){ .total = true });
		while (dead_rings_next(r, subbuf) && nr < 10 * SUBBUFS_MAX)
			nr++;
		bad += nr == 10 * SUBBUFS_MAX;
		dead_rings_close(r);
	}
	is_number(bad, 0);

	new_session(false, false);
	free(stream.out);
	free(memory);
	spec_end();
	return specs_failed != 0;
}
