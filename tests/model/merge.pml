/*
 * The rings of one CPU and their merge. Three contexts nest (task, interrupt, NMI); each has a
 * guard and a ring, and its hits may recurse. A reader takes a snapshot and passes on records
 * up to the watermark. Stores reach the reader late, but in order. See src/hook.c, src/guard.h
 * and nt_stream_snapshot() in src/merge.c. Mutants: -DMUTANT_...
 */
#define SLOTS	3
#ifndef HITS
#define HITS	2	/* in each slot */
#endif

/* as the CPU itself sees it */
byte clock = 1;
bool guard[SLOTS];
byte made[SLOTS], recursed = 0, tries = 0;

/* as the reader sees it */
byte v_last[SLOTS], v_pos[SLOTS];
bool v_guard[SLOTS];
byte rec[SLOTS * HITS];		/* time of each record; complete once v_pos is beyond it */

#define DEPTH	3
#define LAST	0
#define GUARD	3
#define POSN	6
byte st_what[DEPTH], st_val[DEPTH];
byte pending = 0;
bool over = false;

inline store(w, v) {
	atomic { pending < DEPTH; st_what[pending] = w; st_val[pending] = v; pending++ }
}

active proctype memory() {
	byte i;
end:	do
	:: atomic {
		pending > 0 ->
		if
		:: st_what[0] < GUARD -> v_last[st_what[0]] = st_val[0]
		:: st_what[0] >= GUARD && st_what[0] < POSN -> v_guard[st_what[0] - GUARD] = st_val[0]
		:: else -> v_pos[st_what[0] - POSN] = st_val[0]
		fi;
		i = 0;
		do
		:: i < pending - 1 -> st_what[i] = st_what[i + 1]; st_val[i] = st_val[i + 1]; i++
		:: else -> break
		od;
		pending--;
		i = 0
	   }
	od
}

/* The steps of a hit. A slot continues only when the slots above it are idle. */
byte step[SLOTS], ts[SLOTS];

#define IDLE_ABOVE(s)	((s) == 2 || ((s) == 1 && step[2] == 0) || \
			 ((s) == 0 && step[1] == 0 && step[2] == 0))

proctype context(byte s) {
	do
	:: made[s] < HITS && IDLE_ABOVE(s) && step[s] == 0 ->
		/* an interrupt leaves the guard as it was, so test and take it in one step */
		atomic { IDLE_ABOVE(s) -> assert(!guard[s]); step[s] = 1 }
#ifdef MUTANT_GUARD_LATE
		atomic { IDLE_ABOVE(s) -> ts[s] = clock; clock++; step[s] = 2 }
		atomic { IDLE_ABOVE(s) -> guard[s] = true };
		store(GUARD + s, 1);
#else
		atomic { IDLE_ABOVE(s) -> guard[s] = true };
		store(GUARD + s, 1);
		/* a function that the hook calls: it recurses */
		if
		:: tries < 2 -> tries++; if :: guard[s] -> recursed++ :: else -> assert(false) fi
		:: true
		fi;
		atomic { IDLE_ABOVE(s) -> ts[s] = clock; clock++; step[s] = 2 }
#endif
		IDLE_ABOVE(s); store(LAST + s, ts[s]);
		IDLE_ABOVE(s); rec[s * HITS + made[s]] = ts[s];
		IDLE_ABOVE(s);
#ifdef MUTANT_LEAVE_BEFORE_PUBLISH
		atomic { guard[s] = false; pending < DEPTH; st_what[pending] = GUARD + s; st_val[pending] = 0; pending++ };
		IDLE_ABOVE(s); store(POSN + s, made[s] + 1);
		atomic { made[s]++; step[s] = 0 }
#else
		store(POSN + s, made[s] + 1);
		atomic { IDLE_ABOVE(s) -> pending < DEPTH; guard[s] = false; st_what[pending] = GUARD + s; st_val[pending] = 0; pending++; made[s]++; step[s] = 0 }
#endif
	:: made[s] == HITS -> break
	od
}

active proctype reader() {
	byte last[SLOTS], pos[SLOTS], next[SLOTS], newest, in_flight, watermark, out = 0, i, best, from;
	bool ended;

	do
	:: true ->
		ended = over;
		newest = 0; in_flight = 255;
#ifdef MUTANT_POS_BEFORE_GUARDS
		i = 0; do :: i < SLOTS -> pos[i] = v_pos[i]; i++ :: else -> break od;
#endif
		i = 0;
		do
		:: i < SLOTS ->
			last[i] = v_last[i];
			if :: last[i] > newest -> newest = last[i] :: else fi;
			i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < SLOTS ->
			if
			:: v_guard[i] ->
				if :: last[i] < in_flight -> in_flight = last[i] :: else fi
			:: else
			fi;
			i++
		:: else -> break
		od;
#ifndef MUTANT_POS_BEFORE_GUARDS
		i = 0; do :: i < SLOTS -> pos[i] = v_pos[i]; i++ :: else -> break od;
#endif
		atomic {
#ifdef MUTANT_NO_IN_FLIGHT
			watermark = newest;
#else
			watermark = newest;
			if :: in_flight < watermark -> watermark = in_flight :: else fi;
#endif
			if :: ended -> watermark = 255 :: else fi;
			do
			:: true ->
				best = 255; i = 0; from = SLOTS;
				do
				:: i < SLOTS ->
					if
					:: next[i] < pos[i] && rec[i * HITS + next[i]] < best ->
						best = rec[i * HITS + next[i]]; from = i
					:: else
					fi;
					i++
				:: else -> break
				od;
				if
				:: from == SLOTS || best > watermark -> break
				:: else ->
					/* records are passed on in time order */
					assert(best > out);
					out = best; next[from]++
				fi
			od;
			newest = 0; in_flight = 0; watermark = 0; best = 0; from = 0; i = 0;
			last[0] = 0; last[1] = 0; last[2] = 0; pos[0] = 0; pos[1] = 0; pos[2] = 0
		};
		if :: ended -> break :: else fi
	od;
	/* no record is lost, and every guard is free */
	assert(next[0] == HITS && next[1] == HITS && next[2] == HITS);
	assert(!guard[0] && !guard[1] && !guard[2])
}

init {
	atomic { run context(0); run context(1); run context(2) }
	made[0] == HITS && made[1] == HITS && made[2] == HITS && pending == 0;
	over = true
}
