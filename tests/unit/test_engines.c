// SPDX-License-Identifier: GPL-3.0-or-later
/* What all engines share: command lines from templates, the root and its archive, process trees. */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "environments/engines/engine.h"
#include "environments/owner.h"
#include "environments/process_tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct environment_setup setup;
static char *folder, *agent_path;

static struct environment *open_environment(const char *spec) {
    struct environment *environment = NULL;
    struct error *err = NULL;
    environment_new(spec, &setup, &environment, &err);
    assert_no_error(err);
    assert_int_equal(engine_open(environment, &err), 0);
    return environment;
}

static bool has_word(char **words, const char *word) {
    for (; *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static void test_templates_are_filled(void **state) {
    (void)state;
    struct environment *environment = open_environment("podman:runtime=runc");
    struct engine_world *world = environment->state;
    char name[] = "a name", data_path[] = "/data folder";
    struct engine_instance self = {.name = name, .data_path = data_path};
    const struct instance instance = {.environment = environment, .state = &self};
    char **words = NULL;
    struct error *err = NULL;
    free(world->program);
    world->program = strdup("/bin/podman");
    world->limits.memory_bytes = 0;
    engine_expand(environment, &instance, engine_of(environment)->start, &words, &err);
    assert_no_error(err);
    assert_string_equal(words[0], "/bin/podman");
    assert_string_equal(words[1], "--runtime=runc");
    /* One argument each, whatever is in it. */
    assert_true(has_word(words, "--name=a name"));
    assert_true(has_word(words, "--volume=/data folder:/data"));
    assert_true(has_word(words, "--cpuset-cpus=0"));
    /* No limit, no argument. */
    for (char **word = words; *word; word++)
        assert_null(strstr(*word, "memory"));
    engine_free_words(words);
    environment_free(environment);
}

static void test_an_engine_s_own_braces_stay(void **state) {
    (void)state;
    struct environment *environment = open_environment("docker");
    char name[] = "x";
    struct engine_instance self = {.name = name};
    const struct instance instance = {.environment = environment, .state = &self};
    char **words = NULL;
    struct error *err = NULL;
    engine_expand(environment, &instance, engine_of(environment)->pid, &words, &err);
    assert_no_error(err);
    assert_true(has_word(words, "{{.State.Pid}}"));
    assert_true(has_word(words, "x"));
    engine_free_words(words);
    engine_expand(environment, NULL, engine_of(environment)->start, &words, &err);
    assert_no_error(err);
    for (char **word = words; *word; word++)
        assert_null(strstr(*word, "--runtime"));
    engine_free_words(words);
    environment_free(environment);
}

static void test_only_named_variables_are_passed_on(void **state) {
    (void)state;
    char **variables = NULL;
    assert_int_equal(setenv("DOCKER_HOST", "unix:///nowhere", 1), 0);
    assert_int_equal(setenv("LD_PRELOAD_OF_A_USER", "x", 1), 0);
    assert_int_equal(engine_variables(&engine_docker, &variables, NULL), 0);
    assert_string_equal(variables[0], "LANG=C");
    assert_true(has_word(variables, "DOCKER_HOST=unix:///nowhere"));
    assert_false(has_word(variables, "LD_PRELOAD_OF_A_USER=x"));
    engine_free_words(variables);
    assert_int_equal(engine_variables(&engine_bwrap, &variables, NULL), 0);
    assert_null(variables[1]);
    engine_free_words(variables);
}

static void test_the_root_and_its_archive(void **state) {
    (void)state;
    struct error *err = NULL;
    char *root = text_format("%s/root", folder);
    char *tar = text_format("%s/root.tar", folder);
    uint64_t bytes = 0;
    engine_make_root(agent_path, root, &bytes, &err);
    assert_no_error(err);
    engine_make_archive(root, tar, &err);
    assert_no_error(err);
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    unsigned agents = 0, others = 0;
    archive_read_support_format_tar(archive);
    assert_int_equal(archive_read_open_filename(archive, tar, 65536), ARCHIVE_OK);
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        assert_int_equal(archive_entry_uid(entry), 0);
        assert_int_not_equal(name[0], '/');
        if (strcmp(name, "./boxmark-agent") == 0) {
            agents++;
            assert_int_equal((uint64_t)archive_entry_size(entry), bytes);
            assert_int_equal(archive_entry_perm(entry), 0755);
        } else if (archive_entry_filetype(entry) == AE_IFREG) {
            others++;
        }
    }
    archive_read_free(archive);
    assert_int_equal(agents, 1);
    /* os-release, and the empty file on which the list of CPUs is mounted */
    assert_int_equal(others, 2);
    assert_int_equal(engine_make_root(agent_path, root, &bytes, &err), -1);
    assert_error(err, ERROR_INTERNAL, "root");
    free(root);
    free(tar);
}

static void test_what_is_not_there_is_named(void **state) {
    (void)state;
    struct environment *environment = open_environment("oci:runtime=/no/such/runtime");
    struct probe_result probe;
    struct error *err = NULL;
    assert_int_equal(environment->ops->probe(environment, &probe, &err), 0);
    assert_int_equal(probe.readiness, READINESS_MISSING);
    assert_non_null(strstr(probe.detail,
                           geteuid() == 0 ? "/no/such/runtime is not installed" : "for root only"));
    assert_int_not_equal(probe.advice[0], '\0');
    environment_free(environment);
}

static void test_a_tree_of_processes(void **state) {
    (void)state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0)
            (void)!write(ready[1], "", 1);
        for (;;)
            pause();
    }
    char word;
    assert_int_equal(read(ready[0], &word, 1), 1);
    pid_t tree[8];
    assert_int_equal(process_tree(child, tree, 8), 2);
    assert_int_equal(tree[0], child);
    assert_int_equal(process_parent(tree[1]), child);
    assert_int_equal(process_parent(child), getpid());
    assert_int_equal(process_tree(child, tree, 1), 1);
    kill(tree[1], SIGKILL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(process_tree(0, tree, 8), 0);
    close(ready[0]);
    close(ready[1]);
}

/* A zombie has left nothing that it could still use. */
static void test_a_zombie_owns_nothing(void **state) {
    (void)state;
    int names[2];
    assert_int_equal(pipe(names), 0);
    pid_t child = fork();
    if (child == 0) {
        char *name = owner_make_name();
        _exit(!name || write(names[1], name, strlen(name)) < 0);
    }
    siginfo_t ended;
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    char name[128];
    ssize_t length = read(names[0], name, sizeof(name) - 1);
    assert_true(length > 0);
    name[length] = '\0';
    assert_true(owner_is_gone(name));
    waitpid(child, NULL, 0);
    assert_true(owner_is_gone(name));
    close(names[0]);
    close(names[1]);
}

static int set_up(void **state) {
    (void)state;
    char template[] = "test-engines.XXXXXX";
    folder = mkdtemp(template) ? realpath(template, NULL) : NULL;
    agent_path = realpath(getenv("AGENT") ? getenv("AGENT") : "boxmark-agent", NULL);
    setup = (struct environment_setup){.agent_path = agent_path,
                                       .start_timeout_ns = 10 * NS_PER_S,
                                       .stop_timeout_ns = 2 * NS_PER_S,
                                       .cancel_fd = -1,
                                       .clock = &clock_monotonic};
    snprintf(setup.envelope.cpu_list, sizeof(setup.envelope.cpu_list), "0");
    snprintf(setup.envelope.node_list, sizeof(setup.envelope.node_list), "0");
    setup.envelope.cpu_count = 1;
    return folder && agent_path && setenv("XDG_CACHE_HOME", folder, 1) == 0 ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    int result = file_remove_tree(folder, NULL);
    free(folder);
    free(agent_path);
    return result;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates_are_filled),
        cmocka_unit_test(test_an_engine_s_own_braces_stay),
        cmocka_unit_test(test_only_named_variables_are_passed_on),
        cmocka_unit_test(test_the_root_and_its_archive),
        cmocka_unit_test(test_what_is_not_there_is_named),
        cmocka_unit_test(test_a_tree_of_processes),
        cmocka_unit_test(test_a_zombie_owns_nothing),
    };
    return cmocka_run_group_tests_name("engines", tests, set_up, tear_down);
}
