// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_KDUMPFILE
#include <libkdumpfile/kdumpfile.h>
#endif

#include "lib/memory.h"
#include "lib/memory_dump.h"

#define PARTS_MAX	4096		/* each is searched, though parts may overlap */
#define BLOCK	(1 << 20)	/* bytes that are searched at once */

/* A part of the memory that an ELF file has. */
struct part {
	uint64_t at, size, offset;
};

struct memory_dump {
	int fd;
	struct part *part;
	size_t nr_parts;
	bool cut;
#ifdef HAVE_KDUMPFILE
	kdump_ctx_t *kdump;		/* NULL: it is ELF */
#endif
};

static bool is_elf(int fd)
{
	char magic[SELFMAG];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) && !memcmp(magic, ELFMAG, SELFMAG);
}

/* Keep what the file has of a part. */
static void add_part(struct memory_dump *d, const GElf_Phdr *h, uint64_t file_size)
{
	struct part part = { .at = h->p_paddr, .size = h->p_filesz, .offset = h->p_offset };

	if (part.offset > file_size || part.size > file_size - part.offset) {
		d->cut = true;
		part.size = part.offset > file_size ? 0 : file_size - part.offset;
	}
	if (!part.size || part.at + part.size < part.at || d->nr_parts == PARTS_MAX)
		return;
	d->part = xgrow(d->part, d->nr_parts, sizeof(part));
	d->part[d->nr_parts++] = part;
}

static bool read_elf(struct memory_dump *d, const char *path, struct error *e)
{
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(d->fd, ELF_C_READ, NULL);
	GElf_Ehdr head;
	struct stat st;
	GElf_Phdr h;
	size_t nr, i;
	bool ok;

	if (fstat(d->fd, &st)) {
		elf_end(elf);
		return error_set_errno(e, "cannot read '%s'", path);
	}
	ok = elf && gelf_getehdr(elf, &head) && head.e_type == ET_CORE && !elf_getphdrnum(elf, &nr);
	for (i = 0; ok && i < nr; i++)
		if (gelf_getphdr(elf, i, &h) && h.p_type == PT_LOAD)
			add_part(d, &h, st.st_size);
	elf_end(elf);
	if (!ok)
		return error_set(e, "not a dump of a machine's memory: '%s'; use an ELF core dump, or one of kdump; makedumpfile -R makes one from a flattened file", path);
	if (d->cut && !d->nr_parts)
		return error_set(e, "the dump is cut short before its memory: '%s'; give the dump more room", path);
	if (!d->nr_parts)
		return error_set(e, "the dump has no memory: '%s'; dump with makedumpfile -d 31 or less", path);
	return true;
}

/* Return the bytes of @at that are in one part, and their place in the file; 0: none. */
static size_t place(const struct memory_dump *d, uint64_t at, size_t len, uint64_t *offset)
{
	const struct part *p;

	for (p = d->part; p < d->part + d->nr_parts; p++) {
		if (at < p->at || at - p->at >= p->size)
			continue;
		*offset = p->offset + (at - p->at);
		return len < p->size - (at - p->at) ? len : p->size - (at - p->at);
	}
	return 0;
}

static bool read_parts(struct memory_dump *d, uint64_t at, char *buf, size_t len)
{
	uint64_t offset;
	size_t some;
	ssize_t n;

	for (; len; at += n, buf += n, len -= n) {
		some = place(d, at, len, &offset);
		if (!some)
			return false;
		n = pread(d->fd, buf, some, offset);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return true;
}

static void find_in_parts(struct memory_dump *d, const void *magic, size_t len,
			  bool (*found)(void *arg, uint64_t at), void *arg)
{
	char *block = xrealloc(NULL, BLOCK);
	const struct part *p;
	uint64_t at, end;
	size_t some, i;
	bool go_on = true;

	for (p = d->part; go_on && p < d->part + d->nr_parts; p++) {
		at = (p->at + MEMORY_DUMP_PAGE - 1) & ~(uint64_t)(MEMORY_DUMP_PAGE - 1);
		end = p->at + p->size;
		for (; go_on && at < end; at += some) {
			some = end - at < BLOCK ? end - at : BLOCK;
			if (!read_parts(d, at, block, some))
				break;
			for (i = 0; go_on && i + len <= some; i += MEMORY_DUMP_PAGE)
				if (!memcmp(block + i, magic, len))
					go_on = found(arg, at + i);
		}
	}
	free(block);
}

#ifdef HAVE_KDUMPFILE
static bool open_kdump(struct memory_dump *d, const char *path, struct error *e)
{
	kdump_status status = KDUMP_OK;

	d->kdump = kdump_new();
	if (!d->kdump)
		out_of_memory();
	/* a mapping of a file that is cut short would be a SIGBUS */
	kdump_set_number_attr(d->kdump, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER);
	status = kdump_open_fd(d->kdump, d->fd);
	if (status == KDUMP_OK)
		return true;
	if (status == KDUMP_ERR_SYSTEM)
		return error_set_errno(e, "cannot read '%s'", path);
	return error_set(e, "not a dump of a machine's memory: '%s'; use an ELF core dump, or one of kdump; makedumpfile -R makes one from a flattened file", path);
}

static bool read_kdump(struct memory_dump *d, uint64_t at, void *buf, size_t len)
{
	size_t n = len;

	return kdump_read(d->kdump, KDUMP_MACHPHYSADDR, at, buf, &n) == KDUMP_OK && n == len;
}

static void find_in_kdump(struct memory_dump *d, const void *magic, size_t len,
			  bool (*found)(void *arg, uint64_t at), void *arg)
{
	char page[MEMORY_DUMP_PAGE];
	kdump_attr_t pages = { .type = KDUMP_BITMAP };
	kdump_addr_t nr = 0;

	if (kdump_get_typed_attr(d->kdump, KDUMP_ATTR_FILE_PAGEMAP, &pages) != KDUMP_OK)
		return;
	for (; kdump_bmp_find_set(pages.val.bitmap, &nr) == KDUMP_OK; nr++)
		if (read_kdump(d, nr * MEMORY_DUMP_PAGE, page, sizeof(page)) && !memcmp(page, magic, len) &&
		    !found(arg, nr * MEMORY_DUMP_PAGE))
			break;
}
#else
static bool open_kdump(struct memory_dump *d, const char *path, struct error *e)
{
	return error_set(e, "not an ELF core dump: '%s'; a nestrace that is built with libkdumpfile reads those of kdump, too",
			 path);
}
#endif

struct memory_dump *memory_dump_open(const char *path, struct error *e)
{
	struct memory_dump *d = xzalloc(1, sizeof(*d));
	struct stat st;
	bool ok;

	d->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (d->fd < 0)
		ok = error_set_errno(e, "cannot open '%s'", path);
	else if (!fstat(d->fd, &st) && !S_ISREG(st.st_mode))
		ok = error_set(e, "not a file: '%s'; name a dump of a machine's memory", path);
	else
		ok = is_elf(d->fd) ? read_elf(d, path, e) : open_kdump(d, path, e);
	if (ok)
		return d;
	memory_dump_close(d);
	return NULL;
}

struct memory_dump *memory_dump_of(int fd, uint64_t at, uint64_t size)
{
	struct memory_dump *d = xzalloc(1, sizeof(*d));

	d->fd = fd;
	d->part = xgrow(NULL, 0, sizeof(*d->part));
	d->part[d->nr_parts++] = (struct part){ .at = at, .size = size };
	return d;
}

bool memory_dump_read(struct memory_dump *d, uint64_t at, void *buf, size_t len)
{
#ifdef HAVE_KDUMPFILE
	if (d->kdump)
		return read_kdump(d, at, buf, len);
#endif
	return read_parts(d, at, buf, len);
}

void memory_dump_find(struct memory_dump *d, const void *magic, size_t len,
		      bool (*found)(void *arg, uint64_t at), void *arg)
{
#ifdef HAVE_KDUMPFILE
	if (d->kdump) {
		find_in_kdump(d, magic, len, found, arg);
		return;
	}
#endif
	find_in_parts(d, magic, len, found, arg);
}

bool memory_dump_is_cut(const struct memory_dump *d)
{
	return d->cut;
}

void memory_dump_close(struct memory_dump *d)
{
#ifdef HAVE_KDUMPFILE
	if (d->kdump)
		kdump_free(d->kdump);
#endif
	if (d->fd >= 0)
		close(d->fd);
	free(d->part);
	free(d);
}
