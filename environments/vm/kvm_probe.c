// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/kvm_probe.h"

#include "common/clock.h"
#include "common/file.h"
#include "environments/vm/kvm_loop.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define DEFAULT_TIMEOUT_NS (900 * NS_PER_MS)

/* An emulator is a thousand times slower: few steps tell, and more would take long. */
#define FEW_STEPS UINT32_C(10000)
#define FEW_STEPS_ARE_SLOW_NS (1 * NS_PER_MS)
/* Natively some 3 ms: entering and leaving the guest no longer count. */
#define MANY_STEPS UINT32_C(10000000)
#define ROUNDS 3

/* Of the host's rate. Native guests reach 0.9 and more, emulators 0.001. */
#define NATIVE_FRACTION 0.5

/* What the child that talks to KVM reports through its pipe. */
struct report {
    const char *step; /* NULL: all went well; else what failed (a literal of this program) */
    int errnum;
    uint32_t exit_reason;   /* the guest's end where it was not the expected one */
    uint32_t exit_detail;   /* suberror, hardware reason */
    bool left_unexpectedly; /* the two above hold something */
    double guest_loops_per_second, host_loops_per_second;
};

const char *kvm_state_name(enum kvm_state state) {
    static const char *const names[] = {
        [KVM_NATIVE] = "native",     [KVM_EMULATED] = "emulated",
        [KVM_UNUSABLE] = "unusable", [KVM_NO_PERMISSION] = "no permission",
        [KVM_ABSENT] = "absent",
    };
    return names[state];
}

/* Time that this thread ran, in the guest too: what else the machine does is not counted. */
static uint64_t thread_cpu_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

/* One run of the loop in the guest; 0 ns and the report filled when it did not end as expected. */
static uint64_t time_guest(int vm_fd, int vcpu_fd, struct kvm_run *run, uint32_t count,
                           struct report *report) {
    if (kvm_loop_enter(vm_fd, vcpu_fd, count) < 0) {
        report->step = "set the guest's registers";
        report->errnum = errno;
        return 0;
    }
    uint64_t start_ns = thread_cpu_ns();
    int result;
    do
        result = ioctl(vcpu_fd, KVM_RUN, 0);
    while (result < 0 && errno == EINTR);
    uint64_t elapsed_ns = thread_cpu_ns() - start_ns;
    if (result < 0) {
        report->step = "run the guest";
        report->errnum = errno;
        return 0;
    }
    if (!kvm_loop_done(run)) {
        report->step = "run the guest";
        report->left_unexpectedly = true;
        report->exit_reason = run->exit_reason;
        if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
            report->exit_detail = run->internal.suberror;
        else if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
            report->exit_detail = (uint32_t)run->fail_entry.hardware_entry_failure_reason;
        return 0;
    }
    return elapsed_ns ? elapsed_ns : 1;
}

static double rate(uint32_t count, uint64_t elapsed_ns) {
    return (double)count * 1e9 / (double)(elapsed_ns ? elapsed_ns : 1);
}

static void measure(int vm_fd, int vcpu_fd, struct kvm_run *run, struct report *report) {
    /* The first entry pays for page faults; its time is not looked at. */
    if (time_guest(vm_fd, vcpu_fd, run, 100, report) == 0)
        return;
    uint64_t few_ns = time_guest(vm_fd, vcpu_fd, run, FEW_STEPS, report);
    if (few_ns == 0)
        return;
    uint32_t count = few_ns < FEW_STEPS_ARE_SLOW_NS ? MANY_STEPS : FEW_STEPS;
    report->guest_loops_per_second = rate(FEW_STEPS, few_ns);
    /* The best of each: what disturbs a loop only ever slows it down. */
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t guest_ns = time_guest(vm_fd, vcpu_fd, run, count, report);
        if (guest_ns == 0)
            return;
        uint64_t start_ns = thread_cpu_ns();
        kvm_loop_on_host(MANY_STEPS);
        double host_rate = rate(MANY_STEPS, thread_cpu_ns() - start_ns);
        if (rate(count, guest_ns) > report->guest_loops_per_second)
            report->guest_loops_per_second = rate(count, guest_ns);
        if (host_rate > report->host_loops_per_second)
            report->host_loops_per_second = host_rate;
    }
}

/* Everything that KVM is asked; in the child, so only what is safe after fork. */
static void ask_kvm(int kvm_fd, struct report *report) {
#define STEP(name, value)                                                                          \
    ({                                                                                             \
        int value_ = (value);                                                                      \
        if (value_ < 0) {                                                                          \
            report->step = (name);                                                                 \
            report->errnum = errno;                                                                \
            return;                                                                                \
        }                                                                                          \
        value_;                                                                                    \
    })
    if (STEP("ask for KVM's version", ioctl(kvm_fd, KVM_GET_API_VERSION, 0)) != KVM_API_VERSION) {
        report->step = "speak KVM's version";
        return;
    }
    int vm_fd = STEP("make a guest", ioctl(kvm_fd, KVM_CREATE_VM, 0));
    int run_bytes = STEP("ask for a virtual CPU's size", ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0));
    void *memory = mmap(NULL, kvm_loop_memory_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    STEP("get memory for a guest", memory == MAP_FAILED ? -1 : 0);
    kvm_loop_write(memory);
    struct kvm_userspace_memory_region region = {.memory_size = kvm_loop_memory_bytes,
                                                 .userspace_addr = (uintptr_t)memory};
    STEP("give a guest its memory", ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region));
    int vcpu_fd = STEP("make a virtual CPU", ioctl(vm_fd, KVM_CREATE_VCPU, 0));
    struct kvm_run *run =
        mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd, 0);
    STEP("map a virtual CPU", run == MAP_FAILED ? -1 : 0);
#undef STEP
    measure(vm_fd, vcpu_fd, run, report);
}

/*
 * Asks in a child process that can be killed: an ioctl of a broken back end may never return.
 * False when no answer came in time.
 */
static bool ask_in_child(int kvm_fd, uint64_t deadline_ns, struct report *ret_report) {
    int pipes[2];
    *ret_report = (struct report){.step = "start a helper process"};
    if (pipe2(pipes, O_CLOEXEC) < 0) {
        ret_report->errnum = errno;
        return true;
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct report report = {0};
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        ask_kvm(kvm_fd, &report);
        (void)!write(pipes[1], &report, sizeof(report));
        _exit(0);
    }
    int fork_errno = errno;
    close(pipes[1]);
    cleanup_fd int report_fd = pipes[0];
    if (pid < 0) {
        ret_report->errnum = fork_errno;
        return true;
    }
    bool answered = false;
    for (;;) {
        struct pollfd wait = {.fd = report_fd, .events = POLLIN};
        int ready = poll(&wait, 1, deadline_poll_ms(monotonic_ns(), deadline_ns));
        if (ready < 0 && errno == EINTR)
            continue;
        answered = ready > 0 &&
                   read(report_fd, ret_report, sizeof(*ret_report)) == (ssize_t)sizeof(*ret_report);
        if (ready > 0 && !answered) {
            *ret_report = (struct report){.step = "keep the probe alive"};
            answered = true;
        }
        break;
    }
    kill(pid, SIGKILL);
    /* One that hangs in the kernel cannot be waited for; it stays a zombie until we end. */
    for (unsigned tries = 0; tries < 100 && waitpid(pid, NULL, WNOHANG) == 0; tries++)
        usleep(1000);
    return answered;
}

static void describe_back_end(const char *module_folder, struct kvm_probe_result *result) {
    cleanup_dir DIR *dir = opendir(module_folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strncmp(entry->d_name, "kvm_", 4) == 0 && !result->back_end[0])
            snprintf(result->back_end, sizeof(result->back_end), "%.31s", entry->d_name);
    if (result->back_end[0]) {
        cleanup_free char *path =
            text_format("%s/%s/parameters/nested", module_folder, result->back_end);
        cleanup_free char *nested = path ? file_read_line(path) : NULL;
        result->nested = nested && (*nested == 'Y' || *nested == '1');
    }
    cleanup_free char *cpus = NULL;
    if (file_read("/proc/cpuinfo", &cpus, NULL, NULL) == 0)
        result->host_is_virtual = strstr(cpus, " hypervisor") != NULL;
}

static void say(struct kvm_probe_result *result, enum kvm_state state, const char *advice,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
static void say(struct kvm_probe_result *result, enum kvm_state state, const char *advice,
                const char *format, ...) {
    result->state = state;
    snprintf(result->advice, sizeof(result->advice), "%s", advice);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->reason, sizeof(result->reason), format, arguments);
    va_end(arguments);
}

static void judge_open_failure(const char *path, int errnum, struct kvm_probe_result *result) {
    if (errnum == ENOENT || errnum == ENODEV || errnum == ENXIO) {
        say(result, KVM_ABSENT,
            result->host_is_virtual
                ? "this machine is itself virtual: its provider must offer nested virtualization"
                : "switch on VT-x or AMD-V in the firmware and load kvm_intel or kvm_amd",
            errnum == ENOENT ? "there is no %s" : "%s has no KVM behind it", path);
        return;
    }
    if (errnum == EACCES || errnum == EPERM) {
        struct stat status;
        struct group *group = stat(path, &status) == 0 ? getgrgid(status.st_gid) : NULL;
        say(result, KVM_NO_PERMISSION, "", "no permission to use %s", path);
        snprintf(result->advice, sizeof(result->advice),
                 "become a member of the group %s (sudo usermod -aG %s $USER, then log in again)",
                 group && group->gr_gid ? group->gr_name : "kvm",
                 group && group->gr_gid ? group->gr_name : "kvm");
        return;
    }
    say(result, KVM_UNUSABLE, "", "cannot open %s: %s", path, strerror(errnum));
}

static void judge_report(const char *path, const struct report *report,
                         struct kvm_probe_result *result) {
    if (report->step && report->left_unexpectedly) {
        say(result, KVM_UNUSABLE, "",
            "a guest of a few instructions stopped with exit reason %u (detail %u)",
            report->exit_reason, report->exit_detail);
        return;
    }
    if (report->step) {
        say(result, KVM_UNUSABLE,
            report->errnum == EBUSY ? "end other virtualization programs (VirtualBox, VMware)" : "",
            "%s opens, but the probe could not %s%s%s", path, report->step,
            report->errnum ? ": " : "", report->errnum ? strerror(report->errnum) : "");
        return;
    }
    result->guest_loops_per_second = report->guest_loops_per_second;
    result->host_loops_per_second = report->host_loops_per_second;
    double fraction = report->host_loops_per_second > 0
                          ? report->guest_loops_per_second / report->host_loops_per_second
                          : 0;
    if (fraction >= NATIVE_FRACTION)
        say(result, KVM_NATIVE, "", "guest code runs at %.0f %% of the host's speed",
            fraction * 100);
    else
        say(result, KVM_EMULATED,
            "use a machine with VT-x or AMD-V (or, if it is virtual, nested virtualization)",
            "KVM executes guest kernel code in software, %.0f times slower than the host",
            fraction > 0 ? 1 / fraction : 0);
}

void kvm_probe(const struct kvm_probe_options *options, struct kvm_probe_result *ret_result) {
    const char *path = options && options->device_path ? options->device_path : "/dev/kvm";
    const char *modules =
        options && options->module_folder ? options->module_folder : "/sys/module";
    uint64_t timeout_ns = options && options->timeout_ns ? options->timeout_ns : DEFAULT_TIMEOUT_NS;
    uint64_t start_ns = monotonic_ns();
    *ret_result = (struct kvm_probe_result){.state = KVM_UNUSABLE};
    describe_back_end(modules, ret_result);
    /* Non-blocking: a FIFO in the device's place must not hang us. */
    cleanup_fd int kvm_fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    struct report report;
    if (kvm_fd < 0)
        judge_open_failure(path, errno, ret_result);
    else if (!kvm_loop_known)
        say(ret_result, KVM_UNUSABLE, "",
            "whether KVM is native cannot be measured on this architecture yet");
    else if (!ask_in_child(kvm_fd, start_ns + timeout_ns, &report))
        say(ret_result, KVM_UNUSABLE, "", "a guest of a few instructions did not end within %.1f s",
            (double)timeout_ns / 1e9);
    else
        judge_report(path, &report, ret_result);
    ret_result->probe_ns = monotonic_ns() - start_ns;
}
