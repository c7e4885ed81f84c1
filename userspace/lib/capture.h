/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session from start to stop: COMMAND, the signals, and a thread for each CPU that reads
 * its stream into a sink. One capture at a time, since it takes over the process's signals.
 */
#ifndef LIB_CAPTURE_H
#define LIB_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/device.h"
#include "lib/error.h"

struct capture_config {
	struct session_config session;
	char **command;			/* argv of COMMAND; NULL: until a signal */
	bool follow_command;		/* trace only COMMAND, with its threads */
};

struct progress {
	uint64_t events, lost, recursed;	/* so far, on all CPUs */
	unsigned int nr_cpus;		/* that are traced */
	double seconds;			/* since the start */
	bool last;
};

struct sink {
	/* The session @fd is configured and not yet started. In the main thread; may be NULL. */
	void (*opened)(void *arg, int fd);
	/* It has started: all functions are traced. In the main thread; may be NULL. */
	void (*started)(void *arg, int fd);
	/*
	 * Take whole sub-buffers, in the thread of @cpu. Return: false to end the recording. Not
	 * called in a session that counts.
	 */
	bool (*data)(void *arg, unsigned int cpu, const void *buf, size_t len);
	/* Return a buffer to read into, and its size; NULL: the capture has its own. May be NULL. */
	void *(*room)(void *arg, unsigned int cpu, size_t *len);
	/* @data has had the last ones of @cpu; in its thread, at the usual priority. May be NULL. */
	void (*over)(void *arg, unsigned int cpu);
	/* Twice a second and at the end, in the main thread. */
	void (*tick)(void *arg, int fd, const struct progress *p);
	/* The rings are frozen: the end has begun. May be NULL. */
	void (*frozen)(void *arg, int fd);
	/* Something failed, but the capture goes on; from any thread. */
	void (*problem)(void *arg, const struct error *e);
	void *arg;
};

struct capture {
	int fd;				/* the session, stopped; the caller closes it */
	unsigned int nr_cpus;
	int status;			/* of COMMAND, as a shell has it; 0 if a signal ended it all */
	double seconds;			/* how long it took */
	uint32_t ended;			/* why it ended from within: NESTRACE_STATS_ bits */
	int signal;			/* that ended it, or 0 */
	pid_t command;			/* private: COMMAND if it still runs */
};

/* Raise the limit of open files: there are a stream and perhaps a file for each CPU. */
void capture_allow_files(void);
/*
 * From here on every signal that would end the process waits, until the end of capture_run()
 * or capture_end(): it ends a recording like Ctrl-C. A caller that has nothing to lose before
 * need not call this.
 */
void capture_hold_signals(void);
/* For a new thread: block also the signals that the C library keeps to itself. */
void capture_block_internal(void);
/* Run it all. Return: false if it could not start; then nothing is left open. */
bool capture_run(const struct capture_config *c, const struct sink *sink,
		 struct capture *capture, struct error *e);
/*
 * Once what was recorded is safe: wait until COMMAND ends, or for a second signal, and
 * restore the signal mask.
 */
void capture_end(struct capture *capture);

#endif
