// SPDX-License-Identifier: GPL-2.0
#include "lib/tracedat_format.h"
#include "lib/tracedat_v6.h"
#include "uapi/nestrace.h"

void tracedat_v6_begin(struct block *b, const struct tracedat_contents *c)
{
	block_add(b, TRACEDAT_MAGIC, sizeof(TRACEDAT_MAGIC) - 1);
	block_add(b, "6", 2);
	block_add(b, "\0", 1);		/* little endian */
	block_add(b, "\10", 1);		/* bytes in a long */
	block_u32(b, NESTRACE_SUBBUF_SIZE);
	parts_header_info(b);
	parts_ftrace_formats(b, c);
	parts_event_formats(b, c);
}

void tracedat_v6_symbols(struct block *b, const char *kallsyms, size_t len)
{
	block_u32(b, len);
	block_add(b, kallsyms, len);
	block_u32(b, 0);		/* no formats of trace_printk() */
}

void tracedat_v6_end(struct block *b, const struct tracedat_contents *c, const char *cmdlines, size_t len,
		     const struct tracedat_facts *f, const struct accounting *a)
{
	block_text64(b, cmdlines, len);
	block_u32(b, f->nr_cpus);
	block_add(b, TRACEDAT_OPTIONS, sizeof(TRACEDAT_OPTIONS));
	parts_facts(b, f, a);
	if (c->args)
		block_option(b, TRACEDAT_OPT_NESTRACE_ARGS, c->args_text, c->args_len);
	block_u16(b, TRACEDAT_OPT_DONE);
}
