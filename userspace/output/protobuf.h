/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of Protocol Buffers, built from the inside out: each is complete before it is put into another. */
#ifndef OUTPUT_PROTOBUF_H
#define OUTPUT_PROTOBUF_H

#include <stdint.h>
#include <string.h>

/* Room for a message with two names; longer texts are cut off. */
#define MESSAGE_MAX	4096
#define MESSAGE_TEXT	1024

struct message {
	unsigned int len;
	uint8_t data[MESSAGE_MAX];
};

static inline void message_init(struct message *m)
{
	m->len = 0;
}

static inline void message_varint(struct message *m, uint64_t n)
{
	for (; n > 0x7f; n >>= 7)
		m->data[m->len++] = n | 0x80;
	m->data[m->len++] = n;
}

/* The field is a number. */
static inline void message_number(struct message *m, unsigned int field, uint64_t n)
{
	message_varint(m, field << 3);
	message_varint(m, n);
}

static inline void message_bytes(struct message *m, unsigned int field, const void *data, size_t len)
{
	message_varint(m, field << 3 | 2);
	message_varint(m, len);
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

/* @text: valid UTF-8. */
static inline void message_text(struct message *m, unsigned int field, const char *text)
{
	size_t len = strlen(text);

	if (len > MESSAGE_TEXT)
		len = MESSAGE_TEXT;

	/* not within a letter */
	while (len && (text[len] & 0xc0) == 0x80)
		len--;
	message_bytes(m, field, text, len);
}

/* The field is a message. */
static inline void message_put(struct message *m, unsigned int field, const struct message *inner)
{
	message_bytes(m, field, inner->data, inner->len);
}

#endif
