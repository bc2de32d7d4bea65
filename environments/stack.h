// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A@B: an environment inside of another, as clouds run containers inside of virtual machines. Each
 * side has variants of its own (container:seccomp=off@vm:machine=q35).
 */
#ifndef BOXMARK_ENVIRONMENTS_STACK_H
#define BOXMARK_ENVIRONMENTS_STACK_H

#include "common/error.h"

/*
 * Splits at an @ outside of quotes with the names of kinds on both sides: 1 with both specs
 * (malloc'ed); 0: this is no stack (an @ in a command's or a path's text); -1: one that is not
 * built in.
 */
int stack_split(const char *text, char **ret_inner, char **ret_outer, struct error **err);

#endif
