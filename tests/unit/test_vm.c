// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Real virtual machines: a boot with every answer looked at, and guests and QEMUs that fail.
 * Skips where there is no QEMU or no guest kernel can be had.
 */
#include "bench/protocol.h"
#include "common/file.h"
#include "environments/environment.h"
#include "environments/vm/vm.h"

#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define MINUTE_NS (60 * NS_PER_S)

static struct environment_setup setup;
static char *data_folder, *log_folder, *agent_path;
static bool can_run;

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
    if (instance->channel->ops->send(instance->channel, line, length,
                                     monotonic_ns() + MINUTE_NS, &err) < 0)
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
    message_clear(&identity);
}

static void check_facts(struct instance *instance) {
    const struct environment *environment = instance->environment;
    struct error *err = NULL;
    json_auto_t *facts = json_object();
    if (environment->ops->facts(instance, facts, &err) < 0)
        fail_with("facts", err);
    assert_string_equal(json_string_value(json_object_get(facts, "qemu_accelerator")),
                        strncmp(environment->accelerator, "KVM", 3) == 0 ? "KVM" : "TCG");
    assert_true(json_is_true(json_object_get(facts, "disk_flush_offered")));
    assert_true(json_is_true(json_object_get(facts, "disk_past_host_cache")));
    json_t *pinning = json_object_get(facts, "vcpu_cpus");
    assert_int_equal(json_array_size(pinning), setup.envelope.cpu_count);
    for (unsigned i = 0; i < setup.envelope.cpu_count; i++) {
        char cpu[16];
        snprintf(cpu, sizeof(cpu), "%u", setup.envelope.cpus[i]);
        assert_string_equal(json_string_value(json_array_get(pinning, i)), cpu);
    }
    struct footprint footprint;
    assert_int_equal(environment->ops->footprint(instance, &footprint, NULL), 0);
    assert_true(footprint.image_bytes > setup.data_bytes);
    assert_true(footprint.resident_bytes > 0 && footprint.resident_bytes != FOOTPRINT_UNKNOWN);
    assert_true(footprint.cpu_ns > 0);
}

/* Boots a variant, talks to it, ends it. */
static void run_variant(const char *spec) {
    struct environment *environment = make_provisioned(spec);
    struct instance *instance = start(environment);
    expect(instance, MESSAGE_HELLO);
    check_identity(instance);
    check_facts(instance);
    send_message(instance, &(struct message){.type = MESSAGE_RUN,
                                             .id = 2,
                                             .name = "null",
                                             .object = json_object()});
    expect(instance, MESSAGE_BEGIN);
    expect(instance, MESSAGE_END);
    send_message(instance, &(struct message){.type = MESSAGE_QUIT, .id = 3});
    expect(instance, MESSAGE_END);
    pid_t qemu = instance->pid;
    stop(instance);
    for (unsigned i = 1; i < STAMPS; i++) {
        if (instance->stamps[i] < instance->stamps[i - 1])
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
        skip();
    run_variant("vm");
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
    agent_path = realpath("boxmark-agent", NULL);
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
    if (can_run && environment->ops->provision(environment, &err) < 0) {
        if (err->kind != ERROR_UNAVAILABLE)
            fail_with("provision", err);
        print_message("skipping: %s\n", error_message(err));
        can_run = false;
        err = error_free(err);
    }
    environment->ops->describe(environment, stdout, &err);
    environment_free(environment);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char *slash = strrchr(data_folder, '/');
    *slash = '\0';
    assert_int_equal(file_remove_tree(data_folder, NULL), 0);
    free(data_folder);
    free(log_folder);
    free(agent_path);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boots_talks_and_ends),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
