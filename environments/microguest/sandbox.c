// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/sandbox.h"

#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Allowed whatever their arguments: they reach only what is open, or this process itself. The
 * frequent ones first. */
static const uint32_t allowed[] = {
    SYS_read,
    SYS_write,
    SYS_futex,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv2,
    SYS_pwritev2,
    SYS_io_uring_enter, /* the ring is restricted (ring.h) */
    SYS_poll,
    SYS_clock_gettime,
    SYS_readv,
    SYS_writev,
    SYS_lseek,
    SYS_close,
    SYS_openat2,
    SYS_fstat,
    SYS_newfstatat,
    SYS_fstatfs,
    SYS_unlinkat,
    SYS_getdents64,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fadvise64,
    SYS_fcntl,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_getcpu,
    SYS_getrandom,
    SYS_uname,
    SYS_sysinfo,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_time,
    SYS_clock_nanosleep,
    SYS_gettid,
    SYS_getpid,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_rt_sigreturn,
    SYS_exit,
    SYS_exit_group,
    SYS_restart_syscall,
};

/* What of KVM is needed after the start: running, more memory, more virtual CPUs. */
static const uint32_t ioctls[] = {
    KVM_RUN,          KVM_GET_SREGS,  KVM_SET_SREGS, KVM_SET_REGS,
    KVM_SET_MSRS,     KVM_SET_CPUID2, KVM_SET_XCRS,  KVM_SET_USER_MEMORY_REGION,
    KVM_CREATE_VCPU,
#ifdef KVM_GET_STATS_FD
    KVM_GET_STATS_FD,
#endif
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

enum { FILTER_MAX = 192 };

/* A filter in the making; each test that fits returns at once. */
struct builder {
    struct sock_filter code[FILTER_MAX];
    unsigned length;
};

static void add(struct builder *builder, struct sock_filter instruction) {
    if (builder->length < FILTER_MAX)
        builder->code[builder->length++] = instruction;
}

static void load(struct builder *builder, unsigned offset) {
    add(builder, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

static void load_argument(struct builder *builder, unsigned number) {
    load(builder, (unsigned)offsetof(struct seccomp_data, args) + 8 * number);
}

static void answer(struct builder *builder, uint32_t action) {
    add(builder, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void answer_if(struct builder *builder, uint32_t value, uint32_t action) {
    add(builder, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    answer(builder, action);
}

/* The next `steps` instructions are for this call only. */
static void only_for(struct builder *builder, uint32_t call, unsigned steps) {
    add(builder, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, (uint8_t)steps));
}

/* Allowed when none of these bits is set in this argument, else deadly. */
static void allow_without_bits(struct builder *builder, uint32_t call, unsigned argument,
                               uint32_t bits) {
    only_for(builder, call, 4);
    load_argument(builder, argument);
    add(builder, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0));
    answer(builder, SECCOMP_RET_ALLOW);
    answer(builder, SECCOMP_RET_KILL_PROCESS);
}

static void build(struct builder *builder) {
    builder->length = 0;
    load(builder, offsetof(struct seccomp_data, arch));
    add(builder, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
    answer(builder, SECCOMP_RET_KILL_PROCESS);
    load(builder, offsetof(struct seccomp_data, nr));
    /* KVM_RUN is by far the most frequent. */
    only_for(builder, SYS_ioctl, 2 + 2 * COUNT(ioctls));
    load_argument(builder, 1);
    for (size_t i = 0; i < COUNT(ioctls); i++)
        answer_if(builder, ioctls[i], SECCOMP_RET_ALLOW);
    answer(builder, SECCOMP_RET_KILL_PROCESS);
    for (size_t i = 0; i < COUNT(allowed); i++)
        answer_if(builder, allowed[i], SECCOMP_RET_ALLOW);
    allow_without_bits(builder, SYS_mmap, 2, PROT_EXEC);
    allow_without_bits(builder, SYS_mprotect, 2, PROT_EXEC);
    /* Of the calling thread only. */
    only_for(builder, SYS_sched_setaffinity, 4);
    load_argument(builder, 0);
    answer_if(builder, 0, SECCOMP_RET_ALLOW);
    answer(builder, SECCOMP_RET_KILL_PROCESS);
    /* The C library asks clone3 first, whose flags no filter can see, and then clone. */
    answer_if(builder, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    only_for(builder, SYS_clone, 5);
    load_argument(builder, 0);
    add(builder, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, THREAD_FLAGS));
    answer_if(builder, THREAD_FLAGS, SECCOMP_RET_ALLOW);
    answer(builder, SECCOMP_RET_KILL_PROCESS);
    answer(builder, SECCOMP_RET_KILL_PROCESS);
}

unsigned sandbox_filter_length(void) {
    struct builder builder;
    build(&builder);
    return builder.length;
}

static int load_filter(void) {
    struct builder builder;
    build(&builder);
    const struct sock_fprog program = {.len = (unsigned short)builder.length,
                                       .filter = builder.code};
    /* Speculation stays as it is: it is not between threads of this process that the program is
     * kept in, and switching it off would slow the program down on older kernels. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) ==
        0)
        return 0;
    return errno == EINVAL ? (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) : -1;
}

static int drop_user(unsigned user) {
    if (user == 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ||
        setresuid(user, user, user) < 0)
        return -1;
    /* The kernel forgets this when the user changes. */
    return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int drop_capabilities(void) {
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    return (int)syscall(SYS_capset, &header, none);
}

int sandbox_enter(unsigned user, struct error **err) {
    const struct rlimit no_core = {0, 0};
    if (setrlimit(RLIMIT_CORE, &no_core) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot switch core dumps off");
    if (drop_user(user) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot become user %u", user);
    if (drop_capabilities() < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot drop capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot forbid new privileges");
    if (load_filter() < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot load the filter of system calls");
    return 0;
}
