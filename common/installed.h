// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The program's own files: beside the executable in a build folder, else where `make install` put
 * them (with DESTDIR: below that). A program just built never takes files of an older installation.
 */
#ifndef BOXMARK_COMMON_INSTALLED_H
#define BOXMARK_COMMON_INSTALLED_H

/* Absolute and malloc'ed; NULL when it is not there. */
char *installed_program(const char *name); /* of pkglibexecdir */
char *installed_data(const char *name);    /* file or folder of pkgdatadir */

#endif
