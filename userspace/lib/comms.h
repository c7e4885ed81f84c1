/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of tasks. A pid has several one after the other: its task calls exec or prctl, or
 * ends, and another task gets the pid. All but the last are known with the time they ended.
 */
#ifndef LIB_COMMS_H
#define LIB_COMMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct comms;

/* Return an empty collection, for comms_free(). */
struct comms *comms_new(void);
/* Set the last name of @pid. */
void comms_set(struct comms *c, int pid, const char *comm);
/* Add a name that @pid had until the time @until, after the earlier ones. */
void comms_add(struct comms *c, int pid, const char *comm, uint64_t until);
/* @pid is another task from @ts on: until then it had the name that has ended last. */
void comms_renew(struct comms *c, int pid, uint64_t ts);
/* Keep no more than the names of the newest @max ends. 0: all. */
void comms_limit(struct comms *c, size_t max);
/* Take from the session @fd the names that have ended. */
void comms_take_gone(struct comms *c, int fd);
/* Set the names of the tasks that there are, as the session @fd knows them. */
void comms_add_running(struct comms *c, int fd);
/* Return the name of @pid at the time @ts, or NULL. It is valid as long as @c. */
const char *comms_at(struct comms *c, int pid, uint64_t ts);
/* Return true if @comm is not the name with which this was called last for @pid. */
bool comms_switch(struct comms *c, int pid, const char *comm);
/* Return lines "PID COMM\n" of @len bytes with the last names, to be freed. */
char *comms_text(struct comms *c, size_t *len);
/* Write the names that have ended, in lines for comms_load(). Each begins with 't'. */
void comms_save(struct comms *c, FILE *out);
/* Take a line of comms_save(); what makes no sense is ignored. */
void comms_load(struct comms *c, const char *line);
void comms_free(struct comms *c);

#endif
