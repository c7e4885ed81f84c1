/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pause all sessions while the machine hibernates. One CPU copies the memory, the rings too,
 * and calls functions that can be traced: the image would hold positions of one moment and
 * sub-buffers of another. So no session traces from before the tasks are frozen until they
 * run again. Suspending to RAM copies nothing, and is traced. Triggers and the trace events go on,
 * as they write to no ring of ours. A session that is started meanwhile traces afterwards.
 */
#ifndef NT_HIBERNATION_H
#define NT_HIBERNATION_H

struct nt_session;

/* Return: 0 or a negative error. Context of all: may sleep; no lock of a session is held. */
int nt_hibernation_init(void);
void nt_hibernation_exit(void);

/* From now on, until it is closed, the session is paused with the others. */
void nt_hibernation_open(struct nt_session *s);
void nt_hibernation_close(struct nt_session *s);

#endif
