// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * boxmark-microguest: runs a static program as a guest without a kernel. A process of its own, so
 * that it can be locked in, killed and accounted; boxmark starts it (environments/microguest.c).
 */
#include "common/clock.h"
#include "common/units.h"
#include "config.h"
#include "environments/microguest/cpu_state.h"
#include "environments/microguest/elf_load.h"
#include "environments/microguest/probe_guest.h"
#include "environments/microguest/sandbox.h"
#include "environments/microguest/syscalls.h"
#include "environments/microguest/time_page.h"

#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

struct options {
    uint64_t memory_bytes, threads, user, status_fd, cpuid_fd, limit_ms;
    const char *data_folder;
    char *const *program; /* and its arguments */
    enum ring_polling polling;
    bool probe, has_status_fd, has_cpuid_fd;
};

static struct vmm vmm;

static int usage(FILE *to, int code) {
    fputs("usage: boxmark-microguest [--data FOLDER] [--memory SIZE] [--threads N] [--user UID]\n"
          "                          [--status-fd N] [--cpuid-fd N] [--time-limit MS]\n"
          "                          [--polling auto|on|off]\n"
          "                          PROGRAM [ARGUMENT...]\n"
          "       boxmark-microguest --probe\n"
          "Runs a static x86-64 program in user mode of a KVM guest that has no kernel. Its\n"
          "system calls are served here; of files it sees only FOLDER, as " GUEST_DATA_FOLDER ".\n"
          "--probe measures whether this machine runs such guests natively.\n"
          "It is started by boxmark; see docs/microguest.md.\n",
          to);
    return code;
}

static int complain(const struct error *error) {
    if (vmm.status && vmm.status->watched)
        vmm_end(&vmm, MONITOR_EXIT_REFUSED, "%s%s%s%s", error_message(error),
                error->advice ? " (" : "", error->advice ? error->advice : "",
                error->advice ? ")" : "");
    fprintf(stderr, "boxmark-microguest: %s%s%s%s\n", error_message(error),
            error->advice ? " (" : "", error->advice ? error->advice : "",
            error->advice ? ")" : "");
    return error->kind == ERROR_INTERNAL ? MONITOR_EXIT_FAILED : MONITOR_EXIT_REFUSED;
}

static int parse_polling(const char *text, enum ring_polling *ret_polling, struct error **err) {
    static const char *const names[] = {
        [RING_POLLING_AUTO] = "auto", [RING_POLLING_ON] = "on", [RING_POLLING_OFF] = "off"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(text, names[i]) == 0) {
            *ret_polling = (enum ring_polling)i;
            return 0;
        }
    return error_set(err, ERROR_USAGE, 0, "--polling is auto, on or off, not %s", text);
}

static int parse_options(int argc, char **argv, struct options *options, struct error **err) {
    static const struct option known[] = {{"data", required_argument, NULL, 'd'},
                                          {"memory", required_argument, NULL, 'm'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"user", required_argument, NULL, 'u'},
                                          {"status-fd", required_argument, NULL, 's'},
                                          {"cpuid-fd", required_argument, NULL, 'c'},
                                          {"time-limit", required_argument, NULL, 'l'},
                                          {"polling", required_argument, NULL, 'i'},
                                          {"probe", no_argument, NULL, 'p'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int result = 0;
    for (int option; result == 0 && (option = getopt_long(argc, argv, "+", known, NULL)) != -1;)
        switch (option) {
        case 'd':
            options->data_folder = optarg;
            break;
        case 'm':
            result = parse_size(optarg, "--memory", &options->memory_bytes, err);
            break;
        case 't':
            result = parse_count(optarg, "--threads", 1, VCPUS_MAX, &options->threads, err);
            break;
        case 'u':
            result = parse_count(optarg, "--user", 0, INT32_MAX, &options->user, err);
            break;
        case 's':
            result = parse_count(optarg, "--status-fd", 3, INT32_MAX, &options->status_fd, err);
            options->has_status_fd = true;
            break;
        case 'c':
            result = parse_count(optarg, "--cpuid-fd", 3, INT32_MAX, &options->cpuid_fd, err);
            options->has_cpuid_fd = true;
            break;
        case 'l':
            result = parse_count(optarg, "--time-limit", 1, INT32_MAX, &options->limit_ms, err);
            break;
        case 'i':
            result = parse_polling(optarg, &options->polling, err);
            break;
        case 'p':
            options->probe = true;
            break;
        case 'h':
            exit(usage(stdout, 0));
        default:
            exit(usage(stderr, MONITOR_EXIT_REFUSED));
        }
    if (result < 0)
        return -1;
    if ((optind == argc) != options->probe)
        exit(usage(stderr, MONITOR_EXIT_REFUSED));
    options->program = argv + optind;
    return 0;
}

static struct status *map_status(const struct options *options, struct error **err) {
    struct status *status = options->has_status_fd
                                ? mmap(NULL, sizeof(*status), PROT_READ | PROT_WRITE, MAP_SHARED,
                                       (int)options->status_fd, 0)
                                : mmap(NULL, sizeof(*status), PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (status == MAP_FAILED) {
        error_set(err, ERROR_INTERNAL, errno, "cannot map the status page");
        return NULL;
    }
    status->version = STATUS_VERSION;
    status->watched = options->has_status_fd;
    if (options->has_status_fd)
        close((int)options->status_fd);
    return status;
}

/* SIGALRM: the time is over, whatever the guest is doing. */
static void on_time_over(int number) {
    (void)number;
    const struct status_cpu *cpu = &vmm.status->cpus[0];
    bool in_call = atomic_load(&cpu->state) == CPU_IN_CALL;
    uint64_t since_ns = monotonic_ns() - atomic_load(&cpu->since_ns);
    vmm_end(&vmm, MONITOR_EXIT_TIME,
            "the guest's time is over; its first thread was in %s%s for %u ms",
            in_call ? "the system call " : "its own code",
            in_call ? vmm.status->calls[atomic_load(&cpu->call)].name : "",
            (unsigned)(since_ns / NS_PER_MS));
}

/*
 * Another thread of the program has rights taken away, for which the host's are taken for a moment
 * (memory_protect), just where this one copies: again. Anything else is an error of ours.
 */
static void on_bad_access(int number, siginfo_t *info, void *context) {
    enum { AGAIN_MAX = 1 << 20 };
    static _Thread_local const uint8_t *before;
    static _Thread_local unsigned again;
    (void)context;
    const uint8_t *at = info->si_addr, *arena = vmm.memory.arena;
    again = at == before ? again + 1 : 0;
    before = at;
    if (at >= arena && at < arena + vmm.memory.arena_bytes && again < AGAIN_MAX)
        sched_yield();
    else
        signal(number, SIG_DFL);
}

static void limit_time(uint64_t ms) {
    const struct itimerval timer = {
        .it_value = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)}};
    if (ms == 0)
        return;
    signal(SIGALRM, on_time_over);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static int open_files(const struct options *options, int *ret_data_fd, int *ret_program_fd,
                      struct error **err) {
    *ret_data_fd = -1;
    if (options->data_folder) {
        *ret_data_fd = open(options->data_folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (*ret_data_fd < 0)
            return error_set(err, ERROR_USAGE, errno, "cannot open the data folder %s",
                             options->data_folder);
    }
    *ret_program_fd = open(options->program[0], O_RDONLY | O_CLOEXEC);
    if (*ret_program_fd < 0)
        return error_set(err, ERROR_USAGE, errno, "cannot open the program %s",
                         options->program[0]);
    return 0;
}

static int load(const struct options *options, struct vcpu **ret_vcpu, struct kvm_regs *ret_regs,
                struct error **err) {
    static const char *const environment[] = {"LANG=C", NULL};
    int data_fd = -1, program_fd = -1;
    struct program program;
    if (open_files(options, &data_fd, &program_fd, err) < 0)
        return -1;
    vmm.uid = options->user ? (unsigned)options->user : getuid();
    vmm.gid = options->user ? (unsigned)options->user : getgid();
    if (time_page_map(&vmm) < 0)
        return error_no_memory(err);
    *ret_vcpu = vmm_take_vcpu(&vmm);
    if (!*ret_vcpu)
        return error_set(err, ERROR_UNAVAILABLE, errno, "cannot make a virtual CPU");
    time_page_start(*ret_vcpu);
    if (elf_load(&vmm, program_fd, &program, err) < 0 ||
        elf_make_stack(&vmm, &program, options->program, environment, err) < 0)
        return -1;
    ring_make(&vmm.ring);
    descriptors_init(&vmm.descriptors, data_fd, program_fd);
    syscalls_init(&vmm);
    *ret_regs = (struct kvm_regs){.rip = program.entry, .rsp = program.stack_pointer};
    return 0;
}

static int run(const struct options *options, struct error **err) {
    struct vcpu *vcpu;
    struct kvm_regs regs;
    struct status *status = map_status(options, err);
    if (!status)
        return -1;
    vmm.status = status;
    atomic_store(&status->alive_ns, monotonic_ns());
    const struct vmm_options wanted = {
        .memory_bytes = options->memory_bytes,
        .threads = (unsigned)options->threads,
        .cpuid_fd = options->has_cpuid_fd ? (int)options->cpuid_fd : -1,
    };
    if (vmm_create(&vmm, &wanted, status, err) < 0 || load(options, &vcpu, &regs, err) < 0)
        return -1;
    vmm.polling = options->polling;
    const struct sigaction again = {.sa_sigaction = on_bad_access,
                                    .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGSEGV, &again, NULL);
    signal(SIGPIPE, SIG_IGN);
    limit_time(options->limit_ms);
    if (sandbox_enter((unsigned)options->user, err) < 0 ||
        cpu_state_enter_user(vcpu, &regs, 0, err) < 0)
        return -1;
    atomic_store(&status->entered_ns, monotonic_ns());
    vcpu_run(vcpu);
    /* The first thread has ended before others: they go on, and the last of them ends us. */
    vmm_give_back_vcpu(vcpu);
    pthread_exit(NULL);
}

int main(int argc, char **argv) {
    struct options options = {.memory_bytes = 256 * MIB_BYTES};
    cleanup_error struct error *err = NULL;
    if (parse_options(argc, argv, &options, &err) < 0)
        return complain(err);
    if (options.probe)
        return probe_guest_main();
    run(&options, &err);
    return complain(err);
}
