/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/nestrace: the ioctls of include/uapi/nestrace.h, checked and handed on. */
#ifndef NT_DEVICE_H
#define NT_DEVICE_H

/* Return: 0 or a negative error. Context: module load. */
int nt_device_init(void);
void nt_device_exit(void);

#endif
