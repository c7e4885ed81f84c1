// SPDX-License-Identifier: GPL-2.0
/* nestrace send: give a recording to trace-cmd listen on another machine. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "cmd/message.h"
#include "lib/accounting.h"
#include "lib/capture.h"
#include "lib/listener.h"
#include "lib/tracedat_read.h"
#include "lib/tracedat_v6.h"

static const char help[] =
	"usage: nestrace send {-N HOST:PORT | -V CID:PORT} [OPTION...] [FILE]\n\n"
	"Send FILE (default trace.dat), which nestrace recorded, to trace-cmd listen on\n"
	"another machine, as record -N does with what it records.\n\n"
	"  -N HOST:PORT  send to trace-cmd listen -p PORT on HOST\n"
	"  -V CID:PORT   send by vsock, between a guest and its host\n"
	"  -q            do not print that it was sent\n"
	"  -h, --help    print this help\n\n"
	"Nothing is encrypted: use a network that you trust, ssh -L, or vsock.\n";

/* Return the format of an event of ftrace in the file, or NULL. */
static const char *format_of(const struct tracedat *t, const char *name)
{
	char line[64];
	unsigned int i;

	snprintf(line, sizeof(line), "name: %s\n", name);
	for (i = 0; i < t->nr_formats; i++)
		if (!strcmp(t->format[i].system, "ftrace") && !strncmp(t->format[i].text, line, strlen(line)))
			return t->format[i].text;
	return NULL;
}

static struct tracedat_contents contents_of(const struct tracedat *t)
{
	const char *call = format_of(t, "function");
	struct tracedat_contents c = {
		.stacks = format_of(t, "kernel_stack"), .args = call && strstr(call, "args[]"),
		.args_text = t->args ?: "", .uname = t->uname ?: "",
	};

	c.args_len = strlen(c.args_text);
	if (format_of(t, "funcgraph_entry"))
		c.returns = WITH_RETURNS;
	else if (format_of(t, "funcgraph_exit"))
		c.returns = RETURNS_ONLY;
	return c;
}

/* Send the data of all CPUs. Return: false after an error. */
static bool send_data(struct listener *l, struct tracedat *t, struct error *e)
{
	const struct tracedat_buffer *b = t->buffer;
	char data[NESTRACE_SUBBUF_SIZE];
	unsigned int cpu;
	uint64_t nr;
	int ret;

	for (cpu = 0; cpu < b->nr_cpus; cpu++) {
		for (nr = 0; (ret = tracedat_read(t, b, cpu, nr, data, e)) > 0; nr++) {
			if (listener_send(l, cpu, data, sizeof(data)) != sizeof(data)) {
				listener_works(l, e);
				return false;
			}
		}
		if (ret < 0)
			return false;
	}
	return true;
}

static void send_file(struct tracedat *t, const char *address, bool vsock)
{
	const struct tracedat_contents c = contents_of(t);
	const char *cmdlines = t->cmdlines ?: "", *kallsyms = t->kallsyms ?: "";
	const struct tracedat_facts facts = {
		.nr_cpus = t->buffer->nr_cpus, .clock = t->clock ?: "global", .uname = c.uname, .id = t->id, .times = t->times,
		.times_len = t->times ? strlen(t->times) : 0,
	};
	struct block begin = { 0 }, end = { 0 };
	struct accounting a;
	struct listener *l;
	struct error e;
	bool ok;

	l = listener_connect(address, vsock, t->buffer->nr_cpus, &e);
	if (!l)
		die_error(&e);
	accounting_load(&a, t);
	accounting_grow(&a, t->buffer->nr_cpus);
	tracedat_v6_begin(&begin, &c);
	listener_head(l, &begin);
	tracedat_v6_symbols(&end, kallsyms, strlen(kallsyms));
	tracedat_v6_end(&end, &c, cmdlines, strlen(cmdlines), &facts, &a);
	ok = send_data(l, t, &e);
	if (ok) {
		listener_head(l, &end);
		ok = listener_finish(l, &e) == LISTENER_HAS_FILE;
	}
	listener_close(l);
	accounting_free(&a);
	free(begin.data);
	free(end.data);
	if (!ok)
		die_error(&e);
}

int cmd_send(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	const char *address = NULL, *file;
	bool vsock = false, quiet = false;
	struct tracedat *t;
	struct error e;
	int opt;

	while ((opt = getopt_long(argc, argv, "N:V:qh", longs, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(help, stdout);
			return finish_output();
		case 'q':
			quiet = true;
			break;
		case 'N': case 'V':
			if (address)
				usage("only one listener: '-%c %s'", opt, optarg);
			address = optarg;
			vsock = opt == 'V';
			break;
		default:
			usage(NULL);
		}
	}
	if (!address)
		usage("no listener is named; add -N HOST:PORT or -V CID:PORT");
	if (argc - optind > 1)
		usage("only one file at a time: '%s'", argv[optind + 1]);
	file = optind < argc ? argv[optind] : "trace.dat";
	capture_allow_files();
	t = tracedat_open(file, &e);
	if (!t)
		die_error(&e);
	if (!t->is_nestrace || !t->nr_buffers || *t->buffer->name || t->buffer->subbuf_size != NESTRACE_SUBBUF_SIZE)
		die("nestrace did not record this file: '%s'; scp copies any file", file);
	if (t->nr_buffers > 1)
		warn("only the hits are sent, not the kernel's events beside them: '%s'", file);
	send_file(t, address, vsock);
	tracedat_close(t);
	if (!quiet)
		warn("sent to the listener: '%s'", file);
	return EXIT_SUCCESS;
}
