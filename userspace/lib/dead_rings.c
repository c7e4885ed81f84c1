// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/context.h"
#include "lib/dead_rings.h"
#include "lib/memory.h"
#include "lib/memory_dump.h"

/* The layout of src/ring.h. */
#define SHIFT			12
#define MASK			(NESTRACE_SUBBUF_SIZE - 1ULL)
#define END			(NESTRACE_SUBBUF_SIZE - 2 * sizeof(uint64_t))	/* then @first_exits and @first */
#define TYPE_TIME_EXTEND	30
#define TYPE_STACK		29
#define TYPE_ARGS		31
#define TYPE_BITS		5
#define TYPE_MASK		((1U << TYPE_BITS) - 1)
#define DELTA_BITS		27
#define SHORT_MAX		(29 * sizeof(uint32_t))
#define HEAD			sizeof(uint32_t)
#define ARGS_HEAD		4U		/* words (u16), and is there a stack (u16)? */
#define STACK_HEAD		8U		/* callers (u32), mark (u32) */
#define EXIT_BYTES		(HEAD + 36U)	/* common, pid, ip, retval, calltime, depth */

/* A record in a ring. */
struct record {
	uint64_t ts;			/* as handed out */
	uint16_t type;			/* of the event */
	uint32_t odd;			/* its NESTRACE_AUDIT_ bits */
	const char *event;
	uint32_t bytes;			/* of the event, without what follows */
	const char *words;		/* arguments */
	uint32_t nr_words;
	const char *stack;		/* or NULL */
	uint32_t nr_callers, mark;
};

struct ring {
	const struct dead_session *session;
	unsigned int slot;
	const uint64_t *page;
	uint64_t nr;			/* of pages */
	uint64_t subbuf, head;		/* numbers: the one that is read, and the one that was written */
	uint32_t head_end;		/* of what is published in @head */
	struct dead_kept *follow;	/* counts what is published behind @head_end; NULL: nothing is */
	char data[NESTRACE_SUBBUF_SIZE];
	uint32_t off, end;		/* of @data */
	bool loaded, damaged, over;
	uint64_t raw_ts;		/* of the last record, as the clock was read */
	uint64_t index;			/* records and lost ones before the next */
	uint64_t missed;		/* of these, since the last one that was taken */
	struct record next;
};

struct dead_rings {
	struct memory_dump *dump;
	const struct dead_session *session;
	struct ring ring[NESTRACE_NR_SLOTS];
	struct ring *last;		/* of which a record was taken; NULL: none yet */
	struct dead_kept kept[NESTRACE_NR_SLOTS];
	int64_t missed;			/* before the next sub-buffer; -1: an unknown number */
	/* the sub-buffer that is made */
	char *out;
	uint32_t len;
	uint64_t out_ts;
};

static uint64_t u64_at(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t u32_at(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t u16_at(const char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t scaled(uint64_t v, uint64_t mult)
{
	return (unsigned __int128)v * mult >> 32;
}

static uint64_t time_of(const struct ring *r, uint64_t raw)
{
	const struct nestrace_dump_session *about = &r->session->about;

	return about->offset + (about->mult ? scaled(raw, about->mult) : raw);
}

static uint64_t span_ns(const struct ring *r, uint64_t span)
{
	return r->session->about.span_mult ? scaled(span, r->session->about.span_mult) : span;
}

static void damage(struct ring *r)
{
	r->damaged = r->over = true;
}

/* Return the bytes that are left from @p on. */
static size_t left(const struct ring *r, const char *p)
{
	return r->data + r->end - p;
}

/* Parse what is behind an event. Return: its end, or NULL. */
static const char *parse_more(const struct ring *r, struct record *rec, const char *p, unsigned int type)
{
	bool stack = type == TYPE_STACK;

	if (type == TYPE_ARGS) {
		if (left(r, p) < ARGS_HEAD)
			return NULL;
		rec->nr_words = u16_at(p);
		stack = u16_at(p + 2);
		p += ARGS_HEAD;
		if (rec->nr_words > left(r, p) / sizeof(uint64_t))
			return NULL;
		rec->words = p;
		p += rec->nr_words * sizeof(uint64_t);
	}
	if (!stack)
		return p;
	if (left(r, p) < STACK_HEAD)
		return NULL;
	rec->nr_callers = u32_at(p);
	rec->mark = u32_at(p + 4);
	p += STACK_HEAD;
	if (rec->nr_callers > NESTRACE_STACK_MAX || rec->nr_callers > left(r, p) / sizeof(uint64_t))
		return NULL;
	rec->stack = p;
	return p + rec->nr_callers * sizeof(uint64_t);
}

/* Return the bytes of a record's head and event; 0: it makes no sense. */
static uint32_t bytes_of(const char *p, size_t left, unsigned int type)
{
	const uint32_t entry = HEAD + sizeof(struct nestrace_entry), call = HEAD + NESTRACE_EVENT_SIZE;
	uint32_t bytes = HEAD + type * sizeof(uint32_t);
	uint16_t event;

	if (left < HEAD + sizeof(uint32_t))
		return 0;
	event = u16_at(p + HEAD) & ~NESTRACE_AUDIT_BITS;
	if (type == TYPE_STACK || type == TYPE_ARGS)
		bytes = event == NESTRACE_EVENT_ENTRY ? entry : call;
	if (bytes != (event == NESTRACE_EVENT_ENTRY ? entry : event == NESTRACE_EVENT_EXIT ? EXIT_BYTES :
		      event == NESTRACE_EVENT_FUNCTION ? call : 0))
		return 0;
	return bytes <= left ? bytes : 0;
}

/* Take the record at @r->off. Return: false if it makes no sense. */
static bool parse(struct ring *r)
{
	const char *p = r->data + r->off, *end;
	struct record *rec = &r->next;
	unsigned int type = u32_at(p) & TYPE_MASK;
	uint32_t bytes = bytes_of(p, left(r, p), type);

	*rec = (struct record){ 0 };
	if (!bytes)
		return false;
	r->raw_ts += u32_at(p) >> TYPE_BITS;
	rec->ts = time_of(r, r->raw_ts);
	rec->event = p + HEAD;
	rec->bytes = bytes - HEAD;
	rec->type = u16_at(rec->event);
	rec->odd = rec->type & NESTRACE_AUDIT_BITS;
	rec->type &= ~rec->odd;
	end = parse_more(r, rec, p + bytes, type);
	if (!end)
		return false;
	r->off = end - r->data;
	return true;
}

/*
 * Find what is published in the last sub-buffer: a head is written last, and was 0 before. Return: its end.
 */
static uint32_t followed_end(struct ring *r)
{
	uint32_t end = NESTRACE_SUBBUF_HEADER;
	uint64_t raw_ts = r->raw_ts;
	const char *p;

	r->follow->followed = r->follow->followed_exits = 0;
	for (r->end = END; r->off + HEAD <= END && u32_at(r->data + r->off);) {
		p = r->data + r->off;
		if ((u32_at(p) & TYPE_MASK) == TYPE_TIME_EXTEND) {
			r->off += 2 * sizeof(uint32_t);
			continue;
		}
		/* not one that is whole */
		if (!parse(r))
			break;
		end = r->off;
		if (end <= r->head_end)
			continue;
		r->follow->followed++;
		r->follow->followed_exits += r->next.type == NESTRACE_EVENT_EXIT;
	}
	r->off = NESTRACE_SUBBUF_HEADER;
	r->raw_ts = raw_ts;
	return end < r->head_end ? r->head_end : end;
}

/* Read the sub-buffer @r->subbuf. */
static void load(struct ring *r, struct memory_dump *d)
{
	uint64_t first, begin;

	/* nothing in it is published, so it need not be there, nor its header be right */
	if (r->subbuf == r->head && !r->follow && r->head_end == NESTRACE_SUBBUF_HEADER) {
		r->off = r->end = NESTRACE_SUBBUF_HEADER;
		r->loaded = true;
		return;
	}
	if (!memory_dump_read(d, r->page[r->subbuf & (r->nr - 1)], r->data, sizeof(r->data))) {
		damage(r);
		return;
	}
	r->off = NESTRACE_SUBBUF_HEADER;
	r->end = r->subbuf < r->head ? NESTRACE_SUBBUF_HEADER + u64_at(r->data + 8) :
		 r->follow ? followed_end(r) : r->head_end;
	r->loaded = true;
	first = u64_at(r->data + NESTRACE_SUBBUF_SIZE - sizeof(uint64_t));
	begin = u64_at(r->data);
	if (r->end > END || r->end < NESTRACE_SUBBUF_HEADER || first < r->index || (int64_t)(begin - r->raw_ts) < 0) {
		damage(r);
		return;
	}
	r->missed += first - r->index;
	r->index = first;
	r->raw_ts = begin;
}

/* Find the next record, which is in @r->next then, or the end. */
static void advance(struct ring *r, struct memory_dump *d)
{
	const char *p;

	while (!r->over) {
		if (!r->loaded)
			load(r, d);
		if (r->over)
			return;
		if (r->off == r->end) {
			r->over = r->subbuf == r->head;
			r->subbuf++;
			r->loaded = false;
			continue;
		}
		p = r->data + r->off;
		if (left(r, p) < HEAD) {
			damage(r);
		} else if ((u32_at(p) & TYPE_MASK) != TYPE_TIME_EXTEND) {
			if (!parse(r))
				damage(r);
			return;
		} else if (left(r, p) < 2 * sizeof(uint32_t)) {
			damage(r);
		} else {
			r->raw_ts += ((uint64_t)u32_at(p + 4) << DELTA_BITS) + (u32_at(p) >> TYPE_BITS);
			r->off += 2 * sizeof(uint32_t);
		}
	}
}

/* The machine may have been about to use the oldest sub-buffer again. Return: false if it had begun to. */
static bool is_intact(struct memory_dump *d, const uint64_t *oldest, const uint64_t *next)
{
	const size_t first = NESTRACE_SUBBUF_SIZE - sizeof(uint64_t);
	char a[NESTRACE_SUBBUF_SIZE], b[NESTRACE_SUBBUF_SIZE];

	/* its header comes before all else: times, and records before a sub-buffer, only grow */
	return memory_dump_read(d, *oldest, a, sizeof(a)) && memory_dump_read(d, *next, b, sizeof(b)) &&
	       (int64_t)(u64_at(b) - u64_at(a)) >= 0 && u64_at(a + first) <= u64_at(b + first);
}

static void open_ring(struct ring *r, struct memory_dump *d, const struct dead_session *s, const struct dead_cpu *c,
		      unsigned int slot, const uint64_t *page, struct dead_kept *kept)
{
	uint64_t pos = c->count[slot][NESTRACE_DUMP_pos];

	*r = (struct ring){
		.session = s, .slot = slot, .page = page, .nr = s->about.ring_bytes[slot] >> SHIFT,
		.head = pos >> SHIFT, .head_end = pos & MASK, .follow = s->about.copies ? kept : NULL,
	};
	r->subbuf = r->head < r->nr ? 0 : r->head - r->nr + 1;
	if (r->follow && r->head - r->subbuf == r->nr - 1 &&
	    !is_intact(d, &page[r->subbuf & (r->nr - 1)], &page[(r->subbuf + 1) & (r->nr - 1)]))
		r->subbuf++;
	if (r->head_end < NESTRACE_SUBBUF_HEADER || r->head_end > END)
		damage(r);
}

/* Return: the ring with the earliest record, or NULL. As in the module, the last ring goes on before equal ones. */
static struct ring *earliest(struct dead_rings *r)
{
	struct ring *first = r->last && !r->last->over ? r->last : NULL, *at;

	for (at = r->ring; at < r->ring + NESTRACE_NR_SLOTS; at++)
		if (!at->over && (!first || at->next.ts < first->next.ts))
			first = at;
	return first;
}

static void take(struct dead_rings *r, struct ring *from)
{
	r->last = from;
	from->index++;
	from->missed = 0;
	advance(from, r->dump);
}

/* Skip what the file has already, and find out what is missing behind it. */
static void skip(struct dead_rings *r, const struct dead_joint *j)
{
	uint64_t before = 0, at_ts[NESTRACE_NR_SLOTS], *at;
	struct ring *from;
	bool gap = false, skipped;

	/* each ring reports what is missing before its first */
	if (j->total && !j->records)
		return;
	memcpy(at_ts, j->at_ts, sizeof(at_ts));
	for (from = r->ring; from < r->ring + NESTRACE_NR_SLOTS; from++) {
		at = &at_ts[context_slot(from->slot)];
		skipped = false;
		while (!from->over && (from->next.ts < j->ts || (from->next.ts == j->ts && *at))) {
			*at -= from->next.ts == j->ts;
			skipped = true;
			take(r, from);
		}
		before += from->index;
		/* the file may not have what was before the oldest one */
		gap |= from->missed && !skipped;
		from->missed = 0;
	}
	if (j->total)
		r->missed = before > j->records ? before - j->records : 0;
	else
		r->missed = gap ? -1 : 0;
}

struct dead_rings *dead_rings_open(struct memory_dump *d, const struct dead_session *s, unsigned int nr,
				   const struct dead_joint *joint)
{
	struct dead_rings *r = xzalloc(1, sizeof(*r));
	const uint64_t *page = s->cpu[nr].page;
	unsigned int slot;

	r->dump = d;
	r->session = s;
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		open_ring(&r->ring[slot], d, s, &s->cpu[nr], slot, page, &r->kept[slot]);
		page += r->ring[slot].nr;
		advance(&r->ring[slot], d);
	}
	skip(r, joint);
	return r;
}

/* Return the bytes of an event of @bytes with its head, and its length where the head cannot hold it. */
static uint32_t out_bytes(uint32_t bytes)
{
	bytes += HEAD;
	return bytes > SHORT_MAX ? bytes + sizeof(uint32_t) : bytes;
}

static void put(struct dead_rings *r, const void *data, size_t len)
{
	if (len)
		memcpy(r->out + NESTRACE_SUBBUF_HEADER + r->len, data, len);
	r->len += len;
}

static void put_u32(struct dead_rings *r, uint32_t v)
{
	put(r, &v, sizeof(v));
}

static void put_head(struct dead_rings *r, uint32_t bytes, uint32_t delta)
{
	if (bytes + HEAD <= SHORT_MAX) {
		put_u32(r, bytes / sizeof(uint32_t) | delta << TYPE_BITS);
	} else {
		put_u32(r, delta << TYPE_BITS);
		put_u32(r, bytes + sizeof(uint32_t));
	}
}

static void put_exit(struct dead_rings *r, const struct ring *ring, const struct record *rec)
{
	uint64_t begin = time_of(ring, u64_at(rec->event + 24));
	struct nestrace_exit e = {
		.common = u32_at(rec->event), .pid = u32_at(rec->event + 4), .ip = u64_at(rec->event + 8),
		.retval = u64_at(rec->event + 16), .depth = u32_at(rec->event + 32),
	};

	if (begin > rec->ts)
		begin = rec->ts;
	e.calltime = span_ns(ring, begin);
	e.rettime = e.calltime + span_ns(ring, rec->ts - begin);
	put(r, &e, sizeof(e));
}

/* Must the event say its slot, because its flags say another? */
static bool says_slot(const struct ring *ring, const struct record *rec)
{
	unsigned int by_flags = context_of_flags((uint8_t)rec->event[2]);

	return rec->odd || (ring->slot != by_flags &&
			    !(ring->slot == NESTRACE_SLOT_NMI_INLINE && by_flags == NESTRACE_SLOT_NMI));
}

/* Return: false if the record does not fit. Room for the number of missed ones stays free. */
static bool append(struct dead_rings *r, const struct ring *ring)
{
	const struct record *rec = &ring->next;
	bool exit = rec->type == NESTRACE_EVENT_EXIT, slot = says_slot(ring, rec);
	uint32_t bytes = exit ? sizeof(struct nestrace_exit) : rec->bytes, all, len, common;
	uint32_t stack = sizeof(struct nestrace_stack) + rec->nr_callers * sizeof(uint64_t);
	uint64_t ts = (int64_t)(rec->ts - r->out_ts) < 0 ? r->out_ts : rec->ts;
	uint64_t delta = r->len ? ts - r->out_ts : 0;
	bool extend = delta >> DELTA_BITS;
	char *event;

	all = bytes + rec->nr_words * sizeof(uint64_t) + (slot ? sizeof(uint32_t) : 0);
	len = (extend ? 2 * sizeof(uint32_t) : 0) + out_bytes(all) + (rec->stack ? out_bytes(stack) : 0);
	if (r->len + len > NESTRACE_SUBBUF_SIZE - NESTRACE_SUBBUF_HEADER - 2 * sizeof(uint64_t))
		return false;
	if (!r->len)
		memcpy(r->out, &ts, sizeof(ts));
	r->out_ts = ts;
	if (extend) {
		put_u32(r, TYPE_TIME_EXTEND | (uint32_t)(delta << TYPE_BITS));
		put_u32(r, delta >> DELTA_BITS);
		delta = 0;
	}
	put_head(r, all, delta);
	event = r->out + NESTRACE_SUBBUF_HEADER + r->len;
	if (exit)
		put_exit(r, ring, rec);
	else
		put(r, rec->event, bytes);
	memcpy(event, &rec->type, sizeof(rec->type));
	put(r, rec->words, rec->nr_words * sizeof(uint64_t));
	if (slot)
		put_u32(r, ring->slot | rec->odd);
	if (rec->stack) {
		common = NESTRACE_EVENT_STACK | (u32_at(rec->event) & ~0xffffU);
		put_head(r, stack, 0);
		put_u32(r, common);
		put(r, rec->event + 4, sizeof(uint32_t));
		put_u32(r, rec->nr_callers);
		put_u32(r, rec->mark);
		put(r, rec->stack, rec->nr_callers * sizeof(uint64_t));
	}
	return true;
}

bool dead_rings_next(struct dead_rings *r, void *subbuf)
{
	int64_t missed = r->missed;
	struct ring *from;
	uint64_t commit;

	memset(subbuf, 0, NESTRACE_SUBBUF_SIZE);
	r->last = NULL;
	r->out = subbuf;
	r->len = 0;
	r->missed = 0;
	while ((from = earliest(r))) {
		/* only the head of a sub-buffer can report a gap */
		if (from->missed && r->len)
			break;
		if (!append(r, from)) {
			if (r->len)
				break;
			/* the module does not make one that fits nowhere */
			damage(from);
			continue;
		}
		if (from->missed && missed >= 0)
			missed += from->missed;
		r->kept[from->slot].records++;
		r->kept[from->slot].exits += from->next.type == NESTRACE_EVENT_EXIT;
		take(r, from);
	}
	commit = r->len;
	if (missed)
		commit |= NESTRACE_SUBBUF_MISSED;
	if (missed > 0) {
		commit |= NESTRACE_SUBBUF_MISSED_STORED;
		memcpy(r->out + NESTRACE_SUBBUF_HEADER + r->len, &missed, sizeof(missed));
	}
	memcpy(r->out + 8, &commit, sizeof(commit));
	return r->len;
}

const struct dead_kept *dead_rings_kept(const struct dead_rings *r)
{
	return r->kept;
}

bool dead_rings_damaged(const struct dead_rings *r)
{
	unsigned int slot;

	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		if (r->ring[slot].damaged)
			return true;
	return false;
}

void dead_rings_close(struct dead_rings *r)
{
	free(r);
}
