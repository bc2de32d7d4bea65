// SPDX-License-Identifier: GPL-3.0-or-later
/* Real user-mode Linux; skips where it is not installed. */
#include "tests/unit/unit.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "environments/environment.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

#define MINUTE_NS (60 * NS_PER_S)

static struct environment_setup setup;
static struct environment *environment;
static char *folder, *data_folder, *agent_path;
static bool can_run;

static struct instance *start(void) {
    struct instance *instance = NULL;
    struct error *err = NULL;
    environment->ops->start(environment, &instance, &err);
    assert_no_error(err);
    return instance;
}

static void ask(struct instance *instance, enum message_type type, const char *name) {
    struct message request = {.type = type, .id = 1};
    struct error *err = NULL;
    char *line = NULL;
    size_t length;
    snprintf(request.name, sizeof(request.name), "%s", name);
    if (type == MESSAGE_RUN)
        request.object = json_object();
    message_format(&request, &line, &length, &err);
    assert_no_error(err);
    instance->channel->ops->send(instance->channel, line, length, monotonic_ns() + MINUTE_NS, &err);
    assert_no_error(err);
    message_clear(&request);
    free(line);
}

static void expect(struct instance *instance, enum message_type type, struct message *message) {
    struct error *err = NULL;
    char *line = NULL;
    size_t length = 0;
    instance->channel->ops->receive(instance->channel, monotonic_ns() + MINUTE_NS, &line, &length,
                                    NULL, &err);
    assert_no_error(err);
    assert_non_null(line);
    message_parse(line, length, message, &err);
    assert_no_error(err);
    assert_int_equal(message->type, type);
}

static void expect_only(struct instance *instance, enum message_type type) {
    struct message message = {0};
    expect(instance, type, &message);
    message_clear(&message);
}

/* Is it there and not about to go? One that nobody has waited for yet is dead all the same. */
static bool lives(pid_t pid) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    bool alive = true;
    /* A killed process takes its time. */
    for (unsigned tries = 0; alive && tries < 500; tries++) {
        char *line = file_read_line(path);
        const char *state = line ? strrchr(line, ')') : NULL;
        alive = state && state[2] != 'Z' && state[2] != 'X';
        free(line);
        if (alive)
            usleep(10000);
    }
    return alive;
}

/* No process of its session, none of its files. */
static void assert_nothing_left(pid_t session) {
    DIR *dir = opendir("/proc");
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid > 0 && getsid(pid) == session && lives(pid))
            fail_msg("process %d is left", (int)pid);
    }
    closedir(dir);
    dir = opendir(data_folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            fail_msg("%s was left in the data folder", entry->d_name);
    closedir(dir);
}

static void stop(struct instance *instance) {
    struct error *err = NULL;
    pid_t pid = instance->pid;
    environment->ops->stop(instance, &err);
    assert_no_error(err);
    instance_free(instance);
    assert_nothing_left(pid);
}

static void test_boots_talks_and_ends(void **state) {
    (void)state;
    if (!can_run)
        skip_because("user-mode Linux is not installed");
    struct instance *instance = start();
    struct message identity = {0};
    char hash[65];
    expect_only(instance, MESSAGE_HELLO);
    ask(instance, MESSAGE_IDENTIFY, "");
    expect(instance, MESSAGE_IDENTITY, &identity);
    assert_int_equal(file_sha256(agent_path, hash, NULL), 0);
    assert_string_equal(identity.text, hash);
    assert_int_equal(json_integer_value(json_object_get(identity.object, "cpus_online")), 1);
    message_clear(&identity);
    ask(instance, MESSAGE_RUN, "null");
    expect_only(instance, MESSAGE_BEGIN);
    expect_only(instance, MESSAGE_END);
    struct footprint footprint;
    assert_int_equal(environment->ops->footprint(instance, &footprint, NULL), 0);
    assert_true(footprint.cpu_ns > 0 && footprint.cpu_ns != FOOTPRINT_UNKNOWN);
    assert_true(footprint.image_bytes > setup.data_bytes);
    assert_true(footprint.guest_bytes > UINT64_C(4) << 20);
    assert_true(footprint.guest_bytes < footprint.resident_bytes);
    for (unsigned i = STAMP_LAUNCH + 1; i <= STAMP_AGENT_READY; i++)
        assert_true(instance->stamps[i] >= instance->stamps[STAMP_LAUNCH]);
    ask(instance, MESSAGE_QUIT, "");
    expect_only(instance, MESSAGE_END);
    stop(instance);
}

static void test_a_killed_one_is_named(void **state) {
    (void)state;
    if (!can_run)
        skip_because("user-mode Linux is not installed");
    struct instance *instance = start();
    expect_only(instance, MESSAGE_HELLO);
    assert_int_equal(kill(instance->pid, SIGKILL), 0);
    char *diagnosis = environment->ops->diagnose(instance);
    assert_non_null(strstr(diagnosis, "was killed by signal 9"));
    free(diagnosis);
    stop(instance);
}

static void test_a_stopped_one_is_ended(void **state) {
    (void)state;
    if (!can_run)
        skip_because("user-mode Linux is not installed");
    struct instance *instance = start();
    setup.stop_timeout_ns = NS_PER_S;
    assert_int_equal(kill(instance->pid, SIGSTOP), 0);
    stop(instance);
}

static void test_a_panic_is_named(void **state) {
    (void)state;
    if (!can_run)
        skip_because("user-mode Linux is not installed");
    char *no_program = text_format("%s/no-program", folder);
    assert_int_equal(file_replace(no_program, "nothing\n", 8, NULL), 0);
    setup.agent_path = no_program;
    struct error *err = NULL;
    struct instance *instance = NULL;
    environment->ops->provision(environment, &err);
    assert_no_error(err);
    assert_int_equal(environment->ops->start(environment, &instance, &err), -1);
    assert_error(err, ERROR_CLOSED, "Kernel panic");
    free(no_program);
    setup.agent_path = agent_path;
}

static void test_what_it_cannot_do_is_refused(void **state) {
    (void)state;
    struct probe_result probe;
    struct error *err = NULL;
    setup.envelope.cpu_count = 2;
    assert_int_equal(environment->ops->probe(environment, &probe, NULL), 0);
    assert_int_not_equal(probe.readiness, READINESS_READY);
    if (!can_run)
        skip_because("the rest needs user-mode Linux");
    setup.data_folder = "/data with blanks";
    assert_int_equal(environment->ops->provision(environment, &err), -1);
    assert_error(err, ERROR_UNAVAILABLE, "because of its name");
}

static int set_up(void **state) {
    (void)state;
    char template[] = "test-uml.XXXXXX";
    folder = mkdtemp(template) ? realpath(template, NULL) : NULL;
    data_folder = folder ? text_format("%s/data", folder) : NULL;
    agent_path = realpath(getenv("AGENT") ? getenv("AGENT") : "boxmark-agent", NULL);
    return data_folder && agent_path && setenv("XDG_CACHE_HOME", folder, 1) == 0 ? 0 : -1;
}

/* Everything as usual again before each case. */
static int reset(void **state) {
    (void)state;
    struct error *err = NULL;
    setup = (struct environment_setup){.agent_path = agent_path,
                                       .data_folder = data_folder,
                                       .data_bytes = UINT64_C(16) << 20,
                                       .log_folder = folder,
                                       .start_timeout_ns = 2 * MINUTE_NS,
                                       .stop_timeout_ns = 20 * NS_PER_S,
                                       .cancel_fd = -1,
                                       .clock = &clock_monotonic};
    environment_free(environment);
    environment = NULL;
    if (file_remove_tree(data_folder, NULL) < 0 || mkdir(data_folder, 0700) < 0 ||
        envelope_choose(1, 1, UINT64_C(256) << 20, &setup.envelope, &err) < 0 ||
        environment_new("uml", &setup, &environment, &err) < 0)
        return -1;
    can_run = environment->ops->provision(environment, &err) == 0;
    bool missing = err && err->kind == ERROR_UNAVAILABLE;
    error_free(err);
    return can_run || missing ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    environment_free(environment);
    int result = file_remove_tree(folder, NULL);
    free(folder);
    free(data_folder);
    free(agent_path);
    return result;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_boots_talks_and_ends, reset),
        cmocka_unit_test_setup(test_a_killed_one_is_named, reset),
        cmocka_unit_test_setup(test_a_stopped_one_is_ended, reset),
        cmocka_unit_test_setup(test_a_panic_is_named, reset),
        cmocka_unit_test_setup(test_what_it_cannot_do_is_refused, reset),
    };
    return cmocka_run_group_tests_name("uml", tests, set_up, tear_down);
}
