// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "output/json.h"

void json_string(const char *text)
{
	putchar_unlocked('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar_unlocked('\\');
		putchar_unlocked((unsigned char)*text < ' ' ? ' ' : *text);
	}
	putchar_unlocked('"');
}
