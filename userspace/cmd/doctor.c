// SPDX-License-Identifier: GPL-2.0
/* nestrace doctor: can this machine build, load and use the module? */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <tracefs.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/message.h"
#include "cmd/parse.h"
#include "lib/device.h"
#include "lib/kallsyms.h"
#include "lib/memory.h"

static const char help[] =
	"usage: nestrace doctor\n\n"
	"Check whether this machine can build, load and use nestrace. It needs neither\n"
	"root nor the module. Each line is ok, a hint, or BAD, which has a remedy.\n\n"
	"  -h, --help  print this help\n\n"
	"The exit status is 1 if a line is BAD.\n";

enum { OK, HINT, BAD };

static bool any_bad;
static bool colour;

/* Print a line. @remedy: NULL for OK. */
static void line(int how, const char *subject, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void line(int how, const char *subject, const char *remedy, const char *fmt, ...)
{
	static const char *const words[] = { "ok  ", "hint", "BAD " }, *const colours[] = { "32", "33", "31" };
	va_list ap;

	any_bad |= how == BAD;
	if (colour)
		printf("\033[%sm%s\033[m  ", colours[how], words[how]);
	else
		printf("%s  ", words[how]);
	printf("%s: ", subject);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (remedy)
		printf("        %s\n", remedy);
}

/* Return the text of a small file without its last newline, to be freed; or NULL with errno set. */
static char *text_of(const char *path)
{
	char text[4096];
	ssize_t len;
	int fd = open(path, O_RDONLY | O_CLOEXEC), why;

	if (fd < 0)
		return NULL;
	len = read(fd, text, sizeof(text) - 1);
	why = errno;
	close(fd);
	errno = why;
	if (len < 0)
		return NULL;
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return xstrdup(text);
}

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

/* ---- the kernel ---- */

/* Return 'y', 'm', 'n', or '?' if the configuration cannot be read. */
static char config(const struct utsname *uts, const char *option)
{
	char path[256], wanted[128], text[1024], found = 'n';
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/boot/config-%s", uts->release);
	f = fopen(path, "re");
	if (!f) {
		snprintf(path, sizeof(path), "/lib/modules/%s/build/.config", uts->release);
		f = fopen(path, "re");
	}
	if (!f)
		return '?';
	len = snprintf(wanted, sizeof(wanted), "CONFIG_%s=", option);
	while (fgets(text, sizeof(text), f))
		if (!strncmp(text, wanted, len))
			found = text[len];
	fclose(f);
	return found;
}

static void check_kernel(const struct utsname *uts)
{
	static const struct { const char *option, *what; } needed[] = {
		{ "DYNAMIC_FTRACE_WITH_ARGS", "its hook" }, { "MODULES", "its module" }, { "KALLSYMS", "names of functions" },
		{ "KPROBES", "symbols that are not exported" },
	}, useful[] = {
		{ "KALLSYMS_ALL", "exact contexts, and nestrace livepatch" }, { "RETHOOK", "--ret" },
		{ "FUNCTION_GRAPH_TRACER", "--ret" }, { "LIVEPATCH", "nestrace livepatch" },
		{ "UNWINDER_ORC", "--stack" }, { "DEBUG_INFO_BTF", "--args with names and types" },
	};
	unsigned int major = 0, minor = 0;
	char how;
	size_t i;

	sscanf(uts->release, "%u.%u", &major, &minor);
	if (strcmp(uts->machine, "x86_64"))
		line(BAD, "machine", "Use a machine with x86-64. The command reads files here, too.", "%s", uts->machine);
	else if (major < 6 || (major == 6 && minor < 1))
		line(BAD, "kernel", "Boot a kernel from 6.1 on.", "%s is too old", uts->release);
	else
		line(OK, "kernel", NULL, "%s on %s", uts->release, uts->machine);
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		how = config(uts, needed[i].option);
		if (how == '?') {
			line(HINT, "kernel configuration", "Check that your kernel has CONFIG_DYNAMIC_FTRACE_WITH_ARGS=y.",
			     "found neither in /boot nor in the headers");
			return;
		}
		if (how == 'n')
			line(BAD, "kernel configuration", "Boot a kernel that has it; those of distributions do.",
			     "CONFIG_%s is not set; nestrace needs it for %s", needed[i].option, needed[i].what);
	}
	for (i = 0; i < sizeof(useful) / sizeof(useful[0]); i++)
		if (config(uts, useful[i].option) == 'n')
			line(HINT, "kernel configuration", "Everything else works without it.",
			     "CONFIG_%s is not set; it is for %s", useful[i].option, useful[i].what);
	if (!any_bad)
		line(OK, "kernel configuration", NULL, "has what nestrace needs");
}

/* ---- building ---- */

static bool in_path(const char *program)
{
	char *path = xstrdup(getenv("PATH") ?: "/usr/bin:/bin"), *dir, *save, *full;
	bool found = false;

	for (dir = strtok_r(path, ":", &save); dir && !found; dir = strtok_r(NULL, ":", &save)) {
		if (asprintf(&full, "%s/%s", dir, program) < 0)
			out_of_memory();
		found = !access(full, X_OK);
		free(full);
	}
	free(path);
	return found;
}

static bool module_is_there(const struct utsname *uts)
{
	static const char *const places[] = { "extra", "updates", "updates/dkms", "kernel/extra", "weak-updates" };
	static const char *const suffixes[] = { "", ".xz", ".zst", ".gz" };
	char path[512];
	size_t i, j;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (j = 0; j < sizeof(suffixes) / sizeof(suffixes[0]); j++) {
			snprintf(path, sizeof(path), "/lib/modules/%s/%s/nestrace.ko%s", uts->release, places[i], suffixes[j]);
			if (exists(path))
				return true;
		}
	return false;
}

static void check_headers(const struct utsname *uts)
{
	/* a module that is there need not be built */
	int how = exists("/sys/module/nestrace") || module_is_there(uts) ? HINT : BAD;
	char path[256];

	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile", uts->release);
	if (exists(path))
		line(OK, "kernel headers", NULL, "/lib/modules/%s/build", uts->release);
	else
		line(how, "kernel headers",
		     "Install linux-headers-RELEASE (Debian, Ubuntu), kernel-devel-RELEASE (Fedora), linux-headers (Arch), kernel-default-devel (openSUSE).",
		     "none are installed for %s", uts->release);
	if (in_path("make") && (in_path("gcc") || in_path("cc") || in_path("clang")))
		line(OK, "compiler", NULL, "there is one, and make");
	else
		line(how, "compiler", "Run make deps in the sources, or install gcc and make.", "a compiler or make is missing");
}

/* ---- loading ---- */

/* Return 1 if Secure Boot is on, 0 if it is off, -1 if the machine has none. */
static int secure_boot(void)
{
	unsigned char data[5];
	int fd = open("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -1;
	/* four bytes of attributes come first */
	len = read(fd, data, sizeof(data));
	close(fd);
	return len == sizeof(data) ? data[4] : -1;
}

static void check_signature(void)
{
	char *enforced = text_of("/sys/module/module/parameters/sig_enforce");
	int secure = secure_boot();

	if (enforced && *enforced == 'Y')
		line(HINT, "signatures of modules",
		     "Sign it: make sign KEY=... CERT=..., or let DKMS do it and enrol its key: mokutil --import /var/lib/dkms/mok.pub",
		     "the kernel loads only modules that are signed with a key that it knows");
	else if (secure == 1)
		line(HINT, "Secure Boot",
		     "If loading fails with 'Key was rejected': make sign KEY=... CERT=..., or mokutil --import /var/lib/dkms/mok.pub",
		     "is on");
	else
		line(OK, "signatures of modules", NULL, "are not required%s", secure ? "" : ", and Secure Boot is off");
	free(enforced);
}

static void check_lockdown(void)
{
	char *text = text_of("/sys/kernel/security/lockdown");

	if (text && strstr(text, "[confidentiality]"))
		line(BAD, "lockdown", "Boot without lockdown=confidentiality; it cannot be lifted later.",
		     "is set to confidentiality, which forbids all tracing");
	else if (text && strstr(text, "[integrity]"))
		line(HINT, "lockdown", "Tracing works, but the module has to be signed.", "is set to integrity");
	else
		line(OK, "lockdown", NULL, "%s", text ? "is off" : errno == EACCES ? "cannot be read without root" : "is not there");
	free(text);
}

static void check_module(const struct utsname *uts)
{
	char *taint = text_of("/proc/sys/kernel/modules_disabled");

	if (exists("/sys/module/nestrace"))
		line(OK, "module", NULL, "is loaded");
	else if (taint && *taint == '1')
		line(BAD, "module", "Reboot; kernel.modules_disabled cannot be reset.", "the kernel loads no more modules");
	else if (module_is_there(uts))
		line(HINT, "module", "Load it: modprobe nestrace", "is installed, but not loaded");
	else
		line(HINT, "module", "In the sources: make, then sudo make load. For good: sudo dkms install nestrace/VERSION",
		     "is not loaded, and not installed for %s", uts->release);
	free(taint);
}

/* ---- using ---- */

static void check_device(void)
{
	struct stat st;
	struct error e;
	int fd;

	if (stat(NESTRACE_DEVICE, &st)) {
		if (exists("/sys/module/nestrace"))
			line(BAD, "device", "Mount devtmpfs, or in a container pass the device in.", NESTRACE_DEVICE " is not there, although the module is loaded");
		return;
	}
	errno = 0;
	fd = device_open(&e);
	if (fd >= 0) {
		close(fd);
		line(OK, "device", NULL, "you have access to " NESTRACE_DEVICE);
		return;
	}
	if (errno == EACCES || errno == EPERM)
		line(HINT, "device",
		     "Use sudo; or give yourself its group and the command CAP_PERFMON: setcap cap_perfmon,cap_syslog+ep nestrace",
		     "you have no access to " NESTRACE_DEVICE);
	else
		line(BAD, "device", e.text, "cannot be used");
}

static void check_names(void)
{
	char *restrict_ = text_of("/proc/sys/kernel/kptr_restrict");
	int level = restrict_ ? atoi(restrict_) : 0;
	struct kallsyms_line symbol = { 0 };
	FILE *f = fopen("/proc/kallsyms", "re");
	char text[1024];

	/* symbols of per-CPU variables come first, and are small numbers */
	while (f && fgets(text, sizeof(text), f) && kallsyms_parse(text, &symbol) && !kallsyms_is_function(symbol.type))
		;
	if (f)
		fclose(f);
	if (symbol.start)
		line(OK, "names", NULL, "/proc/kallsyms has addresses");
	else if (level >= 2)
		line(BAD, "names", "sysctl kernel.kptr_restrict=1; until then functions are numbers, and audit and assert fail.",
		     "kernel.kptr_restrict is %d: addresses are hidden from everyone", level);
	else
		line(HINT, "names", "As root, or with CAP_SYSLOG, functions have names.", "you do not see addresses in /proc/kallsyms");
	free(restrict_);
}

static void check_ftrace(void)
{
	char *enabled = text_of("/proc/sys/kernel/ftrace_enabled"), *tracer, *path;

	if (enabled && *enabled == '0')
		line(BAD, "ftrace", "sysctl kernel.ftrace_enabled=1", "is off, so no function can be traced");
	else
		line(OK, "ftrace", NULL, "%s", enabled ? "is on" : "has no switch");
	free(enabled);
	path = tracefs_get_tracing_file("current_tracer");
	tracer = path ? text_of(path) : NULL;
	if (!tracer)
		line(HINT, "tracefs", "nestrace list, status and record -e need root, and tracefs: mount -t tracefs nodev /sys/kernel/tracing",
		     "cannot be read");
	else if (strcmp(tracer, "nop"))
		line(HINT, "tracefs", "It makes each call slower, and functions that both trace are shared: echo nop > /sys/kernel/tracing/current_tracer",
		     "the tracer '%s' is on", tracer);
	else
		line(OK, "tracefs", NULL, "no tracer is on");
	free(tracer);
	tracefs_put_tracing_file(path);
}

static void check_room(void)
{
	char *memory = text_of("/proc/meminfo"), *at = memory ? strstr(memory, "MemAvailable:") : NULL;
	unsigned long long free_kb = at ? strtoull(at + strlen("MemAvailable:"), NULL, 10) : 0;
	unsigned long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long long needed_kb = 2048ULL * cpus, each_mb = 1;
	struct statvfs fs;

	if (at && free_kb / 2 < needed_kb)
		line(BAD, "memory", "Use a smaller -b than the default of 2M per CPU, or free memory; all sessions get half of it.",
		     "%llu MiB are available", free_kb >> 10);
	/* rings have a power of two, and at most 4 GiB for a CPU */
	while (at && each_mb < 4096 && 2 * each_mb * cpus <= free_kb / 2 / 1024)
		each_mb *= 2;
	if (at && free_kb / 2 >= needed_kb)
		line(OK, "memory", NULL, "%llu MiB are available; up to -b %lluM for each of %lu CPUs", free_kb >> 10,
		     each_mb, cpus);
	free(memory);
	if (statvfs(".", &fs))
		return;
	if ((unsigned long long)fs.f_bavail * fs.f_frsize < 100 << 20)
		line(HINT, "disk", "A recording takes about 5 bytes a hit; all functions make millions of hits a second.",
		     "%llu MiB are free here", ((unsigned long long)fs.f_bavail * fs.f_frsize) >> 20);
	else
		line(OK, "disk", NULL, "%llu MiB are free here", ((unsigned long long)fs.f_bavail * fs.f_frsize) >> 20);
}

int cmd_doctor(int argc, char **argv)
{
	struct utsname uts;
	int ret;

	if (parse_help_only(argc, argv, help))
		return finish_output();
	colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	if (uname(&uts))
		die_errno("cannot ask the kernel for its name");
	check_kernel(&uts);
	check_headers(&uts);
	check_signature();
	check_lockdown();
	check_module(&uts);
	check_device();
	check_names();
	check_ftrace();
	check_room();
	ret = finish_output();
	return ret ? ret : any_bad ? EXIT_ERROR : EXIT_SUCCESS;
}
