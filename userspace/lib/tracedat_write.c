// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/accounting.h"
#include "lib/clock_facts.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/partial.h"
#include "lib/spool.h"
#include "lib/subbuf.h"
#include "lib/summary_events.h"
#include "lib/tracedat_format.h"
#include "lib/tracedat_write.h"

/*
 * While it records, the directory (lib/partial.h) holds
 *   trace.dat   the file's beginning: formats and symbols
 *   facts       what follows it: task names and options, as known at the last tick
 *   cpuN.*      the data (lib/spool.h), some of it not compressed
 *   reserve     room on the disk for the end
 * The end writes the last of the data and the facts, then "moving", and moves the data, from
 * where it is given back in small steps. Each step can be done again after a kill.
 */
#define EVENTS_INSTANCE	"events"	/* of the kernel's events in the file */
#define FILE_NAME	"trace.dat"
#define FACTS_NAME	"facts"
#define RESERVE_NAME	"reserve"
#define MOVING_NAME	"moving"
#ifndef MOVE_SIZE
#define MOVE_SIZE	(256 << 10)	/* bytes that are moved at once */
#endif
#define SECTION_HEAD	16		/* bytes */
#ifndef BUDGET_MAX
#define BUDGET_MAX	(1ULL << 30)	/* bytes that wait for compression */
#endif
#define BUDGET_LIMIT	(1ULL << 40)
#define BUDGET_SHARE	2		/* at most this part of the room on the disk */
#define FACTS_ROOM	(512ULL << 10)	/* bytes that task names and options may take */

/* The head of FACTS_NAME; the numbers of the streams in the file, u32, follow, then @len bytes. */
struct facts_head {
	uint64_t base;			/* where the bytes go in the file */
	uint64_t options;		/* where the options will be */
	uint64_t len;
	uint64_t nr_streams;
};

struct tracedat_writer {
	struct output output;
	struct partial partial;
	int fd;				/* FILE_NAME */
	uint64_t base;			/* its length */
	bool failed;			/* @error is set; nothing more is written */
	struct error error;
	uint64_t id;			/* a random number that identifies the recording */
	char *uname;			/* of another machine, or NULL */
	bool durable;			/* the file survives the machine once it is complete */
	unsigned int nr_cpus;
	/*
	 * By stream: those of the session by CPU, and behind them those of the kernel's events,
	 * if there are any.
	 */
	unsigned int nr_streams;
	struct spool **spool;
	bool *listed;			/* the file has it */
	uint64_t cpus_online;
	uint64_t limit;			/* the file may not be larger */
	uint64_t spooled;		/* bytes of all spools */
	spool_budget budget;
	char *symbols;			/* /proc/kallsyms */
	size_t symbols_len;
	char *times;			/* when names were right */
	size_t times_len;
	uint64_t options_at;		/* where the offset of the options goes */
	uint64_t section[TRACEDAT_NR_SECTIONS];	/* by tracedat_section(); 0: none */
	char *facts;			/* as in FACTS_NAME */
	size_t facts_len;
	bool moving;			/* the data is on its way */
	char *moved_to;			/* the file that has its first part; NULL: FILE_NAME */
	uint64_t data_at;		/* where the data goes in the file */
};

/* Return the largest size that a file may have here. */
static uint64_t size_limit(int fd)
{
	uint64_t low = 0, high = INT64_MAX, mid;
	struct rlimit rlimit;

	/* the kernel does not seek beyond what the file system can have */
	if (lseek(fd, high, SEEK_SET) < 0) {
		while (high - low > 1) {
			mid = low + (high - low) / 2;
			if (lseek(fd, mid, SEEK_SET) < 0)
				high = mid;
			else
				low = mid;
		}
		high = low;
	}
	lseek(fd, 0, SEEK_SET);
	if (!getrlimit(RLIMIT_FSIZE, &rlimit) && rlimit.rlim_cur < high)
		high = rlimit.rlim_cur;
	return high;
}

static void fail_limit(struct tracedat_writer *w, uint64_t limit)
{
	if (!w->failed)
		error_set(&w->error, "cannot write '%s': a file may have only %llu KiB here; raise the limit with ulimit -f",
			  w->output.name, (unsigned long long)limit >> 10);
	w->failed = true;
}

static void fail(struct tracedat_writer *w)
{
	if (errno == EFBIG)
		fail_limit(w, size_limit(w->fd));
	else if (!w->failed)
		error_set_errno(&w->error, "cannot write '%s'", w->output.name);
	w->failed = true;
}

static bool write_at(int fd, const void *data, size_t len, uint64_t at)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pwrite(fd, (const char *)data + done, len - done, at + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		done += n;
	}
	return true;
}

static void add_section_head(struct block *b, uint16_t id, uint16_t flags, uint64_t size)
{
	block_u16(b, id);
	block_u16(b, flags);
	block_u32(b, 0);			/* no description */
	block_u64(b, size);
}

/* Add a section other than the data of CPUs, and free @content. */
static void add_section(struct tracedat_writer *w, struct block *b, uint16_t id,
			struct block *content)
{
	size_t bound = ZSTD_compressBound(content->len), n;
	char *packed = xrealloc(NULL, bound);

	n = ZSTD_compress(packed, bound, content->data, content->len, SPOOL_LEVEL);
	if (ZSTD_isError(n)) {
		if (!w->failed)
			w->failed = !error_set(&w->error, "cannot compress (%s)",
					       ZSTD_getErrorName(n));
		n = 0;
	}
	w->section[tracedat_section(id)] = b->base + b->len;
	add_section_head(b, id, TRACEDAT_COMPRESSED, 2 * sizeof(uint32_t) + n);
	block_u32(b, n);
	block_u32(b, content->len);
	block_add(b, packed, n);
	free(packed);
	free(content->data);
	memset(content, 0, sizeof(*content));
}

/* Write the block to the end of the file's beginning, and free it. */
static void put_block(struct tracedat_writer *w, struct block *b)
{
	if (!w->failed && !write_at(w->fd, b->data, b->len, w->base))
		fail(w);
	w->base += b->len;
	free(b->data);
}

static void add_head(struct tracedat_writer *w, struct block *b)
{
	block_add(b, TRACEDAT_MAGIC, sizeof(TRACEDAT_MAGIC) - 1);
	block_add(b, "7", 2);
	block_add(b, "\0", 1);		/* little endian */
	block_add(b, "\10", 1);		/* bytes in a long */
	block_u32(b, NESTRACE_SUBBUF_SIZE);
	block_add(b, TRACEDAT_ZSTD, sizeof(TRACEDAT_ZSTD));
	block_add(b, ZSTD_versionString(), strlen(ZSTD_versionString()) + 1);
	w->options_at = b->len;
	block_u64(b, 0);
}

static void add_formats(struct tracedat_writer *w, struct block *out, const struct tracedat_contents *c)
{
	struct block b = { 0 };

	parts_header_info(&b);
	add_section(w, out, TRACEDAT_OPT_HEADER_INFO, &b);
	parts_ftrace_formats(&b, c);
	add_section(w, out, TRACEDAT_OPT_FTRACE_EVENTS, &b);
	parts_event_formats(&b, c);
	add_section(w, out, TRACEDAT_OPT_EVENT_FORMATS, &b);
	block_u32(&b, 0);
	add_section(w, out, TRACEDAT_OPT_PRINTK, &b);
}

static void add_symbols(struct tracedat_writer *w, struct block *out)
{
	struct block b = { 0 };

	block_u32(&b, w->symbols_len);
	block_add(&b, w->symbols, w->symbols_len);
	add_section(w, out, TRACEDAT_OPT_KALLSYMS, &b);
}

/* Add a file of the kernel, if it can be read. */
static void add_file(struct tracedat_writer *w, struct block *out, uint16_t id, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct block b = { 0 };
	char some[16384];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, some, sizeof(some))) > 0)
		block_add(&b, some, n);
	if (fd >= 0)
		close(fd);
	if (b.len)
		add_section(w, out, id, &b);
}

/* Add what readers need to show arguments. */
static void add_args(struct tracedat_writer *w, struct block *out, const struct tracedat_contents *c)
{
	struct block b = { 0 };

	if (!c->args)
		return;
	block_u32(&b, c->args_len);
	block_add(&b, c->args_text, c->args_len);
	add_section(w, out, TRACEDAT_OPT_NESTRACE_ARGS, &b);
	if (!c->uname)
		add_file(w, out, TRACEDAT_OPT_BTF_FILE, "/sys/kernel/btf/vmlinux");
}

/*
 * On a full disk, leave room for the end: the symbols once more, a step of moving the data, and
 * for each stream the unfinished chunk, as it is and compressed.
 */
static void reserve(struct tracedat_writer *w)
{
	uint64_t step = w->partial.segment < MOVE_SIZE << 4 ? w->partial.segment : 2 * MOVE_SIZE;
	uint64_t writing = w->cpus_online * (w->nr_streams / w->nr_cpus);
	int fd = openat(w->partial.fd, RESERVE_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err;

	if (fd < 0) {
		fail(w);
		return;
	}
	err = posix_fallocate(fd, 0, w->base + step + writing * SPOOL_CHUNK * 5 / 4);
	if (err == ENOSPC || err == EDQUOT || err == EFBIG) {
		errno = err;
		fail(w);
	}
	close(fd);
}

/*
 * Return: how much of the disk may hold data that waits for compression. Nobody knows yet what it
 * takes in the end, so nothing waits where a file may not have BUDGET_LIMIT bytes.
 */
static uint64_t budget(const struct tracedat_writer *w)
{
	struct statvfs disk;
	uint64_t room;

	if (w->limit < BUDGET_LIMIT || fstatvfs(w->partial.fd, &disk))
		return 0;
	room = (uint64_t)disk.f_bavail * disk.f_frsize / BUDGET_SHARE;
	return room < BUDGET_MAX ? room : BUDGET_MAX;
}

static void use_reserve(struct tracedat_writer *w)
{
	unlinkat(w->partial.fd, RESERVE_NAME, 0);
}

static void check_limit(struct tracedat_writer *w)
{
	uint64_t limit;

	w->limit = size_limit(w->fd);
	limit = w->output.fd >= 0 && S_ISREG(w->output.st.st_mode) ? size_limit(w->output.fd) : w->limit;
	if (limit < w->limit)
		w->limit = limit;
	if (w->limit < 2 * w->base + 2 * FACTS_ROOM)
		fail_limit(w, w->limit);
}

static void writer_free(struct tracedat_writer *w)
{
	unsigned int i;

	for (i = 0; w->spool && i < w->nr_streams; i++)
		if (w->spool[i])
			spool_free(w->spool[i]);
	if (w->fd >= 0)
		close(w->fd);
	free(w->spool);
	free(w->listed);
	free(w->symbols);
	free(w->uname);
	free(w->times);
	free(w->facts);
	free(w->moved_to);
	partial_free(&w->partial);
	output_free(&w->output);
	free(w);
}

void tracedat_abandon(struct tracedat_writer *w)
{
	partial_remove(&w->partial);
	writer_free(w);
}

struct tracedat_writer *tracedat_create(const char *path, unsigned int nr_cpus, const char *clock,
					char *kallsyms, size_t len, const struct tracedat_contents *c,
					struct error *e)
{
	struct tracedat_writer *w = xrealloc(NULL, sizeof(*w));
	unsigned int nr_streams = c->events ? 2 * nr_cpus : nr_cpus, i;
	struct block b = { 0 };

	*w = (struct tracedat_writer){
		.fd = -1, .nr_cpus = nr_cpus, .symbols = kallsyms, .symbols_len = len,
		.nr_streams = nr_streams,
		.spool = xzalloc(nr_streams, sizeof(*w->spool)),
		.listed = xzalloc(nr_streams, sizeof(*w->listed)),
		.partial = { .fd = -1, .lock = -1 },
	};
	if (c->uname)
		w->uname = xstrdup(c->uname);
	else
		tsc_measure();
	w->cpus_online = sysconf(_SC_NPROCESSORS_ONLN);
	w->durable = c->durable;
	w->id = c->id;
	if (!w->id && getrandom(&w->id, sizeof(w->id), GRND_NONBLOCK) != sizeof(w->id))
		w->id = time(NULL);
	if (!output_open(&w->output, path, e) ||
	    !partial_create(&w->partial, &w->output, clock, nr_cpus, nr_streams, e)) {
		tracedat_abandon(w);
		return NULL;
	}
	w->fd = openat(w->partial.fd, FILE_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0)
		fail(w);
	for (i = 0; i < nr_streams; i++)
		/* the kernel's events have no thread that would compress them in the end */
		w->spool[i] = spool_new(w->partial.fd, i, w->partial.segment,
					w->partial.holes && i < nr_cpus ? &w->budget : NULL);
	add_head(w, &b);
	add_formats(w, &b, c);
	add_symbols(w, &b);
	add_args(w, &b, c);
	put_block(w, &b);
	if (!w->failed)
		check_limit(w);
	if (!w->failed)
		reserve(w);
	w->budget = budget(w);
	if (!w->failed)
		return w;
	*e = w->error;
	tracedat_abandon(w);
	return NULL;
}

uint64_t tracedat_id(const struct tracedat_writer *w)
{
	return w->id;
}

const char *tracedat_partial(const struct tracedat_writer *w)
{
	return w->partial.path;
}

const char *tracedat_kept(const struct tracedat_writer *w)
{
	return w->partial.kept;
}

bool tracedat_is_elsewhere(const struct tracedat_writer *w)
{
	return !w->output.beside && S_ISREG(w->output.st.st_mode);
}

/* Return true if the file can take more, and what all CPUs have in memory. */
static bool has_room(struct tracedat_writer *w)
{
	uint64_t in_memory = w->cpus_online * (w->nr_streams / w->nr_cpus) *
			     ZSTD_compressBound(SPOOL_CHUNK);
	uint64_t spooled = __atomic_load_n(&w->spooled, __ATOMIC_RELAXED);

	/* the symbols, which are nearly all of the base, come a second time */
	return 2 * w->base + FACTS_ROOM + in_memory + spooled <= w->limit;
}

void *tracedat_room(struct tracedat_writer *w, unsigned int cpu, size_t *len)
{
	return spool_room(w->spool[cpu], len);
}

void tracedat_compress(struct tracedat_writer *w, unsigned int cpu)
{
	struct error why;

	spool_compress(w->spool[cpu], &why);
}

uint64_t tracedat_waiting(const struct tracedat_writer *w)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < w->nr_streams; i++)
		sum += spool_waiting(w->spool[i]);
	return sum;
}

uint64_t tracedat_bytes(const struct tracedat_writer *w)
{
	return w->base + __atomic_load_n(&w->spooled, __ATOMIC_RELAXED) + tracedat_waiting(w);
}

bool tracedat_append_events(struct tracedat_writer *w, unsigned int cpu, const void *buf, size_t len,
			    struct error *e)
{
	return tracedat_append(w, w->nr_cpus + cpu, buf, len, e);
}

bool tracedat_append(struct tracedat_writer *w, unsigned int cpu, const void *buf, size_t len,
		     struct error *e)
{
	uint64_t before = spool_size(w->spool[cpu]);
	struct error why;

	if (!has_room(w))
		return error_set(e, "cannot write '%s': a file may have only %llu MiB here; the recording ends, and what was written is kept",
				 w->output.name, (unsigned long long)w->limit >> 20);
	if (!spool_append(w->spool[cpu], buf, len, &why))
		return error_set(e, "cannot write '%s': %s; the recording ends, and what was written is kept",
				 w->output.name, why.text);
	__atomic_fetch_add(&w->spooled, spool_size(w->spool[cpu]) - before, __ATOMIC_RELAXED);
	return true;
}

void tracedat_set_symbols(struct tracedat_writer *w, char *text, size_t len)
{
	struct block b = { .base = w->base };

	free(w->symbols);
	w->symbols = text;
	w->symbols_len = len;
	if (w->failed)
		return;
	use_reserve(w);
	/* all of them again; no option will point to the first ones */
	add_symbols(w, &b);
	put_block(w, &b);
}

static void add_places(struct tracedat_writer *w, struct block *options)
{
	static const uint16_t sections[] = {
		TRACEDAT_OPT_HEADER_INFO, TRACEDAT_OPT_FTRACE_EVENTS, TRACEDAT_OPT_EVENT_FORMATS,
		TRACEDAT_OPT_KALLSYMS, TRACEDAT_OPT_PRINTK, TRACEDAT_OPT_CMDLINES,
		TRACEDAT_OPT_BTF_FILE, TRACEDAT_OPT_NESTRACE_ARGS,
	};
	const uint64_t *section;
	size_t i;

	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		section = &w->section[tracedat_section(sections[i])];
		if (*section)
			block_option(options, sections[i], section, sizeof(*section));
	}
}

/* List the CPUs that exist: those with rings or with hits; at least one. */
static void list_cpus(struct tracedat_writer *w, const struct accounting *a)
{
	unsigned int cpu, slot, i;
	bool any = false;

	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		w->listed[cpu] = spool_has_chunk(w->spool[cpu]) || (a && a->ring_kb[cpu]);
		for (slot = 0; a && slot < NESTRACE_NR_SLOTS; slot++)
			w->listed[cpu] |= a->slot[cpu][slot].hits;
		any |= w->listed[cpu];
	}
	w->listed[0] |= !any;
	for (i = w->nr_cpus; i < w->nr_streams; i++)
		w->listed[i] = spool_has_chunk(w->spool[i]) || w->listed[i - w->nr_cpus];
}

/*
 * Make the content of FACTS_NAME. The options are not compressed: a second section of them,
 * which has the place of the data, follows them in the file.
 */
static void make_facts(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		       const struct accounting *a, struct block *facts)
{
	struct block bytes = { .base = w->base }, options = { 0 }, b = { 0 };
	const struct tracedat_facts facts_of = {
		.nr_cpus = w->nr_cpus, .listed = w->listed, .clock = w->partial.clock, .uname = w->uname, .id = w->id,
		.times = w->times, .times_len = w->times_len,
	};
	struct facts_head head = { .base = w->base };
	unsigned int i;
	uint64_t next;

	block_text64(&b, cmdlines, cmdlines_len);
	add_section(w, &bytes, TRACEDAT_OPT_CMDLINES, &b);
	list_cpus(w, a);
	parts_facts(&options, &facts_of, a);
	add_places(w, &options);
	head.options = bytes.base + bytes.len;
	head.len = bytes.len + SECTION_HEAD + options.len + 6 + sizeof(next);
	next = head.base + head.len;
	block_option(&options, TRACEDAT_OPT_DONE, &next, sizeof(next));
	add_section_head(&bytes, TRACEDAT_OPT_DONE, 0, options.len);
	block_add(&bytes, options.data, options.len);

	for (i = 0; i < w->nr_streams; i++)
		head.nr_streams += w->listed[i];
	block_add(facts, &head, sizeof(head));
	for (i = 0; i < w->nr_streams; i++)
		if (w->listed[i])
			block_u32(facts, i);
	block_add(facts, bytes.data, bytes.len);
	free(options.data);
	free(bytes.data);
}

/* Return: false with errno set; then the facts before are kept. */
static bool save_facts(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		       const struct accounting *a)
{
	struct block facts = { 0 };
	bool same;

	make_facts(w, cmdlines, cmdlines_len, a, &facts);
	same = facts.len == w->facts_len && !memcmp(facts.data, w->facts, facts.len);
	if (!same && !partial_put(&w->partial, FACTS_NAME, facts.data, facts.len)) {
		free(facts.data);
		return false;
	}
	free(w->facts);
	w->facts = facts.data;
	w->facts_len = facts.len;
	return true;
}

void tracedat_save(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		   const struct accounting *a)
{
	unsigned int i;

	for (i = 0; i < w->nr_streams; i++)
		spool_save(w->spool[i]);
	save_facts(w, cmdlines, cmdlines_len, a);
}

void tracedat_save_stream(struct tracedat_writer *w, unsigned int stream)
{
	if (stream < w->nr_streams)
		spool_save(w->spool[stream]);
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

static void end_spool(struct tracedat_writer *w, unsigned int stream, const void *events, size_t len)
{
	struct error why;

	if (!spool_end(w->spool[stream], events, len, &why))
		w->failed = !error_set(&w->error, "cannot write '%s': %s", w->output.name, why.text);
}

static void end_spools(struct tracedat_writer *w, const struct accounting *a)
{
	uint64_t ts = time_after(w);
	unsigned int i;
	size_t len;
	void *events;

	for (i = 0; i < w->nr_streams && !w->failed; i++) {
		len = 0;
		events = ts && i < w->nr_cpus ? summary_events_make(a, i, ts, &len) : NULL;
		end_spool(w, i, events, len);
		free(events);
	}
}

/* Return the bytes that the data of a stream takes in the file. */
static uint64_t data_size(const struct tracedat_writer *w, unsigned int stream)
{
	return sizeof(uint32_t) + spool_size(w->spool[stream]);
}

/* Add the head of the section with the data of @nr_cpus streams from @first on. */
static void add_data_head(const struct tracedat_writer *w, struct block *b, unsigned int first)
{
	uint64_t size = 0;
	unsigned int i;

	for (i = first; i < first + w->nr_cpus; i++)
		size += w->listed[i] ? data_size(w, i) : 0;
	add_section_head(b, TRACEDAT_OPT_BUFFER, TRACEDAT_COMPRESSED, size);
}

/* Add the option of the buffer whose section will be at @at. Return: the end of that section. */
static uint64_t add_buffer(const struct tracedat_writer *w, struct block *options, unsigned int first,
			   uint64_t at)
{
	/* the session's hits are the top instance, which has no name */
	const char *name = first ? EVENTS_INSTANCE : "";
	uint64_t offset = at + SECTION_HEAD;
	struct block b = { 0 };
	uint32_t nr = 0;
	unsigned int i;

	for (i = first; i < first + w->nr_cpus; i++)
		nr += w->listed[i];
	block_u64(&b, at);
	block_add(&b, name, strlen(name) + 1);
	block_add(&b, w->partial.clock, strlen(w->partial.clock) + 1);
	block_u32(&b, NESTRACE_SUBBUF_SIZE);
	block_u32(&b, nr);
	for (i = first; i < first + w->nr_cpus; i++) {
		if (!w->listed[i])
			continue;
		block_u32(&b, i - first);
		block_u64(&b, offset);
		block_u64(&b, data_size(w, i));
		offset += data_size(w, i);
	}
	block_option(options, TRACEDAT_OPT_BUFFER, b.data, b.len);
	free(b.data);
	return offset;
}

/* Write what precedes the data: the facts, and the options with the place of the data. */
static void put_prefix(struct tracedat_writer *w)
{
	struct facts_head *head = (struct facts_head *)w->facts;
	struct block b = { .base = head->base }, options = { 0 };
	uint64_t at = 0, end = 0;
	unsigned int first;
	int turn;

	w->base = head->base;
	block_add(&b, w->facts + sizeof(*head) + head->nr_streams * sizeof(uint32_t), head->len);
	/* the first time for their length, which does not depend on the place of the data */
	for (turn = 0; turn < 2; turn++) {
		at = b.base + b.len + SECTION_HEAD + options.len;
		options.len = 0;
		for (first = 0; first < w->nr_streams; first += w->nr_cpus)
			at = add_buffer(w, &options, first, at);
		block_option(&options, TRACEDAT_OPT_DONE, &end, sizeof(end));
	}
	add_section_head(&b, TRACEDAT_OPT_DONE, 0, options.len);
	block_add(&b, options.data, options.len);
	free(options.data);
	add_data_head(w, &b, 0);
	if (!w->failed && (ftruncate(w->fd, w->base) ||
			   !write_at(w->fd, &head->options, sizeof(head->options), w->options_at)))
		fail(w);
	put_block(w, &b);
	w->data_at = w->base;
}

/* Note where the data goes. From here on the spools may lack what has been moved. */
static void note_moving(struct tracedat_writer *w, const char *into)
{
	unsigned int i;
	char *text;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	fprintf(f, "data %llu\n", (unsigned long long)w->data_at);
	for (i = 0; i < w->nr_streams; i++)
		if (w->listed[i])
			fprintf(f, "stream %u %llu %u\n", i,
				(unsigned long long)spool_size(w->spool[i]),
				spool_chunks(w->spool[i]));
	fprintf(f, "into %s\n", into ?: "");
	fclose(f);
	if (!w->failed && !partial_put(&w->partial, MOVING_NAME, text, len))
		fail(w);
	free(text);
	w->moving = true;
}

/* Move the data of a CPU from its spool to @at of @fd, unless @have is beyond it. */
static void move_spool(struct tracedat_writer *w, struct spool *s, int fd, uint64_t at,
		       uint64_t have)
{
	uint32_t chunks = spool_chunks(s);
	uint64_t size = spool_size(s), done;
	char *buf;
	ssize_t n;

	if (have >= at + sizeof(chunks) + size) {
		spool_release(s, size);
		return;
	}
	if (have < at + sizeof(chunks) && !write_at(fd, &chunks, sizeof(chunks), at)) {
		fail(w);
		return;
	}
	at += sizeof(chunks);
	done = have > at ? have - at : 0;
	buf = xrealloc(NULL, MOVE_SIZE);
	while (!w->failed && done < size) {
		n = spool_read(s, done, buf, size - done < MOVE_SIZE ? size - done : MOVE_SIZE);
		if (n < 0) {
			w->failed = !error_set_errno(&w->error, "cannot read back the data for '%s'",
						     w->output.name);
		} else if (!write_at(fd, buf, n, at + done)) {
			fail(w);
		} else {
			done += n;
			/* the spool is what a crash of the machine leaves, until the file is on the disk */
			if (w->durable)
				fdatasync(fd);
			spool_release(s, done);
		}
	}
	free(buf);
}

/* Move all data to @fd, which has its first @have bytes. */
static void move_data(struct tracedat_writer *w, int fd, uint64_t have)
{
	uint64_t at = w->data_at;
	struct block head;
	unsigned int i;

	for (i = 0; i < w->nr_streams && !w->failed; i++) {
		if (i && i % w->nr_cpus == 0) {
			head = (struct block){ 0 };
			add_data_head(w, &head, i);
			if (have < at + head.len && !write_at(fd, head.data, head.len, at))
				fail(w);
			at += head.len;
			free(head.data);
		}
		if (!w->listed[i] || w->failed)
			continue;
		move_spool(w, w->spool[i], fd, at, have);
		at += data_size(w, i);
	}
}

/* Copy a file. Return: its length. */
static uint64_t copy(struct tracedat_writer *w, int from, int to)
{
	char *buf = xrealloc(NULL, MOVE_SIZE);
	uint64_t at = 0;
	ssize_t n;

	while (!w->failed && (n = pread(from, buf, MOVE_SIZE, at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || !write_at(to, buf, n, at))
			fail(w);
		at += n > 0 ? n : 0;
	}
	free(buf);
	return at;
}

static uint64_t length(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_size;
}

/* Complete the file in the directory, and put it in its place. */
static void complete_beside(struct tracedat_writer *w)
{
	int fd;

	if (!w->moving)
		note_moving(w, NULL);
	move_data(w, w->fd, length(w->fd));
	/* a file system of another machine may report only now that it has no room */
	fd = dup(w->fd);
	if (!w->failed && (fd < 0 || (w->durable && fsync(fd)) || close(fd)))
		fail(w);
	if (w->failed)
		return;
	if (output_rename(&w->output, w->fd, w->partial.fd, FILE_NAME)) {
		if (w->durable)
			output_sync_name(&w->output);
		return;
	}
	/* something forbids it that output_can_rename() does not know */
	fd = output_truncate(&w->output);
	if (fd < 0)
		fail(w);
	copy(w, w->fd, fd);
	if (fd >= 0 && close(fd))
		fail(w);
}

static bool is_same(int fd, const struct stat *other)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_dev == other->st_dev && st.st_ino == other->st_ino;
}

/* Open the file that has the first part of the data. */
static int open_moved_to(const struct tracedat_writer *w)
{
	int fd = open(w->moved_to, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	/* how much a device has of it is not known */
	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
		errno = ESPIPE;
	}
	return fd;
}

/* Write into the file that exists, or that is on another file system. */
static void complete_in_place(struct tracedat_writer *w)
{
	int from = w->moved_to ? open_moved_to(w) : w->fd, to = -1;
	uint64_t have = 0;

	/* by any of its names: what it has is nowhere else */
	if (from >= 0 && w->moved_to && w->output.fd >= 0 && is_same(from, &w->output.st)) {
		to = from;
		have = length(to);
	} else if (from >= 0) {
		/* a kill must not leave it changed without a word of why */
		if (!partial_put(&w->partial, PARTIAL_TARGET, w->output.path, strlen(w->output.path)))
			fail(w);
		else
			to = output_truncate(&w->output);
	}
	if (to < 0)
		fail(w);
	if (to != from && !w->failed) {
		have = copy(w, from, to);
		note_moving(w, w->output.path);
	}
	move_data(w, to, have);
	if (to >= 0 && close(to))
		fail(w);
	if (w->moved_to && from != to && from >= 0)
		close(from);
}

/* Complete the file, and free @w. */
static bool complete(struct tracedat_writer *w, struct error *e)
{
	bool ok;

	if (!w->failed && !w->moved_to && output_can_rename(&w->output, w->partial.fd))
		complete_beside(w);
	else if (!w->failed)
		complete_in_place(w);
	ok = !w->failed;
	if (ok) {
		partial_put(&w->partial, PARTIAL_DONE, "", 0);
		partial_remove(&w->partial);
	} else {
		error_set(e, "%.500s; what was recorded is kept: '%.300s'; nestrace restore -o FILE DIRECTORY makes the file elsewhere",
			  w->error.text, w->partial.path);
	}
	writer_free(w);
	return ok;
}

void tracedat_set_times(struct tracedat_writer *w, char *text, size_t len)
{
	free(w->times);
	w->times = text;
	w->times_len = len;
}

bool tracedat_finish(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		     const struct accounting *a, struct error *e)
{
	unsigned int i;

	use_reserve(w);
	/* if the disk has no room even so, nestrace restore has what these save */
	for (i = 0; i < w->nr_streams; i++)
		spool_save(w->spool[i]);
	end_spools(w, a);
	if (!w->failed && !save_facts(w, cmdlines, cmdlines_len, a))
		fail(w);
	if (!w->failed)
		put_prefix(w);
	return complete(w, e);
}

/* Take the facts that were saved last. */
static bool load_facts(struct tracedat_writer *w)
{
	struct facts_head head;
	uint32_t stream;
	uint64_t i;

	w->facts = partial_get(&w->partial, FACTS_NAME, &w->facts_len);
	if (!w->facts || w->facts_len < sizeof(head))
		return false;
	memcpy(&head, w->facts, sizeof(head));
	if (!head.nr_streams || head.nr_streams > w->nr_streams ||
	    head.nr_streams > (w->facts_len - sizeof(head)) / sizeof(stream) ||
	    head.len != w->facts_len - sizeof(head) - head.nr_streams * sizeof(stream) ||
	    length(w->fd) < head.base)
		return false;
	for (i = 0; i < head.nr_streams; i++) {
		memcpy(&stream, w->facts + sizeof(head) + i * sizeof(stream), sizeof(stream));
		if (stream >= w->nr_streams)
			return false;
		w->listed[stream] = true;
	}
	return true;
}

/* Take where the data goes, if its move began. Return: false if that cannot be read. */
static bool load_moving(struct tracedat_writer *w)
{
	unsigned long long size, data_at;
	char *text, *line, *save;
	unsigned int i, chunks;
	size_t len;

	text = partial_get(&w->partial, MOVING_NAME, &len);
	if (!text)
		return errno == ENOENT;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "data %llu", &data_at) == 1)
			w->data_at = data_at;
		else if (sscanf(line, "stream %u %llu %u", &i, &size, &chunks) == 3 &&
			 i < w->nr_streams && w->listed[i] && !w->spool[i])
			w->spool[i] = spool_reopen(w->partial.fd, i, w->partial.segment, size,
						   chunks);
		else if (!strncmp(line, "into ", 5) && line[5])
			w->moved_to = xstrdup(line + 5);
	}
	free(text);
	w->moving = true;
	for (i = 0; i < w->nr_streams; i++)
		if (w->listed[i] && !w->spool[i])
			return false;
	return w->data_at;
}

/* Find the place of the offset of the options, behind the words of the head. */
static bool find_options_at(struct tracedat_writer *w)
{
	struct block b = { 0 };
	char head[256];
	bool same;

	add_head(w, &b);
	/* another version of zstd may have a longer name */
	same = pread(w->fd, head, sizeof(head), 0) == sizeof(head);
	if (same) {
		size_t words = sizeof(TRACEDAT_MAGIC) - 1 + 2 + 2 + 4 + sizeof(TRACEDAT_ZSTD);

		same = !memcmp(head, b.data, words);
		w->options_at = words + strnlen(head + words, 100) + 1;
	}
	free(b.data);
	return same;
}

/* Take what the directory says, except for the data. */
static bool load(struct tracedat_writer *w, struct error *e)
{
	w->nr_cpus = w->partial.nr_cpus;
	w->nr_streams = w->partial.nr_streams;
	w->spool = xzalloc(w->nr_streams, sizeof(*w->spool));
	w->listed = xzalloc(w->nr_streams, sizeof(*w->listed));
	w->fd = openat(w->partial.fd, FILE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (w->fd < 0)
		return error_set_errno(e, "cannot open '%s/" FILE_NAME "'", w->partial.path);
	if (!find_options_at(w) || !load_facts(w) || !load_moving(w))
		return error_set(e, PARTIAL_NOT_BEGUN, w->partial.path);
	return true;
}

/* Make the data whole, which a kill may have cut anywhere. @damage: what a crash has damaged. */
static void recover(struct tracedat_writer *w, struct error *damage)
{
	struct facts_head head;
	unsigned int i;

	/* make room: the disk may be full */
	use_reserve(w);
	memcpy(&head, w->facts, sizeof(head));
	if (ftruncate(w->fd, head.base))
		fail(w);
	for (i = 0; i < w->nr_streams && !w->failed; i++) {
		w->spool[i] = spool_recover(w->partial.fd, i, w->partial.segment, &w->error);
		w->failed = !w->spool[i];
		if (!w->failed)
			end_spool(w, i, NULL, 0);
		if (!w->failed)
			spool_remove_tail(w->spool[i]);
		if (!w->failed && spool_is_damaged(w->spool[i]))
			error_set(damage, "the data of CPU %u is damaged: '%s'; its last part is left out",
				  i % w->nr_cpus, w->output.name);
	}
	if (!w->failed)
		put_prefix(w);
}

/* Return true if only the removal of the directory was interrupted. */
static bool is_complete(const struct partial *p)
{
	return !faccessat(p->fd, PARTIAL_DONE, F_OK, 0) ||
	       (faccessat(p->fd, FILE_NAME, F_OK, 0) && errno == ENOENT &&
		!faccessat(p->fd, MOVING_NAME, F_OK, 0));
}

/* Return true if the output is there, was written after the recording began, and not by it. */
static bool is_newer(const struct tracedat_writer *w)
{
	const struct timespec *t = &w->output.st.st_mtim, *start;
	struct stat about;
	char *target;
	size_t len;
	bool ours;

	target = partial_get(&w->partial, PARTIAL_TARGET, &len);
	ours = target && !strcmp(target, w->output.path);
	free(target);
	if (ours || w->output.fd < 0 || !S_ISREG(w->output.st.st_mode) ||
	    fstat(w->partial.lock, &about))
		return false;
	start = &about.st_mtim;
	return t->tv_sec > start->tv_sec ||
	       (t->tv_sec == start->tv_sec && t->tv_nsec > start->tv_nsec);
}

static bool has_data(const struct tracedat_writer *w)
{
	unsigned int i;

	for (i = 0; i < w->nr_streams; i++)
		if (spool_has_chunk(w->spool[i]))
			return true;
	return false;
}

/* Are these names of one file? */
static bool are_same(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return !strcmp(a, b) || (!stat(a, &of_a) && !stat(b, &of_b) &&
				 of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino);
}

char *tracedat_restore(const char *from, const char *output, bool empty, struct error *e)
{
	struct tracedat_writer *w = xzalloc(1, sizeof(*w));
	struct error damage;
	char *target = NULL;

	w->fd = w->output.fd = -1;
	if (!partial_open(&w->partial, from, e))
		goto fail;
	if (is_complete(&w->partial)) {
		target = xstrdup(w->partial.output);
		if (output && !are_same(output, target)) {
			error_set(e, "the recording is in its file already: '%s'; copy that", target);
			goto fail;
		}
		partial_remove(&w->partial);
		writer_free(w);
		*e->text = '\0';
		return target;
	}
	target = output ? xstrdup(output) : partial_target(&w->partial);
	if (!output_open(&w->output, target, e) || !load(w, e))
		goto fail;
	if (!output && is_newer(w)) {
		error_set(e, "a newer file has that name: '%s'; name another with -o FILE", target);
		goto fail;
	}
	*damage.text = '\0';
	if (!w->moving)
		recover(w, &damage);
	/* an earlier file is worth more */
	if (!w->failed && !w->moving && !empty && !has_data(w)) {
		error_set(e, "nothing was recorded: '%s'; after record --persist add --last-boot NAME, after a panic --vmcore DUMP; else remove the directory",
			  w->partial.path);
		goto fail;
	}
	if (complete(w, e)) {
		*e = damage;
		return target;
	}
	free(target);
	return NULL;
fail:
	writer_free(w);
	free(target);
	return NULL;
}
