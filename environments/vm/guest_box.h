// SPDX-License-Identifier: GPL-3.0-or-later
/* What a guest needs to hold a container (container@vm): a program, a filter, a kernel that can. */
#ifndef BOXMARK_ENVIRONMENTS_VM_GUEST_BOX_H
#define BOXMARK_ENVIRONMENTS_VM_GUEST_BOX_H

#include "environments/environment.h"
#include "environments/vm/guest_image.h"
#include "environments/vm/qemu_command.h"

#include <linux/filter.h>

struct guest_box {
    char *program;
    struct sock_fprog filter;
    struct guest_extra extras[3]; /* for guest_image_build */
};

/* What the inner spec asks for, into the machine's configuration. Nothing without an inner spec. */
int guest_box_read(const struct environment *environment, struct vm_config *config,
                   struct error **err);

/* Nothing without an inner spec. ERROR_UNAVAILABLE for a kernel that lacks what it takes. */
int guest_box_prepare(const struct environment *environment, const struct guest_kernel *kernel,
                      struct guest_box *ret_box, struct error **err);

void guest_box_clear(struct guest_box *box);
static inline void guest_box_cleanup(struct guest_box *box) {
    guest_box_clear(box);
}
#define cleanup_guest_box CLEANUP(guest_box)

#endif
