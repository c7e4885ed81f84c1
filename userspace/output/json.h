/* SPDX-License-Identifier: GPL-2.0 */
/* JSON on stdout. */
#ifndef OUTPUT_JSON_H
#define OUTPUT_JSON_H

/* Print a string. Names are valid UTF-8; control characters become spaces. */
void json_string(const char *text);

#endif
