/*
 * A reader that looks whether a session is stopped, while it is started and stopped beside
 * it: nt_session_start() and nt_session_stop() of src/session.c, nt_stream_snapshot() of
 * src/merge.c. Each step is one access; releases and acquires keep their order.
 *
 * Who concludes that there are no writers has not looked at positions while there were.
 */
#define RUNS	3

mtype = { RUNNING, STOPPED };
mtype state = STOPPED;
byte starts = 1;		/* it has run before */
bool hooked;

active proctype owner()
{
	byte i;

	for (i : 1 .. RUNS) {
#ifdef MUTANT_STARTS_FIRST
		starts++;
		state = RUNNING;
#else
		state = RUNNING;
		starts++;
#endif
		hooked = true;
		/* hits */
		hooked = false;
		state = STOPPED;
	}
}

active proctype reader()
{
	byte seen;
	bool writers, looked_at_writers;

#ifdef MUTANT_STATE_FIRST
	writers = (state == RUNNING);
	seen = starts;
#else
	seen = starts;
	writers = (state == RUNNING);
#endif
	looked_at_writers = hooked;	/* the positions */
	writers = writers || state == RUNNING;
#ifndef MUTANT_NO_STARTS
	writers = writers || starts != seen;
#endif
	assert(writers || !looked_at_writers);
}
