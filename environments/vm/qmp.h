// SPDX-License-Identifier: GPL-3.0-or-later
/* QEMU's control channel (QMP): JSON lines over a socket whose other end QEMU holds. */
#ifndef BOXMARK_ENVIRONMENTS_VM_QMP_H
#define BOXMARK_ENVIRONMENTS_VM_QMP_H

#include "common/error.h"

#include <jansson.h>
#include <stdint.h>

struct qmp;

/* Takes over `fd`, even on failure; waits for QEMU's greeting. `cancel_fd` as for channels. */
int qmp_open(int fd, int cancel_fd, uint64_t deadline_ns, struct qmp **ret_qmp, struct error **err);

/*
 * Executes a command and waits for its answer; `arguments` may be NULL (a reference is kept by the
 * caller). *ret_result (may be NULL) is a new reference. Events that arrive meanwhile are noted.
 */
int qmp_execute(struct qmp *qmp, const char *command, json_t *arguments, uint64_t deadline_ns,
                json_t **ret_result, struct error **err);

struct qmp *qmp_close(struct qmp *qmp); /* NULL is fine; returns NULL */

#endif
