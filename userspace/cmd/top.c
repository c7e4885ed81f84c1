// SPDX-License-Identifier: GPL-2.0
/* nestrace top: watch the most called functions in a terminal. */
#include <curses.h>
#include <event-parse.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/message.h"
#include "cmd/names_of_now.h"
#include "cmd/session_options.h"
#include "lib/accounting.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/symbols.h"
#include "output/accounting_table.h"
#include "output/counts.h"

static const char help[] =
	"usage: nestrace top [OPTION...]\n\n"
	"Show in a terminal which kernel functions are called most, per second and by\n"
	"context, until q. The accounting of all hits follows.\n\n"
	"  -l GLOB     count only functions that match; may be repeated\n"
	"  -n GLOB     leave out functions that match; may be repeated\n"
	"  -P PID,..., --tid TID,..., -c, -M MASK, -b SIZE  as for nestrace stat\n"
	"  -h, --help  print this help\n\n"
	"Keys: q or Ctrl-C quits. Space pauses the display. t sorts by all calls so far,\n"
	"and again by those of the last second.\n";

struct top {
	unsigned int nr_cpus;
	struct tep_handle *tep;
	struct symbols symbols;
	struct modules *modules;
	struct counts before;		/* of all CPUs, about a second ago */
	double seconds_before;		/* when that was */
	bool by_total, paused;
	struct row *row;
	size_t nr_rows;
};

struct row {
	const char *name;
	uint64_t ip, total;
	double rate;			/* calls per second */
	double slot[NESTRACE_NR_SLOTS];	/* the share of each slot in these */
};

/* The contexts with a column; the others share the last one. */
static const unsigned int shown[] = {
	NESTRACE_SLOT_TASK, NESTRACE_SLOT_SOFTIRQ, NESTRACE_SLOT_HARDIRQ, NESTRACE_SLOT_NMI,
};
enum { NR_SHOWN = sizeof(shown) / sizeof(shown[0]) };

static uint64_t total(const struct call_count *c)
{
	uint64_t sum = 0;
	unsigned int slot;

	for (slot = 0; c && slot < NESTRACE_NR_SLOTS; slot++)
		sum += c->calls[slot];
	return sum;
}

static void make_names(struct top *t)
{
	size_t len;
	char *text = symbols_text(&t->symbols, true, &len);

	tep_free(t->tep);
	t->tep = names_of_lines(text);
	free(text);
}

static void on_opened(void *arg, int fd)
{
	struct top *t = arg;

	if (modules_read(t->modules, fd))
		t->symbols.modules = t->modules;
	make_names(t);
}

/* Return the calls since @before; 0 if the counts of a module have moved meanwhile. */
static uint64_t newer(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static void make_rows(struct top *t, const struct counts *now, double seconds)
{
	const struct call_count *c, *before;
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
		row->name = names_find(t->tep, c->ip);
		row->ip = c->ip;
		row->total = total(c);
		calls = newer(row->total, total(before));
		row->rate = calls / seconds;
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			row->slot[slot] = !calls ? 0 : (double)newer(c->calls[slot],
					  before ? before->calls[slot] : 0) / calls;
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

/* Print six characters: 999999, 9999k or 9999M. */
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
	mvprintw(0, 0, "nestrace top  %.0f s, %u CPUs: %.0f hits/s, %" PRIu64 " in total",
		 p->seconds, p->nr_cpus, rate, p->events);
	attroff(A_BOLD);
	mvprintw(1, 0, "lost %" PRIu64 "%s%s", p->lost,
		 t->by_total ? "; sorted by all calls (t)" : "", t->paused ? "; PAUSED (space)" : "");
	move(2, 0);
	attron(A_REVERSE);
	printw("%6s %6s  task  soft  hard   nmi other  %-*s", "hits/s", "total",
	       COLS > 46 ? COLS - 46 : 8, "function");
	attroff(A_REVERSE);
}

static void put_share(double share)
{
	if (share)
		printw("%4.0f%% ", 100 * share);
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
		put_share(row->slot[shown[slot]]);
	for (slot = NESTRACE_SLOT_NMI_INLINE + 1; slot < NESTRACE_NR_SLOTS; slot++)
		others += row->slot[slot];
	put_share(others);
	if (COLS <= getcurx(stdscr) + 1)
		return;
	if (row->name)
		printw(" %.*s", COLS - getcurx(stdscr) - 1, row->name);
	else
		printw(" 0x%" PRIx64, modules_address(row->ip));
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
			t->paused = !t->paused;
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
		die("unknown type of terminal: 'TERM=%s'; nestrace stat counts without one",
		    getenv("TERM") ?: "");
}

/* Take over the screen once the session runs: an earlier error must stay readable. */
static void screen_begin(void)
{
	initscr();
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	/* restore the terminal however the program ends */
	atexit(screen_end);
}

static void on_tick(void *arg, int fd, const struct progress *p)
{
	struct top *t = arg;
	struct counts now = { 0 };
	bool stale;
	size_t i;

	if (p->last)
		return;
	if (!stdscr)
		screen_begin();
	/* curses notices a new size of the screen only when it reads keys */
	take_keys(t);
	if (!counts_session(&now, fd, t->nr_cpus, t->modules))
		die_errno("cannot read the counts of '" NESTRACE_DEVICE "'");
	/* modules have come or gone since the names were made */
	stale = modules_news(t->modules);
	if (stale) {
		/* the rows have pointers to the old names */
		t->nr_rows = 0;
		make_names(t);
	}
	if ((!t->paused || stale) && p->seconds > t->seconds_before)
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

	/* when paused too, so that the next display shows its own second */
	if (p->seconds - t->seconds_before > 0.9) {
		counts_free(&t->before);
		t->before = now;
		t->seconds_before = p->seconds;
	} else {
		counts_free(&now);
	}
}

static void parse(int argc, char **argv, struct capture_config *config)
{
	static const struct option longs[] = { SESSION_LONGS, { 0 } };
	int opt;

	session_options_init(config);
	config->session.count = true;
	while ((opt = getopt_long(argc, argv, SESSION_LETTERS, longs, NULL)) != -1) {
		if (opt == 'h') {
			fputs(help, stdout);
			exit(finish_output());
		}
		if (!session_option(config, opt, optarg))
			usage(NULL);
	}
	if (optind < argc)
		usage("unexpected argument: '%s'; nestrace top runs no COMMAND, nestrace stat does",
		      argv[optind]);
	session_options_finish(config, argv + optind);
}

int cmd_top(int argc, char **argv)
{
	struct top t = { 0 };
	struct sink sink = {
		.opened = on_opened, .tick = on_tick, .problem = warn_problem, .arg = &t,
	};
	struct capture_config config;
	struct nestrace_info info;
	struct capture capture;
	struct accounting a;
	struct error e;
	int fd;

	parse(argc, argv, &config);
	screen_check();

	fd = device_open(&e);
	if (fd < 0 || !device_info(fd, &info, &e))
		die_error(&e);
	close(fd);
	t.modules = modules_new();
	t.nr_cpus = info.nr_cpus;
	if (!symbols_read(&t.symbols, &e))
		die_error(&e);
	if (t.symbols.hidden)
		warn(SYMBOLS_HIDDEN);

	if (!capture_run(&config, &sink, &capture, &e))
		die_error(&e);
	capture_end(&capture);
	if (stdscr)
		screen_end();
	accounting_read(&a, capture.fd, capture.nr_cpus);
	a.counts = true;
	make_names(&t);
	accounting_table(&a, t.tep);
	if (t.before.mixed)
		warn(COUNTS_MIXED);
	close(capture.fd);

	accounting_free(&a);
	counts_free(&t.before);
	free(t.row);
	tep_free(t.tep);
	symbols_free(&t.symbols);
	modules_free(t.modules);
	session_options_free(&config);
	return finish_output();
}
