/*
 * One ring: its writer, its reader, and a memory that delays and reorders the writer's
 * stores as far as smp_store_release() and smp_wmb() let it. See src/ring.h and
 * nt_cursor_refill() in src/merge.c.
 *
 * Each hit has a number; a record is that number. The reader must get each record that
 * was not lost, in order, and know exactly how many are missing before each.
 * -DOVERWRITE: a full ring drops its oldest sub-buffer. Mutants: -DMUTANT_...
 */
#define PAGES	2	/* sub-buffers */
#define RECS	2	/* records in each */
#ifndef HITS
#define HITS	7
#endif

/* addresses; @pos counts RECS + 1 a page: "page entered" and each record */
#define POS		0
#define DATA(p, i)	(1 + ((p) % PAGES) * (RECS + 1) + (i))
#define FIRST(p)	(1 + ((p) % PAGES) * (RECS + 1) + RECS)
#define WORDS		(1 + PAGES * (RECS + 1))
#define PER_PAGE	(RECS + 1)

byte mem[WORDS];
byte read_page = 0;		/* the reader's word: sub-buffers below are free */
bool written_all = false;
byte lost_full = 0;

/* stores on their way: the oldest first */
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

/* A release waits for all before it; what follows it does not wait for it. */
active proctype memory() {
	byte i, j;
	bool may;
end:	do
	:: atomic {
		pending > 0 ->
		/* any that nothing holds back */
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
	byte hit = 1, page = 0, off = 0, written = 0, nr_full = 0;
	bool ok;

	do
	:: hit <= HITS ->
		ok = true;
		if
		:: off == RECS ->
#ifndef OVERWRITE
			if
			:: page + 1 - read_page >= PAGES -> nr_full++; ok = false
			:: else
			fi;
#endif
			if
			:: ok ->
				page++; off = 0;
				/* the commit is not modelled: all pages hold RECS */
#ifdef MUTANT_FIRST_BEFORE_POS
				store(FIRST(page), written + nr_full, false);
				store(POS, page * PER_PAGE, true);
#else
				store(POS, page * PER_PAGE, true);
#ifndef MUTANT_NO_WMB
				barrier_stores();
#endif
				store(FIRST(page), written + nr_full, false)
#endif
			:: else
			fi
		:: else
		fi;
		if
		:: ok ->
#ifdef MUTANT_PUBLISH_FIRST
			store(POS, page * PER_PAGE + off + 1, true);
			store(DATA(page, off), hit, false);
#else
			store(DATA(page, off), hit, false);
#ifdef MUTANT_PLAIN_PUBLISH
			store(POS, page * PER_PAGE + off + 1, false);
#else
			store(POS, page * PER_PAGE + off + 1, true);
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
	byte page = 0, off = 0, have = 0, index = 0, limit, again, missed, total_missed = 0, got = 0;
	byte copy[RECS], first, i;
	bool last, closed = false, good;

	do
	:: true ->
		last = written_all;
#ifdef MUTANT_COPY_BEFORE_POS
		i = 0;
		do
		:: i < RECS -> copy[i] = mem[DATA(page, i)]; i++
		:: else -> break
		od;
		first = mem[FIRST(page)];
#endif
		limit = mem[POS];
		/* as nt_cursor_refill() */
		if
		:: off == have && closed ->
			page++; off = 0; have = 0; closed = false;
#ifdef MUTANT_FREE_EARLY
			read_page = page + 1
#else
			read_page = page
#endif
		:: else
		fi;
#ifdef OVERWRITE
		again = mem[POS];
		if
		:: off == have && again / PER_PAGE >= PAGES && page < again / PER_PAGE - PAGES + 1 ->
			page = again / PER_PAGE - PAGES + 1; off = 0; have = 0
		:: else
		fi;
#endif
		if
		:: page > limit / PER_PAGE || (page == limit / PER_PAGE && limit % PER_PAGE <= have) ->
			if
			:: last -> break
			:: else
			fi
		:: else ->
#ifndef MUTANT_COPY_BEFORE_POS
			i = 0;
			do
			:: i < RECS -> copy[i] = mem[DATA(page, i)]; i++
			:: else -> break
			od;
			first = mem[FIRST(page)];
#endif
			good = true;
#ifdef OVERWRITE
#ifndef MUTANT_NO_RECHECK
			again = mem[POS];
			good = !(again / PER_PAGE >= PAGES && page < again / PER_PAGE - PAGES + 1);
#endif
#endif
			if
			:: good ->
				closed = page < limit / PER_PAGE;
				if
				:: closed -> have = RECS
				:: else -> have = limit % PER_PAGE
				fi;
				if
				:: off == 0 ->
					missed = first - index; index = first;
					total_missed = total_missed + missed
				:: else
				fi;
				do
				:: off < have ->
					/* hit numbers begin with 1, index counts those before */
					assert(copy[off] == index + 1);
					index++; off++; got++
				:: else -> break
				od
			:: else
			fi
		fi;
		i = 0; again = 0; first = 0; limit = 0; missed = 0
	od;
	/* what is missing at the end, nobody was told of: only a full ring does that */
	assert(got + total_missed <= HITS);
#ifdef OVERWRITE
	assert(got + total_missed == HITS)
#else
	assert(got + lost_full == HITS)
#endif
}
