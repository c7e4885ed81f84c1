/*
 * The global clock: two CPUs, whose counters differ, each interrupted once in its read.
 * See nt_clock_read_global() in src/clock.h. Never waits; what was given and entered
 * before a read began is not above what that read gives; a CPU that is not interrupted
 * within a read never sees time go back. Mutants: -DMUTANT_...
 */
#define LEVELS	4	/* CPU 0: task, interrupt; CPU 1: task, interrupt */
#define READS	2

byte now[2] = { 3, 0 };		/* the CPUs' counters: their TSCs differ */
byte prev = 0;
bool locked = false;
byte entered = 0;		/* the highest time of a read that has ended, and was entered */
byte given[LEVELS];		/* the last time that each level got */
bool busy[LEVELS];		/* in a read */

#define CPU(l)		((l) / 2)
/* the task goes on when its interrupt is over */
#define MAY(l)		((l) % 2 == 1 || !busy[(l) + 1])

proctype level(byte l) {
	byte t, p, before, reads = 0, of_cpu;
	bool got;

	do
	:: reads < READS ->
		/* an interrupt ends before it begins again; the task begins when there is none */
		atomic { MAY(l) -> busy[l] = true; before = entered;
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
#ifndef MUTANT_NOT_ENTERED
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
			if :: got && t > entered -> entered = t :: else fi;
			busy[l] = false; reads++; t = 0; p = 0; before = 0; of_cpu = 0
		}
	:: else -> break
	od
}

init {
	atomic { run level(0); run level(1); run level(2); run level(3) }
	/* all come to their end: nobody waits for a lock that is not given back */
	(_nr_pr == 1);
	assert(!locked)
}
