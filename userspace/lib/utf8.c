// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/utf8.h"

#define REPLACEMENT	"\xef\xbf\xbd"

static bool continues(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Return the bytes of the character at @p, or -N if N bytes there are a wrong one: as many as
 * could have begun a character, at least one.
 */
static int character(const unsigned char *p)
{
	/* the range of the second byte leaves out overlong forms, surrogates and the too large */
	unsigned char low = 0x80, high = 0xbf;
	int len, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return -1;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	if (p[0] == 0xed)
		high = 0x9f;
	if (p[0] == 0xf0)
		low = 0x90;
	if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return -1;
	for (i = 2; i < len; i++)
		if (!continues(p[i]))
			return -i;
	return len;
}

/* Nearly all of a long text is this. */
static bool is_printable_ascii(unsigned char c)
{
	return c >= ' ' && c < 0x7f;
}

static bool is_control(const unsigned char *p)
{
	return p[0] < ' ' || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0);
}

char *utf8_clean(const char *text, const char *keep)
{
	const unsigned char *p = (const unsigned char *)text;
	/* one wrong byte becomes three */
	char *clean = xrealloc(NULL, 3 * strlen(text) + 1), *out = clean;
	const bool lines = strchr(keep, '\n');
	int len;

	for (;; p += len < 0 ? -len : len) {
		while (is_printable_ascii(*p) || (*p == '\n' && lines))
			*out++ = *p++;
		if (!*p)
			break;
		len = character(p);
		if (len < 0) {
			memcpy(out, REPLACEMENT, strlen(REPLACEMENT));
			out += strlen(REPLACEMENT);
		} else if (is_control(p) && !strchr(keep, *p)) {
			*out++ = '?';
		} else if (len == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe) {
			/* U+FFFE and U+FFFF, which XML does not allow */
			memcpy(out, REPLACEMENT, strlen(REPLACEMENT));
			out += strlen(REPLACEMENT);
		} else {
			memcpy(out, p, len);
			out += len;
		}
	}
	*out++ = '\0';
	return xrealloc(clean, out - clean);
}

size_t utf8_bytes(const char *text, size_t max)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (!continues(text[i]) && !max--)
			break;
	return i;
}

size_t utf8_length(const char *text)
{
	size_t nr = 0;

	for (; *text; text++)
		nr += !continues(*text);
	return nr;
}
