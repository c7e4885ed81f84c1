// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/memory.h"
#include "lib/tracedat_format.h"
#include "lib/tracedat_read.h"
#include "uapi/nestrace.h"

#define TEXT_MAX	(1ULL << 30)
#define CPUS_MAX	65536
#define CHUNK_MAX	(16U << 20)
#define OPTIONS_MAX	(64U << 20)	/* bytes of a section of options */

/* Reads the file, or a section of it that was compressed. */
struct parser {
	struct tracedat *t;
	const char *memory;	/* NULL: the file itself */
	uint64_t off, size;
	const char *what;	/* being read, for the error */
	bool failed;		/* @error is set; whatever is read from now on is 0 */
	struct error *error;
};

/* The compressed data of one CPU, one chunk in memory at a time. */
struct chunks {
	uint32_t left;		/* chunks to be read */
	uint64_t next;		/* where the next one is in the file */
	uint64_t end;		/* of the CPU's data in the file */
	uint64_t first;		/* number of the first sub-buffer in @data */
	uint32_t len;		/* bytes of @data */
	char *data;
};

static void bad(struct parser *p, const char *why)
{
	if (!p->failed)
		error_set(p->error, "damaged or cut short: '%s'; %s in %s, at byte %llu%s", p->t->path,
			  why, p->what, (unsigned long long)p->off,
			  p->memory ? " of a compressed section" : "");
	p->failed = true;
}

static void get(struct parser *p, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	memset(buf, 0, len);
	if (p->failed)
		return;
	if (p->memory) {
		if (len > p->size - p->off) {
			bad(p, "unexpected end");
			return;
		}
		memcpy(buf, p->memory + p->off, len);
		p->off += len;
		return;
	}
	while (done < len) {
		n = pread(p->t->fd, (char *)buf + done, len - done, p->off + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set_errno(p->error, "cannot read '%s'", p->t->path);
			p->failed = true;
		} else if (!n) {
			bad(p, "unexpected end");
		}
		if (n <= 0)
			return;
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

/* Return text with a NUL added, to be freed; never NULL. */
static char *get_text(struct parser *p, uint64_t len)
{
	char *text;

	if (!p->failed && (len > TEXT_MAX || p->off > p->size || len > p->size - p->off))
		bad(p, "an impossible length");
	if (p->failed)
		len = 0;
	text = xrealloc(NULL, len + 1);
	get(p, text, len);
	text[len] = '\0';
	return text;
}

/* Read a string up to its NUL. @size: the room in @text. */
static void get_string(struct parser *p, char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		get(p, &text[i], 1);
		if (!text[i])
			return;
	}
	bad(p, "a word without end");
	text[size - 1] = '\0';
}

static void expect(struct parser *p, const char *word, size_t len)
{
	char buf[16];

	get(p, buf, len);
	if (!p->failed && memcmp(buf, word, len))
		bad(p, "an unexpected word");
}

static void skip_text64(struct parser *p)
{
	free(get_text(p, get_u64(p)));
}

static int version_error(struct parser *p, const char *problem, const char *remedy)
{
	error_set(p->error, "%s: '%s'; %s", problem, p->t->path, remedy);
	p->failed = true;
	return 0;
}

/* Return the version of the file, or 0 after an error. */
static int read_version(struct parser *p)
{
	char magic[sizeof(TRACEDAT_MAGIC) - 1] = { 0 };
	char version[16] = { 0 };

	if (p->size < sizeof(magic) + 16)
		return version_error(p, "too short to be a trace file",
				     "nestrace record and trace-cmd record make trace files");
	get(p, magic, sizeof(magic));
	if (!p->failed && memcmp(magic, TRACEDAT_MAGIC, sizeof(magic)))
		return version_error(p, "not a trace file",
				     "nestrace record and trace-cmd record make trace files");
	get_string(p, version, sizeof(version));
	if (p->failed)
		return 0;
	if (!strcmp(version, "6") || !strcmp(version, "7"))
		return version[0] - '0';
	error_set(p->error, "cannot read version '%s' of trace.dat: '%s'; trace-cmd convert makes version 7",
		  version, p->t->path);
	return 0;
}

static void read_machine(struct parser *p)
{
	unsigned char endian, bytes;

	p->what = "the header";
	get(p, &endian, 1);
	get(p, &bytes, 1);
	if (!p->failed && (endian || bytes != 8))
		bad(p, "the byte order or word size of another machine");
	if (get_u32(p) != NESTRACE_SUBBUF_SIZE)
		bad(p, "a page size that is not 4096");
}

static void read_header_info(struct parser *p)
{
	p->what = "header_page";
	expect(p, "header_page", 12);
	skip_text64(p);
	p->what = "header_event";
	expect(p, "header_event", 13);
	skip_text64(p);
}

static void read_ftrace_formats(struct parser *p)
{
	uint32_t i, nr;
	char *text;

	p->what = "the event formats";
	nr = get_u32(p);
	for (i = 0; i < nr && !p->failed; i++) {
		text = get_text(p, get_u64(p));
		if (!strncmp(text, "name: function\n", 15) && !p->t->function_format)
			p->t->function_format = text;
		else
			free(text);
	}
}

static void skip_other_formats(struct parser *p)
{
	uint32_t i, j, nr, events;
	char c;

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

static void read_symbols(struct parser *p)
{
	p->what = "the symbols";
	free(p->t->kallsyms);
	p->t->kallsyms = get_text(p, get_u32(p));
}

static void read_task_names(struct parser *p)
{
	p->what = "the task names";
	free(p->t->cmdlines);
	p->t->cmdlines = get_text(p, get_u64(p));
}

static void set_nr_cpus(struct parser *p, uint32_t nr)
{
	struct tracedat *t = p->t;

	if (!p->failed && (!nr || nr > CPUS_MAX))
		bad(p, "an impossible number of CPUs");
	if (p->failed)
		return;
	t->nr_cpus = nr;
	t->cpu = xzalloc(nr, sizeof(*t->cpu));
}

static void set_cpu(struct parser *p, uint32_t cpu, uint64_t offset, uint64_t size)
{
	struct tracedat *t = p->t;

	if (p->failed)
		return;
	if (offset + size < offset || cpu >= t->nr_cpus || t->cpu[cpu].size) {
		bad(p, "an impossible place for a CPU's data");
		return;
	}
	t->cpu[cpu].offset = offset;
	t->cpu[cpu].size = size;
	if (size && offset + size > t->size)
		t->truncated = true;
}

static void take_cpustat(struct tracedat *t, char *text)
{
	if (t->nr_cpustat == CPUS_MAX) {
		free(text);
		return;
	}
	t->cpustat = xrealloc(t->cpustat, (t->nr_cpustat + 1) * sizeof(*t->cpustat));
	t->cpustat[t->nr_cpustat++] = text;
}

static void take_clock(struct tracedat *t, const char *text)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return;
	free(t->clock);
	t->clock = strndup(open + 1, close - open - 1);
	if (!t->clock)
		out_of_memory();
}

static void read_options(struct parser *p)
{
	uint16_t id;
	char *text;

	p->what = "the options";
	while (!p->failed && (id = get_u16(p)) != TRACEDAT_OPT_DONE) {
		text = get_text(p, get_u32(p));
		if (id == TRACEDAT_OPT_CPUSTAT) {
			take_cpustat(p->t, text);
			continue;
		}
		if (id == TRACEDAT_OPT_TRACECLOCK)
			take_clock(p->t, text);
		free(text);
	}
}

/* Version 6 has one part after the other. */
static void read_6(struct parser *p)
{
	struct tracedat *t = p->t;
	uint64_t offset, size;
	char section[10];
	unsigned int cpu;

	read_header_info(p);
	read_ftrace_formats(p);
	skip_other_formats(p);
	read_symbols(p);
	p->what = "the printk formats";
	free(get_text(p, get_u32(p)));
	read_task_names(p);
	p->what = "the number of CPUs";
	set_nr_cpus(p, get_u32(p));

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
		offset = get_u64(p);
		size = get_u64(p);
		if (size % NESTRACE_SUBBUF_SIZE)
			bad(p, "a size that is not a multiple of a page");
		set_cpu(p, cpu, offset, size);
	}
}

/* Where the parts of a version 7 file are. */
struct map {
	uint64_t section[TRACEDAT_OPT_CMDLINES + 1];
	char *buffer;			/* the option of the top instance */
	size_t buffer_len;
};

/*
 * Open the section at @at. @in reads its content, from the file or from *@unpacked, which
 * the caller frees. Return: false if that failed.
 */
static bool open_section(struct parser *p, uint64_t at, uint16_t id, struct parser *in,
			 char **unpacked)
{
	uint32_t packed_len, len;
	uint16_t found, flags;
	char *packed;
	size_t n;

	*unpacked = NULL;
	p->off = at;
	found = get_u16(p);
	flags = get_u16(p);
	get_u32(p);
	get_u64(p);
	if (!p->failed && found != id)
		bad(p, "a section of another kind");
	*in = *p;
	if (p->failed || !(flags & TRACEDAT_COMPRESSED))
		return !p->failed;
	packed_len = get_u32(p);
	len = get_u32(p);
	/* zstd compresses better than that only what is all the same */
	if (!p->failed && (len > (id == TRACEDAT_OPT_DONE ? OPTIONS_MAX : TEXT_MAX) ||
			   len / 20000 > packed_len))
		bad(p, "an impossible length");
	packed = get_text(p, packed_len);
	if (!p->failed) {
		*unpacked = xrealloc(NULL, (size_t)len + 1);
		n = ZSTD_decompress(*unpacked, len, packed, packed_len);
		if (ZSTD_isError(n) || n != len)
			bad(p, "data that cannot be decompressed");
		in->memory = *unpacked;
		in->off = 0;
		in->size = len;
	}
	free(packed);
	return !p->failed;
}

static void take_option(struct parser *p, uint16_t id, char *data, uint32_t len, struct map *map)
{
	switch (id) {
	case TRACEDAT_OPT_CPUSTAT:
		take_cpustat(p->t, data);
		return;
	case TRACEDAT_OPT_TRACECLOCK:
		take_clock(p->t, data);
		break;
	case TRACEDAT_OPT_NESTRACE_TIMES:
		free(p->t->times);
		p->t->times = data;
		return;
	case TRACEDAT_OPT_HEADER_INFO ... TRACEDAT_OPT_CMDLINES:
		if (len >= sizeof(uint64_t))
			memcpy(&map->section[id], data, sizeof(uint64_t));
		break;
	case TRACEDAT_OPT_BUFFER:
		/* skip the data of an instance, which has a name */
		if (len > sizeof(uint64_t) && !data[sizeof(uint64_t)] && !map->buffer) {
			map->buffer = data;
			map->buffer_len = len;
			return;
		}
	}
	free(data);
}

static void read_map(struct parser *p, struct map *map)
{
	uint64_t at = get_u64(p), last = 0;
	struct parser in;
	char *unpacked, *data;
	uint32_t len;
	uint16_t id;

	while (at && !p->failed) {
		p->what = "the options";
		/* writers append them one after the other */
		if (at <= last)
			bad(p, "no end");
		last = at;
		if (!open_section(p, at, TRACEDAT_OPT_DONE, &in, &unpacked)) {
			free(unpacked);
			return;
		}
		do {
			id = get_u16(&in);
			len = get_u32(&in);
			data = get_text(&in, len);
			if (id == TRACEDAT_OPT_DONE) {
				at = 0;
				if (!in.failed && len >= sizeof(at))
					memcpy(&at, data, sizeof(at));
				free(data);
			} else if (in.failed) {
				free(data);
			} else {
				take_option(p, id, data, len, map);
			}
		} while (!in.failed && id != TRACEDAT_OPT_DONE);
		p->failed = in.failed;
		free(unpacked);
	}
}

static void read_section(struct parser *p, const struct map *map, unsigned int id,
			 void (*read)(struct parser *))
{
	struct parser in;
	char *unpacked;

	if (p->failed || !map->section[id])
		return;
	if (open_section(p, map->section[id], id, &in, &unpacked)) {
		read(&in);
		p->failed = in.failed;
	}
	free(unpacked);
}

static void open_chunks(struct parser *p, unsigned int cpu)
{
	struct tracedat *t = p->t;
	struct chunks *c;

	c = xzalloc(1, sizeof(*c));
	t->cpu[cpu].chunks = c;
	c->next = c->end = t->cpu[cpu].offset + t->cpu[cpu].size;
	if (!t->cpu[cpu].size || t->cpu[cpu].offset + sizeof(uint32_t) > t->size)
		return;
	p->off = t->cpu[cpu].offset;
	c->left = get_u32(p);
	c->next = p->off;
}

/* The option of the buffer lists the CPUs. */
static void read_buffer(struct parser *p, const struct map *map)
{
	struct parser in = {
		.t = p->t, .memory = map->buffer, .size = map->buffer_len, .error = p->error,
	};
	uint32_t i, nr, cpu, most = 0;
	struct parser data;
	uint64_t at, offset;

	p->what = in.what = "the table of CPU data";
	if (!map->buffer) {
		bad(p, "no trace data (a 'latency' file, or only of an instance?)");
		return;
	}
	at = get_u64(&in);
	while (!in.failed && in.off < in.size && in.memory[in.off])
		in.off++;
	in.off++;			/* the name */
	while (in.off < in.size && in.memory[in.off])
		in.off++;
	in.off++;			/* the clock */
	if (in.off > in.size)
		bad(&in, "unexpected end");
	if (get_u32(&in) != NESTRACE_SUBBUF_SIZE)
		bad(&in, "a page size that is not 4096");
	nr = get_u32(&in);
	offset = in.off;
	for (i = 0; i < nr && !in.failed; i++) {
		cpu = get_u32(&in);
		most = cpu > most ? cpu : most;
		in.off += 2 * sizeof(uint64_t);
		if (in.off > in.size)
			bad(&in, "unexpected end");
	}
	set_nr_cpus(&in, in.failed || !nr ? 0 : most + 1);
	in.off = offset;
	for (i = 0; i < nr && !in.failed; i++) {
		cpu = get_u32(&in);
		offset = get_u64(&in);
		set_cpu(&in, cpu, offset, get_u64(&in));
	}
	p->failed = in.failed;

	/* the header of the section says whether it is compressed */
	p->off = at;
	data = *p;
	if (!p->failed && get_u16(&data) != TRACEDAT_OPT_BUFFER)
		bad(&data, "a section of another kind");
	if (get_u16(&data) & TRACEDAT_COMPRESSED)
		for (cpu = 0; cpu < p->t->nr_cpus && !data.failed; cpu++)
			open_chunks(&data, cpu);
	p->failed |= data.failed;
}

/* Version 7 has sections; options give their places. */
static void read_7(struct parser *p)
{
	struct map map = { 0 };
	char name[16], version[32];

	p->what = "the compression";
	get_string(p, name, sizeof(name));
	get_string(p, version, sizeof(version));
	if (!p->failed && strcmp(name, TRACEDAT_ZSTD) && strcmp(name, "none")) {
		error_set(p->error, "cannot read compression '%s': '%s'; trace-cmd convert --compression none makes a file that nestrace reads",
			  name, p->t->path);
		p->failed = true;
	}
	if (!p->failed)
		read_map(p, &map);
	read_section(p, &map, TRACEDAT_OPT_HEADER_INFO, read_header_info);
	read_section(p, &map, TRACEDAT_OPT_FTRACE_EVENTS, read_ftrace_formats);
	read_section(p, &map, TRACEDAT_OPT_KALLSYMS, read_symbols);
	read_section(p, &map, TRACEDAT_OPT_CMDLINES, read_task_names);
	if (!p->failed)
		read_buffer(p, &map);
	free(map.buffer);
	if (!p->t->kallsyms)
		p->t->kallsyms = xstrdup("");
	if (!p->t->cmdlines)
		p->t->cmdlines = xstrdup("");
}

struct tracedat *tracedat_open(const char *path, struct error *e)
{
	struct tracedat *t = xzalloc(1, sizeof(*t));
	struct parser p = { .t = t, .what = "the beginning", .error = e };
	struct stat st;
	int version;
	char *id;

	t->path = xstrdup(path);
	t->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (t->fd < 0 || fstat(t->fd, &st)) {
		error_set_errno(e, "cannot read '%s'", path);
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(e, "not a regular file: '%s'; a trace cannot be read from a pipe or device", path);
		goto fail;
	}
	t->size = st.st_size;
	p.size = t->size;
	version = read_version(&p);
	if (!version)
		goto fail;
	read_machine(&p);
	if (version == 6)
		read_6(&p);
	else
		read_7(&p);
	if (p.failed)
		goto fail;
	id = t->function_format ? strstr(t->function_format, "\nID: ") : NULL;
	t->function = id ? atoi(id + 5) : -1;
	if (t->function < 0) {
		error_set(e, "not a function trace: '%s'; it has no ftrace:function event", path);
		goto fail;
	}
	return t;
fail:
	tracedat_close(t);
	return NULL;
}

/* Return 1, 0 at the end of the file, or -1 after an error. */
static int read_at(struct tracedat *t, uint64_t off, void *buf, size_t len, struct error *e)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(t->fd, (char *)buf + done, len - done, off + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set_errno(e, "cannot read '%s'", t->path);
			return -1;
		}
		if (!n)
			return 0;	/* @truncated is set */
		done += n;
	}
	return 1;
}

static int damaged(struct tracedat *t, unsigned int cpu, const char *why, struct error *e)
{
	error_set(e, "the data of CPU %u is damaged: '%s'; %s at byte %llu, the rest of that CPU is skipped",
		  cpu, t->path, why, (unsigned long long)t->cpu[cpu].chunks->next);
	return -1;
}

/* Read the next chunk. Return: as read_at(). */
static int next_chunk(struct tracedat *t, unsigned int cpu, struct error *e)
{
	struct chunks *c = t->cpu[cpu].chunks;
	/* trace-cmd does not count the number of chunks in the size of the data, we do */
	uint64_t end = c->end + sizeof(uint32_t);
	uint32_t head[2];
	char *packed;
	int ret;

	c->first += c->len / NESTRACE_SUBBUF_SIZE;
	c->len = 0;
	if (!c->left)
		return c->next == c->end || c->next == end ? 0 :
		       damaged(t, cpu, "more data than chunks", e);
	ret = read_at(t, c->next, head, sizeof(head), e);
	if (ret <= 0)
		return ret;
	if (c->next + sizeof(head) > end || head[0] > end - c->next - sizeof(head) ||
	    head[0] > ZSTD_compressBound(CHUNK_MAX) || !head[1] || head[1] > CHUNK_MAX ||
	    head[1] % NESTRACE_SUBBUF_SIZE)
		return damaged(t, cpu, "an impossible length", e);
	packed = xrealloc(NULL, head[0]);
	ret = read_at(t, c->next + sizeof(head), packed, head[0], e);
	if (ret > 0) {
		c->data = xrealloc(c->data, head[1]);
		if (ZSTD_decompress(c->data, head[1], packed, head[0]) != head[1])
			ret = damaged(t, cpu, "data that cannot be decompressed", e);
	}
	free(packed);
	if (ret > 0) {
		c->next += sizeof(head) + head[0];
		c->left--;
		c->len = head[1];
	}
	return ret;
}

int tracedat_read(struct tracedat *t, unsigned int cpu, uint64_t nr, void *buf, struct error *e)
{
	struct chunks *c = t->cpu[cpu].chunks;
	uint64_t off = nr * NESTRACE_SUBBUF_SIZE;
	int ret;

	if (!c) {
		if (off >= t->cpu[cpu].size || NESTRACE_SUBBUF_SIZE > t->cpu[cpu].size - off)
			return 0;
		return read_at(t, t->cpu[cpu].offset + off, buf, NESTRACE_SUBBUF_SIZE, e);
	}
	while (nr >= c->first + c->len / NESTRACE_SUBBUF_SIZE) {
		ret = next_chunk(t, cpu, e);
		if (ret <= 0) {
			c->left = 0;
			c->next = c->end;
			return ret;
		}
	}
	memcpy(buf, c->data + off - c->first * NESTRACE_SUBBUF_SIZE, NESTRACE_SUBBUF_SIZE);
	return 1;
}

void tracedat_close(struct tracedat *t)
{
	unsigned int cpu;

	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	for (cpu = 0; cpu < t->nr_cpustat; cpu++)
		free(t->cpustat[cpu]);
	for (cpu = 0; t->cpu && cpu < t->nr_cpus; cpu++) {
		if (t->cpu[cpu].chunks)
			free(t->cpu[cpu].chunks->data);
		free(t->cpu[cpu].chunks);
	}
	free(t->cpustat);
	free(t->cpu);
	free(t->clock);
	free(t->cmdlines);
	free(t->times);
	free(t->kallsyms);
	free(t->function_format);
	free(t->path);
	free(t);
}
