// SPDX-License-Identifier: GPL-2.0
/* Writing trace.dat. */
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

#include "findings.h"
#include "nestrace.h"
#include "spool.h"
#include "subbuf.h"
#include "tracedat.h"
#include "tracedat_format.h"

#define CHUNK		(1 << 20)
#define SECTION_HEAD	16	/* bytes */

struct tracedat_writer {
	const char *path;
	bool beside;		/* @fd is put in the place of @path at the end, or is @path */
	char *tmp;		/* its name, where files without one can't be had */
	int fd;
	bool failed;		/* and said so */
	uint64_t id;		/* any, to tell recordings apart by */
	unsigned int nr_cpus;
	struct spool **spool;	/* by CPU */
	char *symbols;		/* /proc/kallsyms */
	size_t symbols_len;
	off_t options_at;	/* where the options' place is told */
	off_t section[TRACEDAT_OPT_CMDLINES + 1];	/* by the option that tells it; 0: none */
};

/* A section or an option that is being made, in memory. */
struct block {
	char *data;
	size_t len, size;
};

/* The layout that records of nestrace have on every kernel: see uapi/nestrace.h. */
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

static bool put(struct tracedat_writer *w, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len && !w->failed) {
		n = write(w->fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			warn_errno("can't write %s", w->path);
			w->failed = true;
			break;
		}
		p += n;
		len -= n;
	}
	return !w->failed;
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
	add_u32(&head, 0);		/* nothing describes it */
	add_u64(&head, size);
	put(w, head.data, head.len);
	free(head.data);
}

/* A section that is not the data of CPUs. Frees @b. */
static void put_section(struct tracedat_writer *w, uint16_t id, struct block *b)
{
	size_t bound = ZSTD_compressBound(b->len), n;
	char *packed = xrealloc(NULL, bound);
	uint32_t sizes[2];

	n = ZSTD_compress(packed, bound, b->data, b->len, SPOOL_LEVEL);
	if (ZSTD_isError(n))
		die("compressing: %s", ZSTD_getErrorName(n));
	sizes[0] = n;
	sizes[1] = b->len;
	put_section_head(w, id, TRACEDAT_COMPRESSED, sizeof(sizes) + n);
	put(w, sizes, sizeof(sizes));
	put(w, packed, n);
	free(packed);
	free(b->data);
	memset(b, 0, sizeof(*b));
}

static char *name_beside(const char *path)
{
	char *copy = xstrdup(path), *name;

	if (asprintf(&name, "%s/.nestrace-XXXXXX", dirname(copy)) < 0)
		die("out of memory");
	free(copy);
	return name;
}

/* Without a name, so that nothing is left of it if we are killed; else with @name. */
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
	if (fd < 0)
		die_errno("can't write %s: making a file beside it", path);
	return fd;
}

/* @w->fd gets a name, to be renamed: a link can't replace what is there. */
static bool give_name(struct tracedat_writer *w)
{
	char self[64];
	int tries, fd;

	if (w->tmp)
		return true;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", w->fd);
	for (tries = 0; tries < 100; tries++) {
		w->tmp = name_beside(w->path);
		/* a free name, taken by the link after it is let go */
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

static void forget(struct tracedat_writer *w)
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
			die_errno("can't write %s", w->path);
		if (lseek(w->fd, 0, SEEK_CUR) < 0)
			die("can't write %s: a trace file can't be written to a pipe or terminal",
			    w->path);
		return;
	}
	w->beside = true;
	w->fd = temporary(w->path, &w->tmp);
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

	w->spool = xrealloc(NULL, w->nr_cpus * sizeof(*w->spool));
	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		fd = temporary(beside, &name);
		if (name)
			unlink(name);
		free(name);
		w->spool[cpu] = spool_new(fd);
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
	add(&b, FINDINGS_SYSTEM, sizeof(FINDINGS_SYSTEM));
	add_u32(&b, FINDINGS_NR);
	for (i = 0; i < FINDINGS_NR; i++) {
		text = findings_format(i);
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

struct tracedat_writer *tracedat_create(const char *path, unsigned int nr_cpus,
					char *kallsyms, size_t len)
{
	struct tracedat_writer *w = xrealloc(NULL, sizeof(*w));

	*w = (struct tracedat_writer){
		.path = path, .nr_cpus = nr_cpus, .symbols = kallsyms, .symbols_len = len,
	};
	if (getrandom(&w->id, sizeof(w->id), GRND_NONBLOCK) != sizeof(w->id))
		w->id = time(NULL);
	open_output(w);
	put_head(w);
	put_formats(w);
	put_symbols(w);

	/* Room for the symbols once more, and to move the CPUs' data in by, on a full disk. */
	if (!w->failed && w->beside &&
	    posix_fallocate(w->fd, here(w), here(w) + 2 * CHUNK +
			    (off_t)nr_cpus * SPOOL_CHUNK / 4) == ENOSPC) {
		errno = ENOSPC;
		warn_errno("can't write %s", w->path);
		w->failed = true;
	}
	if (w->failed) {
		forget(w);
		exit(EXIT_BAD);
	}
	open_spools(w);
	return w;
}

bool tracedat_append(struct tracedat_writer *w, unsigned int cpu, const void *buf, size_t len)
{
	if (spool_append(w->spool[cpu], buf, len))
		return true;
	warn_errno("can't write more of %s; recording ends, what was written is kept", w->path);
	return false;
}

/* Moves what there is of a CPU; room for it may come from its own spool. */
static void move_spool(struct tracedat_writer *w, struct spool *s)
{
	char *buf = xrealloc(NULL, CHUNK);
	ssize_t n;

	while (!w->failed && (n = spool_take(s, buf, CHUNK)) != 0) {
		if (n < 0) {
			warn_errno("reading back the data for %s", w->path);
			w->failed = true;
			break;
		}
		put(w, buf, n);
		if (w->beside)
			posix_fallocate(w->fd, here(w), CHUNK);
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
	/* as tracefs shows it: the one in brackets is in use */
	if (asprintf(&text, "local [%s]\n", clock) < 0)
		die("out of memory");
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

/* What a CPU's data takes in the file. */
static uint64_t data_size(struct tracedat_writer *w, unsigned int cpu)
{
	return sizeof(uint32_t) + spool_size(w->spool[cpu]);
}

/* Where the CPUs' data are, if their section is at @at. */
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
 * The options ahead of the data, so that what is left of a file cut short can be read: as
 * they are, since it is by their length that they tell where the data are.
 */
static void put_options(struct tracedat_writer *w, const char *clock, const struct accounting *a)
{
	struct block options = { 0 };
	uint64_t at = 0;
	size_t len;
	int i;

	/* once to know the length, which does not depend on where the data are */
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
	if (!w->failed && pwrite(w->fd, &at, sizeof(at), w->options_at) != sizeof(at)) {
		warn_errno("can't write %s", w->path);
		w->failed = true;
	}
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

/* After the newest hit; 0 if there is none. */
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

	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		events = ts ? findings_events(a, cpu, ts, &len) : NULL;
		spool_end(w->spool[cpu], events, len);
		free(events);
	}
}

static void writer_free(struct tracedat_writer *w)
{
	unsigned int cpu;

	for (cpu = 0; cpu < w->nr_cpus; cpu++)
		spool_free(w->spool[cpu]);
	free(w->spool);
	free(w->symbols);
	free(w->tmp);
	free(w);
}

void tracedat_abandon(struct tracedat_writer *w)
{
	close(w->fd);
	forget(w);
	writer_free(w);
}

void tracedat_add_symbols(struct tracedat_writer *w, const char *text, size_t len)
{
	if (!len)
		return;
	w->symbols = xrealloc(w->symbols, w->symbols_len + len);
	memcpy(w->symbols + w->symbols_len, text, len);
	w->symbols_len += len;
	/* all of them again; nothing tells any more where the first are */
	put_symbols(w);
}

int tracedat_finish(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		    const char *clock, const struct accounting *a)
{
	struct block b = { 0 };
	bool cut = false;
	int ret = -1;

	add_text64(&b, cmdlines, cmdlines_len);
	put_section(w, TRACEDAT_OPT_CMDLINES, &b);
	end_spools(w, a);
	put_options(w, clock, a);
	if (!w->failed) {
		put_data(w);
		cut = w->failed;
		w->failed = false;
	}
	if (cut)
		warn("%s is cut short; what was written of it is kept", w->path);

	/* what was set aside and not used */
	if (!w->failed && w->beside && (ftruncate(w->fd, here(w)) || !give_name(w))) {
		warn_errno("can't write %s", w->path);
		w->failed = true;
	}
	if (close(w->fd) && !w->failed) {
		warn_errno("can't write %s", w->path);
		w->failed = true;
	}
	if (!w->failed && w->beside && rename(w->tmp, w->path)) {
		warn_errno("can't rename %s to %s", w->tmp, w->path);
		w->failed = true;
	}
	if (w->failed)
		forget(w);
	else if (!cut)
		ret = 0;
	writer_free(w);
	return ret;
}
