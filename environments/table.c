// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/engines/engine.h"
#include "environments/mock.h"

/* In the order in which lists and reports show them, one a line. */
/* clang-format off */
const struct environment_ops *const environment_table[] = {
    &environment_host,
    &environment_container,
    &environment_microguest,
    &environment_vm,
    &environment_stack,
    &environment_uml,
    &environment_command,
    &engine_docker.ops,
    &engine_podman.ops,
    &engine_oci.ops,
    &engine_lxc.ops,
    &engine_nspawn.ops,
    &engine_bwrap.ops,
    &engine_unshare.ops,
    &engine_chroot.ops,
    &environment_mock,
    NULL,
};
