// SPDX-License-Identifier: GPL-2.0
/* Writing trace.dat. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "nestrace.h"
#include "tracedat.h"
#include "tracedat_format.h"

#define CHUNK	(1 << 20)

struct tracedat_writer {
	const char *path;
	bool beside;		/* @fd is put in the place of @path at the end, or is @path */
	char *tmp;		/* its name, where files without one can't be had */
	int fd;
	bool failed;		/* and said so */
	unsigned int nr_cpus;
	off_t symbols_at;	/* of their length, in front of them */
	uint32_t symbols_len;
	struct spool {
		int fd;		/* unlinked; the data of one CPU until the end */
		uint64_t size;
	} *spool;
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

static const char function_format[] =
	"name: function\n"
	"ID: 1\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
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

static void put_u16(struct tracedat_writer *w, uint16_t v)
{
	put(w, &v, sizeof(v));
}

static void put_u32(struct tracedat_writer *w, uint32_t v)
{
	put(w, &v, sizeof(v));
}

static void put_u64(struct tracedat_writer *w, uint64_t v)
{
	put(w, &v, sizeof(v));
}

static void put_text64(struct tracedat_writer *w, const char *text, size_t len)
{
	put_u64(w, len);
	put(w, text, len);
}

static void put_option(struct tracedat_writer *w, uint16_t id, const char *text)
{
	put_u16(w, id);
	put_u32(w, strlen(text) + 1);
	put(w, text, strlen(text) + 1);
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

	w->spool = xrealloc(NULL, w->nr_cpus * sizeof(*w->spool));
	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		w->spool[cpu].fd = temporary(beside, &name);
		w->spool[cpu].size = 0;
		if (name)
			unlink(name);
		free(name);
	}
}

struct tracedat_writer *tracedat_create(const char *path, unsigned int nr_cpus,
					const char *kallsyms, size_t len)
{
	struct tracedat_writer *w = xrealloc(NULL, sizeof(*w));

	*w = (struct tracedat_writer){ .path = path, .nr_cpus = nr_cpus };
	open_output(w);

	put(w, TRACEDAT_MAGIC, sizeof(TRACEDAT_MAGIC) - 1);
	put(w, "6", 2);
	put(w, "\0", 1);		/* little endian */
	put(w, "\10", 1);		/* bytes in a long */
	put_u32(w, NT_SUBBUF_SIZE);
	put(w, "header_page", 12);
	put_text64(w, header_page, sizeof(header_page) - 1);
	put(w, "header_event", 13);
	put_text64(w, header_event, sizeof(header_event) - 1);
	put_u32(w, 1);			/* formats of system ftrace */
	put_text64(w, function_format, sizeof(function_format) - 1);
	put_u32(w, 0);			/* other systems */
	w->symbols_at = lseek(w->fd, 0, SEEK_CUR);
	w->symbols_len = len;
	put_u32(w, len);
	put(w, kallsyms, len);

	/* Room to move the CPUs' data in by, should the disk be full at the end. */
	if (!w->failed && w->beside &&
	    posix_fallocate(w->fd, lseek(w->fd, 0, SEEK_CUR), 2 * CHUNK) == ENOSPC) {
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
	struct spool *s = &w->spool[cpu];
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pwrite(s->fd, (const char *)buf + done, len - done, s->size + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			warn_errno("can't write more of %s; recording ends, what was written is kept",
				   w->path);
			/* sub-buffers are kept whole */
			s->size += done - done % NT_SUBBUF_SIZE;
			return false;
		}
		done += n;
	}
	s->size += len;
	return true;
}

static char *clock_text(const char *clock)
{
	char *text;

	/* as tracefs shows it: the one in brackets is in use */
	if (asprintf(&text, "local [%s]\n", clock) < 0)
		die("out of memory");
	return text;
}

static void put_options(struct tracedat_writer *w, const char *clock, const struct accounting *a)
{
	struct utsname uts;
	unsigned int cpu;
	char *text;

	put(w, TRACEDAT_OPTIONS, sizeof(TRACEDAT_OPTIONS));
	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		text = accounting_cpu_text(a, cpu);
		put_option(w, TRACEDAT_OPT_CPUSTAT, text);
		free(text);
	}
	text = clock_text(clock);
	put_option(w, TRACEDAT_OPT_TRACECLOCK, text);
	free(text);
	if (!uname(&uts) &&
	    asprintf(&text, "%s %s %s %s", uts.sysname, uts.nodename, uts.release,
		     uts.machine) > 0) {
		put_option(w, TRACEDAT_OPT_UNAME, text);
		free(text);
	}
	put_option(w, TRACEDAT_OPT_VERSION, "nestrace " NESTRACE_VERSION);
	put_u16(w, TRACEDAT_OPT_DONE);
}

/* Frees the spool as it goes, so that a disk need not hold the data twice. */
static void move_spool(struct tracedat_writer *w, struct spool *s)
{
	char *buf = xrealloc(NULL, CHUNK);
	uint64_t off = 0;
	ssize_t n;

	while (off < s->size && !w->failed) {
		n = pread(s->fd, buf, s->size - off < CHUNK ? s->size - off : CHUNK, off);
		if (n <= 0) {
			if (n < 0 && errno == EINTR)
				continue;
			warn_errno("reading back the data for %s", w->path);
			w->failed = true;
			break;
		}
		put(w, buf, n);
		fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, n);
		if (w->beside)
			posix_fallocate(w->fd, lseek(w->fd, 0, SEEK_CUR), CHUNK);
		off += n;
	}
	free(buf);
}

static uint64_t align(uint64_t v)
{
	return (v + NT_SUBBUF_SIZE - 1) & ~(NT_SUBBUF_SIZE - 1ULL);
}

static void put_data(struct tracedat_writer *w, const char *clock)
{
	uint64_t offset;
	unsigned int cpu;
	char *text;

	put(w, TRACEDAT_FLYRECORD, sizeof(TRACEDAT_FLYRECORD));
	if (asprintf(&text, "[%s]", clock) < 0)
		die("out of memory");
	offset = align(lseek(w->fd, 0, SEEK_CUR) + w->nr_cpus * 2 * sizeof(uint64_t) +
		       sizeof(uint64_t) + strlen(text));
	for (cpu = 0; cpu < w->nr_cpus; cpu++) {
		put_u64(w, offset);
		put_u64(w, w->spool[cpu].size);
		offset += w->spool[cpu].size;
	}
	/* the clock once more: trace-cmd expects it here if the option is there */
	put_text64(w, text, strlen(text));
	free(text);
	lseek(w->fd, align(lseek(w->fd, 0, SEEK_CUR)), SEEK_SET);
	for (cpu = 0; cpu < w->nr_cpus; cpu++)
		move_spool(w, &w->spool[cpu]);
}

static void writer_free(struct tracedat_writer *w)
{
	unsigned int cpu;

	for (cpu = 0; cpu < w->nr_cpus; cpu++)
		close(w->spool[cpu].fd);
	free(w->spool);
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
	uint32_t all = w->symbols_len + len;

	put(w, text, len);
	if (!w->failed && pwrite(w->fd, &all, sizeof(all), w->symbols_at) != sizeof(all)) {
		warn_errno("can't write %s", w->path);
		w->failed = true;
	}
	w->symbols_len = all;
}

int tracedat_finish(struct tracedat_writer *w, const char *cmdlines, size_t cmdlines_len,
		    const char *clock, const struct accounting *a)
{
	int ret = -1;

	put_u32(w, 0);			/* printk formats */
	put_text64(w, cmdlines, cmdlines_len);
	put_u32(w, w->nr_cpus);
	put_options(w, clock, a);
	put_data(w, clock);

	/* what was set aside and not used */
	if (!w->failed && w->beside &&
	    (ftruncate(w->fd, lseek(w->fd, 0, SEEK_CUR)) || !give_name(w))) {
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
	if (!w->failed)
		ret = 0;
	else
		forget(w);
	writer_free(w);
	return ret;
}
