// SPDX-License-Identifier: GPL-2.0
#include "lib/printable.h"

void make_printable(char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = text[i], next = i + 1 < len ? text[i + 1] : 0;

		/* UTF-8 has control characters of two bytes, too */
		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ||
		    (c == 0xc2 && next >= 0x80 && next <= 0x9f))
			text[i] = '?';
	}
}
