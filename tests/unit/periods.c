// SPDX-License-Identifier: GPL-2.0
/* The parts of a recording that are asked for: userspace/lib/periods.c. */
#include "lib/periods.h"
#include "spec.h"

static struct periods p;

/* Ask for these, each NULL or not; "" becomes a failure of the spec. */
static void ask(const char *since, const char *until, const char *around, const char *around_too)
{
	periods_free(&p);
	memset(&p, 0, sizeof(p));
	is_number(!since || periods_moment(&p.since, since), true);
	is_number(!until || periods_moment(&p.until, until), true);
	is_number(!around || periods_add_around(&p, around), true);
	is_number(!around_too || periods_add_around(&p, around_too), true);
}

static void begin(bool cycles, const char *problem)
{
	struct error e = { "" };

	periods_begin(&p, cycles, &e);
	is(e.text, problem);
}

static void call(const char *name, unsigned long long ts)
{
	int i;

	for (i = periods_match(&p, 0, name); i >= 0; i = periods_match(&p, i + 1, name))
		periods_add(&p, i, ts);
}

static void end(const char *problem)
{
	struct error e = { "" };

	periods_end(&p, &e);
	is(e.text, problem);
}

/* Expect that the first and the last are in, and the times beside them are not. */
static void only(unsigned long long first, unsigned long long last)
{
	is_number(first && periods_have(&p, first - 1), false);
	is_number(periods_have(&p, first), true);
	is_number(periods_have(&p, last), true);
	is_number(last != ~0ULL && periods_have(&p, last + 1), false);
}

static void no_moment(const char *text)
{
	struct periods_time t;

	is_number(periods_moment(&t, text), false);
}

static void no_around(const char *text)
{
	is_number(periods_add_around(&p, text), false);
}

int main(void)
{
	int i;

	spec("periods: nothing asked for is all");
	ask(NULL, NULL, NULL, NULL);
	is_number(periods_given(&p), false);
	begin(false, "");
	end("");
	only(0, ~0ULL);

	spec("periods: since and until are seconds, and both are in it");
	ask("5", "7.25", NULL, NULL);
	is_number(periods_given(&p), true);
	begin(false, "");
	end("");
	only(5000000000, 7250000000);

	spec("periods: a time in microseconds has all events that are printed so");
	ask("5.000001", "5.000002", NULL, NULL);
	begin(false, "");
	end("");
	only(5000000500, 5000002499);
	ask("0.000000", "0.000000", NULL, NULL);
	begin(false, "");
	end("");
	only(0, 499);

	spec("periods: a time in nanoseconds is exact");
	ask("5.000000001", "5.000000001", NULL, NULL);
	begin(false, "");
	end("");
	only(5000000001, 5000000001);

	spec("periods: until without since begins at 0, since without until ends never");
	ask(NULL, "1", NULL, NULL);
	begin(false, "");
	end("");
	only(0, 1000000000);
	ask("1", NULL, NULL, NULL);
	begin(false, "");
	end("");
	only(1000000000, ~0ULL);

	spec("periods: cycles are plain numbers");
	ask("1000", "2000", "f:10", NULL);
	begin(true, "");
	call("f", 1500);
	end("");
	only(1490, 1510);
	ask("1.5", NULL, NULL, NULL);
	begin(true, "the file's times have no unit: '--since 1.5'; use a plain number, as nestrace report prints");
	ask(NULL, NULL, "f:10us", NULL);
	begin(true, "the file's times have no unit: '--around f:10us'; use a plain number, as nestrace report prints");

	spec("periods: a length has a unit");
	ask(NULL, NULL, "f:10", NULL);
	begin(false, "no unit of time: '--around f:10'; use ns, us, ms or s");
	ask(NULL, NULL, "a:1.5us", "b:2s");
	begin(false, "");
	call("a", 10000);
	call("b", 9000000000);
	end("");
	only(8500, 11500);
	only(7000000000, 11000000000);

	spec("periods: calls that are close have one period");
	ask(NULL, NULL, "f:10ns", NULL);
	begin(false, "");
	for (i = 0; i < 1000; i++)
		call("f", 100 + 20 * i);
	call("f", 5);
	call("f", 1000000);
	end("");
	is_number(p.nr, 3);
	only(0, 15);
	only(90, 20090);
	only(999990, 1000010);

	spec("periods: a glob may match several functions, and a function several globs");
	ask(NULL, NULL, "vfs_*:10ns", "vfs_read:100ns");
	begin(false, "");
	call("vfs_write", 1000);
	call("vfs_read", 2000);
	call("read", 3000);
	end("");
	is_number(p.nr, 2);
	only(990, 1010);
	only(1900, 2100);

	spec("periods: since and until cut those around calls");
	ask("0.000001", "0.000002000", "f:500ns", NULL);
	begin(false, "");
	call("f", 900);
	call("f", 1800);
	call("f", 3000);
	end("");
	only(500, 2000);

	spec("periods: a function without a call is an error, and none is shown");
	ask(NULL, NULL, "f:1s", NULL);
	begin(false, "");
	end("no call of a function that matches: '--around f:1s'; nestrace stat -i lists those that are called");
	is_number(periods_have(&p, 0), false);

	spec("periods: what is no time or no function with a length is refused");
	no_moment("");
	no_moment("x");
	no_moment("-1");
	no_moment("1.");
	no_moment("1s");
	no_moment(".5");
	no_moment("1.0000000001");
	no_moment("99999999999999999999");
	no_around("f");
	no_around(":1s");
	no_around("f:");
	no_around("f:1m");
	no_around("f:-1s");
	no_around("f:1.0001us");
	periods_free(&p);

	spec_end();
	return specs_failed != 0;
}
