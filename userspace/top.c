// SPDX-License-Identifier: GPL-2.0
/* nestrace top: the functions that are called most, now, in a terminal. */
#include <curses.h>
#include <event-parse.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#include "counts.h"
#include "nestrace.h"

static const char help[] =
	"usage: nestrace top [OPTION...]\n\n"
	"Show which kernel functions are called most, by second and slot, until q.\n\n"
	"  -l GLOB   only functions that match; may be given more than once\n"
	"  -n GLOB   leave out functions that match\n"
	"  -P PID, -c, -M MASK, -C CLOCK, -b KB   as for nestrace record\n"
	"  -h        this help\n\n"
	"Keys: q or Ctrl-C quits, space holds the picture, t sorts by all calls so far\n"
	"instead of those of the last second.\n";

/* One CPU's, that its reader adds to and the picture is made of. */
struct cpu {
	pthread_mutex_t lock;
	struct counts counts;
};

struct top {
	struct cpu *cpu;
	unsigned int nr_cpus;
	struct tep_handle *tep;
	struct counts before;		/* all CPUs, at the last picture but one second */
	double seconds_before;
	bool by_total, held;
	struct row *row;
	size_t nr_rows;
};

struct row {
	const char *name;
	uint64_t ip, total;
	double rate;			/* calls a second */
	double slot[NESTRACE_NR_SLOTS];	/* of these, the part of each */
};

/* The columns; what has no column of its own goes to the last. */
static const unsigned int shown[] = {
	NESTRACE_SLOT_TASK, NESTRACE_SLOT_SOFTIRQ, NESTRACE_SLOT_HARDIRQ, NESTRACE_SLOT_NMI,
};
enum { NR_SHOWN = sizeof(shown) / sizeof(shown[0]) };

static bool on_data(void *arg, unsigned int cpu, const void *buf, size_t len)
{
	struct top *t = arg;

	pthread_mutex_lock(&t->cpu[cpu].lock);
	counts_stream(&t->cpu[cpu].counts, buf, len);
	pthread_mutex_unlock(&t->cpu[cpu].lock);
	return true;
}

static uint64_t total(const struct counted *c)
{
	uint64_t sum = 0;
	unsigned int slot;

	for (slot = 0; c && slot < NESTRACE_NR_SLOTS; slot++)
		sum += c->calls[slot];
	return sum;
}

static void make_rows(struct top *t, const struct counts *now, double seconds)
{
	const struct counted *c, *before;
	unsigned int slot;
	struct row *row;
	uint64_t calls;
	size_t i;

	t->row = xrealloc(t->row, (now->used + 1) * sizeof(*t->row));
	t->nr_rows = 0;
	for (i = 0; i < now->size; i++) {
		c = &now->entry[i];
		if (!c->ip)
			continue;
		before = counts_of(&t->before, c->ip);
		row = &t->row[t->nr_rows++];
		row->name = tep_find_function(t->tep, c->ip);
		row->ip = c->ip;
		row->total = total(c);
		calls = row->total - total(before);
		row->rate = calls / seconds;
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			row->slot[slot] = !calls ? 0 : (double)(c->calls[slot] -
					  (before ? before->calls[slot] : 0)) / calls;
	}
}

static int by_rate(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->rate != y->rate)
		return x->rate > y->rate ? -1 : 1;
	return x->total != y->total ? (x->total > y->total ? -1 : 1) : x->ip < y->ip ? -1 : 1;
}

static int by_total(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->total != y->total ? (x->total > y->total ? -1 : 1) : x->ip < y->ip ? -1 : 1;
}

/* Six characters: 999999, 9999 k, 9999 M. */
static void put_count(double count)
{
	if (count < 999999.5)
		printw("%6.0f ", count);
	else if (count < 9999.5e3)
		printw("%5.0fk ", count / 1e3);
	else
		printw("%5.0fM ", count / 1e6);
}

static void put_head(const struct top *t, const struct progress *p)
{
	double rate = 0;
	size_t i;

	for (i = 0; i < t->nr_rows; i++)
		rate += t->row[i].rate;
	attron(A_BOLD);
	mvprintw(0, 0, "nestrace top  %.0f s, %u CPUs: %.0f hits/s, %" PRIu64 " in all",
		 p->seconds, t->nr_cpus, rate, p->events);
	attroff(A_BOLD);
	mvprintw(1, 0, "lost %" PRIu64 ", refused %" PRIu64 "%s%s", p->lost, p->refused,
		 t->by_total ? "; sorted by all calls (t)" : "", t->held ? "; HELD (space)" : "");
	move(2, 0);
	attron(A_REVERSE);
	printw("%6s %6s  task  soft  hard   nmi other  %-*s", "hits/s", "all",
	       COLS > 46 ? COLS - 46 : 8, "function");
	attroff(A_REVERSE);
}

static void put_part(double part)
{
	if (part)
		printw("%4.0f%% ", 100 * part);
	else
		addstr("      ");
}

static void put_row(const struct row *row)
{
	double others = 0;
	unsigned int slot;

	put_count(row->rate);
	put_count(row->total);
	for (slot = 0; slot < (unsigned int)NR_SHOWN; slot++)
		put_part(row->slot[shown[slot]]);
	for (slot = NESTRACE_SLOT_NMI_INLINE + 1; slot < NESTRACE_NR_SLOTS; slot++)
		others += row->slot[slot];
	put_part(others);
	if (COLS <= getcurx(stdscr) + 1)
		return;
	if (row->name)
		printw(" %.*s", COLS - getcurx(stdscr) - 1, row->name);
	else
		printw(" 0x%" PRIx64, row->ip);
}

static void take_keys(struct top *t)
{
	int key;

	while ((key = getch()) != ERR) {
		switch (key) {
		case 'q':
			kill(getpid(), SIGTERM);
			break;
		case ' ':
			t->held = !t->held;
			break;
		case 't':
			t->by_total = !t->by_total;
			break;
		}
	}
}

static void screen_end(void)
{
	if (!isendwin())
		endwin();
}

static void screen_check(void)
{
	int error;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		die("top needs a terminal; nestrace stat counts without one");
	if (setupterm(NULL, STDOUT_FILENO, &error))
		die("top does not know the terminal '%s' (TERM); nestrace stat counts without one",
		    getenv("TERM") ?: "");
}

/* Not before the session runs: what keeps it from that is said where it can be read. */
static void screen_begin(void)
{
	initscr();
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	/* whatever ends the program, the terminal is as it was */
	atexit(screen_end);
}

static void on_tick(void *arg, int fd, const struct progress *p)
{
	struct top *t = arg;
	struct counts now = { 0 };
	unsigned int cpu;
	size_t i;

	if (p->last)
		return;
	if (!stdscr)
		screen_begin();
	/* it knows of a new size only when it is asked for keys */
	take_keys(t);
	for (cpu = 0; cpu < t->nr_cpus; cpu++) {
		pthread_mutex_lock(&t->cpu[cpu].lock);
		counts_sum(&now, &t->cpu[cpu].counts);
		pthread_mutex_unlock(&t->cpu[cpu].lock);
	}
	if (!t->held && p->seconds > t->seconds_before)
		make_rows(t, &now, p->seconds - t->seconds_before);
	if (t->nr_rows)
		qsort(t->row, t->nr_rows, sizeof(*t->row), t->by_total ? by_total : by_rate);

	erase();
	put_head(t, p);
	for (i = 0; i < t->nr_rows && (int)i + 3 < LINES; i++) {
		move(i + 3, 0);
		put_row(&t->row[i]);
	}
	refresh();

	/* while it is held too: the next picture is of its own second */
	if (p->seconds - t->seconds_before > 0.9) {
		counts_free(&t->before);
		t->before = now;
		t->seconds_before = p->seconds;
	} else {
		counts_free(&now);
	}
}

int cmd_top(int argc, char **argv)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	struct top t = { 0 };
	struct sink sink = { .data = on_data, .tick = on_tick, .arg = &t };
	struct symbols symbols = { 0 };
	struct accounting a;
	struct options o;
	struct nestrace_info info;
	struct run run;
	unsigned int i;
	char *text;
	size_t len;
	int opt, fd;

	options_init(&o);
	o.relaxed = true;
	while ((opt = getopt_long(argc, argv, OPTIONS_COMMON, longs, NULL)) != -1) {
		if (opt == 'h') {
			fputs(help, stdout);
			return finish_output();
		}
		if (!options_take(&o, opt, optarg))
			usage("top", NULL);
	}
	if (optind < argc)
		usage("top", "it takes no COMMAND, not '%s': its output has no place beside the table", argv[optind]);
	options_command(&o, "top", argv + optind);
	screen_check();

	allow_files();
	fd = session_open();
	session_info(fd, &info);
	close(fd);
	t.nr_cpus = info.nr_cpus;
	t.cpu = xrealloc(NULL, t.nr_cpus * sizeof(*t.cpu));
	for (i = 0; i < t.nr_cpus; i++) {
		pthread_mutex_init(&t.cpu[i].lock, NULL);
		counts_init(&t.cpu[i].counts, NESTRACE_EVENT_FUNCTION);
	}
	t.tep = tep_alloc();
	text = symbols_read(&symbols, &len);
	if (!t.tep || tep_parse_kallsyms(t.tep, text))
		die("can't read the kernel's symbols");
	free(text);
	symbols_free(&symbols);

	run_session(&o, &sink, &run);
	run_end(&run);
	if (stdscr)
		screen_end();
	accounting_read(&a, run.fd, run.nr_cpus);
	accounting_table(&a, names_function, t.tep);
	close(run.fd);

	accounting_free(&a);
	for (i = 0; i < t.nr_cpus; i++)
		counts_free(&t.cpu[i].counts);
	counts_free(&t.before);
	free(t.cpu);
	free(t.row);
	tep_free(t.tep);
	options_free(&o);
	return finish_output();
}
