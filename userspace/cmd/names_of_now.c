// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "cmd/message.h"
#include "cmd/names_of_now.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/symbols.h"

struct tep_handle *names_of_lines(const char *symbols)
{
	struct tep_handle *tep = names_of_symbols(symbols);

	if (!tep)
		die("cannot parse the symbols: '/proc/kallsyms'");
	return tep;
}

struct tep_handle *names_of_now(int fd)
{
	/* kallsyms keeps the symbols of a livepatch's init, whose code is gone: only the notes of modules know */
	struct modules *modules = modules_new();
	struct symbols symbols = { 0 };
	struct tep_handle *tep;
	struct error e;
	char *text;
	size_t len;

	if (modules_read(modules, fd))
		symbols.modules = modules;
	if (!symbols_read(&symbols, &e))
		die_error(&e);
	if (symbols.hidden)
		warn(SYMBOLS_HIDDEN);
	text = symbols_text(&symbols, true, &len);
	tep = names_of_lines(text);
	free(text);
	symbols_free(&symbols);
	modules_free(modules);
	return tep;
}
