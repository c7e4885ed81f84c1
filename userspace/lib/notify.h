/* SPDX-License-Identifier: GPL-2.0 */
/* Messages to a service manager, by the protocol of sd_notify(3), which is a datagram. */
#ifndef LIB_NOTIFY_H
#define LIB_NOTIFY_H

/* The service is ready. Without a service manager that waits for it, this does nothing. */
void notify_ready(void);

#endif
