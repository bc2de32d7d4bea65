// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The container inside of a guest (container@vm): what the harness tells boxmark-box, which makes
 * it there with the same code. The seccomp filter, compiled on the host, travels in a file.
 */
#ifndef BOXMARK_ENVIRONMENTS_BOX_H
#define BOXMARK_ENVIRONMENTS_BOX_H

#include "environments/container/container.h"

/* Paths in the guest. */
#define BOX_PROGRAM "/boxmark-box"
#define BOX_FILTER "/boxmark-box.filter"

#define BOX_TEXT_BYTES 192

/* The plan and the limits as one word; the other way round, negative when it is not such a word. */
void box_write(const struct container_plan *plan, const struct cgroup_limits *limits,
               char text[BOX_TEXT_BYTES]);
int box_read(const char *text, struct container_plan *plan, struct cgroup_limits *limits);

#endif
