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

static bool with_copies;
static char *copy_of[2][NESTRACE_NR_SLOTS][2];	/* by CPU, slot and number */

/* Two copies of the counters of each slot, instead of these. */
static void put_copies(unsigned int cpu)
{
	uint64_t page[2];
	unsigned int slot, i, off;

	word(0);
	word(2);
	for (i = 0; i < 2; i++) {
		page[i] = new_page(NULL);
		word(page[i]);
	}
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		for (i = 0; i < 2; i++) {
			off = slot * 512 + i * 256;
			copy_of[cpu / 2][slot][i] = (char *)at(page[off / PAGE]) + off % PAGE;
		}
		*(uint64_t *)copy_of[cpu / 2][slot][0] = NESTRACE_SUBBUF_HEADER;
	}
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
	session->copy_bytes = 256;
	session->copies = with_copies ? 2 : 0;
	session->stride = with_copies ? 512 : 256;
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
		if (with_copies) {
			put_copies(cpu);
			goto rings;
		}
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
rings:
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
	if (dead_sessions_read(&sessions, d, NESTRACE_DUMP_ANCHOR_MAGIC, "dump", &e) && !dead_session_load(sessions.session, d, "dump", &e))
		dead_sessions_free(&sessions);
	memory_dump_close(d);
	return e.text;
}

static void damaged(void)
{
	dump(0);
	is(found(), "the sessions in the memory are damaged: 'dump'; a dump must have all of the memory");
	new_machine();
}

/* The session itself is whole. */
static void damaged_list(void)
{
	dump(0);
	is(found(), "the session in the memory is damaged: 'dump'");
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
	dead_sessions_read(&sessions, d, NESTRACE_DUMP_ANCHOR_MAGIC, "dump", &e);
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

	spec("vmcore: of several copies of the counters the newest one that is whole counts");
	with_copies = true;
	new_machine();
	((uint64_t *)copy_of[0][0][0])[NESTRACE_DUMP_hits] = 5;
	/* further on */
	((uint64_t *)copy_of[1][0][1])[NESTRACE_DUMP_pos] = 2 * NESTRACE_SUBBUF_HEADER;
	((uint64_t *)copy_of[1][0][1])[NESTRACE_DUMP_hits] = 7;
	/* being made */
	((uint64_t *)copy_of[1][1][1])[NESTRACE_DUMP_hits] = 9;
	/* not further on, but counted more */
	memcpy(copy_of[1][2][1], copy_of[1][2][0], 256);
	((uint64_t *)copy_of[1][2][0])[NESTRACE_DUMP_filtered] = 3;
	((uint64_t *)copy_of[1][2][1])[NESTRACE_DUMP_filtered] = 2;
	dump(0);
	is(found(), "");
	is_number(sessions.session[0].cpu[0].count[0][NESTRACE_DUMP_hits], 5);
	is_number(sessions.session[0].cpu[1].count[0][NESTRACE_DUMP_hits], 7);
	is_number(sessions.session[0].cpu[1].count[1][NESTRACE_DUMP_hits], 0);
	is_number(sessions.session[0].cpu[1].count[2][NESTRACE_DUMP_filtered], 3);

	spec("vmcore: records behind a copy count, and the one that was in flight counts once");
	memset(kept, 0, sizeof(kept));
	a = (struct accounting){ 0 };
	kept[1][0] = (struct dead_kept){ .records = 8, .exits = 3, .followed = 8, .followed_exits = 3 };
	/* it had 7 hits: 6 had ended, and one was in flight */
	sessions.session[0].cpu[1].count[0][NESTRACE_DUMP_filtered] = 6;
	sessions.session[0].about.flags = NESTRACE_CONFIG_RET;
	dead_session_account(&sessions.session[0], kept, &a);
	is_number(a.slot[3][0].hits, 6 + 5);
	is_number(a.slot[3][0].recorded, 5);
	is_number(a.slot[3][0].lost, 0);
	is_number(a.returns[3][0].returned, 3);
	is_number(a.in_flight, 5);
	accounting_free(&a);
	with_copies = false;
	new_machine();

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
	is(found(), "no session was open: 'dump'; begin a recording before the crash");
	new_machine();

	spec("vmcore: another version of nestrace");
	anchor->version++;
	dump(0);
	is(found(), "the memory is of another version of nestrace: 'dump'; use the command of that version");
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
