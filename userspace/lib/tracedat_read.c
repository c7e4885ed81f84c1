// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/byte_order.h"
#include "lib/file_time.h"
#include "lib/memory.h"
#include "lib/packing.h"
#include "lib/tracedat_format.h"
#include "lib/tracedat_read.h"

#define TEXT_MAX	(1ULL << 30)
#define CPUS_MAX	65536
#define ALL_CPUS_MAX	(8 * CPUS_MAX)	/* in all buffers of a file */
#define BUFFERS_MAX	4096
#define SUBBUF_MIN	256U
#define SUBBUF_MAX	(16U << 20)
#define CHUNK_MAX	(256U << 20)
#define OPTIONS_MAX	(64U << 20)	/* bytes of a section of options */
#define SECTION_HEAD	16		/* bytes */

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
	uint64_t first;		/* bytes of all chunks before @data */
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

static void get(struct parser *p, void *buf, size_t len)
{
	int ret;

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
	ret = read_at(p->t, p->off, buf, len, p->error);
	if (!ret)
		bad(p, "unexpected end");
	else if (ret < 0)
		p->failed = true;
	else
		p->off += len;
}

static uint64_t get_number(struct parser *p, unsigned int size)
{
	char data[sizeof(uint64_t)];

	get(p, data, size);
	return number_at(data, size, p->t->bigendian);
}

static uint16_t get_u16(struct parser *p)
{
	return get_number(p, sizeof(uint16_t));
}

static uint32_t get_u32(struct parser *p)
{
	return get_number(p, sizeof(uint32_t));
}

static uint64_t get_u64(struct parser *p)
{
	return get_number(p, sizeof(uint64_t));
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

/* Return a string up to its NUL, to be freed; never NULL. @max: the most characters. */
static char *get_string(struct parser *p, size_t max)
{
	size_t len = 0, size = 0;
	char *text = NULL;

	do {
		if (len == size) {
			size = size ? 2 * size : 32;
			text = xrealloc(text, size);
		}
		if (len > max)
			bad(p, "a word without end");
		get(p, &text[len], 1);
	} while (text[len++]);
	return text;
}

static void expect(struct parser *p, const char *word, size_t len)
{
	char buf[16];

	get(p, buf, len);
	if (!p->failed && memcmp(buf, word, len))
		bad(p, "an unexpected word");
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
	char *version;
	int nr = 0;

	if (p->size < sizeof(magic) + 16)
		return version_error(p, "too short to be a trace file",
				     "nestrace record and trace-cmd record make trace files");
	get(p, magic, sizeof(magic));
	if (!p->failed && memcmp(magic, TRACEDAT_MAGIC, sizeof(magic)))
		return version_error(p, "not a trace file",
				     "nestrace record and trace-cmd record make trace files");
	version = get_string(p, 15);
	if (!p->failed && (!strcmp(version, "6") || !strcmp(version, "7")))
		nr = version[0] - '0';
	else if (!p->failed)
		error_set(p->error, "cannot read version '%s' of trace.dat: '%s'; nestrace reads versions 6 and 7",
			  version, p->t->path);
	free(version);
	return nr;
}

static bool subbuf_size_is_good(struct parser *p, uint32_t size)
{
	if (size >= SUBBUF_MIN && size <= SUBBUF_MAX && !(size & (size - 1)))
		return true;
	bad(p, "an impossible size of sub-buffers");
	return false;
}

/* Return the size of a page. */
static uint32_t read_machine(struct parser *p)
{
	unsigned char endian, bytes;
	uint32_t size;

	p->what = "the header";
	get(p, &endian, 1);
	get(p, &bytes, 1);
	if (!p->failed && (endian > 1 || (bytes != 4 && bytes != 8)))
		bad(p, "an impossible byte order or word size");
	p->t->bigendian = endian;
	p->t->long_size = bytes;
	size = get_u32(p);
	if (!p->failed)
		subbuf_size_is_good(p, size);
	return size;
}

static void read_header_info(struct parser *p)
{
	p->what = "header_page";
	expect(p, "header_page", 12);
	free(p->t->header_page);
	p->t->header_page = get_text(p, get_u64(p));
	p->what = "header_event";
	expect(p, "header_event", 13);
	free(get_text(p, get_u64(p)));
}

/* Read a format of @system. */
static void read_format(struct parser *p, const char *system)
{
	struct tracedat *t = p->t;
	char *text = get_text(p, get_u64(p));

	if (p->failed) {
		free(text);
		return;
	}
	t->format = xgrow(t->format, t->nr_formats, sizeof(*t->format));
	t->format[t->nr_formats++] = (struct tracedat_format){
		.system = xstrdup(system), .text = text,
	};
}

static void read_ftrace_formats(struct parser *p)
{
	uint32_t i, nr;

	p->what = "the formats of ftrace's events";
	nr = get_u32(p);
	for (i = 0; i < nr && !p->failed; i++)
		read_format(p, "ftrace");
}

static void read_other_formats(struct parser *p)
{
	uint32_t i, j, nr, events;
	char *system;

	p->what = "the formats of events";
	nr = get_u32(p);
	for (i = 0; i < nr && !p->failed; i++) {
		system = get_string(p, 4096);
		events = get_u32(p);
		for (j = 0; j < events && !p->failed; j++)
			read_format(p, system);
		free(system);
	}
}

static void read_symbols(struct parser *p)
{
	p->what = "the symbols";
	free(p->t->kallsyms);
	p->t->kallsyms = get_text(p, get_u32(p));
}

static void read_args(struct parser *p)
{
	p->what = "the description of arguments";
	free(p->t->args);
	p->t->args = get_text(p, get_u32(p));
}

static void read_printk(struct parser *p)
{
	p->what = "the printk formats";
	free(p->t->printk);
	p->t->printk = get_text(p, get_u32(p));
}

static void read_task_names(struct parser *p)
{
	p->what = "the task names";
	free(p->t->cmdlines);
	p->t->cmdlines = get_text(p, get_u64(p));
}

/* Add a buffer with the name of its instance, which becomes the buffer's. Return: NULL after an error. */
static struct tracedat_buffer *add_buffer(struct parser *p, char *name)
{
	struct tracedat *t = p->t;
	unsigned int nr = t->nr_buffers;

	if (!p->failed && nr == BUFFERS_MAX)
		bad(p, "an impossible number of instances");
	if (p->failed) {
		free(name);
		return NULL;
	}
	t->buffer = xrealloc(t->buffer, (nr + 1) * sizeof(*t->buffer));
	/* the top one comes first */
	if (!*name && nr) {
		memmove(t->buffer + 1, t->buffer, nr * sizeof(*t->buffer));
		nr = 0;
	}
	t->nr_buffers++;
	t->buffer[nr] = (struct tracedat_buffer){ .name = name };
	return &t->buffer[nr];
}

static void set_nr_cpus(struct parser *p, struct tracedat_buffer *b, uint64_t nr)
{
	struct tracedat *t = p->t;
	uint64_t all = nr;
	unsigned int i;

	for (i = 0; i < t->nr_buffers; i++)
		all += t->buffer[i].nr_cpus;
	if (!p->failed && (nr > CPUS_MAX || all > ALL_CPUS_MAX))
		bad(p, "an impossible number of CPUs");
	if (p->failed)
		return;
	b->nr_cpus = nr;
	b->cpu = xzalloc(nr ? nr : 1, sizeof(*b->cpu));
	if (nr > t->nr_cpus)
		t->nr_cpus = nr;
}

static void set_cpu(struct parser *p, struct tracedat_buffer *b, uint32_t cpu, uint64_t offset,
		    uint64_t size)
{
	struct tracedat *t = p->t;

	if (p->failed)
		return;
	if (offset + size < offset || cpu >= b->nr_cpus || b->cpu[cpu].size) {
		bad(p, "an impossible place for a CPU's data");
		return;
	}
	b->cpu[cpu].offset = offset;
	b->cpu[cpu].size = size;
	if (size && offset + size > t->size)
		t->truncated = true;
}

static void take_cpustat(struct tracedat *t, char *text)
{
	if (t->nr_cpustat == CPUS_MAX) {
		free(text);
		return;
	}
	if (strstr(text, "\nring_kb: "))
		t->is_nestrace = true;
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

/* Take an option that both versions have. @data becomes ours. */
static void take_fact(struct parser *p, uint16_t id, char *data, uint32_t len)
{
	struct tracedat *t = p->t;
	bool good = true;

	switch (id) {
	case TRACEDAT_OPT_CPUSTAT:
		take_cpustat(t, data);
		return;
	case TRACEDAT_OPT_TRACECLOCK:
		take_clock(t, data);
		break;
	case TRACEDAT_OPT_NESTRACE_TIMES:
		free(t->times);
		t->times = data;
		return;
	case TRACEDAT_OPT_NESTRACE_ARGS:
		/* in a file of version 6; those of version 7 have them in a section */
		free(t->args);
		t->args = data;
		return;
	case TRACEDAT_OPT_UNAME:
		free(t->uname);
		t->uname = data;
		return;
	case TRACEDAT_OPT_TRACEID:
		if (len >= sizeof(t->id))
			t->id = number_at(data, sizeof(t->id), t->bigendian);
		break;
	case TRACEDAT_OPT_DATE:
		file_time_date(t->time, data);
		break;
	case TRACEDAT_OPT_OFFSET:
		file_time_offset(t->time, data);
		break;
	case TRACEDAT_OPT_TSC2NSEC:
		good = file_time_tsc(t->time, data, len, t->bigendian);
		break;
	case TRACEDAT_OPT_TIME_SHIFT:
		good = file_time_shift(t->time, data, len, t->bigendian);
		break;
	}
	free(data);
	if (!good)
		bad(p, "a correction of times that makes no sense");
}

/* The places of the data, as the options of version 6 have them. */
struct data_6 {
	uint32_t nr_cpus;
	bool has_clock;		/* its name follows the table of the top instance */
	struct instance {
		char *name;
		uint64_t at;
	} *list;
	unsigned int nr;
};

static void take_instance(struct parser *p, struct data_6 *in, char *data, uint32_t len)
{
	uint64_t at;

	if (len <= sizeof(at) || in->nr == BUFFERS_MAX) {
		bad(p, "an impossible instance");
	} else {
		at = number_at(data, sizeof(at), p->t->bigendian);
		in->list = xrealloc(in->list, (in->nr + 1) * sizeof(*in->list));
		in->list[in->nr++] = (struct instance){ xstrdup(data + sizeof(at)), at };
	}
	free(data);
}

static void read_options(struct parser *p, struct data_6 *in)
{
	uint32_t len;
	uint16_t id;
	char *text;

	p->what = "the options";
	while (!p->failed && (id = get_u16(p)) != TRACEDAT_OPT_DONE) {
		len = get_u32(p);
		text = get_text(p, len);
		if (p->failed) {
			free(text);
			return;
		}
		in->has_clock |= id == TRACEDAT_OPT_TRACECLOCK;
		/* it corrects the number that came before the options */
		if (id == TRACEDAT_OPT_CPUCOUNT && len >= sizeof(in->nr_cpus))
			in->nr_cpus = number_at(text, sizeof(in->nr_cpus), p->t->bigendian);
		if (id == TRACEDAT_OPT_BUFFER)
			take_instance(p, in, text, len);
		else
			take_fact(p, id, text, len);
	}
}

/* Read the table of the data of @b: an offset and a size for each CPU. */
static void read_table(struct parser *p, struct tracedat_buffer *b)
{
	unsigned int cpu;
	uint64_t offset;

	p->what = "the table of CPU data";
	for (cpu = 0; cpu < b->nr_cpus && !p->failed; cpu++) {
		offset = get_u64(p);
		set_cpu(p, b, cpu, offset, get_u64(p));
	}
}

static void read_instance(struct parser *p, const struct instance *i, uint32_t page_size,
			  uint32_t nr_cpus)
{
	struct tracedat_buffer *b;

	p->off = i->at;
	p->what = "the data of an instance";
	expect(p, TRACEDAT_FLYRECORD, sizeof(TRACEDAT_FLYRECORD));
	b = add_buffer(p, xstrdup(i->name));
	if (!b)
		return;
	b->subbuf_size = page_size;
	set_nr_cpus(p, b, nr_cpus);
	read_table(p, b);
}

/* The lines of a latency tracer are the rest of the file. */
static void take_lines(struct parser *p, struct tracedat_buffer *b)
{
	b->is_text = true;
	set_nr_cpus(p, b, 1);
	if (!p->failed)
		set_cpu(p, b, 0, p->off, p->size - p->off);
}

/* Read the clock's name. Some files have the option, but not the name. */
static void read_clock(struct parser *p)
{
	struct error ignored;
	struct parser in = *p;
	char *clock;

	if (p->failed)
		return;
	in.error = &ignored;
	clock = get_text(&in, get_u64(&in));
	if (!in.failed)
		take_clock(p->t, clock);
	free(clock);
}

/* Version 6 has one part after the other. */
static void read_6(struct parser *p, uint32_t page_size)
{
	struct data_6 in = { 0 };
	struct tracedat_buffer *b;
	char section[10];
	unsigned int i;

	read_header_info(p);
	read_ftrace_formats(p);
	read_other_formats(p);
	read_symbols(p);
	read_printk(p);
	read_task_names(p);
	p->what = "the number of CPUs";
	in.nr_cpus = get_u32(p);

	p->what = "the section after the CPUs";
	get(p, section, sizeof(section));
	if (!p->failed && !memcmp(section, TRACEDAT_OPTIONS, sizeof(section))) {
		read_options(p, &in);
		p->what = "the section after the options";
		get(p, section, sizeof(section));
	}
	b = add_buffer(p, xstrdup(""));
	if (b && !memcmp(section, TRACEDAT_LATENCY, sizeof(section))) {
		take_lines(p, b);
	} else if (b && memcmp(section, TRACEDAT_FLYRECORD, sizeof(section))) {
		bad(p, "an unknown kind of data");
	} else if (b) {
		b->subbuf_size = page_size;
		set_nr_cpus(p, b, in.nr_cpus);
		read_table(p, b);
		if (in.has_clock)
			read_clock(p);
	}
	for (i = 0; i < in.nr; i++) {
		if (!p->failed)
			read_instance(p, &in.list[i], page_size, in.nr_cpus);
		free(in.list[i].name);
	}
	free(in.list);
}

/* Where the parts of a version 7 file are. */
struct map {
	uint64_t section[TRACEDAT_NR_SECTIONS];	/* by tracedat_section() */
	struct buffer_option {
		uint16_t id;
		char *data;
		uint32_t len;
	} *buffer;
	unsigned int nr_buffers;
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
	if (!p->failed && (len > (id == TRACEDAT_OPT_DONE ? OPTIONS_MAX : TEXT_MAX) ||
			   !packing_can(p->t->packing, len, packed_len)))
		bad(p, "an impossible length");
	packed = get_text(p, packed_len);
	if (!p->failed) {
		*unpacked = xrealloc(NULL, (size_t)len + 1);
		if (!packing_unpack(p->t->packing, *unpacked, len, packed, packed_len))
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
	case TRACEDAT_OPT_HEADER_INFO ... TRACEDAT_OPT_CMDLINES:
	case TRACEDAT_OPT_NESTRACE_ARGS:
		if (len >= sizeof(uint64_t))
			map->section[tracedat_section(id)] = number_at(data, sizeof(uint64_t), p->t->bigendian);
		free(data);
		break;
	case TRACEDAT_OPT_BUFFER:
	case TRACEDAT_OPT_BUFFER_TEXT:
		if (map->nr_buffers == BUFFERS_MAX) {
			bad(p, "an impossible number of instances");
			free(data);
			break;
		}
		map->buffer = xrealloc(map->buffer, (map->nr_buffers + 1) * sizeof(*map->buffer));
		map->buffer[map->nr_buffers++] = (struct buffer_option){ id, data, len };
		break;
	default:
		take_fact(p, id, data, len);
	}
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
					at = number_at(data, sizeof(at), p->t->bigendian);
				free(data);
			} else if (in.failed) {
				free(data);
			} else {
				take_option(&in, id, data, len, map);
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

	if (p->failed || !map->section[tracedat_section(id)])
		return;
	if (open_section(p, map->section[tracedat_section(id)], id, &in, &unpacked)) {
		read(&in);
		p->failed = in.failed;
	}
	free(unpacked);
}

static void open_chunks(struct parser *p, struct tracedat_cpu *cpu)
{
	struct chunks *c;

	c = xzalloc(1, sizeof(*c));
	cpu->chunks = c;
	c->next = c->end = cpu->offset + cpu->size;
	if (!cpu->size || cpu->offset + sizeof(uint32_t) > p->t->size)
		return;
	p->off = cpu->offset;
	c->left = get_u32(p);
	c->next = p->off;
}

/* Take the CPUs that the rest of the option @in lists. */
static void read_cpus(struct parser *in, struct tracedat_buffer *b)
{
	uint32_t i, nr, cpu, most = 0;
	uint64_t offset, start;

	b->subbuf_size = get_u32(in);
	if (!in->failed)
		subbuf_size_is_good(in, b->subbuf_size);
	nr = get_u32(in);
	start = in->off;
	for (i = 0; i < nr && !in->failed; i++) {
		cpu = get_u32(in);
		most = cpu > most ? cpu : most;
		get_u64(in);
		get_u64(in);
	}
	set_nr_cpus(in, b, nr ? most + 1ULL : 0);
	in->off = start;
	for (i = 0; i < nr && !in->failed; i++) {
		cpu = get_u32(in);
		offset = get_u64(in);
		set_cpu(in, b, cpu, offset, get_u64(in));
	}
}

/* An option lists the CPUs of a buffer and has the place of its section. */
static void read_buffer(struct parser *p, const struct buffer_option *option)
{
	struct parser in = {
		.t = p->t, .memory = option->data, .size = option->len, .error = p->error,
		.what = "the table of CPU data",
	};
	uint64_t at = get_u64(&in), size;
	struct tracedat_buffer *b;
	unsigned int cpu;
	uint16_t flags;

	b = add_buffer(&in, get_string(&in, in.size));
	if (b) {
		b->clock = get_string(&in, in.size);
		b->is_text = option->id == TRACEDAT_OPT_BUFFER_TEXT;
		if (!b->is_text)
			read_cpus(&in, b);
	}
	p->failed = in.failed;
	if (p->failed || (!b->is_text && !b->nr_cpus))
		return;

	/* the header of the section says whether it is compressed */
	p->what = in.what;
	p->off = at;
	if (get_u16(p) != option->id && !p->failed)
		bad(p, "a section of another kind");
	flags = get_u16(p);
	get_u32(p);
	size = get_u64(p);
	if (b->is_text) {
		set_nr_cpus(p, b, 1);
		set_cpu(p, b, 0, p->off, size);
	}
	if (flags & TRACEDAT_COMPRESSED)
		for (cpu = 0; cpu < b->nr_cpus && !p->failed; cpu++)
			open_chunks(p, &b->cpu[cpu]);
}

/* Version 7 has sections; options give their places. */
static void read_7(struct parser *p)
{
	struct map map = { 0 };
	char *name, *version;
	unsigned int i;

	p->what = "the compression";
	name = get_string(p, 4096);
	version = get_string(p, 4096);
	if (!p->failed && !packing_find(name, &p->t->packing)) {
		error_set(p->error, "cannot read compression '%s': '%s'; trace-cmd convert --compression none makes a file that nestrace reads",
			  name, p->t->path);
		p->failed = true;
	}
	free(name);
	free(version);
	if (!p->failed)
		read_map(p, &map);
	read_section(p, &map, TRACEDAT_OPT_HEADER_INFO, read_header_info);
	read_section(p, &map, TRACEDAT_OPT_FTRACE_EVENTS, read_ftrace_formats);
	read_section(p, &map, TRACEDAT_OPT_EVENT_FORMATS, read_other_formats);
	read_section(p, &map, TRACEDAT_OPT_KALLSYMS, read_symbols);
	read_section(p, &map, TRACEDAT_OPT_NESTRACE_ARGS, read_args);
	read_section(p, &map, TRACEDAT_OPT_PRINTK, read_printk);
	read_section(p, &map, TRACEDAT_OPT_CMDLINES, read_task_names);
	for (i = 0; i < map.nr_buffers; i++) {
		if (!p->failed)
			read_buffer(p, &map.buffer[i]);
		free(map.buffer[i].data);
	}
	free(map.buffer);
	if (!p->failed && !p->t->clock && p->t->nr_buffers && p->t->buffer[0].clock)
		p->t->clock = xstrdup(p->t->buffer[0].clock);
}

static char *or_empty(char *text)
{
	return text ? text : xstrdup("");
}

struct tracedat *tracedat_open(const char *path, struct error *e)
{
	struct tracedat *t = xzalloc(1, sizeof(*t));
	struct parser p = { .t = t, .what = "the beginning", .error = e };
	uint32_t page_size;
	struct stat st;
	int version;

	t->path = xstrdup(path);
	t->time = xzalloc(1, sizeof(*t->time));
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
	page_size = read_machine(&p);
	if (p.failed)
		goto fail;
	if (version == 6)
		read_6(&p, page_size);
	else
		read_7(&p);
	if (p.failed)
		goto fail;
	t->header_page = or_empty(t->header_page);
	t->kallsyms = or_empty(t->kallsyms);
	t->printk = or_empty(t->printk);
	t->cmdlines = or_empty(t->cmdlines);
	return t;
fail:
	tracedat_close(t);
	return NULL;
}

static int damaged(struct tracedat *t, unsigned int cpu, const struct chunks *c, const char *why,
		   struct error *e)
{
	error_set(e, "the data of CPU %u is damaged: '%s'; %s at byte %llu, the rest of that CPU is skipped",
		  cpu, t->path, why, (unsigned long long)c->next);
	return -1;
}

/* Read the next chunk of @cpu. Return: as read_at(). */
static int next_chunk(struct tracedat *t, struct chunks *c, unsigned int cpu, struct error *e)
{
	/* trace-cmd does not count the number of chunks in the size of the data, we do */
	uint64_t end = c->end + sizeof(uint32_t);
	char raw[2 * sizeof(uint32_t)];
	uint32_t packed_len, len;
	char *packed;
	int ret;

	c->first += c->len;
	c->len = 0;
	if (!c->left)
		return c->next == c->end || c->next == end ? 0 :
		       damaged(t, cpu, c, "more data than chunks", e);
	ret = read_at(t, c->next, raw, sizeof(raw), e);
	if (ret <= 0)
		return ret;
	packed_len = number_at(raw, sizeof(packed_len), t->bigendian);
	len = number_at(raw + sizeof(packed_len), sizeof(len), t->bigendian);
	if (c->next + sizeof(raw) > end || packed_len > end - c->next - sizeof(raw) ||
	    !len || len > CHUNK_MAX || !packing_can(t->packing, len, packed_len))
		return damaged(t, cpu, c, "an impossible length", e);
	packed = xrealloc(NULL, packed_len);
	ret = read_at(t, c->next + sizeof(raw), packed, packed_len, e);
	if (ret > 0) {
		c->data = xrealloc(c->data, len);
		if (!packing_unpack(t->packing, c->data, len, packed, packed_len))
			ret = damaged(t, cpu, c, "data that cannot be decompressed", e);
	}
	free(packed);
	if (ret > 0) {
		c->next += sizeof(raw) + packed_len;
		c->left--;
		c->len = len;
	}
	return ret;
}

/* Copy up to @len bytes from @off of @cpu. Return: how many there are, or -1 after an error. */
static ssize_t copy_data(struct tracedat *t, const struct tracedat_cpu *cpu, unsigned int nr,
			 uint64_t off, char *buf, size_t len, struct error *e)
{
	struct chunks *c = cpu->chunks;
	size_t done = 0, some;
	int ret;

	if (!c) {
		if (off >= cpu->size)
			return 0;
		some = len < cpu->size - off ? len : cpu->size - off;
		ret = read_at(t, cpu->offset + off, buf, some, e);
		return ret > 0 ? (ssize_t)some : ret;
	}
	while (done < len) {
		while (off + done >= c->first + c->len) {
			ret = next_chunk(t, c, nr, e);
			if (ret > 0)
				continue;
			c->left = 0;
			c->next = c->end;
			return ret ? -1 : (ssize_t)done;
		}
		some = c->first + c->len - off - done;
		some = some < len - done ? some : len - done;
		memcpy(buf + done, c->data + (off + done - c->first), some);
		done += some;
	}
	return done;
}

int tracedat_read(struct tracedat *t, const struct tracedat_buffer *b, unsigned int cpu,
		  uint64_t nr, void *buf, struct error *e)
{
	ssize_t n;

	if (b->is_text)
		return 0;
	n = copy_data(t, &b->cpu[cpu], cpu, nr * b->subbuf_size, buf, b->subbuf_size, e);
	/* a part is what a file that is cut short has at its end */
	return n < 0 ? -1 : n == b->subbuf_size;
}

bool tracedat_text(struct tracedat *t, const struct tracedat_buffer *b,
		   void (*put)(const char *lines), struct error *e)
{
	char text[4096] = "", *end, next;
	size_t len = 0, lines, i;
	uint64_t off = 0;
	bool good = true;
	ssize_t n;

	do {
		n = copy_data(t, &b->cpu[0], 0, off, text + len, sizeof(text) - 1 - len, e);
		if (n < 0) {
			good = false;
			n = 0;
		}
		for (i = len; i < len + n; i++)
			if (!text[i])
				text[i] = '?';
		off += n;
		len += n;
		end = memrchr(text, '\n', len);
		/* a line that is cut short, or longer than the buffer, is put as it is */
		if (!end && n && len < sizeof(text) - 1)
			continue;
		lines = end && n ? (size_t)(end + 1 - text) : len;
		next = text[lines];
		text[lines] = '\0';
		put(text);
		text[lines] = next;
		len -= lines;
		memmove(text, text + lines, len);
	} while (n);
	return good;
}

static void free_buffer(struct tracedat_buffer *b)
{
	unsigned int cpu;

	for (cpu = 0; cpu < b->nr_cpus; cpu++) {
		if (b->cpu[cpu].chunks)
			free(b->cpu[cpu].chunks->data);
		free(b->cpu[cpu].chunks);
	}
	free(b->cpu);
	free(b->clock);
	free(b->name);
}

void tracedat_close(struct tracedat *t)
{
	unsigned int i;

	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	for (i = 0; i < t->nr_cpustat; i++)
		free(t->cpustat[i]);
	for (i = 0; i < t->nr_buffers; i++)
		free_buffer(&t->buffer[i]);
	for (i = 0; i < t->nr_formats; i++) {
		free(t->format[i].system);
		free(t->format[i].text);
	}
	file_time_free(t->time);
	free(t->time);
	free(t->cpustat);
	free(t->buffer);
	free(t->format);
	free(t->clock);
	free(t->header_page);
	free(t->cmdlines);
	free(t->times);
	free(t->uname);
	free(t->args);
	free(t->printk);
	free(t->kallsyms);
	free(t->path);
	free(t);
}
