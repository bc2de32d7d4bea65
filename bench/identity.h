// SPDX-License-Identifier: GPL-3.0-or-later
/* What the agent is and what it sees of the machine: the facts that the fairness audit compares. */
#ifndef BOXMARK_BENCH_IDENTITY_H
#define BOXMARK_BENCH_IDENTITY_H

#include "bench/protocol.h"

/* Fills text (SHA-256 of this executable) and object (facts, see docs/protocol.md). */
int identity_collect(struct message *message, struct error **err);

#endif
