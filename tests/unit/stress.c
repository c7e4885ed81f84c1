// SPDX-License-Identifier: GPL-2.0
/*
 * The hook, its guard, rings and clock, and the merge, built in userspace from the module's
 * own sources. Threads are CPUs, nested signals are their interrupts, and one reader per CPU
 * merges the rings while they are written.
 *   stress SECONDS SEED [MODE]
 * MODE is a word or several: overwrite, roomy; returns: hits are calls that return, exit: and are
 * recorded only then; few: with fewer nodes than calls at times; stacks: with the stack of each call;
 * args: with five words of arguments; long: with 30.
 * Every hit has a number in its class. The reader sees each number at most once; a number
 * that it does not see was counted as lost or recursed. The same holds for returns.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "args.h"
#include "clock.h"
#include "fetch.h"
#include "guard.h"
#include "hook_more.h"
#include "merge.h"
#include "session.h"
#include "stack.h"
#include "stream.h"
#include "thread_cpus.h"

#define CPUS		UNIT_CPUS
#define SUBBUFS		4
#define ROOMY		16384
#define HITS_MAX	(1 << 22)

/* classes of hits: the contexts, their first functions, and recursion */
enum class { TASK, SOFTIRQ, HARDIRQ, NMI, BREAKPOINT, HARDIRQ_EDGE, NMI_EDGE,
	     RECURSION, BREAKPOINT_INSIDE, NR_CLASSES };

static struct nt_stream streams[NR_CPUS];
static struct rethook pools[NESTRACE_NR_SLOTS];	/* the nodes of each slot are by CPU */
static bool finished;
static int quiet;

static struct cpu {
	pthread_t thread, reader;
	unsigned int seed;
	u64 made[NR_CLASSES];
	u8 *seen[NR_CLASSES];	/* a bit for each number */
	u8 *returned[NR_CLASSES];	/* and one for its return */
	u64 entries, functions, exits;	/* seen */
	u64 nr_seen, nr_missed, last_ts, seen_of[NR_CLASSES];
	int depth;
} cpus[NR_CPUS];

/* Like TSCs of different sockets, each CPU's has an offset of its own. */
u64 nt_sched_clock_target(void)
{
	return unit_ns() + this_cpu * 3000;
}

u64 nt_local_clock_target(void)
{
	return nt_sched_clock_target();
}

/* Set bit 31, as in every address of kernel text: the guard relies on it. */
static u64 ip_of(enum class class, u64 nr)
{
	return 0xffff000000000000 | (u64)class << 40 | 1U << 31 | nr << 4;
}

#define RETVAL(ip)	((ip) * 3 + 1)

#define STACK_MAX	24	/* callers; an event of more than 12 has a length of its own */

/* Walk a stack that the call's number gives. */
void nt_arch_walk(const struct pt_regs *entry, unsigned long ip, struct nt_stack *stack, u32 max)
{
	u32 nr = (ip >> 4) % (STACK_MAX + 1), i;

	for (i = 0; i < nr; i++)
		stack->caller[i] = ip + i + 1;
	stack->nr = stack->mark = nr;
}

/* Arguments that the call's number gives: the entry's registers have it. */
static struct nt_program program;
/* with the free entry that ends a search */
static struct { struct nt_programs table; struct nt_program_of none; } programs = { .table.others = &program };

void nt_fetch(const struct nt_program *p, const struct pt_regs *entry, enum nestrace_slot slot, struct nt_args *to)
{
	unsigned int i;

	to->nr = nt_program_words(p);
	for (i = 0; i < to->nr; i++)
		to->word[i] = entry->di + i;
}

/* Some calls do not pass, and neither do some returns. */
static bool passes(u64 ip)
{
	return (ip >> 4) % 7 != 3;
}

bool nt_fetch_call_passes(const struct nt_program *p, const struct pt_regs *entry, enum nestrace_slot slot)
{
	return !p->nr_if || passes(entry->di);
}

bool nt_fetch_return_passes(const struct nt_program *p, u64 retval, enum nestrace_slot slot)
{
	/* undo RETVAL(): this is the inverse of 3 */
	return !p->nr_exit_if || passes((retval - 1) * 0xaaaaaaaaaaaaaaabULL);
}

/* Put a node into a pool, as objpool_push() does. */
static void push(struct objpool_slot *slot, struct nt_node *node)
{
	unsigned long flags;
	u32 tail;

	raw_local_irq_save(flags);
	tail = READ_ONCE(slot->tail);
	while (!try_cmpxchg(&slot->tail, &tail, tail + 1))
		;
	WRITE_ONCE(slot->entries[tail & slot->mask], node);
	smp_store_release(&slot->last, tail + 1);
	raw_local_irq_restore(flags);
}

/* Return as rethook_trampoline_handler() makes a function return. */
static void unit_return(unsigned long *at, u64 ip)
{
	struct pt_regs regs = { .ax = RETVAL(ip) };
	struct llist_node *first = current->rethooks.first;
	struct nt_node *node = container_of(first, struct nt_node, base.llist);

	preempt_disable_notrace();
	if (!first || node->base.frame != (unsigned long)at || node->ip != ip) {
		FAIL("a return finds another call");
	} else {
		node->base.rethook->handler(&node->base, node->base.rethook->data,
					    node->base.ret_addr, &regs);
		current->rethooks.first = first->next;
		*at = node->base.ret_addr;
		push((struct objpool_slot *)rings[this_cpu].slot[node->base.rethook - pools].nodes, node);
	}
	__preempt_count--;
}

static void hit(enum class class)
{
	struct cpu *c = &cpus[this_cpu];
	u64 nr = __atomic_fetch_add(&c->made[class], 1, __ATOMIC_RELAXED), ip = ip_of(class, nr);
	unsigned long return_address = ~ip;
	struct ftrace_regs fregs = { .regs = { .sp = (unsigned long)&return_address, .di = ip } };

	if (nr >= HITS_MAX) {
		__atomic_fetch_sub(&c->made[class], 1, __ATOMIC_RELAXED);
		return;
	}
	session.hook.ops.func(ip, ~ip, &session.hook.ops, &fregs);
	/* the hook writes there; a function that it calls itself must have it undone */
	if (*(volatile unsigned long *)&return_address == nt_return_trampoline)
		unit_return(&return_address, ip);
	if (return_address != ~ip)
		FAIL("a call returns to another place");
}

static void on_hardirq(int sig);

/* Interrupt exactly here. */
static void interrupt(void)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	on_hardirq(0);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/*
 * Interrupt while the guard is being taken, and once more under it: the second interrupt
 * finds what the first one left.
 */
static __thread bool interrupted, interrupting;

void unit_taking(void)
{
	if (this_cpu < 0 || interrupting || !(irq_flags & 0x200) ||
	    rand_r(&cpus[this_cpu].seed) % 64)
		return;
	interrupting = true;
	interrupt();
	interrupting = false;
	interrupted = true;
}

/* Called by the hook of this build: a traced function under the guard; see test.h. */
void nt_test_traced(void)
{
	struct cpu *c = &cpus[this_cpu];

	if (interrupted && irq_flags & 0x200) {
		interrupted = false;
		interrupt();
	}
	if (c->depth < 3 && rand_r(&c->seed) % 8 == 0) {
		c->depth++;
		hit(RECURSION);
		c->depth--;
	}
}

struct where {
	unsigned long sp, flags;
	unsigned int count;
};

static struct where here(void)
{
	return (struct where){ current_stack_pointer, irq_flags, __preempt_count };
}

static void back_to(struct where w)
{
	current_stack_pointer = w.sp;
	irq_flags = w.flags;
	__preempt_count = w.count;
}

static void on_softirq(int sig)
{
	struct where was = here();

	/* only where interrupts are on, and not nested in itself, as after an interrupt */
	if (this_cpu < 0 || !(was.flags & 0x200) ||
	    was.count & (SOFTIRQ_MASK | HARDIRQ_MASK | NMI_MASK))
		return;
	current_stack_pointer = nt_stacks.irq + 0x3000;
	__preempt_count += SOFTIRQ_OFFSET;
	hit(SOFTIRQ);
	hit(SOFTIRQ);
	back_to(was);
}

static void on_hardirq(int sig)
{
	struct where was = here();

	if (this_cpu < 0 || !(was.flags & 0x200) || was.count & (HARDIRQ_MASK | NMI_MASK))
		return;
	/* in the first function of an interrupt, only the interrupt flag says where it is */
	irq_flags = 0;
	hit(HARDIRQ_EDGE);
	if (!(current_stack_pointer - nt_stacks.irq < IRQ_STACK_SIZE))
		current_stack_pointer = nt_stacks.irq + 0x3000;
	else
		current_stack_pointer -= 0x100;
	__preempt_count += HARDIRQ_OFFSET;
	hit(HARDIRQ);
	hit(HARDIRQ);
	back_to(was);
}

static void on_nmi(int sig)
{
	struct where was = here();

	if (this_cpu < 0)
		return;
	irq_flags = 0;
	current_stack_pointer = nt_stacks.exceptions +
				offsetof(struct cea_exception_stacks, NMI_stack) + 0x100;
	hit(NMI_EDGE);
	__preempt_count += NMI_OFFSET + HARDIRQ_OFFSET;
	hit(NMI);
	back_to(was);
}

static void on_breakpoint(int sig)
{
	struct where was = here();

	/* the slot that the interrupted code would have found for itself */
	enum nestrace_slot below = was.count & HARDIRQ_MASK ? NESTRACE_SLOT_HARDIRQ :
			     was.count & SOFTIRQ_OFFSET ? NESTRACE_SLOT_SOFTIRQ :
			     was.sp - nt_stacks.irq < IRQ_STACK_SIZE ? NESTRACE_SLOT_HARDIRQ : NESTRACE_SLOT_TASK;
	bool inside = this_cpu >= 0 && nt_guard_held(below);

	/* not in an NMI, which has a stack of its own */
	if (this_cpu < 0 || was.count & NMI_MASK ||
	    was.sp - nt_stacks.exceptions < sizeof(struct cea_exception_stacks))
		return;
	irq_flags = 0;
	__preempt_count += NMI_OFFSET + HARDIRQ_OFFSET;
	hit(inside ? BREAKPOINT_INSIDE : BREAKPOINT);
	back_to(was);
}

static void *cpu_thread(void *arg)
{
	struct cpu *c = arg;
	sigset_t none;

	current = &tasks[c - cpus];
	current->pid = 100 + (c - cpus);
	current->stack = (void *)0x700000UL;
	current_stack_pointer = 0x702000UL;
	nt_stacks.irq = 0x100000UL;
	nt_stacks.exceptions = 0x200000UL;
	guards_of[c - cpus] = &nt_guards;
	__atomic_store_n(&this_cpu, c - cpus, __ATOMIC_RELEASE);
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
		hit(TASK);
		/* sometimes with interrupts off */
		if (rand_r(&c->seed) % 16 == 0) {
			irq_flags = 0;
			hit(TASK);
			irq_flags = 0x200;
		}
		if (rand_r(&c->seed) % 64 == 0)
			usleep(1);
	}
	sigfillset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	__atomic_fetch_add(&quiet, 1, __ATOMIC_RELEASE);
	/* the guards belong to this thread and are read until the end */
	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE))
		usleep(100);
	return NULL;
}

static void look_at_exit(const struct nestrace_exit *exit, u64 ts)
{
	if (exit->retval != RETVAL(exit->ip))
		FAIL("a torn return: %llx %llx", (unsigned long long)exit->ip,
		     (unsigned long long)exit->retval);
	if (exit->calltime > exit->rettime || exit->rettime != ts)
		FAIL("a return before its call");
}

/* Check the stack of the call at @ip. */
static void look_at_stack(const void *event, u32 bytes, u64 ip)
{
	u32 nr = (ip >> 4) % (STACK_MAX + 1), i;
	struct nestrace_stack stack;
	u64 caller[STACK_MAX];

	memcpy(&stack, event, sizeof(stack));
	if (bytes != sizeof(stack) + nr * sizeof(u64) || stack.nr != nr || stack.mark != nr) {
		FAIL("a stack of %u bytes instead of %u callers", bytes, nr);
		return;
	}
	memcpy(caller, (const char *)event + sizeof(stack), nr * sizeof(u64));
	for (i = 0; i < nr; i++)
		if (caller[i] != ip + i + 1)
			FAIL("the stack of another call");
}

/* Check the arguments behind a call: @bytes of them, and perhaps its slot. */
static void look_at_args(const void *words, u32 bytes, u64 ip)
{
	u32 nr = session.hook.programs ? nt_program_words(&program) : 0, i;
	u64 word;

	if (bytes / sizeof(u64) != nr || (bytes % sizeof(u64) && bytes % sizeof(u64) != sizeof(u32))) {
		FAIL("%u bytes behind a call instead of %u words", bytes, nr);
		return;
	}
	for (i = 0; i < nr; i++) {
		memcpy(&word, (const char *)words + i * sizeof(u64), sizeof(word));
		if (word != ip + i)
			FAIL("the arguments of another call");
	}
}

/* Check what the reader of a CPU was handed, event by event. */
static void look_at(struct cpu *c, struct nt_subbuf *out, u32 len, u64 missed)
{
	u64 ts = out->time_stamp, nr, mask, stack_of = 0;
	struct nestrace_function rec;
	struct nestrace_exit exit;
	u32 off = 0, head, length, fixed;
	enum class class;
	const u8 *event;
	bool is_exit;
	u8 *seen;

	c->nr_missed += missed;
	while (off < len) {
		memcpy(&head, out->data + off, sizeof(head));
		off += 4;
		if ((head & 31) == NT_TYPE_TIME_EXTEND) {
			u32 more;

			memcpy(&more, out->data + off, sizeof(more));
			ts += ((u64)more << NT_DELTA_BITS) + (head >> NT_TYPE_BITS);
			off += 4;
			continue;
		}
		length = 4 * (head & 31);
		if (!length) {
			memcpy(&length, out->data + off, sizeof(length));
			off += 4;
			length -= 4;
		}
		event = out->data + off;
		off += length;
		memcpy(&rec, event, length < sizeof(rec) ? length : sizeof(rec));
		if (rec.type == NESTRACE_EVENT_STACK) {
			look_at_stack(event, length, stack_of);
			stack_of = 0;
			continue;
		}
		if (stack_of)
			FAIL("a call without its stack");
		ts += head >> NT_TYPE_BITS;
		is_exit = rec.type == NESTRACE_EVENT_EXIT;
		if (is_exit) {
			memcpy(&exit, event, sizeof(exit));
			look_at_exit(&exit, ts);
		} else {
			fixed = rec.type == NESTRACE_EVENT_ENTRY ? sizeof(struct nestrace_entry) : sizeof(rec);
			look_at_args(event + fixed, length - fixed, rec.ip);
		}
		if (!is_exit && rec.parent_ip != ~rec.ip)
			FAIL("a torn record: %llx %llx", (unsigned long long)rec.ip,
			     (unsigned long long)rec.parent_ip);
		if (ts < c->last_ts)
			FAIL("time goes back");
		c->last_ts = ts;
		class = rec.ip >> 40 & 0xff;
		nr = rec.ip >> 4 & 0x7ffffff;
		if (class >= RECURSION || nr >= HITS_MAX) {
			FAIL("a record that must not be there, of class %d", class);
			continue;
		}
		if (session.hook.programs && !passes(rec.ip))
			FAIL("a record that does not pass, of class %d", class);
		if (session.hook.stack && !is_exit)
			stack_of = rec.ip;
		mask = 1 << nr % 8;
		seen = is_exit ? c->returned[class] : c->seen[class];
		if (seen[nr / 8] & mask)
			FAIL("a record twice, of class %d", class);
		seen[nr / 8] |= mask;
		c->nr_seen++;
		c->exits += is_exit;
		c->entries += rec.type == NESTRACE_EVENT_ENTRY;
		c->functions += rec.type == NESTRACE_EVENT_FUNCTION;
		if (!is_exit || session.hook.at_exit)
			c->seen_of[class]++;
	}
	if (stack_of)
		FAIL("a stack is not behind its call");
}

static void *reader(void *arg)
{
	struct cpu *c = arg;
	struct nt_stream *st = &streams[c - cpus];
	bool ended, full;

	do {
		ended = nt_stream_ended(st);
		do {
			full = nt_stream_fill(st);
			if (full || (ended && st->out_len)) {
				u32 len = st->out_len;
				u64 missed = st->out_missed;

				nt_stream_seal(st);
				look_at(c, st->out, len, missed);
				nt_stream_next(st);
				full = true;
			}
		} while (full);
	} while (!ended);
	return NULL;
}

static void *zeroed(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* Make the nodes of a ring. */
static struct nt_nodes *nodes(enum nestrace_slot slot, u32 nr)
{
	struct objpool_slot *s = calloc(1, sizeof(*s) + nr * sizeof(void *));
	struct nt_node *node = calloc(nr, sizeof(*node));
	u32 i;

	s->mask = nr - 1;
	pools[slot] = (struct rethook){ &session.hook, nt_return_handler(&session.hook) };
	for (i = 0; i < nr; i++) {
		node[i].base.rethook = &pools[slot];
		push(s, &node[i]);
	}
	return (struct nt_nodes *)s;
}

static void make_rings(bool overwrite, u64 subbufs, u32 nr_nodes)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < CPUS; cpu++) {
		streams[cpu] = (struct nt_stream){ .session = &session, .cpu = cpu,
						   .out = zeroed(NESTRACE_SUBBUF_SIZE) };
		for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
			struct nt_ring *r = &rings[cpu].slot[i];

			nt_ring_init(r, zeroed(subbufs * NESTRACE_SUBBUF_SIZE), subbufs * NESTRACE_SUBBUF_SIZE,
				     overwrite);
			r->order = &session.order;
			if (session.hook.returns)
				nt_ring_fit(r, sizeof(struct nt_exit_record));
			/* those of other CPUs may be taken, too */
			r->nodes = nodes(i, nr_nodes);
			streams[cpu].cursor[i].off = NESTRACE_SUBBUF_HEADER;
			streams[cpu].cursor[i].end = NESTRACE_SUBBUF_HEADER;
			streams[cpu].cursor[i].copy = zeroed(NESTRACE_SUBBUF_SIZE);
		}
		for (i = 0; i < NR_CLASSES; i++) {
			cpus[cpu].seen[i] = zeroed(HITS_MAX / 8);
			cpus[cpu].returned[i] = zeroed(HITS_MAX / 8);
		}
	}
}

static void catch(int sig, void (*fn)(int), int mask1, int mask2, int mask3)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = SA_RESTART };

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, mask1 ?: sig);
	sigaddset(&sa.sa_mask, mask2 ?: sig);
	sigaddset(&sa.sa_mask, mask3 ?: sig);
	sigaction(sig, &sa, NULL);
}

/* Return: how many of the first @nr calls of a class pass. */
static u64 passed(enum class class, u64 nr)
{
	u64 sum = 0, i;

	if (!session.hook.programs)
		return nr;
	for (i = 0; i < nr; i++)
		sum += passes(ip_of(class, i));
	return sum;
}

/* Compare the counters with what was made and seen. */
static void account(unsigned int cpu, bool roomy)
{
	u64 hits = 0, written = 0, full = 0, recursed = 0, made = 0, nested = 0;
	u64 exits = 0, exits_full = 0, dropped = 0, missed = 0, awaited = 0, away = 0;
	u64 filtered = 0, exits_filtered = 0;
	struct nt_overwritten overwritten = { 0 }, some;
	struct cpu *c = &cpus[cpu];
	unsigned int i;

	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		struct nt_ring *r = &rings[cpu].slot[i];

		hits += READ_ONCE(r->hits);
		written += READ_ONCE(r->written);
		full += r->full;
		recursed += READ_ONCE(r->recursed);
		nested += r->in_tracer;
		some = nt_stream_overwritten(&streams[cpu], i);
		overwritten.records += some.records;
		overwritten.exits += some.exits;
		exits += r->exits;
		exits_full += r->exits_full;
		dropped += r->exits_dropped;
		filtered += r->filtered;
		exits_filtered += r->exits_filtered;
		missed += r->missed[NT_MISSED_NO_NODE];
		awaited += r->awaited;
		away += r->away - r->strangers;
		if (guards_of[cpu]->half[nt_guard_half(i)].ip)
			FAIL("guard %u of CPU %u is left held", i, cpu);
	}
	for (i = 0; i < NR_CLASSES; i++)
		made += c->made[i];
	if (hits - exits - exits_full - dropped - exits_filtered != made)
		FAIL("CPU %u: %llu hits, %llu were made", cpu, (unsigned long long)hits,
		     (unsigned long long)made);
	if (hits != written + full + recursed + dropped + awaited + filtered + exits_filtered)
		FAIL("CPU %u: the counters do not add up", cpu);
	if (c->nr_seen + overwritten.records != written || c->exits + overwritten.exits != exits)
		FAIL("CPU %u: %llu seen, %llu overwritten, %llu written; returns: %llu, %llu, %llu", cpu,
		     (unsigned long long)c->nr_seen, (unsigned long long)overwritten.records,
		     (unsigned long long)written, (unsigned long long)c->exits,
		     (unsigned long long)overwritten.exits, (unsigned long long)exits);
	/* all calls have returned */
	if (session.hook.returns &&
	    exits + exits_full + dropped + exits_filtered != (session.hook.at_exit ? awaited : written - exits - missed))
		FAIL("CPU %u: %llu returns of other calls", cpu,
		     (unsigned long long)(exits + exits_full + dropped));
	if (session.hook.returns && roomy && c->functions != missed)
		FAIL("CPU %u: %llu calls without return, %llu nodes were missing", cpu,
		     (unsigned long long)c->functions, (unsigned long long)missed);
	if (away)
		FAIL("CPU %u: a return is in another slot", cpu);
	/* a gap is reported before a later record; a gap at the end is not */
	if (c->nr_missed > full + overwritten.records)
		FAIL("CPU %u: more missed than lost", cpu);
	if (recursed < c->made[RECURSION] + c->made[BREAKPOINT_INSIDE])
		FAIL("CPU %u: a recursion was recorded", cpu);
	if (streams[cpu].stepped_back)
		FAIL("CPU %u: %llu records were handed out too late", cpu,
		     (unsigned long long)streams[cpu].stepped_back);
	/* nothing is lost where there is room, but breakpoints may recurse in each other */
	for (i = 0; roomy && i < RECURSION; i++)
		if (i != BREAKPOINT && c->seen_of[i] != passed(i, c->made[i]))
			FAIL("CPU %u: %llu of class %u made, %llu seen", cpu,
			     (unsigned long long)c->made[i], i, (unsigned long long)c->seen_of[i]);
	if (session.order.lock.val)
		FAIL("the clock's lock is left held");
	printf("# CPU %u: %llu hits, %llu seen, %llu lost, %llu recursed, %llu arrived inside the tracer\n",
	       cpu, (unsigned long long)hits, (unsigned long long)c->nr_seen,
	       (unsigned long long)(full + overwritten.records), (unsigned long long)recursed,
	       (unsigned long long)nested);
}

/* Times read one after the other, on CPUs whose TSCs differ, never go back. */
static struct nt_clock_order clock_order;
static u64 clock_last;
static int clock_turn;

static void *clock_thread(void *arg)
{
	u64 now, behind = 0;
	int i;

	this_cpu = (long)arg;
	for (i = 0; i < 20000; i++) {
		while (__atomic_load_n(&clock_turn, __ATOMIC_ACQUIRE) != this_cpu)
			sched_yield();
		now = nt_clock_read(NT_READER_GLOBAL_LOCK, &clock_order, &behind);
		if (now < clock_last)
			FAIL("the global clock goes back from CPU to CPU");
		clock_last = now;
		__atomic_store_n(&clock_turn, !clock_turn, __ATOMIC_RELEASE);
	}
	if (!this_cpu && !behind)
		FAIL("no time of the CPU that is behind was set forward");
	return NULL;
}

/* @held: by a context that is interrupted all the time. */
static void test_clock(bool held)
{
	pthread_t threads[2];
	long i;

	clock_order.lock.val = held;
	clock_last = 0;
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, clock_thread, (void *)i);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	static const enum nt_reader readers[] = { NT_READER_GLOBAL_LOCK, NT_READER_GLOBAL_TSC, NT_READER_MONO };
	static const int storm[] = { 0, 0, 1, 1, 2, 3 };
	unsigned int cpu, seed = argc > 2 ? atoi(argv[2]) : 1;
	int sigs[4], softirq = SIGUSR1, hardirq = SIGUSR2, nmi = SIGRTMIN, bp = SIGRTMIN + 1;
	const char *mode = argc > 3 ? argv[3] : "";
	bool roomy = strstr(mode, "roomy");
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	u64 end;
	sigset_t all;

	if (argc < 3)
		return 2;
	sigs[0] = softirq;
	sigs[1] = hardirq;
	sigs[2] = nmi;
	sigs[3] = bp;
	alarm(seconds + 60);	/* a tracer that waits would not end */
	session.hook.returns = strstr(mode, "returns");
	session.hook.at_exit = strstr(mode, "exit");
	session.hook.stack = strstr(mode, "stacks") ? STACK_MAX : 0;
	session.hook.reader = readers[seed % 3];
	if (strstr(mode, "args") || strstr(mode, "long")) {
		session.hook.programs = &programs.table;
		program.words = session.hook.at_exit ? 0 : strstr(mode, "long") ? 30 : 5;
		program.nr_if = !session.hook.at_exit;
		program.nr_exit_if = session.hook.filters_exits = session.hook.at_exit;
	}
	session.hook.more = session.hook.returns || session.hook.stack || session.hook.programs;
	make_rings(strstr(mode, "overwrite"), roomy ? ROOMY : SUBBUFS, strstr(mode, "few") ? 2 : 64);
	test_clock(false);
	test_clock(true);
	session.hook.rings = rings;
	session.hook.ops.func = nt_hook_func(&session.hook, false);
	session.state = NT_RUNNING;
	session.run_seq = 1;
	/* the signals that each blocks: an NMI may interrupt anything except an NMI */
	catch(softirq, on_softirq, softirq, 0, 0);
	catch(hardirq, on_hardirq, softirq, hardirq, 0);
	catch(nmi, on_nmi, nmi, bp, hardirq);
	catch(bp, on_breakpoint, bp, softirq, hardirq);
	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	for (cpu = 0; cpu < CPUS; cpu++) {
		cpus[cpu].seed = seed + cpu;
		pthread_create(&cpus[cpu].thread, NULL, cpu_thread, &cpus[cpu]);
	}
	for (cpu = 0; cpu < CPUS; cpu++) {
		while (!__atomic_load_n(&guards_of[cpu], __ATOMIC_ACQUIRE))
			usleep(100);
		pthread_create(&cpus[cpu].reader, NULL, reader, &cpus[cpu]);
	}
	end = unit_ns() + seconds * 1e9;
	while (unit_ns() < end) {
		pthread_kill(cpus[rand_r(&seed) % CPUS].thread, sigs[storm[rand_r(&seed) % 6]]);
		for (cpu = rand_r(&seed) % 512; cpu; cpu--)
			barrier();
	}
	/* stopped, with no hit in flight, as after unregister_ftrace_function() */
	__atomic_store_n(&running, false, __ATOMIC_RELAXED);
	while (__atomic_load_n(&quiet, __ATOMIC_ACQUIRE) < CPUS)
		usleep(100);
	smp_store_release(&session.state, NT_STOPPED);
	for (cpu = 0; cpu < CPUS; cpu++)
		pthread_join(cpus[cpu].reader, NULL);
	for (cpu = 0; cpu < CPUS; cpu++)
		account(cpu, roomy);
	__atomic_store_n(&finished, true, __ATOMIC_RELEASE);
	for (cpu = 0; cpu < CPUS; cpu++)
		pthread_join(cpus[cpu].thread, NULL);
	return failures != 0;
}
