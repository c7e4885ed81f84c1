/*
 * A reader checks whether a session is stopped, while another task starts and stops it. See
 * nt_session_start() and nt_session_stop() in src/session.c, and nt_stream_snapshot() in
 * src/merge.c. Each step is one access; releases and acquires keep their order.
 *
 * A reader that finds no writers must have read the positions while there were none.
 */
#define RUNS	3

mtype = { RUNNING, STOPPED };
mtype state = STOPPED;
byte run_seq = 1;		/* the session has run before */
bool hooked;

active proctype owner()
{
	byte i;

	for (i : 1 .. RUNS) {
#ifdef MUTANT_RUN_SEQ_FIRST
		run_seq++;
		state = RUNNING;
#else
		state = RUNNING;
		run_seq++;
#endif
		hooked = true;
		/* hits arrive */
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
	seen = run_seq;
#else
	seen = run_seq;
	writers = (state == RUNNING);
#endif
	looked_at_writers = hooked;	/* read the positions */
	writers = writers || state == RUNNING;
#ifndef MUTANT_NO_RUN_SEQ
	writers = writers || run_seq != seen;
#endif
	assert(writers || !looked_at_writers);
}
