// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOXMARK_HARNESS_AGENT_PATH_H
#define BOXMARK_HARNESS_AGENT_PATH_H

#include "common/error.h"

/*
 * The agent that belongs to this program: $BOXMARK_AGENT, else beside the program (build folder),
 * else where `make install` puts it. Absolute, malloc'ed.
 */
int agent_path_find(char **ret_path, struct error **err);

#endif
