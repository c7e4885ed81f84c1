/* SPDX-License-Identifier: GPL-2.0 */
/* What the subcommands share. What they say goes to stderr, a report to stdout. */
#ifndef NESTRACE_H
#define NESTRACE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "uapi/nestrace.h"


enum { EXIT_BAD = 1, EXIT_USAGE = 2 };

extern const char *const slot_words[NESTRACE_NR_SLOTS];
extern const char *const clock_words[NESTRACE_NR_CLOCKS];

/* message.c */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Also the text of errno. */
void warn_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Wrong use of a command: says where help is, exits with EXIT_USAGE. */
_Noreturn void usage(const char *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void *xrealloc(void *p, size_t size);
void *xzalloc(size_t nr, size_t size);
char *xstrdup(const char *s);
/* Are both there, and one? */
bool same_file(const char *a, const char *b);
/* stdout is this file now: for messages. */
void output_is(const char *path);
/* Flush stdout and say if it could not be written; a closed pipe is no error. */
int finish_output(void);

/* options.c: what those that make sessions have in common */
struct options {
	const char **filter;
	const char **notrace;
	int *pids;
	const char **trigger;
	unsigned int nr_filter, nr_notrace, nr_trigger, nr_pids;
	uint8_t *cpus;			/* NULL: all */
	size_t cpus_len;
	unsigned int clock;
	unsigned int ring_kb;
	bool overwrite;
	bool flight;			/* streams are read only once it has ended */
	bool relaxed;			/* readers take no priority: who looks is more than what is lost */
	bool itself;			/* our own calls are traced too */
	bool empty;			/* only what a callback costs: see NESTRACE_CONFIG_EMPTY */
	bool follow_command;		/* -F */
	bool follow_forks;		/* -c */
	const char *output;
	char **command;			/* NULL: until Ctrl-C */
};

#define OPTIONS_COMMON "+l:n:P:M:C:b:Fch"

void options_init(struct options *o);
/* Dies if @arg is not such a number. */
long options_number(const char *arg, const char *what, long min, long max);
void options_trigger(struct options *o, const char *glob);
/* True if @opt was one of OPTIONS_COMMON; dies on a bad value. */
bool options_take(struct options *o, int opt, const char *arg);
/* What is left of argv, and whether the options fit each other. */
void options_command(struct options *o, const char *name, char **command);
/* Of who reads a file: @path is that of -i, or NULL; @rest what is left of argv. */
const char *options_file(const char *name, const char *path, char **rest);
void options_free(struct options *o);
/* Of a command that takes neither options but help nor arguments: was it help, and printed? */
bool options_help(const char *name, int argc, char **argv, const char *help);

/* session.c: /dev/nestrace, with an error message for everything that can fail */
int session_open(void);
void session_info(int fd, struct nestrace_info *info);
void session_configure(int fd, const struct options *o);
void session_add_pid(int fd, int pid, bool follow);
void session_start(int fd, const struct options *o);
/* Says why START or STREAM failed, by errno. */
_Noreturn void session_cant_start(const struct options *o);
/* Returns false, errno set, if the device says no. */
bool session_stop(int fd);
int session_stream(int fd, unsigned int cpu);
bool session_stats(int fd, unsigned int cpu, struct nestrace_stats *stats);

/* run.c: a session from start to stop, its streams drained by a thread each */
struct progress {
	uint64_t events, lost, refused;	/* so far, on all CPUs */
	double seconds;			/* since the start */
	bool last;
};

struct sink {
	/* In the thread of @cpu, with whole sub-buffers. False ends the recording. */
	bool (*data)(void *arg, unsigned int cpu, const void *buf, size_t len);
	/* Twice a second and at the end, in the main thread. */
	void (*tick)(void *arg, int fd, const struct progress *p);
	void *arg;
};

struct run {
	int fd;				/* the session, stopped; the caller closes it */
	unsigned int nr_cpus;
	int status;			/* of COMMAND as a shell tells it; 0 if a signal ended it all */
	double seconds;
	uint32_t ended;			/* from within: NESTRACE_STATS_ bits */
	/* run.c's: COMMAND, if it still runs, and the signals that are waited for */
	pid_t command;
	sigset_t signals, signals_before;
};

/* A stream and a file for each CPU may be more than a shell's soft limit. */
void allow_files(void);

/* Dies on what keeps it from starting. */
void run_session(const struct options *o, const struct sink *sink, struct run *run);
/* When what was recorded is safe: waits for COMMAND, or for a second signal. */
void run_end(struct run *run);

struct tracedat;

/* accounting.c: the counters of a session, as text and as a table */
struct accounting {
	unsigned int nr_cpus;
	struct nestrace_slot_stats (*slot)[NESTRACE_NR_SLOTS];	/* by CPU */
	unsigned int *ring_kb;
	struct refusal {
		uint64_t ip, under_ip, count;
		unsigned int slot;
	} *refused;
	unsigned int nr_refused;
};

void accounting_read(struct accounting *a, int fd, unsigned int nr_cpus);
/* The counters of one CPU as lines of text; what CPUSTAT holds in trace.dat. */
char *accounting_cpu_text(const struct accounting *a, unsigned int cpu);
/* From all CPUs of a file; false if nestrace has not written it. */
bool accounting_load(struct accounting *a, struct tracedat *t);
void accounting_table(const struct accounting *a,
		      const char *(*name)(void *arg, uint64_t ip), void *arg);
void accounting_free(struct accounting *a);

/* names.c: the names of functions and tasks */
struct tep_handle;
struct symbols {
	void *seen;	/* tsearch(3), of the lines of modules */
	bool again;
};

char *symbols_read(struct symbols *s, size_t *len);
void symbols_free(struct symbols *s);
struct names;
struct names *names_new(void);
void names_snapshot(struct names *n);		/* of all tasks there are, from /proc */
void names_set(struct names *n, int pid, const char *comm);
void names_take(struct names *n, int session);	/* of those gone, from the session */
char *names_text(struct names *n, size_t *len);	/* "PID COMM\n"... */
void names_free(struct names *n);
/* Those in a file, made safe for a terminal. */
struct tep_handle *names_load(struct tracedat *t);
/* Or a number, which holds until the next but one call. */
const char *names_function(void *tep, uint64_t ip);

/* pager.c, for what is long. On a terminal alone; $PAGER is the command, or less. */
void pager_start(void);
/* When all is written: until who reads has had enough. False, and a message, if there is none. */
bool pager_end(void);
/* @when: auto, always or never. Asked before the pager is started. */
bool pager_colour(const char *when);

int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_arm(int argc, char **argv);
int cmd_disarm(int argc, char **argv);
int cmd_bench(int argc, char **argv);

#endif
