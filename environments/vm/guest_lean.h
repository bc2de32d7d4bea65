// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The lean guest kernel: built in the user's cache folder from the distribution's kernel source
 * package, which is downloaded but not installed, with environments/guest/lean.config.
 */
#ifndef BOXMARK_ENVIRONMENTS_VM_GUEST_LEAN_H
#define BOXMARK_ENVIRONMENTS_VM_GUEST_LEAN_H

#include "environments/vm/guest_kernel.h"

#include <stdbool.h>

/*
 * Builds it, which takes minutes and 3 GB of disk while it lasts; then guest_kernel_find finds it.
 * Nothing is done where the same source and configuration have been built already.
 * `source`: an archive of the kernel's source (linux-*.tar.*), or NULL: the newest of the
 * distribution's packages. ERROR_UNAVAILABLE names all programs that are missing.
 */
int guest_lean_build(const char *source, const struct guest_progress *progress, struct error **err);

/* Every setting of the fragment (CONFIG_X=y down to the mark) that a configuration lacks is an
 * error: the kernel's own tools drop silently what they cannot do. */
int guest_lean_check_config(const char *fragment, const char *config, struct error **err);

/* The fragment, as it was when this program was built. */
extern const char guest_lean_config[];

#endif
