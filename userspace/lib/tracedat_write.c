// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/accounting.h"
#include "lib/memory.h"
#include "lib/spool.h"
#include "lib/subbuf.h"
#include "lib/summary_events.h"
#include "lib/tracedat_format.h"
#include "lib/tracedat_write.h"

#define MOVE_SIZE	(1 << 20)	/* bytes that are moved at once */
#define SECTION_HEAD	16	/* bytes */

struct tracedat_writer {
	const char *path;
	bool beside;		/* @fd replaces @path at the end; false: it is @path */
	char *tmp;		/* name of @fd, if it has one */
	int fd;
	bool failed;		/* @error is set; nothing more is written */
	struct error error;
	uint64_t id;		/* a random number that identifies the recording */
	unsigned int nr_cpus;
	struct spool **spool;	/* by CPU */
	char *symbols;		/* /proc/kallsyms */
	size_t symbols_len;
	char *times;		/* when names were right */
	size_t times_len;
	off_t options_at;	/* where the offset of the options goes */
	off_t section[TRACEDAT_OPT_CMDLINES + 1];	/* by option; 0: none */
};

/* A section or an option, as it grows in memory. */
struct block {
	char *data;
	size_t len, size;
};

/* The layout of records is the same on every kernel, see uapi/nestrace.h. */
static const char header_page[] =
	"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
	"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
	"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

static const char header_event[] =
	"# compressed entry header\n"
	"\ttype_len    :    5 bits\n"
	"\ttime_delta  :   27 bits\n"
	"\tarray       :   32 bits\n"
	"\n"
	"\tpadding     : type == 29\n"
	"\ttime_extend : type == 30\n"
	"\ttime_stamp : type == 31\n"
	"\tdata max type_len  == 28\n";

/* Its ID is NESTRACE_EVENT_FUNCTION. */
static const char function_format[] =
	"name: function\n"
	"ID: 1\n"
	"format:\n"
	COMMON_FIELDS
	"\tfield:unsigned long ip;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long parent_ip;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\n"
	"print fmt: \" %ps <-- %ps\", (void *)REC->ip, (void *)REC->parent_ip\n";

static void fail(struct tracedat_writer *w)
{
	if (!w->failed)
		error_set_errno(&w->error, "cannot write '%s'", w->path);
	w->failed = true;
}

static void put(struct tracedat_writer *w, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len && !w->failed) {
		n = write(w->fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail(w);
			return;
		}
		p += n;
		len -= n;
	}
}

static void put_u64(struct tracedat_writer *w, uint64_t v)
{
	put(w, &v, sizeof(v));
}

static void add(struct block *b, const void *data, size_t len)
{
	if (b->len + len > b->size) {
		b->size = 2 * (b->len + len);
		b->data = xrealloc(b->data, b->size);
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void add_u16(struct block *b, uint16_t v)
{
	add(b, &v, sizeof(v));
}

static void add_u32(struct block *b, uint32_t v)
{
	add(b, &v, sizeof(v));
}

static void add_u64(struct block *b, uint64_t v)
{
	add(b, &v, sizeof(v));
}

static void add_text64(struct block *b, const char *text, size_t len)
{
	add_u64(b, len);
	add(b, text, len);
}

static void add_option(struct block *b, uint16_t id, const void *data, size_t len)
{
	add_u16(b, id);
	add_u32(b, len);
	add(b, data, len);
}

static void add_option_text(struct block *b, uint16_t id, const char *text)
{
	add_option(b, id, text, strlen(text) + 1);
}

static off_t here(struct tracedat_writer *w)
{
	return lseek(w->fd, 0, SEEK_CUR);
}

static void put_section_head(struct tracedat_writer *w, uint16_t id, uint16_t flags, uint64_t size)
{
	struct block head = { 0 };

	w->section[id] = here(w);
	add_u16(&head, id);
	add_u16(&head, flags);
	add_u32(&head, 0);		/* no description */
	add_u64(&head, size);
	put(w, head.data, head.len);
	free(head.data);
}

/* Write a section other than the data of CPUs, and free @b. */
static void put_section(struct tracedat_writer *w, uint16_t id, struct block *b)
{
	size_t bound = ZSTD_compressBound(b->len), n;
	char *packed = xrealloc(NULL, bound);
	uint32_t sizes[2];

	n = ZSTD_compress(packed, bound, b->data, b->len, SPOOL_LEVEL);
	if (ZSTD_isError(n) && !w->failed)
		w->failed = !error_set(&w->error, "cannot compress (%s)", ZSTD_getErrorName(n));
	sizes[0] = n;
	sizes[1] = b->len;
	put_section_head(w, id, TRACEDAT_COMPRESSED, sizeof(sizes) + n);
	put(w, sizes, sizeof(sizes));
	if (!w->failed)
		put(w, packed, n);
	free(packed);
	free(b->data);
	memset(b, 0, sizeof(*b));
}

static char *name_beside(const char *path)
{
	char *copy = xstrdup(path), *name;

	if (asprintf(&name, "%s/.nestrace-XXXXXX", dirname(copy)) < 0)
		out_of_memory();
	free(copy);
	return name;
}

/*
 * Open a file beside @path, without a name if that is possible: it vanishes if we are
 * killed. *@name: its name or NULL, to be freed. Return: -1 with errno set.
 */
static int temporary(const char *path, char **name)
{
	char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	free(copy);
	*name = NULL;
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		*name = name_beside(path);
		fd = mkostemp(*name, O_CLOEXEC);
	}
	return fd;
}

/* Give @w->fd a name that can be renamed: a link cannot replace an existing file. */
static bool give_name(struct tracedat_writer *w)
{
	char self[64];
	int tries, fd;

	if (w->tmp)
		return true;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", w->fd);
	for (tries = 0; tries < 100; tries++) {
		w->tmp = name_beside(w->path);
		/* make sure that the name is free, then link to it */
		fd = mkostemp(w->tmp, O_CLOEXEC);
		if (fd >= 0) {
			close(fd);
			unlink(w->tmp);
			if (!linkat(AT_FDCWD, self, AT_FDCWD, w->tmp, AT_SYMLINK_FOLLOW))
				return true;
		}
		free(w->tmp);
		w->tmp = NULL;
		if (errno != EEXIST)
			break;
	}
	return false;
}

static void unlink_temporary(struct tracedat_writer *w)
{
	if (w->tmp)
		unlink(w->tmp);
}

static void open_output(struct tracedat_writer *w)
{
	struct stat st;
	mode_t mask;

	if (!stat(w->path, &st) && !S_ISREG(st.st_mode)) {
		w->fd = open(w->path, O_WRONLY | O_CLOEXEC);
		if (w->fd < 0)
			fail(w);
		else if (lseek(w->fd, 0, SEEK_CUR) < 0)
			w->failed = !error_set(&w->error, "cannot write to a pipe or terminal: '%s'; name a file with -o",
					       w->path);
		return;
	}
	w->beside = true;
	w->fd = temporary(w->path, &w->tmp);
	if (w->fd < 0) {
		fail(w);
		return;
	}
	mask = umask(0);
	umask(mask);
	fchmod(w->fd, 0666 & ~mask);
}

static void open_spools(struct tracedat_writer *w)
{
	const char *beside = w->beside ? w->path : "./trace.dat";
	unsigned int cpu;
	char *name;
	int fd;

	for (cpu = 0; cpu < w->nr_cpus && !w->failed; cpu++) {
		fd = temporary(beside, &name);
		if (fd < 0)
			fail(w);
		else
			w->spool[cpu] = spool_new(fd);
		if (name)
			unlink(name);
		free(name);
	}
}

static void put_head(struct tracedat_writer *w)
{
	struct block b = { 0 };

	add(&b, TRACEDAT_MAGIC, sizeof(TRACEDAT_MAGIC) - 1);
	add(&b, "7", 2);
	add(&b, "\0", 1);		/* little endian */
	add(&b, "\10", 1);		/* bytes in a long */
	add_u32(&b, NESTRACE_SUBBUF_SIZE);
	add(&b, TRACEDAT_ZSTD, sizeof(TRACEDAT_ZSTD));
	add(&b, ZSTD_versionString(), strlen(ZSTD_versionString()) + 1);
	put(w, b.data, b.len);
	free(b.data);
	w->options_at = here(w);
	put_u64(w, 0);
}

static void put_formats(struct tracedat_writer *w)
{
	struct block b = { 0 };
	unsigned int i;
	char *text;

	add(&b, "header_page", 12);
	add_text64(&b, header_page, sizeof(header_page) - 1);
	add(&b, "header_event", 13);
	add_text64(&b, header_event, sizeof(header_event) - 1);
	put_section(w, TRACEDAT_OPT_HEADER_INFO, &b);
	add_u32(&b, 1);			/* formats of system ftrace */
	add_text64(&b, function_format, sizeof(function_format) - 1);
	put_section(w, TRACEDAT_OPT_FTRACE_EVENTS, &b);
	add_u32(&b, 1);			/* other systems */
	add(&b, SUMMARY_EVENTS_SYSTEM, sizeof(SUMMARY_EVENTS_SYSTEM));
	add_u32(&b, SUMMARY_EVENTS_NR);
	for (i = 0; i < SUMMARY_EVENTS_NR; i++) {
		text = summary_events_format(i);
		add_text64(&b, text, strlen(text));
		free(text);
	}
	put_section(w, TRACEDAT_OPT_EVENT_FORMATS, &b);
	add_u32(&b, 0);
	put_section(w, TRACEDAT_OPT_PRINTK, &b);
}

static void put_symbols(struct tracedat_writer *w)
{
	struct block b = { 0 };

	add_u32(&b, w->symbols_len);
	add(&b, w->symbols, w->symbols_len);
	put_section(w, TRACEDAT_OPT_KALLSYMS, &b);
}

static void writer_free(struct tracedat_writer *w)
{
	unsigned int cpu;

	for (cpu = 0; cpu < w->nr_cpus; cpu++)
		if (w->spool[cpu])
			spool_free(w->spool[cpu]);
	free(w->spool);
	free(w->symbols);
	free(w->times);
	free(w->tmp);
	free(w);
}

void tracedat_abandon(struct tracedat_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	unlink_temporary(w);
	writer_free(w);
}

struct tracedat_writer *tracedat_create(const char *path, unsigned int nr_cpus,
					char *kallsyms, size_t len, struct error *e)
{
	struct tracedat_writer *w = xrealloc(NULL, sizeof(*w));

	*w = (struct tracedat_writer){
		.path = path, .nr_cpus = nr_cpus, .symbols = kallsyms, .symbols_len = len,
		.spool = xzalloc(nr_cpus, sizeof(*w->spool)),
	};
	if (getrandom(&w->id, sizeof(w->id), GRND_NONBLOCK) != sizeof(w->id))
		w->id = time(NULL);
	open_output(w);
	if (!w->failed) {
		put_head(w);
		put_formats(w);
		put_symbols(w);
	}
	/* on a full disk, leave room for the symbols once more and to move the CPUs' data */
	if (!w->failed && w->beside &&
	    posix_fallocate(w->fd, here(w), here(w) + 2 * MOVE_SIZE +
			    (off_t)nr_cpus * SPOOL_CHUNK / 4) == ENOSPC) {
		errno = ENOSPC;
		fail(w);
	}
	if (!w->failed)
		open_spools(w);
	if (!w->failed)
		return w;
	*e = w->error;
	tracedat_abandon(w);
	return NULL;
}

bool tracedat_append(struct tracedat_writer *w, unsigned int cpu, const void *buf, size_t len,
		     struct error *e)
{
	struct error why;

	if (spool_append(w->spool[cpu], buf, len, &why))
		return true;
	return error_set(e, "cannot write '%s': %s; the recording ends, and what was written is kept",
			 w->path, why.text);
}

/* Move the data of a CPU into the file; its own spool may make the room for that. */
static void move_spool(struct tracedat_writer *w, struct spool *s)
{
	char *buf = xrealloc(NULL, MOVE_SIZE);
	ssize_t n;

	while (!w->failed && (n = spool_take(s, buf, MOVE_SIZE)) != 0) {
		if (n < 0) {
			w->failed = !error_set_errno(&w->error, "cannot read back the data for '%s'",
						     w->path);
			break;
		}
		put(w, buf, n);
		if (w->beside)
			posix_fallocate(w->fd, here(w), MOVE_SIZE);
	}
	free(buf);
}

static void add_facts(struct tracedat_writer *w, struct block *options, const char *clock,
		      const struct accounting *a)
{
	uint32_t nr_cpus = w->nr_cpus;
	struct utsname uts;
	unsigned int cpu;
	char *text;

	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		text = accounting_cpu_text(a, cpu);
		add_option_text(options, TRACEDAT_OPT_CPUSTAT, text);
		free(text);
	}
	/* as in tracefs, where brackets mark the clock in use */
	if (asprintf(&text, "local [%s]\n", clock) < 0)
		out_of_memory();
	add_option_text(options, TRACEDAT_OPT_TRACECLOCK, text);
	free(text);
	if (!uname(&uts) &&
	    asprintf(&text, "%s %s %s %s", uts.sysname, uts.nodename, uts.release,
		     uts.machine) > 0) {
		add_option_text(options, TRACEDAT_OPT_UNAME, text);
		free(text);
	}
	add_option_text(options, TRACEDAT_OPT_VERSION, "nestrace " NESTRACE_VERSION);
	add_option(options, TRACEDAT_OPT_CPUCOUNT, &nr_cpus, sizeof(nr_cpus));
	add_option(options, TRACEDAT_OPT_TRACEID, &w->id, sizeof(w->id));
	if (w->times)
		add_option(options, TRACEDAT_OPT_NESTRACE_TIMES, w->times, w->times_len);
}

static void add_sections(struct tracedat_writer *w, struct block *options)
{
	static const uint16_t sections[] = {
		TRACEDAT_OPT_HEADER_INFO, TRACEDAT_OPT_FTRACE_EVENTS, TRACEDAT_OPT_EVENT_FORMATS,
		TRACEDAT_OPT_KALLSYMS, TRACEDAT_OPT_PRINTK, TRACEDAT_OPT_CMDLINES,
	};
	uint64_t at;
	size_t i;

	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		at = w->section[sections[i]];
		add_option(options, sections[i], &at, sizeof(at));
	}
}

/* Return the bytes that a CPU's data takes in the file. */
static uint64_t data_size(struct tracedat_writer *w, unsigned int cpu)
{
	return sizeof(uint32_t) + spool_size(w->spool[cpu]);
}

/* Say where the CPUs' data is, if its section is at @at. */
static void add_buffer(struct tracedat_writer *w, struct block *options, const char *clock,
		       uint64_t at)
{
	uint64_t offset = at + SECTION_HEAD;
	struct block option = { 0 };
	unsigned int cpu;

	add_u64(&option, at);
	add(&option, "", 1);		/* the top instance */
	add(&option, clock, strlen(clock) + 1);
	add_u32(&option, NESTRACE_SUBBUF_SIZE);
	add_u32(&option, w->nr_cpus);
	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		add_u32(&option, cpu);
		add_u64(&option, offset);
		add_u64(&option, data_size(w, cpu));
		offset += data_size(w, cpu);
	}
	add_option(options, TRACEDAT_OPT_BUFFER, option.data, option.len);
	free(option.data);
}

/*
 * Write the options ahead of the data, so that a file that is cut short can be read. They are
 * not compressed: the place of the data, which they hold, depends on their length.
 */
static void put_options(struct tracedat_writer *w, const char *clock, const struct accounting *a)
{
	struct block options = { 0 };
	uint64_t at = 0;
	size_t len;
	int i;

	/* the first time for the length, which does not depend on the place of the data */
	for (i = 0; i < 2; i++) {
		len = options.len;
		options.len = 0;
		add_facts(w, &options, clock, a);
		add_sections(w, &options);
		add_buffer(w, &options, clock, here(w) + SECTION_HEAD + len);
		add_option(&options, TRACEDAT_OPT_DONE, &at, sizeof(at));
	}
	put_section_head(w, TRACEDAT_OPT_DONE, 0, options.len);
	put(w, options.data, options.len);
	free(options.data);
	at = w->section[TRACEDAT_OPT_DONE];
	if (!w->failed && pwrite(w->fd, &at, sizeof(at), w->options_at) != sizeof(at))
		fail(w);
}

static void put_data(struct tracedat_writer *w)
{
	uint64_t size = 0;
	unsigned int cpu;
	uint32_t chunks;

	for (cpu = 0; cpu < w->nr_cpus; cpu++)
		size += data_size(w, cpu);
	put_section_head(w, TRACEDAT_OPT_BUFFER, TRACEDAT_COMPRESSED, size);
	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		chunks = spool_chunks(w->spool[cpu]);
		put(w, &chunks, sizeof(chunks));
		move_spool(w, w->spool[cpu]);
	}
}

/* Return a time after the newest hit; 0 if there is none. */
static uint64_t time_after(struct tracedat_writer *w)
{
	char data[2 * NESTRACE_SUBBUF_SIZE];
	uint64_t after = 0;
	struct subbuf sub;
	const void *last;
	unsigned int cpu;
	struct hit hit;

	subbuf_init(&sub, NESTRACE_EVENT_FUNCTION);
	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		last = spool_last(w->spool[cpu], NESTRACE_SUBBUF_SIZE);
		if (!last)
			continue;
		memcpy(data, last, NESTRACE_SUBBUF_SIZE);
		if (!subbuf_load(&sub, data))
			continue;
		while (subbuf_next(&sub, &hit))
			if (hit.ts >= after)
				after = hit.ts + 1;
	}
	subbuf_free(&sub);
	return after;
}

static void end_spools(struct tracedat_writer *w, const struct accounting *a)
{
	uint64_t ts = time_after(w);
	unsigned int cpu;
	size_t len = 0;
	void *events;

	for (cpu = 0; cpu < w->nr_cpus && !w->failed; cpu++) {
		events = ts ? summary_events_make(a, cpu, ts, &len) : NULL;
		w->failed = !spool_end(w->spool[cpu], events, len, &w->error);
		free(events);
	}
}

void tracedat_set_symbols(struct tracedat_writer *w, char *text, size_t len)
{
	free(w->symbols);
	w->symbols = text;
	w->symbols_len = len;
	/* write all of them again; no option will point to the first ones */
	put_symbols(w);
}

void tracedat_set_times(struct tracedat_writer *w, char *text, size_t len)
{
	w->times = text;
	w->times_len = len;
}

bool tracedat_finish(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		     const char *clock, const struct accounting *a, struct error *e)
{
	struct block b = { 0 };
	bool cut = false, kept;

	add_text64(&b, cmdlines, cmdlines_len);
	put_section(w, TRACEDAT_OPT_CMDLINES, &b);
	end_spools(w, a);
	put_options(w, clock, a);
	if (!w->failed) {
		put_data(w);
		/* a file that is cut short is better than none */
		cut = w->failed;
		if (cut)
			error_set(e, "%.900s; the file is cut short, and what was written is kept",
				  w->error.text);
		w->failed = false;
	}

	/* give back what posix_fallocate() reserved */
	if (!w->failed && w->beside && (ftruncate(w->fd, here(w)) || !give_name(w)))
		fail(w);
	if (close(w->fd))
		fail(w);
	if (!w->failed && w->beside && rename(w->tmp, w->path))
		fail(w);
	kept = !w->failed;
	if (!kept) {
		unlink_temporary(w);
		*e = w->error;
	}
	writer_free(w);
	return kept && !cut;
}
