/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of a trace.dat beside its data, which versions 6 and 7 have in common, as bytes. */
#ifndef LIB_TRACEDAT_PARTS_H
#define LIB_TRACEDAT_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct accounting;
struct kernel_events;

/* A part of the file, as it grows in memory. */
struct block {
	char *data;
	size_t len, size;
	uint64_t base;			/* where it goes in the file */
};

/* The events of returns that a file has. */
enum tracedat_returns { WITHOUT_RETURNS, WITH_RETURNS, RETURNS_ONLY };

/* The parts of a file beside hits. Zeroed: none. */
struct tracedat_contents {
	const struct kernel_events *events;	/* those whose formats the file gets, or NULL */
	enum tracedat_returns returns;
	bool stacks;
	bool args;			/* calls have arguments; then the text that describes them */
	const char *args_text;
	size_t args_len;
	/* "Linux HOST RELEASE MACHINE" of another machine or boot, whose recording is written; NULL: of this one */
	const char *uname;
	bool durable;			/* the file survives a crash of the machine once it is complete */
	uint64_t id;			/* of a recording that is written once more; 0: a new one */
};

/* The content of a file's options. */
struct tracedat_facts {
	unsigned int nr_cpus;
	const bool *listed;		/* the CPUs that the file has; NULL: all */
	const char *clock;		/* its name in tracefs */
	const char *uname;		/* as in struct tracedat_contents */
	uint64_t id;
	const char *times;		/* when names were right, or NULL */
	size_t times_len;
};

void block_add(struct block *b, const void *data, size_t len);
void block_u16(struct block *b, uint16_t v);
void block_u32(struct block *b, uint32_t v);
void block_u64(struct block *b, uint64_t v);
/* Add the length as u64, and the text. */
void block_text64(struct block *b, const char *text, size_t len);
void block_option(struct block *b, uint16_t id, const void *data, size_t len);

/* Add the formats of sub-buffers and their events; of system ftrace; and of other systems. */
void parts_header_info(struct block *b);
void parts_ftrace_formats(struct block *b, const struct tracedat_contents *c);
void parts_event_formats(struct block *b, const struct tracedat_contents *c);
/* Add the options of the machine and the session. @a: NULL: its counters are not known. */
void parts_facts(struct block *options, const struct tracedat_facts *f, const struct accounting *a);

#endif
