/*
 * The guards of one CPU: a task, a softirq, a hardirq with its edge, and NMIs, each with a hit.
 * See src/guard.h, nt_slot() in src/stack.h and nt_trace_plain() in src/hook.c.
 * Mutants: -DMUTANT_...
 *  - A hit finds the guard of its slot free, unless the hook itself has caused the hit: the
 *    first function of an interrupt is not taken for a recursion.
 *  - A hit that the hook causes finds it held, with interrupts on or off.
 *  - A hit of an interrupt knows whether it arrived inside the hook of another slot.
 *  - In the end all guards are free.
 */
#define TASK	0
#define SOFTIRQ	1
#define HARDIRQ	2
#define NMI	3

bool held[4];
bool flags_on[2] = true;	/* of the holder of an open slot; a free guard says on */
bool irqs = true;		/* of the CPU */
bool in_irq, in_softirq;

/* nt_guard_any_upto(), asked while the own guard is free */
#ifdef MUTANT_LOOKS_AT_NONE
#define ANY(slot)	false
#else
#define ANY(slot)	(held[TASK] || held[SOFTIRQ] || ((slot) >= HARDIRQ && held[HARDIRQ]) || \
			 ((slot) > HARDIRQ && held[NMI]))
#endif

inline leave(slot)
{
	d_step {
		held[slot] = false;
#ifndef MUTANT_FREE_KEEPS_FLAGS
		if :: slot < HARDIRQ -> flags_on[slot] = true :: else fi
#endif
	}
}

/* An NMI may come anywhere. */
inline nmi()
{
	if
	:: true
	:: assert(!held[NMI]);
	   assert(ANY(NMI) == (held[TASK] || held[SOFTIRQ] || held[HARDIRQ]));
	   held[NMI] = true;
	   leave(NMI)
	fi
}

/* The first function of an interrupt, at the level @level of what was interrupted: irqs are off. */
inline edge(level)
{
#ifdef MUTANT_EDGE_IS_NO_INTERRUPT
	slot = level;
#else
	slot = (held[level] && flags_on[level] -> HARDIRQ : level);
#endif
	assert(!held[slot]);
	if :: slot < HARDIRQ -> flags_on[slot] = false :: else fi;
	nmi();
	held[slot] = true;
	nmi();
	leave(slot)
}

/* An interrupt may come where interrupts are on, at the level @level. */
inline interrupt(level)
{
	if
	:: true
	:: irqs && !in_irq ->
		irqs = false; in_irq = true;
		edge(level);
		assert(!held[HARDIRQ]);
		assert(ANY(HARDIRQ) == (held[TASK] || held[SOFTIRQ]));
		held[HARDIRQ] = true;
		nmi();
		leave(HARDIRQ);
		edge(level);
		irqs = true; in_irq = false
	fi
}

/* The hook causes a hit: it finds the guard held. */
inline recursion(own)
{
	if
	:: true
	:: slot = (held[own] && flags_on[own] && !irqs -> HARDIRQ : own);
	   assert(slot == own && held[own])
	fi
}

/* A hit of an open slot, with everything that may come at each of its steps. */
inline hit(own)
{
	/* decided, with the guard free; nothing is written yet */
	interrupt(own); nmi();
#ifndef GUARD_FIRST
	flags_on[own] = irqs;
	interrupt(own); nmi();
#endif
	held[own] = true;
	interrupt(own); nmi();
#ifdef GUARD_FIRST
	/* the order does not matter: until they are entered, the flags say that interrupts are on */
	flags_on[own] = irqs;
	interrupt(own); nmi();
#endif
	recursion(own);
	/* RCU is entered with interrupts off, in some hits */
	if
	:: true
	:: irqs ->
		irqs = false;
		/* between these two, nothing but an NMI can come */
		nmi();
#ifndef MUTANT_FLAGS_NOT_NOTED
		flags_on[own] = false;
#endif
		recursion(own);
		nmi();
#ifndef MUTANT_FLAGS_NOT_NOTED
		flags_on[own] = true;
#endif
		irqs = true;
		interrupt(own)
	fi;
	recursion(own);
	leave(own);
	interrupt(own)
}

init {
	byte slot, hits = 0;

	do
	:: hits < 2 -> hits++;
		if
		/* a task's hit, in which a softirq may come at the end of an interrupt */
		:: flags_on[TASK] = true; held[TASK] = true;
		   if
		   :: true
		   :: in_softirq = true;
		      assert(ANY(SOFTIRQ) == held[TASK]);
		      hit(SOFTIRQ);
		      in_softirq = false
		   fi;
		   leave(TASK)
		:: hit(TASK)
		/* with interrupts off from the beginning */
		:: irqs = false; hit(TASK); irqs = true
		fi
	:: else -> break
	od;
	assert(!held[TASK] && !held[SOFTIRQ] && !held[HARDIRQ] && !held[NMI])
}
