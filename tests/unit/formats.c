// SPDX-License-Identifier: GPL-2.0
/* How a file's formats say where a hit is: userspace/lib/formats.c. */
#include <event-parse.h>
#include <string.h>

#include "lib/formats.h"
#include "lib/subbuf.h"
#include "lib/tracedat_read.h"
#include "spec.h"
#include "uapi/nestrace.h"

#define COMMON									\
	"format:\n"								\
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"	\
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"	\
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define ADDRESS(name, offset, size)						\
	"\tfield:unsigned long " name ";\toffset:" offset ";\tsize:" size ";\tsigned:0;\n"
#define PRINT	"\nprint fmt: \"%ps\", (void *)REC->ip\n"
#define HEADER_PAGE(size)							\
	"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"		\
	"\tfield: local_t commit;\toffset:8;\tsize:" size ";\tsigned:1;\n"	\
	"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"		\
	"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n"

static char plain[] = "name: function\nID: 1\n" COMMON ADDRESS("ip", "8", "8")
	ADDRESS("parent_ip", "16", "8") PRINT;
static char with_args[] = "name: function\nID: 1\n" COMMON ADDRESS("ip", "8", "8")
	ADDRESS("parent_ip", "16", "8") ADDRESS("args[]", "24", "0") PRINT;
static char of_32_bits[] = "name: function\nID: 1\n" COMMON ADDRESS("ip", "8", "4")
	ADDRESS("parent_ip", "12", "4") PRINT;
static char event[] = "name: function\nID: 900\n" COMMON ADDRESS("ip", "8", "8")
	ADDRESS("parent_ip", "16", "8")
	"\tfield:unsigned int context;\toffset:24;\tsize:4;\tsigned:0;\n" PRINT;

static struct tracedat file;
static struct tracedat_buffer top = { .name = "", .subbuf_size = 65536 };
static struct tracedat_buffer instance = { .name = "one", .subbuf_size = 4096 };
static struct subbuf_format got;

/* Read how hits are found in a file with these formats. */
static void load(char *ftrace, char *nestrace, bool is_nestrace, char *header,
		 const struct tracedat_buffer *b)
{
	struct tracedat_format formats[] = {
		{ "ftrace", ftrace }, { "nestrace", nestrace },
	};
	struct tep_handle *tep = tep_alloc();
	struct error e = { "" };

	file = (struct tracedat){
		.path = "file", .long_size = 8, .header_page = header, .printk = "",
		.format = formats, .nr_formats = nestrace ? 2 : 1, .is_nestrace = is_nestrace,
	};
	is_number(formats_load(tep, &file, NULL, &e), true);
	is(e.text, "");
	formats_subbuf(tep, &file, b, &got);
	tep_free(tep);
}

int main(void)
{
	static char bits64[] = HEADER_PAGE("8"), bits32[] = HEADER_PAGE("4");

	spec("formats: a file of nestrace has the slot behind a hit");
	load(plain, NULL, true, bits64, &top);
	is_number(got.nr_hits, 1);
	is_number(got.hit[0].slot_at, NESTRACE_EVENT_SIZE);
	is_number(got.size, 65536);

	spec("formats: a file of others has not");
	load(plain, NULL, false, bits64, &top);
	is_number(got.hit[0].slot_at, 0);

	spec("formats: nor has an instance");
	load(plain, NULL, true, bits64, &instance);
	is_number(got.hit[0].slot_at, 0);

	spec("formats: a hit with arguments has the slot, too");
	load(with_args, NULL, true, bits64, &top);
	is_number(got.hit[0].slot_at, NESTRACE_EVENT_SIZE);
	is_number(got.hit[0].size, 24);

	spec("formats: a hit of 32 bits is found by its fields");
	load(of_32_bits, NULL, false, bits32, &top);
	is_number(got.long_size, 4);
	is_number(got.hit[0].ip.size, 4);
	is_number(got.hit[0].parent_ip.offset, 12);
	is_number(got.hit[0].size, 16);

	spec("formats: nestrace:function is a hit that has its context in a field");
	load(plain, event, false, bits64, &top);
	is_number(got.nr_hits, 2);
	is_number(got.hit[1].type, 900);
	is_number(got.hit[1].context.offset, 24);
	is_number(got.hit[1].slot_at, 0);

	spec("formats: a text that is no format does no harm");
	load("name: function\nID: ", NULL, false, bits64, &top);
	is_number(got.nr_hits, 0);

	spec_end();
	return specs_failed != 0;
}
