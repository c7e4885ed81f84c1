/*
 * The global clock: two CPUs, whose counters differ, each with an interrupt. See
 * nt_clock_read_global() in src/clock.h. Mutants: -DMUTANT_...
 *  - A read never waits.
 *  - A read is not below the time that another read stored before it began.
 *  - A CPU that is not interrupted within a read never sees time go back.
 */
#define LEVELS	4	/* CPU 0: task, interrupt; CPU 1: task, interrupt */
#define READS	2

byte now[2] = { 3, 0 };		/* the CPUs' counters: their TSCs differ */
byte prev = 0;
bool locked = false;
byte stored = 0;		/* the highest time that a read has stored, once it has ended */
byte given[LEVELS];		/* the last time that each level has read */
bool busy[LEVELS];		/* in a read */

#define CPU(l)		((l) / 2)
/* A task continues when its interrupt has ended. */
#define MAY(l)		((l) % 2 == 1 || !busy[(l) + 1])

proctype level(byte l) {
	byte t, p, before, reads = 0, of_cpu;
	bool got;

	do
	:: reads < READS ->
		/* an interrupt ends before the next one; a task begins when there is none */
		atomic { MAY(l) -> busy[l] = true; before = stored;
			 of_cpu = given[l];
			 if :: l % 2 == 1 && !busy[l - 1] && given[l - 1] > of_cpu -> of_cpu = given[l - 1] :: else fi;
			 if :: l % 2 == 0 && given[l + 1] > of_cpu -> of_cpu = given[l + 1] :: else fi }
		atomic { MAY(l) -> now[CPU(l)]++; t = now[CPU(l)] }
#ifdef MUTANT_BLOCKING
		atomic { MAY(l) && !locked -> locked = true; got = true }
#else
		atomic { MAY(l) -> got = !locked; if :: got -> locked = true :: else fi }
#endif
		MAY(l);
		p = prev;
		if
		:: got ->
			if :: t < p -> t = p :: else fi;
			MAY(l);
#ifndef MUTANT_NOT_STORED
			prev = t;
#endif
			MAY(l);
#ifndef MUTANT_NOT_RELEASED
			locked = false
#endif
		:: else ->
#ifndef MUTANT_NO_FLOOR
			if :: t < p -> t = p :: else fi
#endif
		fi;
		atomic {
			MAY(l) ->
			assert(t >= before);
			assert(t >= of_cpu);
			given[l] = t;
			if :: got && t > stored -> stored = t :: else fi;
			busy[l] = false; reads++; t = 0; p = 0; before = 0; of_cpu = 0
		}
	:: else -> break
	od
}

init {
	atomic { run level(0); run level(1); run level(2); run level(3) }
	/* every process ends: none waits for a lock that nobody releases */
	(_nr_pr == 1);
	assert(!locked)
}
