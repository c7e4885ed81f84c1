// SPDX-License-Identifier: GPL-2.0
/*
 * Trace a function in another way while COMMAND runs:
 *   together fentry FUNCTION COMMAND [ARG...]	a BPF program at its entry
 *   together fexit FUNCTION COMMAND [ARG...]	a BPF program at its return
 *   together perf FUNCTION COMMAND [ARG...]	perf's ftrace:function event, counting
 * Prints the number of calls that it saw. Exit status 3: this kernel does not support it.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_ALLOWED	3

static int run(char **command)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execvp(command[0], command);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

static int not_allowed(const char *what)
{
	fprintf(stderr, "together: %s: %s\n", what, strerror(errno));
	return NOT_ALLOWED;
}

/* The program adds 1 to the only value of a map. */
static int bpf(const char *function, char **command, enum bpf_attach_type where)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) : -1;
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "count", 4, 8, 1, NULL);
	struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .off = -4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -4 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = BPF_REG_0,
		  .src_reg = BPF_REG_1, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = where,
		    .attach_btf_id = id);
	int prog, link, key = 0, status;
	uint64_t count = 0;

	if (id < 0 || map < 0)
		return not_allowed("no BTF of the function, or no map");
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "count", "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), &opts);
	if (prog < 0)
		return not_allowed("loading the program");
	link = bpf_raw_tracepoint_open(NULL, prog);
	if (link < 0)
		return not_allowed("attaching the program");
	status = run(command);
	bpf_map_lookup_elem(map, &key, &count);
	printf("%llu\n", (unsigned long long)count);
	return status;
}

static int perf(const char *function, char **command)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .disabled = 1,
	};
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), i, status;
	FILE *f = fopen("/sys/kernel/tracing/events/ftrace/function/id", "r");
	uint64_t count, total = 0;
	char filter[256];
	int *fds = calloc(cpus, sizeof(*fds));
	unsigned long long id;

	if (!f || !fds || fscanf(f, "%llu", &id) != 1)
		return not_allowed("the event's id");
	attr.config = id;
	snprintf(filter, sizeof(filter), "ip == %s", function);
	for (i = 0; i < cpus; i++) {
		fds[i] = syscall(SYS_perf_event_open, &attr, -1, i, -1, 0);
		if (fds[i] < 0)
			return not_allowed("perf_event_open");
		if (ioctl(fds[i], PERF_EVENT_IOC_SET_FILTER, filter))
			return not_allowed("the filter");
	}
	for (i = 0; i < cpus; i++)
		ioctl(fds[i], PERF_EVENT_IOC_ENABLE, 0);
	status = run(command);
	for (i = 0; i < cpus; i++) {
		ioctl(fds[i], PERF_EVENT_IOC_DISABLE, 0);
		if (read(fds[i], &count, sizeof(count)) == sizeof(count))
			total += count;
	}
	printf("%llu\n", (unsigned long long)total);
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	if (!strcmp(argv[1], "perf"))
		return perf(argv[2], argv + 3);
	return bpf(argv[2], argv + 3, strcmp(argv[1], "fexit") ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT);
}
