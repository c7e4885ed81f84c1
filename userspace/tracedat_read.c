// SPDX-License-Identifier: GPL-2.0
/* Reading trace.dat. Nothing in the file is trusted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nestrace.h"
#include "tracedat.h"
#include "tracedat_format.h"

#define TEXT_MAX	(1ULL << 30)
#define CPUS_MAX	65536

struct parser {
	struct tracedat *t;
	uint64_t off;
	const char *what;	/* being read, for the message */
	bool failed;
};

static void bad(struct parser *p, const char *why)
{
	if (!p->failed)
		warn("%s: %s in %s, at byte %llu: the file is damaged or cut short", p->t->path, why,
		     p->what, (unsigned long long)p->off);
	p->failed = true;
}

static void get(struct parser *p, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	memset(buf, 0, len);
	if (p->failed)
		return;
	while (done < len) {
		n = pread(p->t->fd, (char *)buf + done, len - done, p->off + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			warn_errno("reading %s", p->t->path);
		if (n <= 0) {
			bad(p, "unexpected end");
			return;
		}
		done += n;
	}
	p->off += len;
}

static uint16_t get_u16(struct parser *p)
{
	uint16_t v;

	get(p, &v, sizeof(v));
	return v;
}

static uint32_t get_u32(struct parser *p)
{
	uint32_t v;

	get(p, &v, sizeof(v));
	return v;
}

static uint64_t get_u64(struct parser *p)
{
	uint64_t v;

	get(p, &v, sizeof(v));
	return v;
}

/* With a nul added; never NULL. */
static char *get_text(struct parser *p, uint64_t len)
{
	char *text;

	if (!p->failed && (len > TEXT_MAX || len > p->t->size - p->off))
		bad(p, "an impossible length");
	if (p->failed)
		len = 0;
	text = xrealloc(NULL, len + 1);
	get(p, text, len);
	text[len] = '\0';
	return text;
}

static void expect(struct parser *p, const char *word, size_t len)
{
	char buf[16];

	get(p, buf, len);
	if (!p->failed && memcmp(buf, word, len))
		bad(p, "something else");
}

static void skip_text64(struct parser *p)
{
	free(get_text(p, get_u64(p)));
}

static bool is_trace_file(struct parser *p)
{
	char magic[sizeof(TRACEDAT_MAGIC) - 1] = { 0 };
	char version[16] = { 0 };
	unsigned int i;

	if (p->t->size < sizeof(magic) + 16) {
		warn("%s: too short to be a trace file", p->t->path);
		return false;
	}
	get(p, magic, sizeof(magic));
	if (memcmp(magic, TRACEDAT_MAGIC, sizeof(magic))) {
		warn("%s is no trace file: it does not begin as trace.dat does", p->t->path);
		return false;
	}
	for (i = 0; i < sizeof(version) - 1; i++) {
		get(p, &version[i], 1);
		if (!version[i])
			break;
	}
	if (strcmp(version, "6")) {
		warn("%s is a trace file of version '%s', which nestrace can't read; it reads version 6 (trace-cmd convert makes one)",
		     p->t->path, version);
		return false;
	}
	return true;
}

static void read_machine(struct parser *p)
{
	unsigned char endian, bytes;

	p->what = "the header";
	get(p, &endian, 1);
	get(p, &bytes, 1);
	if (!p->failed && (endian || bytes != 8))
		bad(p, "another machine's byte order or word size");
	if (get_u32(p) != NT_SUBBUF_SIZE)
		bad(p, "a page size that is not 4096");
}

static void read_formats(struct parser *p)
{
	uint32_t i, j, nr, events;
	char c, *text;

	p->what = "header_page";
	expect(p, "header_page", 12);
	skip_text64(p);
	p->what = "header_event";
	expect(p, "header_event", 13);
	skip_text64(p);

	p->what = "the event formats";
	nr = get_u32(p);
	for (i = 0; i < nr && !p->failed; i++) {
		text = get_text(p, get_u64(p));
		if (!strncmp(text, "name: function\n", 15) && !p->t->function_format)
			p->t->function_format = text;
		else
			free(text);
	}
	nr = get_u32(p);
	for (i = 0; i < nr && !p->failed; i++) {
		do
			get(p, &c, 1);
		while (c && !p->failed);
		events = get_u32(p);
		for (j = 0; j < events && !p->failed; j++)
			skip_text64(p);
	}
}

static void read_options(struct parser *p)
{
	struct tracedat *t = p->t;
	unsigned int cpu = 0;
	uint16_t id;
	char *text, *open, *close;

	p->what = "the options";
	while (!p->failed && (id = get_u16(p)) != TRACEDAT_OPT_DONE) {
		text = get_text(p, get_u32(p));
		if (id == TRACEDAT_OPT_CPUSTAT && cpu < t->nr_cpus) {
			t->cpustat[cpu++] = text;
			continue;
		}
		if (id == TRACEDAT_OPT_TRACECLOCK) {
			open = strchr(text, '[');
			close = open ? strchr(open, ']') : NULL;
			if (close) {
				*close = '\0';
				free(t->clock);
				t->clock = xstrdup(open + 1);
			}
		}
		free(text);
	}
}

static void read_cpus(struct parser *p)
{
	struct tracedat *t = p->t;
	char section[10];
	unsigned int cpu;

	p->what = "the number of CPUs";
	t->nr_cpus = get_u32(p);
	if (!p->failed && (!t->nr_cpus || t->nr_cpus > CPUS_MAX))
		bad(p, "an impossible number");
	if (p->failed) {
		t->nr_cpus = 0;
		return;
	}
	t->cpustat = memset(xrealloc(NULL, t->nr_cpus * sizeof(*t->cpustat)), 0,
			    t->nr_cpus * sizeof(*t->cpustat));
	t->cpu = memset(xrealloc(NULL, t->nr_cpus * sizeof(*t->cpu)), 0,
			t->nr_cpus * sizeof(*t->cpu));

	p->what = "the section after the CPUs";
	get(p, section, sizeof(section));
	if (!p->failed && !memcmp(section, TRACEDAT_OPTIONS, sizeof(section))) {
		read_options(p);
		p->what = "the section after the options";
		get(p, section, sizeof(section));
	}
	if (!p->failed && memcmp(section, TRACEDAT_FLYRECORD, sizeof(section)))
		bad(p, "no trace data (a 'latency' file?)");

	p->what = "the table of CPU data";
	for (cpu = 0; cpu < t->nr_cpus && !p->failed; cpu++) {
		t->cpu[cpu].offset = get_u64(p);
		t->cpu[cpu].size = get_u64(p);
		if (t->cpu[cpu].offset + t->cpu[cpu].size < t->cpu[cpu].offset)
			bad(p, "an impossible size");
		if (t->cpu[cpu].size % NT_SUBBUF_SIZE)
			bad(p, "a size that is no multiple of a page");
		if (t->cpu[cpu].size && t->cpu[cpu].offset + t->cpu[cpu].size > t->size)
			t->truncated = true;
	}
}

struct tracedat *tracedat_open(const char *path)
{
	struct tracedat *t = memset(xrealloc(NULL, sizeof(*t)), 0, sizeof(*t));
	struct parser p = { .t = t, .what = "the beginning" };
	struct stat st;
	char *id;

	t->path = xstrdup(path);
	t->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (t->fd < 0 || fstat(t->fd, &st)) {
		warn_errno("can't read %s", path);
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		warn("%s is not a regular file", path);
		goto fail;
	}
	t->size = st.st_size;
	if (!is_trace_file(&p))
		goto fail;
	read_machine(&p);
	read_formats(&p);
	p.what = "the symbols";
	t->kallsyms = get_text(&p, get_u32(&p));
	p.what = "the printk formats";
	free(get_text(&p, get_u32(&p)));
	p.what = "the task names";
	t->cmdlines = get_text(&p, get_u64(&p));
	read_cpus(&p);
	if (p.failed)
		goto fail;
	id = t->function_format ? strstr(t->function_format, "\nID: ") : NULL;
	t->function = id ? atoi(id + 5) : -1;
	if (t->function < 0) {
		warn("%s holds no ftrace:function event: it is no function trace", path);
		goto fail;
	}
	return t;
fail:
	tracedat_close(t);
	return NULL;
}

int tracedat_read(struct tracedat *t, unsigned int cpu, uint64_t nr, void *buf)
{
	uint64_t off = nr * NT_SUBBUF_SIZE;
	size_t done = 0;
	ssize_t n;

	if (off >= t->cpu[cpu].size || NT_SUBBUF_SIZE > t->cpu[cpu].size - off)
		return 0;
	while (done < NT_SUBBUF_SIZE) {
		n = pread(t->fd, (char *)buf + done, NT_SUBBUF_SIZE - done,
			  t->cpu[cpu].offset + off + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			warn_errno("reading %s", t->path);
			return -1;
		}
		if (!n)
			return 0;	/* cut short: said at the end, see truncated */
		done += n;
	}
	return 1;
}

void tracedat_close(struct tracedat *t)
{
	unsigned int cpu;

	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	for (cpu = 0; t->cpustat && cpu < t->nr_cpus; cpu++)
		free(t->cpustat[cpu]);
	free(t->cpustat);
	free(t->cpu);
	free(t->clock);
	free(t->cmdlines);
	free(t->kallsyms);
	free(t->function_format);
	free(t->path);
	free(t);
}
