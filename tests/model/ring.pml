/*
 * One ring: its writer, its reader, and a memory that delays and reorders the writer's stores
 * as far as smp_store_release() and smp_wmb() allow. See src/ring.h and nt_cursor_refill() in
 * src/merge.c.
 *
 * Each hit has a number, which is its record. The reader must get each record that is not
 * lost, in order, and know exactly how many are missing before it.
 * -DOVERWRITE: a full ring drops its oldest sub-buffer, and the reader reads a copy; otherwise it
 * reads the ring in place. Mutants: -DMUTANT_...
 */
#if defined(OVERWRITE) || defined(MUTANT_COPY_BEFORE_POS)
#define COPIES
#endif
#ifdef COPIES
#define SEEN(i)	copy[i]
#else
#define SEEN(i)	mem[DATA(subbuf, i)]
#endif
#define SUBBUFS	2	/* in the ring */
#define RECS	2	/* records in each */
#ifndef HITS
#define HITS	7
#endif

/* Addresses. @pos counts RECS + 1 for each sub-buffer: it was entered, and each record. */
#define POS		0
#define DATA(p, i)	(1 + ((p) % SUBBUFS) * (RECS + 1) + (i))
#define FIRST(p)	(1 + ((p) % SUBBUFS) * (RECS + 1) + RECS)
#define WORDS		(1 + SUBBUFS * (RECS + 1))
#define PER_SUBBUF	(RECS + 1)

byte mem[WORDS];
byte read_subbuf = 0;		/* the reader's: sub-buffers below this are free */
bool written_all = false;
byte lost_full = 0;

/* stores that memory does not have yet, the oldest first */
#define DEPTH	4
byte st_addr[DEPTH], st_val[DEPTH];
bool st_release[DEPTH];
byte pending = 0;

inline store(a, v, rel) {
	atomic {
		pending < DEPTH;
		st_addr[pending] = a; st_val[pending] = v; st_release[pending] = rel;
		pending++
	}
}

inline barrier_stores() { pending == 0 }

/* A release waits for all stores before it. Stores after it do not wait for it. */
active proctype memory() {
	byte i, j;
	bool may;
end:	do
	:: atomic {
		pending > 0 ->
		/* take any store that no other holds back */
		i = 0;
		do
		:: i < pending - 1 -> i++
		:: break
		od;
		may = !(st_release[i] && i > 0);
		j = 0;
		do
		:: j < i -> may = may && st_addr[j] != st_addr[i]; j++
		:: else -> break
		od;
		if
		:: may ->
			mem[st_addr[i]] = st_val[i];
			j = i;
			do
			:: j < pending - 1 ->
				st_addr[j] = st_addr[j + 1]; st_val[j] = st_val[j + 1];
				st_release[j] = st_release[j + 1]; j++
			:: else -> break
			od;
			pending--
		:: else
		fi;
		i = 0; j = 0; may = false
	   }
	od
}

active proctype writer() {
	byte hit = 1, subbuf = 0, off = 0, written = 0, nr_full = 0;
	bool ok;

	do
	:: hit <= HITS ->
		ok = true;
		if
		:: off == RECS ->
#ifndef OVERWRITE
			if
			:: subbuf + 1 - read_subbuf >= SUBBUFS -> nr_full++; ok = false
			:: else
			fi;
#endif
			if
			:: ok ->
				subbuf++; off = 0;
				/* commit is not modelled: all sub-buffers hold RECS records */
#ifdef MUTANT_FIRST_BEFORE_POS
				store(FIRST(subbuf), written + nr_full, false);
				store(POS, subbuf * PER_SUBBUF, true);
#else
				store(POS, subbuf * PER_SUBBUF, true);
#ifndef MUTANT_NO_WMB
				barrier_stores();
#endif
				store(FIRST(subbuf), written + nr_full, false)
#endif
			:: else
			fi
		:: else
		fi;
		if
		:: ok ->
#ifdef MUTANT_PUBLISH_FIRST
			store(POS, subbuf * PER_SUBBUF + off + 1, true);
			store(DATA(subbuf, off), hit, false);
#else
			store(DATA(subbuf, off), hit, false);
#ifdef MUTANT_PLAIN_PUBLISH
			store(POS, subbuf * PER_SUBBUF + off + 1, false);
#else
			store(POS, subbuf * PER_SUBBUF + off + 1, true);
#endif
#endif
			off++; written++
		:: else
		fi;
		hit++
	:: else -> break
	od;
	lost_full = nr_full;
	barrier_stores();
	written_all = true
}

active proctype reader() {
	byte subbuf = 0, off = 0, have = 0, index = 0, limit, again, missed, total_missed = 0, got = 0;
	byte copy[RECS], first, i;
	bool last, complete = false, good;

	do
	:: true ->
		last = written_all;
#ifdef MUTANT_COPY_BEFORE_POS
		i = 0;
		do
		:: atomic { i < RECS -> copy[i] = mem[DATA(subbuf, i)]; i++ }
		:: else -> break
		od;
		first = mem[FIRST(subbuf)];
#endif
		limit = mem[POS];
		/* the steps of nt_cursor_refill() */
		if
		:: off == have && complete ->
			subbuf++; off = 0; have = 0; complete = false;
#ifdef MUTANT_FREE_EARLY
			read_subbuf = subbuf + 1
#else
			read_subbuf = subbuf
#endif
		:: else
		fi;
#ifdef OVERWRITE
		again = mem[POS];
		if
		:: off == have && again / PER_SUBBUF >= SUBBUFS && subbuf < again / PER_SUBBUF - SUBBUFS + 1 ->
			subbuf = again / PER_SUBBUF - SUBBUFS + 1; off = 0; have = 0
		:: else
		fi;
#endif
		if
		:: subbuf > limit / PER_SUBBUF || (subbuf == limit / PER_SUBBUF && limit % PER_SUBBUF <= have) ->
			if
			:: last -> break
			:: else
			fi
		:: else ->
#ifndef MUTANT_COPY_BEFORE_POS
#ifdef COPIES
			i = 0;
			do
			:: atomic { i < RECS -> copy[i] = mem[DATA(subbuf, i)]; i++ }
			:: else -> break
			od;
#endif
			first = mem[FIRST(subbuf)];
#endif
			good = true;
#ifdef OVERWRITE
#ifndef MUTANT_NO_RECHECK
			again = mem[POS];
			good = !(again / PER_SUBBUF >= SUBBUFS && subbuf < again / PER_SUBBUF - SUBBUFS + 1);
#endif
#endif
			if
			:: good ->
				complete = subbuf < limit / PER_SUBBUF;
				if
				:: complete -> have = RECS
				:: else -> have = limit % PER_SUBBUF
				fi;
				if
				:: off == 0 ->
					missed = first - index; index = first;
					total_missed = total_missed + missed
				:: else
				fi;
				do
				:: off < have ->
					/* hits are numbered from 1; index counts those before this one */
					assert(SEEN(off) == index + 1);
					index++; off++; got++
				:: else -> break
				od
			:: else
			fi
		fi;
		i = 0; again = 0; first = 0; limit = 0; missed = 0
	od;
	/* the reader does not learn of losses at the end; only a full ring has these */
	assert(got + total_missed <= HITS);
#ifdef OVERWRITE
	assert(got + total_missed == HITS)
#else
	assert(got + lost_full == HITS)
#endif
}
