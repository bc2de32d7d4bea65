// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Times the start of virtual machines (launch to agent ready), beside the bare minimum: the same
 * QEMU, machine, kernel and devices with an init that only ends the guest, exec to exit.
 * Alternating; prints medians and ratios to that minimum. With DISTRIBUTION, a folder with vmlinuz,
 * initrd and root.raw, whose /sbin/init only ends the guest, as well: that kernel with that initrd
 * on a PC with firmware, exec to exit. "-": none.
 *
 *   vm-start ROUNDS AGENT POWER-OFF FOLDER DISTRIBUTION ENVIRONMENT...
 */
#include "common/file.h"
#include "environments/environment.h"
#include "environments/vm/vm.h"
#include "environments/vm/vm_disk.h"

#include <string.h>
#include <sys/socket.h>

#define CONTESTANTS_MAX 8
#define WAIT_NS (120 * NS_PER_S)

struct contestant {
    struct environment *environment;
    double *times_ms;
};

static struct environment_setup setup = {
    .data_bytes = UINT64_C(16) << 20,
    .start_timeout_ns = WAIT_NS,
    .stop_timeout_ns = 20 * NS_PER_S,
    .cancel_fd = -1,
    .clock = &clock_monotonic,
};

static int time_environment(struct environment *environment, double *ret_ms, struct error **err) {
    struct instance *instance = NULL;
    if (environment->ops->start(environment, &instance, err) < 0)
        return -1;
    *ret_ms = (double)(instance->stamps[STAMP_AGENT_READY] - instance->stamps[STAMP_LAUNCH]) / 1e6;
    int result = environment->ops->stop(instance, err);
    instance_free(instance);
    return result;
}

/* A guest that ends by itself. */
struct ending_guest {
    struct vm_config config;
    const char *qemu, *kernel, *initramfs, *disk;
    const char *root; /* for the kernel's command line, or NULL */
};

/* "root=... " before all other parameters of the kernel. */
static int add_root(struct qemu_command *command, const char *root, struct error **err) {
    for (unsigned i = 0; root && i + 1 < command->count; i++) {
        if (strcmp(command->arguments[i], "-append") != 0)
            continue;
        char *longer = text_format("root=%s ro %s", root, command->arguments[i + 1]);
        if (!longer)
            return error_no_memory(err);
        free(command->arguments[i + 1]);
        command->arguments[i + 1] = longer;
    }
    return 0;
}

/* Exec to exit. The console must be read: a guest whose console nobody reads is held up. */
static int time_ending(const struct ending_guest *guest, double *ret_ms, struct error **err) {
    int pairs[3][2];
    for (size_t i = 0; i < 3; i++)
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]) < 0)
            return error_set(err, ERROR_INTERNAL, errno, "socketpair");
    struct qemu_files files = {.qemu = guest->qemu,
                               .kernel = guest->kernel,
                               .initramfs = guest->initramfs,
                               .disk = guest->disk,
                               .agent_fd = pairs[0][1],
                               .console_fd = pairs[1][1],
                               .qmp_fd = pairs[2][1]};
    cleanup_qemu_command struct qemu_command command = {0};
    struct process process = PROCESS_NONE;
    cpu_set_t cpus;
    envelope_cpu_set(&setup.envelope, &cpus);
    uint64_t start_ns = 0;
    struct console *console = NULL;
    int result = console_open(TAKE_FD(pairs[1][0]), NULL, "-", setup.clock, &console, err);
    if (result == 0)
        result = qemu_command_build(&guest->config, &files, &command, err);
    if (result == 0)
        result = add_root(&command, guest->root, err);
    if (result == 0) {
        const int keep[] = {files.agent_fd, files.console_fd, files.qmp_fd, -1};
        start_ns = monotonic_ns();
        result = process_start(
            &(struct process_options){.arguments = (const char *const *)command.arguments,
                                      .stdin_fd = -1,
                                      .stdout_fd = -1,
                                      .stderr_fd = STDERR_FILENO,
                                      .keep_fds = keep,
                                      .cpus = &cpus,
                                      .cgroup_procs_fd = -1},
            &process, NULL, NULL, err);
    }
    if (result == 0 && !process_wait(&process, monotonic_ns() + WAIT_NS)) {
        process_end(&process, 0);
        result = error_set(err, ERROR_TIMEOUT, 0, "the guest that only ends does not end");
    }
    *ret_ms = (double)(monotonic_ns() - start_ns) / 1e6;
    console_close(console);
    for (size_t i = 0; i < 6; i++)
        if (pairs[i / 2][i % 2] >= 0)
            close(pairs[i / 2][i % 2]);
    return result;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, unsigned count) {
    qsort(values, count, sizeof(*values), compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int run(unsigned rounds, const char *power_off, const char *distribution,
               struct contestant *contestants, unsigned count, struct error **err) {
    static const struct guest_modules no_modules;
    cleanup_guest_image struct guest_image minimal = {0};
    cleanup_free double *minimum_ms = calloc(rounds, sizeof(*minimum_ms));
    cleanup_free double *usual_ms = calloc(rounds, sizeof(*usual_ms));
    cleanup_free char *disk = text_format("%s/minimal.raw", setup.data_folder);
    cleanup_free char *usual_kernel = text_format("%s/vmlinuz", distribution);
    cleanup_free char *usual_initrd = text_format("%s/initrd", distribution);
    cleanup_free char *usual_disk = text_format("%s/root.raw", distribution);
    if (!minimum_ms || !usual_ms || !disk || !usual_kernel || !usual_initrd || !usual_disk)
        return error_no_memory(err);
    bool with_usual = strcmp(distribution, "-") != 0;
    if (guest_initramfs_build(power_off, &no_modules, NULL, &minimal, err) < 0 ||
        vm_disk_make(disk, vm_disk_bytes(setup.data_bytes), false, -1, err) < 0)
        return -1;
    const struct vm_state *first = contestants[0].environment->state;
    const struct ending_guest least = {.config = first->options.config,
                                       .qemu = first->qemu,
                                       .kernel = first->image.kernel_path,
                                       .initramfs = minimal.initramfs_path,
                                       .disk = disk};
    struct ending_guest usual = {.config = first->options.config,
                                 .qemu = first->qemu,
                                 .kernel = usual_kernel,
                                 .initramfs = usual_initrd,
                                 .disk = usual_disk,
                                 .root = "/dev/vda"};
    usual.config.machine = VM_MACHINE_Q35;
    for (unsigned round = 0; round < rounds; round++) {
        if (time_ending(&least, &minimum_ms[round], err) < 0)
            return -1;
        if (with_usual && time_ending(&usual, &usual_ms[round], err) < 0)
            return error_wrap(err, "the distribution's kernel and initrd");
        for (unsigned i = 0; i < count; i++)
            if (time_environment(contestants[i].environment, &contestants[i].times_ms[round], err) <
                0)
                return error_wrap(err, "%s", contestants[i].environment->label);
    }
    double least_ms = median(minimum_ms, rounds), middle_ms = median(usual_ms, rounds);
    printf("%-44s %8.0f ms  exec to exit, %u rounds\n", "bare minimum", least_ms, rounds);
    if (with_usual)
        printf("%-44s %8.0f ms  exec to exit\n", "distribution's kernel, own initrd, q35",
               middle_ms);
    for (unsigned i = 0; i < count; i++) {
        char title[160];
        environment_title(contestants[i].environment, title, sizeof(title));
        double ready_ms = median(contestants[i].times_ms, rounds);
        printf("%-44s %8.0f ms  launch to ready, %.2f of the minimum", title, ready_ms,
               ready_ms / least_ms);
        if (with_usual)
            printf(", %.2f of the distribution's", ready_ms / middle_ms);
        putchar('\n');
    }
    return 0;
}

int main(int argc, char **argv) {
    struct contestant contestants[CONTESTANTS_MAX] = {0};
    struct error *err = NULL;
    unsigned rounds = argc > 6 ? (unsigned)atoi(argv[1]) : 0;
    if (rounds == 0 || argc - 6 > CONTESTANTS_MAX) {
        fputs("usage: vm-start ROUNDS AGENT POWER-OFF FOLDER DISTRIBUTION ENVIRONMENT...\n",
              stderr);
        return 2;
    }
    setup.agent_path = argv[2];
    setup.data_folder = argv[4];
    unsigned count = (unsigned)argc - 6;
    int result = envelope_choose(0, 2, UINT64_C(512) << 20, &setup.envelope, &err);
    for (unsigned i = 0; result == 0 && i < count; i++) {
        struct contestant *contestant = &contestants[i];
        contestant->times_ms = calloc(rounds, sizeof(*contestant->times_ms));
        result = environment_new(argv[6 + i], &setup, &contestant->environment, &err);
        if (result == 0)
            result = contestant->environment->ops->provision(contestant->environment, &err);
    }
    if (result == 0)
        result = run(rounds, argv[3], argv[5], contestants, count, &err);
    if (result < 0)
        fprintf(stderr, "vm-start: %s\n", error_message(err));
    for (unsigned i = 0; i < count; i++) {
        environment_free(contestants[i].environment);
        free(contestants[i].times_ms);
    }
    error_free(err);
    return result < 0;
}
