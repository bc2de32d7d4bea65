// SPDX-License-Identifier: GPL-3.0-or-later
/* Who the program is and where; signals, as far as they matter to one that gets none. */
#include "environments/microguest/cpu_state.h"
#include "environments/microguest/syscalls.h"

#include <asm/prctl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#define STACK_LIMIT_BYTES (8 * MIB_BYTES)

static int64_t serve_arch_prctl(struct call *call) {
    uint64_t code = call->arguments[0], base = call->arguments[1];
    bool gs = code == ARCH_SET_GS || code == ARCH_GET_GS;
    if (code == ARCH_SET_FS || code == ARCH_SET_GS) {
        /* One that is not canonical, KVM would refuse to enter with. */
        if (base >= USER_END_GVA)
            return -EPERM;
        return cpu_state_set_base(call->vcpu, gs, base) < 0 ? -EPERM : 0;
    }
    if (code != ARCH_GET_FS && code != ARCH_GET_GS)
        return -EINVAL;
    if (cpu_state_get_base(call->vcpu, gs, &base) < 0)
        return -EINVAL;
    return call_copy_out(call, call->arguments[1], &base, sizeof(base));
}

/* The kernel that serves the program's calls is the host's: there is no other. */
static int64_t serve_uname(struct call *call) {
    struct utsname name;
    if (uname(&name) < 0)
        return -errno;
    return call_copy_out(call, call->arguments[0], &name, sizeof(name));
}

/* Memory is what the guest was given, everything else the host's. */
static int64_t serve_sysinfo(struct call *call) {
    struct sysinfo info;
    if (sysinfo(&info) < 0)
        return -errno;
    const struct memory *memory = &call->vmm->memory;
    info.mem_unit = 1;
    info.totalram = memory->limit_bytes;
    info.freeram = memory->limit_bytes - memory->used_bytes;
    info.sharedram = info.bufferram = info.totalswap = info.freeswap = 0;
    info.totalhigh = info.freehigh = 0;
    return call_copy_out(call, call->arguments[0], &info, sizeof(info));
}

static int64_t serve_prlimit(struct call *call) {
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    if (call->arguments[2])
        return -EPERM;
    if (call->arguments[1] == RLIMIT_STACK)
        limit.rlim_cur = STACK_LIMIT_BYTES;
    if (call->arguments[1] == RLIMIT_NOFILE)
        limit.rlim_cur = limit.rlim_max = DESCRIPTORS_MAX;
    return call->arguments[3] ? call_copy_out(call, call->arguments[3], &limit, sizeof(limit)) : 0;
}

static int64_t serve_getrandom(struct call *call) {
    uint64_t bytes = call->arguments[1];
    if (bytes == 0)
        return 0;
    void *data = call_pointer(call, call->arguments[0], bytes, PROT_WRITE);
    return data ? call_result(getrandom(data, bytes, GRND_NONBLOCK)) : -EFAULT;
}

static int64_t serve_getpid(struct call *call) {
    (void)call;
    return 1;
}

static int64_t serve_getuid(struct call *call) {
    return call->vmm->uid;
}

static int64_t serve_getgid(struct call *call) {
    return call->vmm->gid;
}

/* The kernel's own layout (the C library's differs): handler, flags, restorer, mask. */
struct kernel_sigaction {
    uint64_t handler, flags, restorer, mask;
};

static int64_t serve_rt_sigaction(struct call *call) {
    uint64_t number = call->arguments[0];
    struct kernel_sigaction action = {0}, before = {0};
    if (number == 0 || number > 63 || number == SIGKILL || number == SIGSTOP)
        return -EINVAL;
    if (call->arguments[1] && call_copy_in(call, &action, call->arguments[1], sizeof(action)) < 0)
        return -EFAULT;
    uint64_t bit = UINT64_C(1) << number, *ignored = &call->vmm->signals_ignored;
    before.handler = __atomic_load_n(ignored, __ATOMIC_RELAXED) & bit
                         ? (uint64_t)(uintptr_t)SIG_IGN
                         : (uint64_t)(uintptr_t)SIG_DFL;
    if (call->arguments[2] && call_copy_out(call, call->arguments[2], &before, sizeof(before)) < 0)
        return -EFAULT;
    if (!call->arguments[1])
        return 0;
    /* Handlers are taken and never called: nobody sends a signal. */
    if (action.handler == (uint64_t)(uintptr_t)SIG_IGN)
        __atomic_fetch_or(ignored, bit, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(ignored, ~bit, __ATOMIC_RELAXED);
    return 0;
}

static int64_t serve_rt_sigprocmask(struct call *call) {
    const uint64_t none = 0;
    return call->arguments[2] ? call_copy_out(call, call->arguments[2], &none, sizeof(none)) : 0;
}

static int64_t serve_sigaltstack(struct call *call) {
    const stack_t none = {.ss_flags = SS_DISABLE};
    return call->arguments[1] ? call_copy_out(call, call->arguments[1], &none, sizeof(none)) : 0;
}

/* A program that sends itself a signal (abort) is at its end. */
static int64_t raise_signal(struct call *call, uint64_t number) {
    if (number == 0)
        return 0;
    if (number > 64)
        return -EINVAL;
    if (number < 64 && (call->vmm->signals_ignored >> number & 1))
        return 0;
    vmm_end(call->vmm, MONITOR_EXIT_SIGNAL, "the program ended itself by signal %u (%s)",
            (unsigned)number, strsignal((int)number));
}

static int64_t serve_kill(struct call *call) {
    return raise_signal(call, call->arguments[1]);
}

static int64_t serve_tgkill(struct call *call) {
    return raise_signal(call, call->arguments[2]);
}

const struct call_entry process_calls[] = {
    {SYS_arch_prctl, "arch_prctl", serve_arch_prctl},
    {SYS_uname, "uname", serve_uname},
    {SYS_sysinfo, "sysinfo", serve_sysinfo},
    {SYS_prlimit64, "prlimit64", serve_prlimit},
    {SYS_getrandom, "getrandom", serve_getrandom},
    {SYS_getpid, "getpid", serve_getpid},
    {SYS_getuid, "getuid", serve_getuid},
    {SYS_geteuid, "geteuid", serve_getuid},
    {SYS_getgid, "getgid", serve_getgid},
    {SYS_getegid, "getegid", serve_getgid},
    {SYS_rt_sigaction, "rt_sigaction", serve_rt_sigaction},
    {SYS_rt_sigprocmask, "rt_sigprocmask", serve_rt_sigprocmask},
    {SYS_sigaltstack, "sigaltstack", serve_sigaltstack},
    {SYS_kill, "kill", serve_kill},
    {SYS_tkill, "tkill", serve_kill},
    {SYS_tgkill, "tgkill", serve_tgkill},
    {0, NULL, NULL},
};
