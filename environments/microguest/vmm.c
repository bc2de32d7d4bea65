// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/vmm.h"

#include "environments/microguest/cpu_state.h"
#include "environments/microguest/cpuid.h"
#include "environments/microguest/kvm_stats.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#ifndef KVM_CAP_PRE_FAULT_MEMORY /* Linux 6.11 */
#define KVM_CAP_PRE_FAULT_MEMORY 236
#endif

/* Without these it cannot work; all of them are in every KVM since Linux 4.18. */
static const struct {
    int capability;
    const char *name;
} needed[] = {
    {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
    {KVM_CAP_SYNC_REGS, "KVM_CAP_SYNC_REGS"},
    {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
    {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
    {KVM_CAP_XCRS, "KVM_CAP_XCRS"},
};

static int check_capabilities(int kvm_fd, struct error **err) {
    char missing[160] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
        if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, needed[i].capability) > 0)
            continue;
        length +=
            (size_t)snprintf(missing + length, sizeof(missing) - length, " %s", needed[i].name);
    }
    return length == 0 ? 0
                       : error_set(err, ERROR_UNAVAILABLE, 0,
                                   "this KVM lacks capabilities that are needed:%s", missing);
}

static int open_kvm(struct vmm *vmm, struct error **err) {
    vmm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (vmm->kvm_fd < 0) {
        bool forbidden = errno == EACCES || errno == EPERM;
        error_set(err, ERROR_UNAVAILABLE, errno, "cannot open /dev/kvm");
        return error_advise(err, forbidden
                                     ? "become a member of the group that /dev/kvm belongs to"
                                     : "switch on VT-x or AMD-V, and load kvm_intel or kvm_amd");
    }
    int version = ioctl(vmm->kvm_fd, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION)
        return error_set(err, ERROR_UNAVAILABLE, version < 0 ? errno : 0,
                         "/dev/kvm does not speak version %d of the KVM API", KVM_API_VERSION);
    if (check_capabilities(vmm->kvm_fd, err) < 0)
        return -1;
    int bytes = ioctl(vmm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (bytes < (int)sizeof(struct kvm_run))
        return error_set(err, ERROR_UNAVAILABLE, 0, "KVM's virtual CPUs are too small to use");
    vmm->run_bytes = (size_t)bytes;
    do
        vmm->vm_fd = ioctl(vmm->kvm_fd, KVM_CREATE_VM, 0);
    while (vmm->vm_fd < 0 && errno == EINTR);
    return vmm->vm_fd < 0 ? error_set(err, ERROR_UNAVAILABLE, errno, "cannot make a guest") : 0;
}

/* VMX without "unrestricted guest" needs these pages (Documentation/virt/kvm/api.rst). */
static int give_kvm_its_pages(struct vmm *vmm, struct error **err) {
    uint64_t identity_map = IDENTITY_MAP_GPA;
    if ((ioctl(vmm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0 &&
         ioctl(vmm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0) ||
        (ioctl(vmm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_TSS_ADDR) > 0 &&
         ioctl(vmm->vm_fd, KVM_SET_TSS_ADDR, TSS_GPA) < 0))
        return error_set(err, ERROR_INTERNAL, errno, "KVM refuses a place for its own pages");
    return 0;
}

static unsigned vcpus_of_kvm(const struct vmm *vmm) {
    int most = ioctl(vmm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
    if (most <= 0)
        most = ioctl(vmm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS);
    unsigned allowed = most > 0 ? (unsigned)most : 4;
    return allowed < VCPUS_MAX ? allowed : VCPUS_MAX;
}

/*
 * Where the processor translates guest-physical addresses itself, a first touch costs a few
 * microseconds. Where KVM does it (shadow page tables) it costs ten times that, unless its
 * neighbour was touched before: then KVM takes up to eight at once, if there is memory behind all
 * of them (PTE_PREFETCH_NUM in Linux's arch/x86/kvm/mmu/mmu.c).
 */
static bool touches_are_dear(const struct vmm *vmm) {
    /* Offered by KVM only with two-dimensional paging. */
    return ioctl(vmm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_PRE_FAULT_MEMORY) <= 0;
}

int vmm_create(struct vmm *vmm, const struct vmm_options *options, struct status *status,
               struct error **err) {
    *vmm = (struct vmm){.kvm_fd = -1, .vm_fd = -1, .status = status, .threads = 1};
    pthread_mutex_init(&vmm->vcpus_lock, NULL);
    if (open_kvm(vmm, err) < 0 || give_kvm_its_pages(vmm, err) < 0)
        return -1;
    unsigned most = vcpus_of_kvm(vmm);
    if (options->threads > most)
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "%u threads are more than the %u virtual CPUs that KVM allows",
                         options->threads, most);
    vmm->threads_max = options->threads ? options->threads : most;
    int result = memory_create(&vmm->memory, vmm->vm_fd, options->memory_bytes);
    if (result < 0)
        return error_set(err, ERROR_INTERNAL, -result, "cannot give the guest its memory");
    vmm->memory.populates = touches_are_dear(vmm);
    cpu_state_write_tables(vmm->memory.control);
    atomic_store(&status->memory_bytes, options->memory_bytes);
    if ((options->cpuid_fd >= 0 ? cpuid_read_file(options->cpuid_fd, &vmm->cpuid, err)
                                : cpuid_ask(vmm->kvm_fd, &vmm->cpuid, err)) < 0)
        return -1;
    vmm->xcr0 = cpu_state_find_xcr0(vmm->cpuid);
    return 0;
}

static struct vcpu *make_vcpu(struct vmm *vmm, unsigned number) {
    struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
    if (!vcpu)
        return NULL;
    *vcpu = (struct vcpu){.vmm = vmm,
                          .number = number,
                          .page = vmm->memory.control + (CONTROL_VCPUS + number) * PAGE_BYTES};
    vcpu->fd = ioctl(vmm->vm_fd, KVM_CREATE_VCPU, number);
    if (vcpu->fd < 0) {
        free(vcpu);
        return NULL;
    }
    void *run = mmap(NULL, vmm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
    if (run == MAP_FAILED || (vcpu->run = run, cpu_state_set_up(vcpu, NULL) < 0)) {
        close(vcpu->fd);
        free(vcpu);
        return NULL;
    }
    return vcpu;
}

struct vcpu *vmm_take_vcpu(struct vmm *vmm) {
    struct vcpu *vcpu = NULL;
    pthread_mutex_lock(&vmm->vcpus_lock);
    /* KVM cannot take one away again: those of ended threads are used first. */
    for (unsigned i = 0; i < vmm->vcpu_count && !vcpu; i++)
        if (!vmm->vcpus[i]->busy)
            vcpu = vmm->vcpus[i];
    if (!vcpu && vmm->vcpu_count < vmm->threads_max) {
        vcpu = make_vcpu(vmm, vmm->vcpu_count);
        if (vcpu)
            vmm->vcpus[vmm->vcpu_count++] = vcpu;
        /* The first one makes the second. Until then its own wait: a start is not held up. */
        for (unsigned i = 0; i < vmm->vcpu_count && vmm->vcpu_count > 1; i++)
            kvm_stats_open(vmm->vcpus[i]);
    } else if (!vcpu) {
        vmm->threads_refused = true;
        errno = EAGAIN;
    }
    if (vcpu) {
        vcpu->busy = true;
        vcpu->ended = false;
        vcpu->clear_tid_gva = 0;
    }
    pthread_mutex_unlock(&vmm->vcpus_lock);
    return vcpu;
}

void vmm_give_back_vcpu(struct vcpu *vcpu) {
    struct vmm *vmm = vcpu->vmm;
    atomic_store(&vmm->status->cpus[vcpu->number].state, CPU_UNUSED);
    pthread_mutex_lock(&vmm->vcpus_lock);
    vcpu->busy = false;
    pthread_mutex_unlock(&vmm->vcpus_lock);
}

void vmm_end(struct vmm *vmm, int status, const char *format, ...) {
    char words[STATUS_WORDS_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(words, sizeof(words) - 1, format, arguments);
    va_end(arguments);
    if (length < 0 || length > (int)sizeof(words) - 2)
        length = (int)sizeof(words) - 2;
    /* The first reason is the reason. */
    if (atomic_exchange(&vmm->status->ended, 1) == 0) {
        memcpy(vmm->status->words, words, (size_t)length);
        words[length] = '\n';
        /* Whoever reads the status page says it. */
        if (!vmm->status->watched)
            (void)!write(STDERR_FILENO, words, (size_t)length + 1);
    }
    _exit(status);
}

void vmm_exit(struct vmm *vmm, int status) {
    if (status != 0 && vmm->threads_refused)
        vmm_end(vmm, status & 0xff,
                "the program ended with status %d after it was refused a thread: there are %u "
                "virtual CPUs",
                status & 0xff, vmm->threads_max);
    atomic_store(&vmm->status->ended, 1);
    _exit(status & 0xff);
}
