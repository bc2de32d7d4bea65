// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/cpuid.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define LEAVES_MAX 256u

static size_t bytes_of(uint32_t leaves) {
    return sizeof(struct kvm_cpuid2) + leaves * sizeof(struct kvm_cpuid_entry2);
}

int cpuid_ask(int kvm_fd, struct kvm_cpuid2 **ret_cpuid, struct error **err) {
    cleanup_free struct kvm_cpuid2 *cpuid = calloc(1, bytes_of(LEAVES_MAX));
    if (!cpuid)
        return error_no_memory(err);
    cpuid->nent = LEAVES_MAX;
    if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0)
        return error_set(err, ERROR_UNAVAILABLE, errno, "KVM does not tell its CPUID");
    *ret_cpuid = TAKE_PTR(cpuid);
    return 0;
}

int cpuid_make_file(void) {
    cleanup_free struct kvm_cpuid2 *cpuid = NULL;
    cleanup_fd int kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm_fd < 0 || cpuid_ask(kvm_fd, &cpuid, NULL) < 0)
        return -ENODEV;
    cleanup_fd int fd = memfd_create("boxmark-microguest-cpuid", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t bytes = (ssize_t)bytes_of(cpuid->nent);
    return write(fd, cpuid, (size_t)bytes) == bytes ? TAKE_FD(fd) : -EIO;
}

int cpuid_read_file(int fd, struct kvm_cpuid2 **ret_cpuid, struct error **err) {
    cleanup_free struct kvm_cpuid2 *cpuid = calloc(1, bytes_of(LEAVES_MAX));
    if (!cpuid)
        return error_no_memory(err);
    ssize_t bytes = pread(fd, cpuid, bytes_of(LEAVES_MAX), 0);
    if (bytes < (ssize_t)sizeof(*cpuid) || cpuid->nent > LEAVES_MAX ||
        bytes != (ssize_t)bytes_of(cpuid->nent))
        return error_set(err, ERROR_USAGE, 0, "what was handed over as CPUID is none");
    *ret_cpuid = TAKE_PTR(cpuid);
    return 0;
}
