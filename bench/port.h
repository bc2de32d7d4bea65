// SPDX-License-Identifier: GPL-3.0-or-later
/* The agent's end of its channel, found by the kind and name given on its command line. */
#ifndef BOXMARK_BENCH_PORT_H
#define BOXMARK_BENCH_PORT_H

#include "common/error.h"

#include <stdint.h>

struct port {
    int input_fd, output_fd; /* may be the same one */
};

/*
 * "stdio", "virtio:NAME" (the virtio-serial port that the host called NAME), "tty:/dev/ttyS1" (a
 * serial line, made raw). Devices that the kernel has not found yet are waited for until the
 * deadline.
 */
int port_open(const char *text, uint64_t deadline_ns, struct port *ret_port, struct error **err);

#endif
