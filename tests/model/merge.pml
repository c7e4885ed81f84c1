/*
 * The rings of one CPU and their merge. Three contexts nest (task, interrupt, NMI); each has a
 * guard and a ring, and its hits may recurse. A reader takes a snapshot and passes on records
 * up to the watermark. Stores reach the reader in order. That they come late needs no model: no
 * writer reads what the reader writes, so a late store is like a slow writer. See src/hook.c,
 * src/guard.h and nt_stream_snapshot() in src/merge.c. Mutants: -DMUTANT_...
 */
#define SLOTS	3
#ifndef HITS
#define HITS	2	/* in a slot at most */
#endif
#ifndef NMI_HITS
#define NMI_HITS	HITS
#endif
#define HITS_OF(s)	((s) == 2 -> NMI_HITS : HITS)

/* Each is written by its slot only. */
byte clock = 1;
byte last[SLOTS], pos[SLOTS];
bool guard[SLOTS];
byte rec[SLOTS * HITS];		/* time of each record; complete once pos is beyond it */
bool over = false;

/* The steps of a hit. A slot continues only when the slots above it are idle. */
byte step[SLOTS], ts[SLOTS];

#define IDLE_ABOVE(s)	((s) == 2 || ((s) == 1 && step[2] == 0) || \
			 ((s) == 0 && step[1] == 0 && step[2] == 0))

proctype context(byte s) {
	do
	:: pos[s] < HITS_OF(s) && IDLE_ABOVE(s) && step[s] == 0 ->
		/* an interrupt leaves the guard as it was, so test and take it in one step */
		atomic { IDLE_ABOVE(s) -> assert(!guard[s]); step[s] = 1 }
#ifdef MUTANT_GUARD_LATE
		atomic { IDLE_ABOVE(s) -> ts[s] = clock; clock++ }
		atomic { IDLE_ABOVE(s) -> guard[s] = true };
#else
		atomic { IDLE_ABOVE(s) -> guard[s] = true };
		/* a function that the hook calls would find the guard taken: it recurses */
		atomic { IDLE_ABOVE(s) -> assert(guard[s]); ts[s] = clock; clock++ }
#endif
		atomic { IDLE_ABOVE(s) -> last[s] = ts[s] };
		atomic { IDLE_ABOVE(s) -> rec[s * HITS + pos[s]] = ts[s]; ts[s] = 0 };
#ifdef MUTANT_LEAVE_BEFORE_PUBLISH
		atomic { IDLE_ABOVE(s) -> guard[s] = false };
		atomic { IDLE_ABOVE(s) -> pos[s]++; step[s] = 0 }
#else
		atomic { IDLE_ABOVE(s) -> pos[s]++ };
		atomic { IDLE_ABOVE(s) -> guard[s] = false; step[s] = 0 }
#endif
	:: pos[s] == HITS_OF(s) && step[s] == 0 -> break
	od
}

active proctype reader() {
	byte saw_last[SLOTS], saw_pos[SLOTS], next[SLOTS], newest, in_flight, watermark, out = 0, i, best, from;
	bool ended;

	do
	:: true ->
		ended = over;
		newest = 0; in_flight = 255;
#ifdef MUTANT_POS_BEFORE_GUARDS
		i = 0; do :: atomic { i < SLOTS -> saw_pos[i] = pos[i]; i++ } :: else -> break od;
#endif
		i = 0;
		do
		:: atomic { i < SLOTS ->
			saw_last[i] = last[i];
			if :: saw_last[i] > newest -> newest = saw_last[i] :: else fi;
			i++ }
		:: else -> break
		od;
		i = 0;
		do
		:: atomic { i < SLOTS ->
			if
			:: guard[i] ->
				if :: saw_last[i] < in_flight -> in_flight = saw_last[i] :: else fi
			:: else
			fi;
			i++ }
		:: else -> break
		od;
#ifndef MUTANT_POS_BEFORE_GUARDS
		i = 0; do :: atomic { i < SLOTS -> saw_pos[i] = pos[i]; i++ } :: else -> break od;
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
					:: next[i] < saw_pos[i] && rec[i * HITS + next[i]] < best ->
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
			saw_last[0] = 0; saw_last[1] = 0; saw_last[2] = 0; saw_pos[0] = 0; saw_pos[1] = 0; saw_pos[2] = 0
		};
		if :: ended -> break :: else fi
	od;
	/* no record is lost, and every guard is free */
	assert(next[0] == HITS && next[1] == HITS && next[2] == NMI_HITS);
	assert(!guard[0] && !guard[1] && !guard[2])
}

init {
	atomic { run context(0); run context(1); run context(2) }
	/* the three contexts have ended, the reader has not */
	_nr_pr == 2;
	over = true
}
