/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_RETURNS_CHECK_H
#define NT_RETURNS_CHECK_H

/*
 * Check, until it is so, that the list of functions whose return must not be hooked is enough on this kernel:
 * another function that rethook calls while one returns would enter it again, without end.
 * Return: 0, -EOPNOTSUPP, -ENOMEM, or an error of nt_probe_calls(). Context: may sleep; it arms all
 * functions for a moment.
 */
int nt_returns_check(void);

#endif
