// SPDX-License-Identifier: GPL-3.0-or-later
/* The one command by which a user gets a program that is missing. */
#ifndef BOXMARK_ENVIRONMENTS_INSTALL_H
#define BOXMARK_ENVIRONMENTS_INSTALL_H

#include <stddef.h>

/*
 * For the package manager that is here, from the package's names for Debian and Ubuntu, Fedora,
 * Arch (NULL: it has none); "" where there is no such command.
 */
void install_advice(const char *const packages[3], char *text, size_t capacity);

#endif
