// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The CPUID that a guest here may have: the same for every start on a machine. KVM executes CPUID
 * some eighty times to tell it, half a millisecond where the machine is itself virtual; so it is
 * asked for once a run and handed to every monitor.
 */
#ifndef BOXMARK_MICROGUEST_CPUID_H
#define BOXMARK_MICROGUEST_CPUID_H

#include "common/error.h"

#include <linux/kvm.h>

/* KVM_GET_SUPPORTED_CPUID; *ret_cpuid is malloc'ed. */
int cpuid_ask(int kvm_fd, struct kvm_cpuid2 **ret_cpuid, struct error **err);

/* A memory file with it, close-on-exec; or -errno. Opens and closes /dev/kvm. */
int cpuid_make_file(void);

/* What cpuid_make_file wrote. */
int cpuid_read_file(int fd, struct kvm_cpuid2 **ret_cpuid, struct error **err);

#endif
