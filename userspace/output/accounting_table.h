/* SPDX-License-Identifier: GPL-2.0 */
/* The accounting as the lines that end a report; each begins with #. */
#ifndef OUTPUT_ACCOUNTING_TABLE_H
#define OUTPUT_ACCOUNTING_TABLE_H

struct accounting;
struct tep_handle;

/* Print them on stdout. @tep: the names of functions. */
void accounting_table(const struct accounting *a, struct tep_handle *tep);
/* Print only the recursions. */
void accounting_recursions(const struct accounting *a, struct tep_handle *tep);

#endif
