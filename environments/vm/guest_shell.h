// SPDX-License-Identifier: GPL-3.0-or-later
/* What a prompt in a guest needs: a shell that runs there by itself. */
#ifndef BOXMARK_ENVIRONMENTS_VM_GUEST_SHELL_H
#define BOXMARK_ENVIRONMENTS_VM_GUEST_SHELL_H

#include "environments/vm/guest_image.h"

/* On the guest's console just before the shell begins to listen (INIT_SHELL of bench/init.h). */
#define GUEST_SHELL_MARKER "boxmark-init: a shell\r\n"

#define GUEST_SHELL_NOTE                                                                           \
    "The programs are busybox's; /data is the guest's disk. Ctrl-] ends the guest at once."

/* busybox, statically linked, as a file for guest_image_build; ret_path holds its path, malloc'ed.
 */
int guest_shell_find(char **ret_path, struct guest_extra *ret_extra, struct error **err);

#endif
