/* SPDX-License-Identifier: GPL-2.0 */
/* The names of tasks, by pid, collected while a session records. */
#ifndef LIB_COMMS_H
#define LIB_COMMS_H

#include <stddef.h>

struct comms;

/* Return an empty collection, for comms_free(). */
struct comms *comms_new(void);
/* Set the name of @pid; a later name replaces an earlier one. */
void comms_set(struct comms *c, int pid, const char *comm);
/* Add the tasks in /proc. */
void comms_add_running(struct comms *c);
/* Take from the session @fd the tasks that exited or called exec. */
void comms_take_gone(struct comms *c, int fd);
/* Return lines "PID COMM\n" of @len bytes, to be freed. */
char *comms_text(struct comms *c, size_t *len);
void comms_free(struct comms *c);

#endif
