// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A virtual machine: QEMU with the agent as /init of a guest of our own. What is started, what
 * the variants are and what the stamps mean is in docs/virtual-machine.md.
 */
#include "environments/vm/vm.h"

#include "common/file.h"
#include "environments/capture.h"
#include "environments/install.h"
#include "environments/vm/guest_box.h"
#include "environments/vm/guest_shell.h"
#include "environments/vm/kvm_counters.h"
#include "environments/vm/vm_disk.h"

#include <string.h>

/* microvm with ACPI, PVH under it, and sandboxing of io_uring are older; 7.0 is what is tested. */
#define QEMU_OLDEST_MAJOR 7
#define QEMU_QUESTION_NS (20 * NS_PER_S)
#define COUNTERS_NS (5 * NS_PER_S)
#define STATUS_NS (1 * NS_PER_S)
#define KVM_DEVICE "/dev/kvm"

#if defined(__x86_64__)
#define QEMU_PROGRAM "qemu-system-x86_64"
#else
#define QEMU_PROGRAM NULL
#endif

/* How many of the console's last lines a message shows. */
#define CONSOLE_LINES 6

static void missing(struct probe_result *result, const char *detail, const char *advice) {
    result->readiness = READINESS_MISSING;
    snprintf(result->detail, sizeof(result->detail), "%s", detail);
    snprintf(result->advice, sizeof(result->advice), "%s", advice);
}

static int ask_qemu(const struct environment *environment, const char *qemu, const char *option,
                    const char *value, char **ret_text, struct error **err) {
    const char *const arguments[] = {qemu, option, value, NULL};
    return capture_run(&(struct capture_options){.arguments = arguments,
                                                 .timeout_ns = QEMU_QUESTION_NS,
                                                 .cancel_fd = environment->setup->cancel_fd},
                       ret_text, err);
}

/* Finds QEMU, new enough and with the machine. 1: fine; 0: *result says why not. */
static int find_qemu(struct environment *environment, struct probe_result *result,
                     struct error **err) {
    static const char *const machines[] = {
        [VM_MACHINE_MICROVM] = "\nmicrovm ", [VM_MACHINE_Q35] = "\nq35 "};
    struct vm_state *state = environment->state;
    cleanup_free char *version = NULL, *list = NULL;
    if (!QEMU_PROGRAM) {
        missing(result, "there is no virtual machine for this processor architecture yet", "");
        return 0;
    }
    state->qemu = file_find_program(QEMU_PROGRAM);
    if (!state->qemu) {
        static const char *const packages[3] = {"qemu-system-x86", "qemu-system-x86-core",
                                                "qemu-system-x86"};
        missing(result, QEMU_PROGRAM " is not installed", "");
        install_advice(packages, result->advice, sizeof(result->advice));
        return 0;
    }
    if (ask_qemu(environment, state->qemu, "--version", NULL, &version, err) < 0 ||
        ask_qemu(environment, state->qemu, "-machine", "help", &list, err) < 0)
        return -1;
    unsigned major = 0;
    const char *number = strstr(version, "version ");
    if (!number || sscanf(number, "version %31[0-9.]", state->qemu_version) != 1 ||
        sscanf(state->qemu_version, "%u", &major) != 1) {
        missing(result, QEMU_PROGRAM " does not tell its version", "install QEMU 7.0 or newer");
        return 0;
    }
    snprintf(result->version, sizeof(result->version), "%s", state->qemu_version);
    if (major < QEMU_OLDEST_MAJOR) {
        missing(result, "QEMU is older than 7.0", "install QEMU 7.0 or newer");
        return 0;
    }
    if (!strstr(list, machines[state->options.config.machine])) {
        missing(result, "this QEMU was built without the machine that is asked for",
                "install a complete QEMU, or choose vm:machine=q35");
        return 0;
    }
    return 1;
}

static void describe_accelerator(const struct environment *environment,
                                 struct probe_result *result) {
    const struct vm_state *state = environment->state;
    if (strcmp(environment->accelerator, "KVM") == 0) {
        result->readiness = READINESS_READY;
        snprintf(result->detail, sizeof(result->detail), "KVM (%s): %s", state->kvm.back_end,
                 state->kvm.reason);
        return;
    }
    result->readiness = READINESS_DEGRADED;
    snprintf(result->detail, sizeof(result->detail), "%s: %s",
             state->options.config.kvm ? "KVM as asked for, though not native"
                                       : "software emulation (TCG), not KVM",
             state->options.accel == VM_ACCEL_TCG ? "accel=tcg was asked for" : state->kvm.reason);
    if (state->options.accel != VM_ACCEL_TCG)
        snprintf(result->advice, sizeof(result->advice), "%s", state->kvm.advice);
}

static void vm_release(struct environment *environment) {
    struct vm_state *state = environment->state;
    if (!state)
        return;
    guest_image_clear(&state->image);
    cgroup_world_free(state->world);
    free(state->qemu);
    free(state);
    environment->state = NULL;
}

static int vm_probe(struct environment *environment, struct probe_result *ret_result,
                    struct error **err) {
    struct probe_result result = {0};
    vm_release(environment);
    struct vm_state *state = environment->state = calloc(1, sizeof(*state));
    if (!state)
        return error_no_memory(err);
    if (cgroup_world_find(&state->world, err) < 0)
        return -1;
    cgroup_remove_leftovers(state->world);
    cgroup_limits_of(&environment->setup->envelope, &state->limits);
    /* The guest's memory is limited by its size. */
    state->limits.memory_bytes = 0;
    cleanup_error struct error *refusal = NULL;
    if (vm_options_read(environment, &state->options, &refusal) < 0) {
        if (refusal->kind != ERROR_UNAVAILABLE)
            return error_move(err, TAKE_PTR(refusal));
        missing(&result, refusal->message, refusal->advice ? refusal->advice : "");
        *ret_result = result;
        return 0;
    }
    int found = find_qemu(environment, &result, err);
    if (found < 0)
        return -1;
    if (found > 0) {
        kvm_probe(NULL, &state->kvm);
        if (vm_options_choose_accelerator(&state->options, &state->kvm,
                                          environment->setup->require_kvm, environment->accelerator,
                                          &refusal) < 0)
            missing(&result, refusal->message, refusal->advice ? refusal->advice : "");
        else
            describe_accelerator(environment, &result);
        /* What the probe's few instructions say need not hold for a kernel made for its back end.
         */
        environment->accelerator_in_doubt =
            strcmp(environment->accelerator, ACCELERATOR_KVM_EMULATED) == 0;
    }
    *ret_result = result;
    return 0;
}

/* State that can run: probe may not have been called, or may have said no. */
static int need_ready(struct environment *environment, struct error **err) {
    struct probe_result result;
    if (vm_probe(environment, &result, err) < 0)
        return -1;
    if (result.readiness != READINESS_MISSING)
        return 0;
    error_set(err, ERROR_UNAVAILABLE, 0, "environment \"%s\": %s", environment->label,
              result.detail);
    return *result.advice ? error_advise(err, "%s", result.advice) : -1;
}

/* The container inside, and a shell: what of them is asked for, ended by a NULL name. */
static int list_extras(const struct guest_box *box, bool shell, char **ret_shell_path,
                       struct guest_extra extras[4], struct error **err) {
    unsigned count = 0;
    for (; box->extras[count].name; count++)
        extras[count] = box->extras[count];
    if (shell && guest_shell_find(ret_shell_path, &extras[count++], err) < 0)
        return -1;
    extras[count] = (struct guest_extra){.name = NULL};
    return 0;
}

static int prepare_image(struct environment *environment, bool fetch, struct error **err) {
    const struct environment_setup *setup = environment->setup;
    struct vm_state *state = environment->state;
    struct guest_progress progress = {fetch ? setup->say : NULL, setup->say_cookie,
                                      setup->cancel_fd};
    cleanup_guest_kernel struct guest_kernel kernel = {0};
    cleanup_guest_box struct guest_box box = {.program = NULL};
    cleanup_free char *shell_path = NULL;
    struct guest_extra extras[4];
    struct guest_driver drivers[VM_DRIVERS_MAX];
    vm_config_drivers(&state->options.config, drivers);
    if (guest_kernel_find(state->options.kernel, fetch, &progress, &kernel, err) < 0 ||
        guest_box_prepare(environment, &kernel, &box, err) < 0 ||
        list_extras(&box, state->options.config.shell, &shell_path, extras, err) < 0)
        return error_wrap(err, "environment \"%s\"", environment->label);
    guest_image_clear(&state->image);
    if (guest_image_build(setup->agent_path, &kernel, drivers, extras, &state->image, err) < 0)
        return error_wrap(err, "environment \"%s\"", environment->label);
    state->options.config.guest_hz = state->image.hz;
    unprivileged_choose(state->options.config.kvm ? KVM_DEVICE : NULL, &state->unprivileged);
    if (!unprivileged_can_execute(&state->unprivileged, state->qemu) ||
        !unprivileged_can_read(&state->unprivileged, state->image.kernel_path) ||
        !unprivileged_can_read(&state->unprivileged, state->image.initramfs_path))
        state->unprivileged.change_user = false;
    snprintf(environment->image, sizeof(environment->image), "kernel %s initramfs %s",
             state->image.kernel_sha256, state->image.initramfs_sha256);
    state->provisioned = true;
    return 0;
}

static int vm_provision(struct environment *environment, struct error **err) {
    const struct environment_setup *setup = environment->setup;
    if (need_ready(environment, err) < 0)
        return -1;
    struct vm_state *state = environment->state;
    const struct vm_config *config = &state->options.config;
    if (vm_disk_check(setup->data_folder, vm_disk_bytes(setup->data_bytes),
                      config->cache == VM_CACHE_NONE, config->qcow2, err) < 0)
        return -1;
    return prepare_image(environment, true, err);
}

static int vm_describe(struct environment *environment, FILE *to, struct error **err) {
    const struct environment_setup *setup = environment->setup;
    struct vm_state *state = environment->state;
    if (!state) {
        if (need_ready(environment, err) < 0)
            return -1;
        state = environment->state;
    }
    /* With what is there; nothing is downloaded for a description. */
    if (!state->provisioned)
        (void)prepare_image(environment, false, NULL);
    const struct vm_config *config = &state->options.config;
    cleanup_free char *disk =
        text_format("%s/instance.XXXXXX/disk.%s", setup->data_folder ? setup->data_folder : "DATA",
                    config->qcow2 ? "qcow2" : "raw");
    struct qemu_files files = {.qemu = state->qemu ? state->qemu : "qemu",
                               .kernel = state->provisioned ? state->image.kernel_path : "KERNEL",
                               .initramfs =
                                   state->provisioned ? state->image.initramfs_path : "INITRAMFS",
                               .disk = disk,
                               /* The numbers differ from start to start. */
                               .agent_fd = 3,
                               .console_fd = 4,
                               .qmp_fd = 5};
    cleanup_qemu_command struct qemu_command command = {0};
    if (!disk)
        return error_no_memory(err);
    if (qemu_command_build(config, &files, &command, err) < 0)
        return -1;
    enclosure_describe(setup, state->world, &state->limits, to);
    fprintf(to, "The guest's disk is made: %s\n", disk);
    if (geteuid() == 0)
        fprintf(to, "QEMU gives up root's privileges%s\n",
                state->unprivileged.change_user
                    ? ", becomes user nobody, and gets its files as open descriptors"
                    : " (it stays user root, without capabilities)");
    qemu_command_print(&command, to);
    fprintf(to, "  accelerator %s: %s\n", environment->accelerator,
            state->options.accel == VM_ACCEL_TCG ? "asked for" : state->kvm.reason);
    if (state->provisioned)
        fprintf(to, "  guest kernel %s, %s\n  modules %s\n", state->image.release,
                state->image.origin, *state->image.modules ? state->image.modules : "none");
    fprintf(to, "  %s\n",
            state->options.pin ? "each virtual CPU pinned to one of the envelope's CPUs"
                               : "virtual CPUs on any of the envelope's CPUs");
    if (*config->box)
        fprintf(to, "  in the guest the built-in container, by the same steps: %s\n", config->box);
    return 0;
}

/* "QEMU was killed by signal 9 (Killed)", or what it is doing. */
static char *describe_qemu(struct vm_instance *self) {
    if (self->process.pid <= 0)
        return strdup("QEMU was not started");
    if (process_ended(&self->process)) {
        cleanup_free char *end = process_describe_end(&self->process);
        return text_format("QEMU %s", end ? end : "ended");
    }
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)self->process.pid);
    cleanup_free char *line = file_read_line(path);
    const char *state = line ? strrchr(line, ')') : NULL;
    if (state && (state[1] == ' ') && (state[2] == 'T' || state[2] == 't'))
        return strdup("QEMU is stopped (by a signal)");
    /* "paused", "internal-error", "io-error": the guest does not go on then. */
    json_auto_t *status = NULL;
    const char *word = NULL;
    if (self->qmp && qmp_execute(self->qmp, "query-status", NULL,
                                 deadline_after(monotonic_ns(), STATUS_NS), &status, NULL) == 0)
        word = json_string_value(json_object_get(status, "status"));
    if (word && strcmp(word, "running") != 0)
        return text_format("QEMU has stopped the guest (%s)", word);
    return strdup("QEMU is still running");
}

/* QEMU's own words, the first line (registers follow an internal error); NULL where there are none.
 */
static char *qemu_words(const struct vm_instance *self) {
    char text[400];
    ssize_t count = self->stderr_fd >= 0 ? pread(self->stderr_fd, text, sizeof(text) - 1, 0) : 0;
    if (count <= 0)
        return NULL;
    text[count] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    return strdup(text);
}

static char *vm_diagnose(struct instance *instance) {
    struct vm_instance *self = instance->state;
    /* Its channel closes a little before it can be reaped. */
    if (self->process.pid > 0)
        process_wait(&self->process, deadline_after(monotonic_ns(), PROCESS_END_IS_NEAR_NS));
    cleanup_free char *qemu = describe_qemu(self);
    cleanup_free char *words = qemu_words(self);
    if (self->console && self->process.reaped)
        console_drain(self->console, NS_PER_S);
    cleanup_free char *lines =
        self->console ? console_last_lines(self->console, CONSOLE_LINES) : NULL;
    return text_format("%s%s%s%s%s", qemu ? qemu : "", words ? "; it says: " : "",
                       words ? words : "", lines ? "; the console's last lines: " : "",
                       lines ? lines : "");
}

static struct instance *new_instance(struct environment *environment, struct error **err) {
    struct instance *instance = instance_new(environment);
    struct vm_instance *self = calloc(1, sizeof(*self));
    if (!instance || !self) {
        free(self);
        instance_free(instance);
        error_no_memory(err);
        return NULL;
    }
    self->process = PROCESS_NONE;
    self->enclosure.launcher = LAUNCHER_NONE;
    self->stderr_fd = -1;
    instance->state = self;
    return instance;
}

static int vm_start(struct environment *environment, struct instance **ret_instance,
                    struct error **err) {
    const struct vm_state *state = environment->state;
    if (!state || !state->provisioned)
        return error_set(err, ERROR_INTERNAL, 0, "the guest has not been provisioned");
    struct instance *instance = new_instance(environment, err);
    if (!instance)
        return -1;
    struct vm_instance *self = instance->state;
    cleanup_error struct error *failure = NULL;
    if (vm_instance_start(instance, &failure) == 0) {
        *ret_instance = instance;
        return 0;
    }
    /* By now QEMU has had the whole timeout: no further grace. */
    if (self->process.pid > 0) {
        cleanup_free char *diagnosis = vm_diagnose(instance);
        if (!process_ended(&self->process))
            process_end(&self->process, 0);
        if (diagnosis && failure->kind != ERROR_INTERRUPTED) {
            char *message = text_format("%s: %s", failure->message, diagnosis);
            if (message) {
                free(failure->message);
                failure->message = message;
            }
        }
    }
    vm_instance_stop(instance, NULL);
    instance_free(instance);
    return error_move(err, TAKE_PTR(failure));
}

/* The same machine; its console is the user's terminal, nothing is measured. */
static int vm_shell(struct environment *environment, int *ret_status, struct error **err) {
    struct vm_state *state = environment->state;
    state->options.config.shell = true;
    if (prepare_image(environment, true, err) < 0)
        return -1;
    struct instance *instance = new_instance(environment, err);
    if (!instance)
        return -1;
    cleanup_error struct error *first = NULL;
    vm_instance_shell(instance, &first);
    vm_instance_stop(instance, first ? NULL : &first);
    instance_free(instance);
    *ret_status = 0;
    return first ? error_move(err, TAKE_PTR(first)) : 0;
}

static int vm_counters(struct instance *instance, json_t *counters, struct error **err) {
    const struct vm_state *state = instance->environment->state;
    struct vm_instance *self = instance->state;
    if (!state->options.config.kvm)
        return 0;
    return kvm_counters_read(self->qmp, deadline_after(monotonic_ns(), COUNTERS_NS), counters, err);
}

static const char *const *vm_cold_files(struct environment *environment) {
    struct vm_state *state = environment->state;
    static const char *const none[] = {NULL};
    if (!state || !state->provisioned)
        return none;
    state->cold_files[0] = state->qemu;
    state->cold_files[1] = state->image.kernel_path;
    state->cold_files[2] = state->image.initramfs_path;
    state->cold_files[3] = NULL;
    return state->cold_files;
}

const struct environment_ops environment_vm = {
    .name = "vm",
    .summary = "a virtual machine: QEMU, with KVM where it is native, else its software emulation",
    .keys = vm_keys,
    .probe = vm_probe,
    .provision = vm_provision,
    .describe = vm_describe,
    .start = vm_start,
    .footprint = vm_footprint,
    .facts = vm_facts,
    .counters = vm_counters,
    .diagnose = vm_diagnose,
    .stop = vm_instance_stop,
    .release = vm_release,
    .shell = vm_shell,
    .shell_note = GUEST_SHELL_NOTE,
    .cold_files = vm_cold_files,
};

/* The same machine with a container in it (environment->inner). */
const struct environment_ops environment_stack = {
    .name = "container@vm",
    .summary = "the built-in container inside of the virtual machine; variants on both sides",
    .keys = vm_keys,
    .probe = vm_probe,
    .provision = vm_provision,
    .describe = vm_describe,
    .start = vm_start,
    .footprint = vm_footprint,
    .facts = vm_facts,
    .counters = vm_counters,
    .diagnose = vm_diagnose,
    .stop = vm_instance_stop,
    .release = vm_release,
    .shell = vm_shell,
    .shell_note = GUEST_SHELL_NOTE,
    .cold_files = vm_cold_files,
};
