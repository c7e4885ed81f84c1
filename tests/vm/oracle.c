// SPDX-License-Identifier: GPL-2.0
/*
 * Print trace files as nestrace report -t does, but read by libtracecmd: the oracle of
 * trace-cmd-files.sh.
 *   oracle FILE...
 */
#include <event-parse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trace-cmd.h>
#include <trace-seq.h>

#define FILES		8
#define HANDLES		64
#define TRACE_FLAGS	(0x08 | 0x10 | 0x40)	/* hardirq, softirq, nmi */

struct name {
	const char *file, *instance;
	int file_width, instance_width;
};

static const char *context_of(struct tep_handle *tep, struct tep_record *record,
			      struct tep_event *event)
{
	static const char *const words[] = {
		"task", "softirq", "hardirq", "nmi", "nmi", "df", "db", "mce", "vc", "vc2",
	};
	unsigned long long value;
	int flags = tep_data_flags(tep, record);

	/* nestrace:function says it itself */
	if (!strcmp(event->system, "nestrace") && !strcmp(event->name, "function") &&
	    !tep_get_field_val(NULL, event, "context", record, &value, 0) && value < 10)
		return words[value];
	return flags & 0x40 ? "nmi" : flags & 0x08 ? "hardirq" : flags & 0x10 ? "softirq" : "task";
}

static void put_function(struct tep_handle *tep, unsigned long long ip)
{
	const char *name = tep_find_function(tep, ip);

	if (name)
		printf("%s", name);
	else
		printf("0x%llx", ip);
}

static void put_name(const struct name *n)
{
	if (n->file_width)
		printf("%*s: ", n->file_width, n->file);
	if (n->instance_width)
		printf("%*s%s", n->instance_width, n->instance, *n->instance ? ": " : "  ");
}

static int show(struct tracecmd_input *handle, struct tep_record *record, int cpu, void *data)
{
	struct tep_handle *tep = tracecmd_get_tep(handle);
	struct tep_event *event = tep_find_event_by_record(tep, record);
	const struct name *name = tracecmd_get_private(handle);
	unsigned long long ip, parent_ip;
	int pid = tep_data_pid(tep, record);
	static struct trace_seq seq;

	if (record->missed_events) {
		put_name(name);
		if (record->missed_events > 0)
			printf("CPU:%d [%lld EVENTS DROPPED]\n", record->cpu,
			       (long long)record->missed_events);
		else
			printf("CPU:%d [EVENTS DROPPED]\n", record->cpu);
	}
	put_name(name);
	printf("%16s-%-7d [%03d] ", tep_data_comm_from_pid(tep, pid), pid, record->cpu);
	trace_seq_init(&seq);
	if (getenv("RAW_TIMES"))
		trace_seq_printf(&seq, "%14llu", record->ts);
	else
		trace_seq_printf(&seq, "%6llu.%09llu", record->ts / 1000000000, record->ts % 1000000000);
	printf("%.*s: ", (int)seq.len, seq.buffer);
	if (!event) {
		printf("no format\n");
		return 0;
	}
	printf("%-8s ", context_of(tep, record, event));
	if (!strcmp(event->name, "function") &&
	    !tep_get_any_field_val(NULL, event, "ip", record, &ip, 0) &&
	    !tep_get_any_field_val(NULL, event, "parent_ip", record, &parent_ip, 0)) {
		put_function(tep, ip);
		printf(" <- ");
		put_function(tep, parent_ip);
		printf("\n");
		return 0;
	}
	trace_seq_reset(&seq);
	tep_print_event(tep, &seq, record, "%s", TEP_PRINT_INFO);
	while (seq.len && seq.buffer[seq.len - 1] == '\n')
		seq.len--;
	printf("%s: %.*s\n", event->name, (int)seq.len, seq.buffer);
	return 0;
}

int main(int argc, char **argv)
{
	static struct tracecmd_input *handles[HANDLES];
	static struct name names[HANDLES];
	int i, j, nr = 0, first, file_width = 0, width, status = 0;

	for (i = 1; argc > 2 && i < argc; i++)
		if ((int)strlen(argv[i]) > file_width)
			file_width = strlen(argv[i]);
	for (i = 1; i < argc; i++) {
		first = nr;
		handles[nr] = tracecmd_open(argv[i], 0);
		if (!handles[nr]) {
			fprintf(stderr, "oracle: cannot read '%s'\n", argv[i]);
			return 1;
		}
		names[nr].instance = "";
		nr++;
		for (j = 0; j < tracecmd_buffer_instances(handles[first]) && nr < HANDLES; j++) {
			handles[nr] = tracecmd_buffer_instance_handle(handles[first], j);
			names[nr].instance = tracecmd_buffer_instance_name(handles[first], j);
			if (handles[nr])
				nr++;
			else
				status = 1;
		}
		for (j = first, width = 0; j < nr; j++)
			if ((int)strlen(names[j].instance) > width)
				width = strlen(names[j].instance);
		for (j = first; j < nr; j++) {
			names[j].file = argv[i];
			names[j].file_width = file_width;
			names[j].instance_width = width;
			tracecmd_set_private(handles[j], &names[j]);
		}
	}
	tracecmd_iterate_events_multi(handles, nr, show, NULL);
	return status;
}
