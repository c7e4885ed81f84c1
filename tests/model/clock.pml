/*
 * The global clock under its lock: two CPUs, whose counters differ, each with an interrupt.
 * See nt_clock_lock() in src/clock.h. Mutants: -DMUTANT_...
 *  - A read never waits.
 *  - A read is not below the time of another read that ended before it began, whether that
 *    one had the lock or not: an interrupt may hold up the holder of the lock for any time.
 *  - A CPU that is not interrupted within a read never sees time go back.
 */
#ifndef LEVELS
#define LEVELS	4	/* CPU 0: task, interrupt; CPU 1: task, interrupt */
#endif
#ifndef READS
#define READS	2	/* in each level */
#endif
#ifndef INTERRUPT_READS
#define INTERRUPT_READS	READS
#endif

byte now[2] = { 3, 0 };		/* the CPUs' counters: their TSCs differ */
byte locked_ts = 0, unlocked_ts = 0;
bool locked = false;
byte ended = 0;			/* the highest time of a read that has ended */
byte given[LEVELS];		/* the last time that each level has read */
bool busy[LEVELS];		/* in a read */

#define CPU(l)		((l) / 2)
/* A task continues when its interrupt has ended. */
#define MAY(l)		((l) % 2 == 1 || (l) + 1 == LEVELS || !busy[(l) + 1])

proctype level(byte l) {
	byte t, seen, before, reads = 0, of_cpu;
	bool got;

	do
	:: reads < (l % 2 == 1 -> INTERRUPT_READS : READS) ->
		/* an interrupt ends before the next one; a task begins when there is none */
		atomic { MAY(l) -> busy[l] = true; before = ended;
			 of_cpu = given[l];
			 if :: l % 2 == 1 && !busy[l - 1] && given[l - 1] > of_cpu -> of_cpu = given[l - 1] :: else fi;
			 if :: l % 2 == 0 && l + 1 < LEVELS && given[l + 1] > of_cpu -> of_cpu = given[l + 1] :: else fi }
		atomic { MAY(l) -> now[CPU(l)]++; t = now[CPU(l)] }
#ifdef MUTANT_BLOCKING
		atomic { MAY(l) && !locked -> locked = true; got = true }
#else
		atomic { MAY(l) -> got = !locked; if :: got -> locked = true :: else fi }
#endif
		/* a step reads or writes one word of memory */
		if
		:: got ->
			atomic { MAY(l) -> if :: t < locked_ts -> t = locked_ts :: else fi }
#ifndef MUTANT_HOLDER_SEES_ONE
			atomic { MAY(l) -> if :: t < unlocked_ts -> t = unlocked_ts :: else fi }
#endif
#ifndef MUTANT_NOT_STORED
			atomic { MAY(l) -> locked_ts = t }
#endif
#ifndef MUTANT_NOT_RELEASED
			atomic { MAY(l) -> locked = false }
#endif
		:: else ->
			atomic { MAY(l) -> seen = unlocked_ts }
#ifndef MUTANT_NO_FLOOR
			atomic { MAY(l) -> if :: t < locked_ts -> t = locked_ts :: else fi }
#endif
			/* NT_CLOCK_TRIES is more than there are others here */
			do
			:: MAY(l) ->
				if :: t < seen -> t = seen :: else fi;
				if
				:: t == seen -> break
#ifdef MUTANT_NOT_ENTERED
				:: else -> break
#elif defined(MUTANT_PLAIN_ENTRY)
				:: else -> atomic { MAY(l) -> unlocked_ts = t }; break
#else
				:: else -> atomic { MAY(l) ->
					if
					:: unlocked_ts == seen -> unlocked_ts = t; break
					:: else -> seen = unlocked_ts
					fi }
#endif
				fi
			od
		fi;
		atomic {
			MAY(l) ->
			assert(t >= before);
			assert(t >= of_cpu);
			given[l] = t;
			if :: t > ended -> ended = t :: else fi;
			busy[l] = false; reads++; t = 0; seen = 0; before = 0; of_cpu = 0; got = false
		}
	:: else -> break
	od
}

init {
	byte i;
	atomic { do :: i < LEVELS -> run level(i); i++ :: else -> break od }
	/* every process ends: none waits for a lock that nobody releases */
	(_nr_pr == 1);
	assert(!locked)
}
