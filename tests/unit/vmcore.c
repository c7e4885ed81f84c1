// SPDX-License-Identifier: GPL-2.0
/* Finding sessions in a dump of memory: lib/memory_dump.h, lib/dead_sessions.h. */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "lib/accounting.h"
#include "lib/dead_rings.h"
#include "lib/dead_sessions.h"
#include "lib/memory_dump.h"
#include "spec.h"

/* The machine's memory: two parts, with a hole between them. */
#define PAGE		4096
#define LOW		0x100000ULL
#define HIGH		0x80000000ULL
#define LOW_PAGES	64
#define HIGH_PAGES	64
#define SIZE		((LOW_PAGES + HIGH_PAGES) * PAGE)
#define HEADS		PAGE

static char path[256];
static char memory[SIZE];
static unsigned int next_page;
static bool overlap;		/* a third part is the first one once more */

static char *at(uint64_t physical)
{
	return memory + (physical >= HIGH ? physical - HIGH + LOW_PAGES * PAGE : physical - LOW);
}

/* Take a free page, now in one part and then in the other. */
static uint64_t new_page(const char *magic)
{
	uint64_t page = (next_page & 1 ? HIGH : LOW) + next_page / 2 * PAGE;
	struct nestrace_dump_head *head = (void *)at(page);

	next_page++;
	memset(at(page), 0, PAGE);
	if (magic) {
		memcpy(head->magic, magic, sizeof(head->magic));
		head->self = page;
	}
	return page;
}

static struct nestrace_dump_anchor *anchor;
static struct nestrace_dump_session *session;
static struct nestrace_dump_list *list;

static void word(uint64_t w)
{
	uint64_t next;

	/* so that a CPU needs several */
	if (list->nr == 20) {
		next = new_page(NESTRACE_DUMP_LIST_MAGIC);
		list->next = next;
		list = (void *)at(next);
	}
	list->word[list->nr++] = w;
}

/* A machine with one session on two CPUs, whose rings have nothing. */
static void new_machine(void)
{
	uint64_t page;
	unsigned int cpu, i;

	memset(memory, 0, sizeof(memory));
	next_page = 0;
	anchor = (void *)at(new_page(NESTRACE_DUMP_ANCHOR_MAGIC));
	anchor->version = NESTRACE_DUMP_VERSION;
	anchor->page_size = PAGE;
	page = new_page(NESTRACE_DUMP_SESSION_MAGIC);
	anchor->session[3] = page;
	session = (void *)at(page);
	session->cookie = 0x1234;
	session->nr_cpus = 4;
	session->stride = 256;
	session->ring_kb = 80;
	strcpy(session->host, "host");
	strcpy(session->release, "6.1");
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		session->ring_bytes[i] = 8192;
	for (i = 0; i < NESTRACE_DUMP_NR_FIELDS; i++)
		session->at[i] = i * sizeof(uint64_t);
	session->list = new_page(NESTRACE_DUMP_LIST_MAGIC);
	list = (void *)at(session->list);
	for (cpu = 1; cpu <= 3; cpu += 2) {
		word(cpu);
		/* the counters cross a page */
		word(4000);
		word(2);
		page = new_page(NULL);
		for (i = 0; i < 8; i++)
			memset(at(page) + 4000 + i, 0, 1);
		*(uint64_t *)(at(page) + 4000) = NESTRACE_SUBBUF_HEADER;
		*(uint64_t *)(at(page) + 4008) = 100 + cpu;
		word(page);
		page = new_page(NULL);
		for (i = 1; i < NESTRACE_NR_SLOTS; i++)
			*(uint64_t *)(at(page) + i * 256 - 96) = NESTRACE_SUBBUF_HEADER;
		word(page);
		word(20);
		for (i = 0; i < 20; i++)
			word(new_page(NULL));
	}
}

/* Write the dump. @cut: bytes that are missing at its end. */
static void dump(size_t cut)
{
	Elf64_Ehdr head = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_CORE, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_phoff = sizeof(head), .e_ehsize = sizeof(head), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = overlap ? 3 : 2,
	};
	Elf64_Phdr part[3] = {
		{ .p_type = PT_LOAD, .p_offset = HEADS, .p_paddr = LOW, .p_filesz = LOW_PAGES * PAGE, .p_memsz = LOW_PAGES * PAGE },
		{ .p_type = PT_LOAD, .p_offset = HEADS + LOW_PAGES * PAGE, .p_paddr = HIGH, .p_filesz = HIGH_PAGES * PAGE,
		  .p_memsz = HIGH_PAGES * PAGE },
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	part[2] = part[0];
	if (fd < 0 || pwrite(fd, &head, sizeof(head), 0) < 0 || pwrite(fd, part, sizeof(part), sizeof(head)) < 0 ||
	    pwrite(fd, memory, SIZE, HEADS) < 0 || ftruncate(fd, HEADS + SIZE - cut))
		exit(2);
	close(fd);
}

static struct dead_sessions sessions;

/* Read the dump. Return: what is wrong with it, or "". */
static const char *found(void)
{
	static struct error e;
	struct memory_dump *d = memory_dump_open(path, &e);

	dead_sessions_free(&sessions);
	if (!d)
		return e.text;
	if (dead_sessions_read(&sessions, d, "dump", &e) && !dead_session_load(sessions.session, d, "dump", &e))
		dead_sessions_free(&sessions);
	memory_dump_close(d);
	return e.text;
}

static void damaged(void)
{
	dump(0);
	is(found(), "the sessions in the dump are damaged: 'dump'; is all of the memory in it?");
	new_machine();
}

/* The session itself is whole. */
static void damaged_list(void)
{
	dump(0);
	is(found(), "the session in the dump is damaged: 'dump'");
	new_machine();
}

static void read_everything(void)
{
	char subbuf[NESTRACE_SUBBUF_SIZE];
	struct memory_dump *d;
	struct dead_rings *r;
	struct error e;
	size_t i;
	unsigned int cpu;

	d = memory_dump_open(path, &e);
	if (!d)
		return;
	dead_sessions_free(&sessions);
	dead_sessions_read(&sessions, d, "dump", &e);
	for (i = 0; i < sessions.nr; i++) {
		if (!dead_session_load(&sessions.session[i], d, "dump", &e))
			continue;
		for (cpu = 0; cpu < sessions.session[i].nr_cpus; cpu++) {
			r = dead_rings_open(d, &sessions.session[i], cpu, &(struct dead_joint){ .total = true });
			while (dead_rings_next(r, subbuf))
				;
			dead_rings_close(r);
		}
	}
	memory_dump_close(d);
}

int main(int argc, char **argv)
{
	struct dead_kept kept[2][NESTRACE_NR_SLOTS] = { 0 };
	struct accounting a = { 0 };
	unsigned int seed, i;
	int fd;

	snprintf(path, sizeof(path), "%s.dump", argv[0]);
	new_machine();

	spec("vmcore: the session of a dump is found, with its CPUs and counters");
	dump(0);
	is(found(), "");
	is_number(sessions.nr, 1);
	is_number(sessions.session[0].about.cookie, 0x1234);
	is_number(sessions.session[0].nr_cpus, 2);
	is_number(sessions.session[0].cpu[1].cpu, 3);
	is_number(sessions.session[0].cpu[1].count[0][NESTRACE_DUMP_hits], 103);
	is_number(sessions.session[0].cpu[1].count[5][NESTRACE_DUMP_pos], NESTRACE_SUBBUF_HEADER);
	is_number(sessions.session[0].cpu[1].nr_pages, 20);

	spec("vmcore: hits that had not ended when the machine died are counted as that");
	dead_session_account(&sessions.session[0], kept, &a);
	is_number(a.in_flight, 101 + 103);
	is_number(a.slot[3][0].lost, 0);

	spec("vmcore: a record that is published and not counted yet is not less than none that is lost");
	kept[1][NESTRACE_SLOT_NMI].records = 3;
	kept[1][NESTRACE_SLOT_NMI_INLINE].records = 2;
	sessions.session[0].cpu[1].count[NESTRACE_SLOT_NMI][NESTRACE_DUMP_written] = 2;
	sessions.session[0].cpu[1].count[NESTRACE_SLOT_NMI_INLINE][NESTRACE_DUMP_written] = 2;
	dead_session_account(&sessions.session[0], kept, &a);
	is_number(a.slot[3][NESTRACE_SLOT_NMI].lost, 0);
	is_number(a.slot[3][NESTRACE_SLOT_NMI].recorded, 5);
	is_number(a.slot[3][0].hits, 0);
	accounting_free(&a);

	spec("vmcore: a copy of the anchor is not taken for it");
	memcpy(at(LOW + 60 * PAGE), anchor, PAGE);
	dump(0);
	is(found(), "");
	is_number(sessions.nr, 1);
	new_machine();

	spec("vmcore: the parts of a dump may overlap");
	overlap = true;
	dump(0);
	is(found(), "");
	is_number(sessions.nr, 1);
	overlap = false;

	spec("vmcore: a dump without the module, and one without a session");
	memset(anchor, 0, PAGE);
	dump(0);
	is(found(), "nothing of nestrace is in the dump: 'dump'; load the module before the crash, and dump with makedumpfile -d 31 or less");
	new_machine();
	anchor->session[3] = 0;
	dump(0);
	is(found(), "no session was open: 'dump'; the machine had the module, and recorded nothing");
	new_machine();

	spec("vmcore: another version of nestrace");
	anchor->version++;
	dump(0);
	is(found(), "the dump is of another version of nestrace: 'dump'; use the command that belongs to that module");
	new_machine();

	spec("vmcore: what makes no sense is refused");
	session->head.self++;
	damaged();
	session->nr_cpus = 1 << 20;
	damaged();
	session->ring_bytes[2] = 12345;
	damaged();
	session->ring_kb = 84;
	damaged_list();
	session->at[4] = 255;
	damaged();
	session->list = 0;
	damaged_list();
	list->nr = NESTRACE_DUMP_WORDS + 1;
	damaged_list();
	memset(session->release, 'x', sizeof(session->release));
	damaged();

	spec("vmcore: a list that bites its tail");
	list->next = session->list;
	list->nr = 20;
	session->ring_kb = 1 << 20;
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		session->ring_bytes[i] = 8192;
	((struct nestrace_dump_list *)at(session->list))->word[5] = session->ring_kb / 4;
	damaged_list();

	spec("vmcore: a dump that is cut short");
	dump(2 * PAGE);
	is(found(), "the dump is cut short: 'dump'; what was behind its end is missing");
	dump(SIZE - 4 * PAGE);
	is(found(), "the dump is cut short, and no session in it is whole: 'dump'; give the dump more room");
	dump(SIZE);
	is_number(strstr(found(), "the dump is cut short before its memory") != NULL, 1);

	spec("vmcore: files that are no dumps");
	fd = open(path, O_WRONLY | O_TRUNC);
	is_number(write(fd, "hello", 5), 5);
	close(fd);
	is_number(strstr(found(), "not a dump of a machine's memory") != NULL, 1);
	dump(0);
	fd = open(path, O_WRONLY);
	is_number(pwrite(fd, "\2", 1, 16), 1);
	close(fd);
	is_number(strstr(found(), "not a dump of a machine's memory") != NULL, 1);

	spec("vmcore: whatever bytes the dump has, reading it ends");
	for (seed = 0; seed < 3000; seed++) {
		srand(seed);
		new_machine();
		for (i = 0; i < 1U << rand() % 6; i++)
			/* most of it are rings and zeros */
			((char *)(rand() % 2 ? (char *)session : rand() % 2 ? (char *)list : memory))[rand() % (rand() % 2 ? 400 : PAGE)] = rand();
		dump(0);
		if (seed % 4 == 0) {
			char byte = rand();

			fd = open(path, O_WRONLY);
			is_number(pwrite(fd, &byte, 1, rand() % 200), 1);
			close(fd);
		}
		read_everything();
	}

	dead_sessions_free(&sessions);
	unlink(path);
	spec_end();
	return specs_failed != 0;
}
