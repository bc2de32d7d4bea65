// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Real virtual machines: a boot with every answer looked at, and guests and QEMUs that fail.
 * Skips where there is no QEMU or no guest kernel can be had. BOXMARK_TEST_KERNEL=lean|cloud|FILE
 * takes that kernel instead of the usual one.
 */
#include "tests/unit/unit.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "environments/environment.h"
#include "environments/vm/vm.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

#define MINUTE_NS (60 * NS_PER_S)
#define ANSWER_BYTES (PROTOCOL_NAME_BYTES + PROTOCOL_TEXT_BYTES + 2)

static struct environment_setup setup, usual_setup;
static char *data_folder, *log_folder, *agent_path, *usual_path;
static bool can_run;
static char why_not[512];

static void fail_with(const char *what, struct error *err) {
    fail_msg("%s: %s", what, error_message(err));
}

static struct environment *make(const char *spec) {
    struct error *err = NULL;
    struct environment *environment = NULL;
    if (environment_new(spec, &setup, &environment, &err) < 0)
        fail_with(spec, err);
    return environment;
}

static struct environment *make_provisioned(const char *spec) {
    struct environment *environment = make(spec);
    struct error *err = NULL;
    if (environment->ops->provision(environment, &err) < 0)
        fail_with(spec, err);
    return environment;
}

static struct instance *start(struct environment *environment) {
    struct instance *instance = NULL;
    struct error *err = NULL;
    if (environment->ops->start(environment, &instance, &err) < 0)
        fail_with("start", err);
    return instance;
}

static void stop(struct instance *instance) {
    struct error *err = NULL;
    if (instance->environment->ops->stop(instance, &err) < 0)
        fail_with("stop", err);
}

/* Nothing may be left in the data folder. */
static void assert_data_folder_empty(void) {
    DIR *dir = opendir(data_folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            fail_msg("%s was left in the data folder", entry->d_name);
    closedir(dir);
}

static void send_message(struct instance *instance, const struct message *message) {
    struct error *err = NULL;
    char *line = NULL;
    size_t length;
    assert_int_equal(message_format(message, &line, &length, &err), 0);
    if (instance->channel->ops->send(instance->channel, line, length, monotonic_ns() + MINUTE_NS,
                                     &err) < 0)
        fail_with("send", err);
    free(line);
}

static void receive(struct instance *instance, struct message *ret_message) {
    struct error *err = NULL;
    char *line;
    size_t length;
    int got = instance->channel->ops->receive(instance->channel, monotonic_ns() + MINUTE_NS, &line,
                                              &length, NULL, &err);
    if (got <= 0 || message_parse(line, length, ret_message, &err) < 0)
        fail_with("receive", err);
}

static void expect(struct instance *instance, enum message_type type) {
    struct message message = {0};
    receive(instance, &message);
    if (message.type != type)
        fail_msg("%s (%s) instead of %s", message_type_name(message.type), message.text,
                 message_type_name(type));
    message_clear(&message);
}

static void check_identity(struct instance *instance) {
    char hash[65];
    struct message identity = {0};
    send_message(instance, &(struct message){.type = MESSAGE_IDENTIFY, .id = 1});
    receive(instance, &identity);
    assert_int_equal(identity.type, MESSAGE_IDENTITY);
    assert_int_equal(file_sha256(agent_path, hash, NULL), 0);
    assert_string_equal(identity.text, hash);
    assert_int_equal(json_integer_value(json_object_get(identity.object, "cpus_online")),
                     setup.envelope.cpu_count);
    /* The host's, also in so small a guest, where the kernel switches them off. */
    const char *inside =
        json_string_value(json_object_get(identity.object, "transparent_huge_pages"));
    cleanup_free char *outside = file_read_line("/sys/kernel/mm/transparent_hugepage/enabled");
    if (inside && outside)
        assert_string_equal(inside, outside);
    message_clear(&identity);
}

/* Of all files that QEMU has open, it can write to the guest's disk alone (nothing else has a name:
 * sockets, memory, its words to us). */
static void check_open_files(pid_t qemu) {
    char folder[64], path[PATH_MAX + 64], target[PATH_MAX];
    unsigned disks = 0;
    snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)qemu);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        ssize_t length = readlink(path, target, sizeof(target) - 1);
        struct stat status;
        if (length <= 0 || stat(path, &status) < 0 || !S_ISREG(status.st_mode))
            continue;
        target[length] = '\0';
        char *info = NULL;
        unsigned flags = 0;
        snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)qemu, entry->d_name);
        assert_int_equal(file_read(path, &info, NULL, NULL), 0);
        assert_int_equal(sscanf(strstr(info, "flags:"), "flags: %o", &flags), 1);
        free(info);
        bool ours = strncmp(target, data_folder, strlen(data_folder)) == 0;
        bool memory = strncmp(target, "/memfd:", 7) == 0;
        if ((flags & O_ACCMODE) != O_RDONLY && !memory && !ours)
            fail_msg("QEMU can write to %s", target);
        disks += ours;
    }
    closedir(dir);
    assert_true(disks > 0);
}

/* Confined by its own filter, and nothing of root where the harness is root. */
static void check_privileges(const struct environment *environment, const json_t *facts) {
    const struct vm_state *state = environment->state;
    char uid[16];
    snprintf(uid, sizeof(uid), "%u", state->unprivileged.change_user ? UNPRIVILEGED_ID : getuid());
    assert_string_equal(json_string_value(json_object_get(facts, "qemu_uid")), uid);
    assert_string_equal(json_string_value(json_object_get(facts, "qemu_capabilities")),
                        "0000000000000000");
    assert_string_equal(json_string_value(json_object_get(facts, "qemu_no_new_privileges")), "1");
    assert_string_equal(json_string_value(json_object_get(facts, "qemu_seccomp")), "2");
}

static void check_facts(struct instance *instance) {
    const struct environment *environment = instance->environment;
    struct error *err = NULL;
    json_auto_t *facts = json_object();
    if (environment->ops->facts(instance, facts, &err) < 0)
        fail_with("facts", err);
    assert_string_equal(json_string_value(json_object_get(facts, "qemu_accelerator")),
                        strncmp(environment->accelerator, "KVM", 3) == 0 ? "KVM" : "TCG");
    check_privileges(environment, facts);
    check_open_files(instance->pid);
    json_t *disk = json_object_get(facts, "disk");
    assert_string_equal(json_string_value(json_object_get(disk, "cache")),
                        environment_value(environment, "cache"));
    assert_true(json_is_true(json_object_get(disk, "flush")));
    json_t *threads = json_object_get(facts, "threads");
    /* Beside the virtual CPUs at least its main loop; that of the disk where there is one. */
    cleanup_free char *names = json_dumps(threads, 0);
    assert_non_null(strstr(names, "{\"name\": \"qemu-system"));
    if (environment_is_on(environment, "iothread"))
        assert_non_null(strstr(names, "{\"name\": \"IO disk"));
    assert_true(json_array_size(threads) > setup.envelope.cpu_count);
    for (unsigned i = 0; i < setup.envelope.cpu_count; i++) {
        char cpu[16];
        snprintf(cpu, sizeof(cpu), "%u", setup.envelope.cpus[i]);
        assert_string_equal(json_string_value(json_object_get(json_array_get(threads, i), "cpus")),
                            environment_is_on(environment, "pin") ? cpu : setup.envelope.cpu_list);
    }
    struct footprint footprint;
    assert_int_equal(environment->ops->footprint(instance, &footprint, NULL), 0);
    assert_true(footprint.image_bytes > setup.data_bytes);
    assert_true(footprint.resident_bytes > 0 && footprint.resident_bytes != FOOTPRINT_UNKNOWN);
    /* The kernel and the agent at least, and QEMU itself beside them. */
    assert_true(footprint.guest_bytes > UINT64_C(8) << 20);
    assert_true(footprint.guest_bytes < footprint.resident_bytes);
    assert_true(footprint.guest_bytes <= setup.envelope.memory_bytes);
    assert_true(footprint.cpu_ns > 0);
}

/* Boots a variant, talks to it, ends it. */
static void run_variant(const char *spec) {
    struct environment *environment = make_provisioned(spec);
    struct instance *instance = start(environment);
    expect(instance, MESSAGE_HELLO);
    check_identity(instance);
    check_facts(instance);
    json_auto_t *nothing = json_object();
    send_message(instance, &(struct message){
                               .type = MESSAGE_RUN, .id = 2, .name = "null", .object = nothing});
    expect(instance, MESSAGE_BEGIN);
    expect(instance, MESSAGE_END);
    send_message(instance, &(struct message){.type = MESSAGE_QUIT, .id = 3});
    expect(instance, MESSAGE_END);
    pid_t qemu = instance->pid;
    stop(instance);
    for (unsigned i = 1; i < STAMPS; i++) {
        if (instance->stamps[i] < instance->stamps[STAMP_LAUNCH])
            fail_msg("stamp %u is earlier than stamp %u", i, i - 1);
        print_message("stamp %u: %.1f ms\n", i,
                      (double)(instance->stamps[i] - instance->stamps[0]) / 1e6);
    }
    assert_int_equal(kill(qemu, 0), -1);
    assert_data_folder_empty();
    instance_free(instance);
    environment_free(environment);
}

static void test_boots_talks_and_ends(void **state) {
    (void)state;
    if (!can_run)
        skip_because("%s", why_not);
    run_variant("vm");
}

static void test_variants(void **state) {
    (void)state;
    if (!can_run)
        skip_because("%s", why_not);
    run_variant(
        "vm:machine=q35,disk=nvme,cache=writeback,aio=threads,pin=off,cpu=baseline,accel=tcg");
    run_variant("vm:machine=q35,disk=virtio,iothread=on,format=qcow2");
}

/* The start must fail, soon, with this kind and text, and leave nothing behind. */
static void assert_start_fails(struct environment *environment, enum error_kind kind,
                               const char *text) {
    struct instance *instance = NULL;
    struct error *err = NULL;
    assert_int_equal(environment->ops->start(environment, &instance, &err), -1);
    print_message("%s\n", error_message(err));
    assert_error(err, kind, text);
    assert_data_folder_empty();
}

static void test_a_killed_qemu_is_named(void **state) {
    (void)state;
    if (!can_run)
        skip_because("%s", why_not);
    struct environment *environment = make_provisioned("vm");
    struct instance *instance = start(environment);
    expect(instance, MESSAGE_HELLO);
    assert_int_equal(kill(instance->pid, SIGKILL), 0);
    char *line;
    size_t length;
    assert_true(instance->channel->ops->receive(instance->channel, monotonic_ns() + MINUTE_NS,
                                                &line, &length, NULL, NULL) <= 0);
    char *diagnosis = environment->ops->diagnose(instance);
    print_message("%s\n", diagnosis);
    assert_non_null(strstr(diagnosis, "QEMU was killed by signal 9"));
    assert_non_null(strstr(diagnosis, "boxmark-init: started"));
    free(diagnosis);
    stop(instance);
    assert_data_folder_empty();
    instance_free(instance);
    environment_free(environment);
}

static void test_a_stopped_qemu_is_named_and_ended(void **state) {
    (void)state;
    if (!can_run)
        skip_because("%s", why_not);
    setup.stop_timeout_ns = NS_PER_S;
    struct environment *environment = make_provisioned("vm");
    struct instance *instance = start(environment);
    pid_t qemu = instance->pid;
    assert_int_equal(kill(qemu, SIGSTOP), 0);
    char *diagnosis = NULL;
    /* The signal takes effect a little later. */
    for (unsigned tries = 0; tries < 1000; tries++) {
        free(diagnosis);
        diagnosis = environment->ops->diagnose(instance);
        if (strstr(diagnosis, "QEMU is stopped"))
            break;
        usleep(10000);
    }
    assert_non_null(strstr(diagnosis, "QEMU is stopped"));
    free(diagnosis);
    stop(instance);
    assert_int_equal(kill(qemu, 0), -1);
    assert_data_folder_empty();
    instance_free(instance);
    environment_free(environment);
}

static void test_a_guest_that_panics_is_named(void **state) {
    (void)state;
    if (!can_run)
        skip_because("%s", why_not);
    /* Not a program: the kernel has nothing to run. */
    char *no_program = text_format("%s/no-program", log_folder);
    assert_int_equal(file_replace(no_program, "nothing\n", 8, NULL), 0);
    setup.agent_path = no_program;
    struct environment *environment = make_provisioned("vm");
    assert_start_fails(environment, ERROR_CLOSED, "Kernel panic");
    environment_free(environment);
    setup = usual_setup;
    free(no_program);
}

static void test_a_guest_that_never_answers_times_out(void **state) {
    (void)state;
    if (!can_run)
        skip_because("%s", why_not);
    setup.start_timeout_ns = 20 * NS_PER_MS;
    struct environment *environment = make_provisioned("vm");
    /* Not started, or still running: on a slow machine so little is over before. */
    assert_start_fails(environment, ERROR_TIMEOUT, "QEMU ");
    environment_free(environment);
}

static void test_an_interrupt_ends_the_start(void **state) {
    (void)state;
    if (!can_run)
        skip_because("%s", why_not);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    struct environment *environment = make_provisioned("vm");
    setup.cancel_fd = pipes[0];
    assert_int_equal(write(pipes[1], "x", 1), 1);
    assert_start_fails(environment, ERROR_INTERRUPTED, "interrupted");
    environment_free(environment);
    close(pipes[0]);
    close(pipes[1]);
}

/* A program in QEMU's place that answers the questions and then does `command`. */
static void make_fake_qemu(const char *version, const char *machines, const char *command) {
    char *path = text_format("%s/qemu-system-x86_64", log_folder);
    char *script = text_format("#!/bin/sh\ncase \"$1\" in\n"
                               "--version) echo 'QEMU emulator version %s (Fake)' ;;\n"
                               "-machine) printf 'Supported machines are:\\n%s' ;;\n"
                               "*) %s ;;\nesac\n",
                               version, machines, command);
    assert_int_equal(file_replace(path, script, strlen(script), NULL), 0);
    assert_int_equal(chmod(path, 0755), 0);
    free(script);
    free(path);
}

static void assert_missing(const char *spec, const char *text) {
    struct probe_result probe;
    struct error *err = NULL;
    struct environment *environment = make(spec);
    if (environment->ops->probe(environment, &probe, &err) < 0)
        fail_with("probe", err);
    assert_int_equal(probe.readiness, READINESS_MISSING);
    if (!strstr(probe.detail, text))
        fail_msg("\"%s\" does not hold \"%s\"", probe.detail, text);
    assert_int_equal(environment->ops->provision(environment, &err), -1);
    assert_error(err, ERROR_UNAVAILABLE, text);
    environment_free(environment);
}

static void test_qemus_that_do_not_do(void **state) {
    (void)state;
#if !defined(__x86_64__)
    skip_because("there is no virtual machine for this architecture");
#endif
    setenv("PATH", "/nonexistent", 1);
    assert_missing("vm", "is not installed");
    char *fake = text_format("%s:%s", log_folder, usual_path);
    setenv("PATH", fake, 1);
    make_fake_qemu("5.2.0", "microvm  x\\nq35  x\\n", "exit 1");
    assert_missing("vm", "older than 7.0");
    make_fake_qemu("8.0.0", "q35  x\\n", "exit 1");
    assert_missing("vm", "without the machine");
    make_fake_qemu("none", "microvm x\\n", "exit 1");
    assert_missing("vm", "does not tell its version");
    if (can_run) {
        make_fake_qemu("8.0.0", "microvm  x\\nq35  x\\n", "echo no such option >&2; exit 3");
        struct environment *environment = make_provisioned("vm");
        assert_start_fails(environment, ERROR_CLOSED, "no such option");
        environment_free(environment);
    }
    free(fake);
}

static void assert_refused(const char *spec, enum error_kind kind, const char *text) {
    struct environment *environment = make(spec);
    struct error *err = NULL;
    assert_int_equal(environment->ops->provision(environment, &err), -1);
    assert_error(err, kind, text);
    environment_free(environment);
}

static void test_impossible_combinations_are_refused(void **state) {
    (void)state;
    assert_refused("vm:disk=ahci", ERROR_USAGE, "no PCI bus");
    assert_refused("vm:machine=q35,disk=nvme,iothread=on", ERROR_USAGE, "iothread");
    assert_refused("vm:cache=unsafe,aio=native", ERROR_USAGE, "aio=native");
    if (!can_run)
        skip_because("the rest needs QEMU: %s", why_not);
    assert_refused("vm:kernel=/etc/passwd", ERROR_USAGE, "neither an ELF kernel nor a bzImage");
    assert_refused("vm:kernel=/nonexistent", ERROR_USAGE, "No such file");
    setup.data_bytes = UINT64_C(1) << 60;
    assert_refused("vm", ERROR_USAGE, "needs");
    setup = usual_setup;
    setup.require_kvm = true;
    assert_refused("vm:accel=tcg", ERROR_UNAVAILABLE, "KVM is required");
    setup = usual_setup;
    assert_refused("vm:accel=tcg,iothread=on", ERROR_UNAVAILABLE, "no iothread");
}

/* Asks for a workload and waits for its end, an error or the channel's end. */
static enum message_type run_to_the_end(struct instance *instance, const char *name,
                                        json_t *parameters, char text[ANSWER_BYTES]) {
    struct message request = {.type = MESSAGE_RUN, .id = 9, .object = parameters};
    snprintf(request.name, sizeof(request.name), "%s", name);
    send_message(instance, &request);
    json_decref(parameters);
    for (;;) {
        char *line;
        size_t length;
        struct message message = {0};
        if (instance->channel->ops->receive(instance->channel, monotonic_ns() + 3 * MINUTE_NS,
                                            &line, &length, NULL, NULL) <= 0)
            return MESSAGE_TYPES;
        if (message_parse(line, length, &message, NULL) < 0)
            fail_msg("not a message: %s", line);
        enum message_type type = message.type;
        snprintf(text, ANSWER_BYTES, "%s: %s", message.name, message.text);
        message_clear(&message);
        if (type == MESSAGE_END || type == MESSAGE_ERROR)
            return type;
    }
}

static void test_a_full_disk_and_no_memory_inside_are_named(void **state) {
    (void)state;
    if (!can_run)
        skip_because("%s", why_not);
    struct environment *environment = make_provisioned("vm");
    struct instance *instance = start(environment);
    char text[ANSWER_BYTES];
    expect(instance, MESSAGE_HELLO);
    json_t *too_large = json_pack("{s:I, s:I, s:I, s:I, s:I}", "bytes",
                                  (json_int_t)(setup.data_bytes + (UINT64_C(256) << 20)),
                                  "record_bytes", (json_int_t)1 << 20, "depth", (json_int_t)1,
                                  "seed", (json_int_t)1, "iterations", (json_int_t)1);
    assert_int_equal(run_to_the_end(instance, "disk", too_large, text), MESSAGE_ERROR);
    print_message("%s\n", text);
    assert_non_null(strstr(text, "no-space"));
    /* As much as there is, which the kernel promises, but of which some is taken already. */
    struct message identity = {0};
    send_message(instance, &(struct message){.type = MESSAGE_IDENTIFY, .id = 1});
    receive(instance, &identity);
    json_int_t memory = json_integer_value(json_object_get(identity.object, "memory_bytes"));
    message_clear(&identity);
    json_t *too_much =
        json_pack("{s:I, s:I, s:I, s:I}", "elements", memory / 1000 * 995 / 24, "threads",
                  (json_int_t)1, "iterations", (json_int_t)2, "huge_pages", (json_int_t)0);
    if (run_to_the_end(instance, "stream", too_much, text) != MESSAGE_TYPES)
        fail_msg("%s", text);
    char *diagnosis = environment->ops->diagnose(instance);
    print_message("%s\n", diagnosis);
    assert_non_null(strstr(diagnosis, "the agent was killed by signal 9"));
    free(diagnosis);
    stop(instance);
    instance_free(instance);
    environment_free(environment);
}

static void set_up_folders(void) {
    char folder[] = "test-vm.XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = realpath(folder, NULL);
    data_folder = text_format("%s/data", path);
    log_folder = text_format("%s/log", path);
    assert_int_equal(mkdir(data_folder, 0700), 0);
    assert_int_equal(mkdir(log_folder, 0700), 0);
    free(path);
}

static int set_up(void **state) {
    (void)state;
    set_up_folders();
    agent_path = realpath(getenv("AGENT") ? getenv("AGENT") : "boxmark-agent", NULL);
    assert_non_null(agent_path);
    setup = (struct environment_setup){.agent_path = agent_path,
                                       .data_folder = data_folder,
                                       .data_bytes = UINT64_C(16) << 20,
                                       .log_folder = log_folder,
                                       .guest_kernel = getenv("BOXMARK_TEST_KERNEL"),
                                       .start_timeout_ns = 2 * MINUTE_NS,
                                       .stop_timeout_ns = 20 * NS_PER_S,
                                       .cancel_fd = -1,
                                       .clock = &clock_monotonic};
    struct error *err = NULL;
    if (envelope_choose(0, 2, UINT64_C(256) << 20, &setup.envelope, &err) < 0)
        fail_with("envelope", err);
    struct environment *environment = make("vm");
    struct probe_result probe;
    if (environment->ops->probe(environment, &probe, &err) < 0)
        fail_with("probe", err);
    print_message("vm: %s; %s\n", probe.detail, probe.advice);
    can_run = probe.readiness != READINESS_MISSING;
    snprintf(why_not, sizeof(why_not), "%s", probe.detail);
    if (can_run && environment->ops->provision(environment, &err) < 0) {
        if (err->kind != ERROR_UNAVAILABLE)
            fail_with("provision", err);
        snprintf(why_not, sizeof(why_not), "%s", error_message(err));
        can_run = false;
        err = error_free(err);
    }
    environment_free(environment);
    usual_setup = setup;
    usual_path = strdup(getenv("PATH"));
    return usual_path ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char *slash = strrchr(data_folder, '/');
    *slash = '\0';
    assert_int_equal(file_remove_tree(data_folder, NULL), 0);
    free(data_folder);
    free(log_folder);
    free(agent_path);
    free(usual_path);
    return 0;
}

/* What a failed case may have left changed or behind. */
static int reset(void **state) {
    (void)state;
    setup = usual_setup;
    setenv("PATH", usual_path, 1);
    assert_int_equal(file_remove_tree(data_folder, NULL), 0);
    return mkdir(data_folder, 0700);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_boots_talks_and_ends, reset),
        cmocka_unit_test_setup(test_variants, reset),
        cmocka_unit_test_setup(test_a_killed_qemu_is_named, reset),
        cmocka_unit_test_setup(test_a_stopped_qemu_is_named_and_ended, reset),
        cmocka_unit_test_setup(test_a_guest_that_panics_is_named, reset),
        cmocka_unit_test_setup(test_a_guest_that_never_answers_times_out, reset),
        cmocka_unit_test_setup(test_an_interrupt_ends_the_start, reset),
        cmocka_unit_test_setup(test_qemus_that_do_not_do, reset),
        cmocka_unit_test_setup(test_impossible_combinations_are_refused, reset),
        cmocka_unit_test_setup(test_a_full_disk_and_no_memory_inside_are_named, reset),
    };
    return cmocka_run_group_tests_name("vm", tests, set_up, tear_down);
}
