// SPDX-License-Identifier: GPL-3.0-or-later
/* Any machine over a command: words, files that define environments, and real local commands. */
#include "tests/unit/unit.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "environments/command/words.h"
#include "environments/definition.h"
#include "environments/environment.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MINUTE_NS (60 * NS_PER_S)

static char scratch[] = "/tmp/boxmark-command.XXXXXX";
static struct environment_setup setup;

/* ---- words ---- */

static void assert_words(const char *text, const char *joined) {
    struct error *err = NULL;
    cleanup_words char **words = NULL;
    words_split(text, &words, &err);
    assert_no_error(err);
    char line[256] = "";
    for (char **word = words; *word; word++)
        snprintf(line + strlen(line), sizeof(line) - strlen(line), "[%s]", *word);
    assert_string_equal(line, joined);
}

static void words_are_split_like_a_shells(void **state) {
    (void)state;
    assert_words("ssh guest1 /tmp/agent", "[ssh][guest1][/tmp/agent]");
    assert_words("  a \t b  ", "[a][b]");
    assert_words("a '' \"\" b", "[a][][][b]");
    assert_words("sh -c 'a; \"b\" $c'", "[sh][-c][a; \"b\" $c]");
    assert_words("sh -c \"a; 'b' \\\"c\\\" \\\\ \\n $d\"", "[sh][-c][a; 'b' \"c\" \\ \\n $d]");
    assert_words("a\\ b c\\'d e'f'\"g\"h", "[a b][c'd][efgh]");
    assert_words("a|b >c *", "[a|b][>c][*]");
}

static void a_line_that_is_shown_reads_back(void **state) {
    (void)state;
    static const char text[] = "x '' 'a b' \"it's \\\"\\\\\" '\n' '\\'";
    struct error *err = NULL;
    cleanup_words char **words = NULL;
    assert_words(text, "[x][][a b][it's \"\\][\n][\\]");
    words_split(text, &words, &err);
    assert_no_error(err);
    cleanup_free char *line = words_join(words);
    assert_string_equal(line, text);
}

static void unclosed_quotes_are_refused_with_their_place(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"sh -c 'a b", "the quote ' at character 7 does not close: 'a b"},
        {"a \"b 'c'", "the quote \" at character 3"},
        {"a 'b' \"c\\\"", "the quote \" at character 7"},
        {"a \\", "ends in a backslash"},
        {"", "no command"},
        {"  ", "no command"},
        {"'' a", "no command"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error *err = NULL;
        char **words = NULL;
        assert_int_equal(words_split(cases[i].text, &words, &err), -1);
        assert_null(words);
        assert_error(err, ERROR_USAGE, cases[i].message);
    }
}

static void placeholders_are_filled_after_splitting(void **state) {
    (void)state;
    static const struct placeholder placeholders[] = {
        {"agent", "/a b/agent"}, {"cpus", "2"}, {"data", NULL}, {NULL, NULL}};
    struct error *err = NULL;
    cleanup_words char **words = NULL, **filled = NULL, **none = NULL;
    words_split("run {agent} --cpus={cpus}{cpus} ${agent} '{ agent }' {AGENT} {}", &words, &err);
    assert_no_error(err);
    assert_true(words_hold(words, "agent"));
    assert_false(words_hold(words, "data"));
    words_fill(words, placeholders, &filled, &err);
    assert_no_error(err);
    static const char *const expected[] = {"run",       "/a b/agent", "--cpus=22", "${agent}",
                                           "{ agent }", "{AGENT}",    "{}",        NULL};
    for (unsigned i = 0; expected[i]; i++)
        assert_string_equal(filled[i], expected[i]);
    words_free(words);
    words_split("run {agnet}", &words, &err);
    assert_int_equal(words_fill(words, placeholders, &none, &err), -1);
    assert_string_equal(err->advice, "did you mean \"agent\"?");
    assert_error(err, ERROR_USAGE, "unknown placeholder \"agnet\"");
    words_free(words);
    words_split("run {data}", &words, &err);
    assert_int_equal(words_fill(words, placeholders, &none, &err), -1);
    assert_error(err, ERROR_USAGE, "{data} has no meaning");
}

/* ---- environments in files ---- */

static void write_definition(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof(path), "%s/boxmark/environments.d", scratch);
    assert_int_equal(file_make_folders(path, 0755, NULL), 0);
    snprintf(path, sizeof(path), "%s/boxmark/environments.d/%s", scratch, name);
    assert_int_equal(file_replace(path, text, strlen(text), NULL), 0);
}

static void a_file_defines_an_environment(void **state) {
    (void)state;
    struct error *err = NULL;
    struct environment *environment = NULL;
    write_definition("guest1.ini", "[command]\nexec = ssh guest1 {agent}\nstop = true\n");
    environment_new("guest1", &setup, &environment, &err);
    assert_no_error(err);
    assert_ptr_equal(environment->ops, &environment_command);
    assert_string_equal(environment->label, "guest1");
    assert_string_equal(environment_value(environment, "exec"), "ssh guest1 {agent}");
    environment_free(environment);
    environment_new("guest1:label=first,stop=false", &setup, &environment, &err);
    assert_no_error(err);
    assert_string_equal(environment->label, "first");
    assert_string_equal(environment_value(environment, "stop"), "false");
    assert_string_equal(environment_value(environment, "exec"), "ssh guest1 {agent}");
    environment_free(environment);
    write_definition("fast.ini", "[container]\nseccomp = off\n");
    environment_new("fast", &setup, &environment, &err);
    assert_no_error(err);
    assert_ptr_equal(environment->ops, &environment_container);
    assert_false(environment_is_on(environment, "seccomp"));
    environment_free(environment);
    struct definitions definitions;
    assert_int_equal(definitions_find(&definitions, NULL), 0);
    assert_int_equal(definitions.count, 2);
    assert_string_equal(definitions.entries[0].name, "fast");
    assert_string_equal(definitions.entries[1].name, "guest1");
    definitions_clear(&definitions);
}

static void errors_in_files_name_file_line_and_key(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[command]\nexek = a\n", "bad.ini, line 2, key \"exek\": unknown key"},
        {"[command]\n\nexec = sh -c 'a\n",
         "bad.ini, line 3, key \"exec\": the quote ' at character 7 does not close"},
        {"[command]\nexec = {agnet}\n", "bad.ini, line 2, key \"exec\": unknown placeholder"},
        {"[command]\nexec = a\nlabel =\n", "bad.ini, line 3, key \"label\": a label"},
        {"[command]\nexec = a\nlabel = host\n", "bad.ini, line 3, key \"label\": \"host\" is"},
        {"[command]\nexec = a\nexec = b\n", "bad.ini, line 3, key \"exec\": it stands there twice"},
        {"exec = a\n", "bad.ini, line 1, key \"exec\": it stands before"},
        {"[commando]\nexec = a\n", "bad.ini, line 2, key \"exec\": [commando] is no kind"},
        {"[command]\nexec = a\n[vm]\ncpu = host\n", "bad.ini, line 4, key \"cpu\": [vm] behind"},
        {"[vm]\ncpu = hots\n", "bad.ini, line 2, key \"cpu\": \"cpu\": unknown value"},
        {"[command]\nnonsense\n", "bad.ini, line 2: neither"},
        {"", "bad.ini: it describes no environment"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error *err = NULL;
        struct environment *environment = NULL;
        write_definition("bad.ini", cases[i].text);
        assert_int_equal(environment_new("bad", &setup, &environment, &err), -1);
        assert_error(err, ERROR_USAGE, cases[i].message);
    }
}

static void unknown_names_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"guest2", "../guest1", "/etc/passwd", ".", "a/b"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct error *err = NULL;
        struct environment *environment = NULL;
        assert_int_equal(environment_new(names[i], &setup, &environment, &err), -1);
        assert_error(err, ERROR_USAGE, "unknown environment");
    }
}

/* ---- instances ---- */

static struct environment *make(const char *exec, const char *more) {
    struct environment *environment = NULL;
    struct error *err = NULL;
    cleanup_free char *spec =
        text_format("command:label=test,%s%sexec=%s", more, *more ? "," : "", exec);
    environment_new(spec, &setup, &environment, &err);
    assert_no_error(err);
    environment->ops->provision(environment, &err);
    assert_no_error(err);
    return environment;
}

static struct instance *start(struct environment *environment) {
    struct instance *instance = NULL;
    struct error *err = NULL;
    environment->ops->start(environment, &instance, &err);
    assert_no_error(err);
    return instance;
}

static void ask(struct instance *instance, enum message_type type) {
    struct message request = {.type = type, .id = 1};
    struct error *err = NULL;
    char *line = NULL;
    size_t length;
    message_format(&request, &line, &length, &err);
    assert_no_error(err);
    instance->channel->ops->send(instance->channel, line, length, monotonic_ns() + MINUTE_NS, &err);
    assert_no_error(err);
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

static void assert_nothing_left(pid_t session) {
    DIR *dir = opendir("/proc");
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        char path[64];
        if (pid <= 0 || session <= 0 || getsid(pid) != session)
            continue;
        /* What was killed may still wait for its parent. */
        snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
        for (unsigned tries = 0; tries < 500 && access(path, F_OK) == 0; tries++)
            usleep(10000);
        if (access(path, F_OK) == 0)
            fail_msg("process %d is left", (int)pid);
    }
    closedir(dir);
    dir = opendir(setup.data_folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            fail_msg("%s was left in the data folder", entry->d_name);
    closedir(dir);
}

static void stop(struct instance *instance, const char *expected) {
    struct error *err = NULL;
    pid_t pid = instance->pid;
    instance->environment->ops->stop(instance, &err);
    if (expected)
        assert_error(err, err ? err->kind : ERROR_INTERNAL, expected);
    assert_no_error(err);
    instance_free(instance);
    assert_nothing_left(pid);
}

static void refuse_start(const char *exec, const char *more, const char *message) {
    struct environment *environment = make(exec, more);
    struct instance *instance = NULL;
    struct error *err = NULL;
    assert_int_equal(environment->ops->start(environment, &instance, &err), -1);
    assert_non_null(err);
    if (!strstr(error_message(err), message) && !(err->advice && strstr(err->advice, message)))
        fail_msg("\"%s\" (%s) does not hold \"%s\"", error_message(err), err->advice, message);
    error_free(err);
    environment_free(environment);
    assert_nothing_left(0);
}

static void a_local_command_works_and_is_held(void **state) {
    (void)state;
    struct environment *environment = make("{agent} --data {data}", "");
    struct instance *instance = start(environment);
    struct message identity = {0};
    char hash[65];
    assert_non_null(instance->data_path);
    expect_only(instance, MESSAGE_HELLO);
    ask(instance, MESSAGE_IDENTIFY);
    expect(instance, MESSAGE_IDENTITY, &identity);
    assert_int_equal(file_sha256(setup.agent_path, hash, NULL), 0);
    assert_string_equal(identity.text, hash);
    message_clear(&identity);
    assert_true(instance->stamps[STAMP_HELPER_ALIVE] >= instance->stamps[STAMP_LAUNCH]);
    assert_true(instance->stamps[STAMP_AGENT_READY] >= instance->stamps[STAMP_HELPER_ALIVE]);
    assert_int_equal(instance->stamps[STAMP_USER_INSTRUCTION], 0);
    json_t *facts = json_object();
    assert_int_equal(environment->ops->facts(instance, facts, NULL), 0);
    assert_true(json_is_false(json_object_get(facts, "out_of_reach")));
    assert_non_null(json_object_get(facts, "cpus_allowed"));
    json_decref(facts);
    struct footprint footprint;
    assert_int_equal(environment->ops->footprint(instance, &footprint, NULL), 0);
    assert_true(footprint.cpu_ns != FOOTPRINT_UNKNOWN);
    ask(instance, MESSAGE_QUIT);
    expect_only(instance, MESSAGE_END);
    stop(instance, NULL);
    environment_free(environment);
}

static void another_program_is_out_of_reach(void **state) {
    (void)state;
    char command[512];
    /* A copy is another file: as far as boxmark knows it may run anywhere. */
    snprintf(command, sizeof(command), "%s/copy", scratch);
    cleanup_free char *copy = text_format("copy=cp {agent} %s", command);
    struct environment *environment = make(command, copy);
    struct instance *instance = start(environment);
    json_t *facts = json_object();
    assert_int_equal(environment->ops->facts(instance, facts, NULL), 0);
    assert_true(json_is_true(json_object_get(facts, "out_of_reach")));
    assert_null(json_object_get(facts, "cpus_allowed"));
    json_decref(facts);
    struct footprint footprint;
    assert_int_equal(environment->ops->footprint(instance, &footprint, NULL), 0);
    assert_true(footprint.cpu_ns == FOOTPRINT_UNKNOWN);
    stop(instance, NULL);
    environment_free(environment);
}

static void noise_before_the_first_line_is_passed_over(void **state) {
    (void)state;
    struct environment *environment = make(
        "\"sh -c 'echo Welcome, friend; echo; echo \\\"{}\\\"; printf \\\"$ \\\"; echo oops >&2; "
        "exec {agent}'\"",
        "");
    struct instance *instance = start(environment);
    expect_only(instance, MESSAGE_HELLO);
    json_t *facts = json_object();
    environment->ops->facts(instance, facts, NULL);
    assert_string_equal(json_string_value(json_object_get(facts, "noise")), "Welcome, friend | {}");
    json_decref(facts);
    ask(instance, MESSAGE_QUIT);
    expect_only(instance, MESSAGE_END);
    stop(instance, NULL);
    environment_free(environment);
}

static void what_fails_is_said(void **state) {
    (void)state;
    char path[256], advice[300];
    refuse_start("boxmark-no-such-program", "", "boxmark-no-such-program does not exist");
    refuse_start("/nonexistent/agent", "", "executing it: No such file");
    refuse_start("sh -c 'echo Good day; echo ouch >&2; exit 3'", "",
                 "exited with status 3; its last words: ouch; before an agent spoke it printed: "
                 "Good day");
    refuse_start("sh -c /nonexistent/agent", "", "no such program on the other side");
    snprintf(path, sizeof(path), "%s/not-a-program", scratch);
    assert_int_equal(file_replace(path, "\177ELF nonsense", 13, NULL), 0);
    refuse_start(path, "", "executable (chmod +x)");
    cleanup_free char *remote = text_format("sh -c %s", path);
    refuse_start(remote, "", "may not be executed");
    assert_int_equal(chmod(path, 0755), 0);
    snprintf(advice, sizeof(advice), "%s is not a program for this machine", path);
    refuse_start(path, "", advice);
    refuse_start("bash --norc -c \"exec 2>&1; 'kill' -9 $$\"", "", "was killed by signal 9");
    refuse_start("{agent}", "start=sh -c 'echo no; exit 1'", "\"start\": ");
    refuse_start("yes", "", "no agent speaks in the first");
    refuse_start("cat /dev/zero", "", "a line of more than");
    refuse_start("false", "start=boxmark-no-such-program", "is not installed");
}

static void hanging_commands_are_ended(void **state) {
    (void)state;
    uint64_t start_ns = setup.start_timeout_ns, stop_ns = setup.stop_timeout_ns;
    setup.start_timeout_ns = NS_PER_S;
    setup.stop_timeout_ns = 200 * NS_PER_MS;
    refuse_start("sleep 100", "", "was not ready within 1.0 s");
    refuse_start("sh -c 'sleep 100 & exit 2'", "", "exited with status 2");
    refuse_start("{agent}", "start=sleep 100", "did not end within 1 s");
    struct environment *environment = make("\"sh -c '{agent}; sleep 100'\"", "stop=sleep 100");
    struct instance *instance = start(environment);
    stop(instance, "did not end by itself, and was killed");
    environment_free(environment);
    environment = make("{agent}", "stop=sleep 100");
    stop(start(environment), "\"stop\": sleep did not end within 1 s");
    environment_free(environment);
    setup.start_timeout_ns = start_ns;
    setup.stop_timeout_ns = stop_ns;
}

static void a_lost_channel_is_diagnosed(void **state) {
    (void)state;
    struct environment *environment = make("{agent}", "");
    struct instance *instance = start(environment);
    char *line;
    expect_only(instance, MESSAGE_HELLO);
    kill(instance->pid, SIGKILL);
    assert_int_equal(instance->channel->ops->receive(instance->channel, monotonic_ns() + MINUTE_NS,
                                                     &line, NULL, NULL, NULL),
                     0);
    cleanup_free char *diagnosis = environment->ops->diagnose(instance);
    assert_non_null(diagnosis);
    assert_non_null(strstr(diagnosis, "killed by signal 9"));
    stop(instance, NULL);
    environment_free(environment);
}

static void start_and_stop_are_run_in_order(void **state) {
    (void)state;
    char log[256], more[1024];
    cleanup_free char *text = NULL;
    snprintf(log, sizeof(log), "%s/log", scratch);
    snprintf(more, sizeof(more),
             "copy=sh -c 'echo copy >>%s',start=sh -c 'echo start {cpus} {memory_mib} {cpu_list} "
             ">>%s',stop=sh -c 'echo stop >>%s'",
             log, log, log);
    struct environment *environment = make("{agent}", more);
    for (unsigned i = 0; i < 2; i++)
        stop(start(environment), NULL);
    environment_free(environment);
    environment = make("false", more);
    struct instance *instance = NULL;
    assert_int_equal(environment->ops->start(environment, &instance, NULL), -1);
    environment_free(environment);
    assert_int_equal(file_read(log, &text, NULL, NULL), 0);
    cleanup_free char *up = text_format("start %u %llu %s\nstop\n", setup.envelope.cpu_count,
                                        (unsigned long long)(setup.envelope.memory_bytes >> 20),
                                        setup.envelope.cpu_list);
    cleanup_free char *expected = text_format("copy\n%s%scopy\n%s", up, up, up);
    assert_string_equal(text, expected);
}

static void probe_says_what_is_missing(void **state) {
    (void)state;
    static const struct {
        const char *spec;
        enum readiness readiness;
        const char *detail;
    } cases[] = {
        {"command", READINESS_MISSING, "needs a command"},
        {"command:exec=boxmark-no-such-program x", READINESS_MISSING,
         "\"exec\": the program boxmark-no-such-program does not exist"},
        {"command:exec={agent},stop=/nonexistent/x", READINESS_MISSING, "\"stop\": the program"},
        {"command:exec={agent} --data {data}", READINESS_READY, "{agent} --data {data}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct environment *environment = NULL;
        struct error *err = NULL;
        struct probe_result result;
        environment_new(cases[i].spec, &setup, &environment, &err);
        assert_no_error(err);
        assert_int_equal(environment->ops->probe(environment, &result, &err), 0);
        assert_int_equal(result.readiness, cases[i].readiness);
        if (!strstr(result.detail, cases[i].detail))
            fail_msg("\"%s\" does not hold \"%s\"", result.detail, cases[i].detail);
        environment_free(environment);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_like_a_shells),
        cmocka_unit_test(a_line_that_is_shown_reads_back),
        cmocka_unit_test(unclosed_quotes_are_refused_with_their_place),
        cmocka_unit_test(placeholders_are_filled_after_splitting),
        cmocka_unit_test(a_file_defines_an_environment),
        cmocka_unit_test(errors_in_files_name_file_line_and_key),
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(a_local_command_works_and_is_held),
        cmocka_unit_test(another_program_is_out_of_reach),
        cmocka_unit_test(noise_before_the_first_line_is_passed_over),
        cmocka_unit_test(what_fails_is_said),
        cmocka_unit_test(hanging_commands_are_ended),
        cmocka_unit_test(a_lost_channel_is_diagnosed),
        cmocka_unit_test(start_and_stop_are_run_in_order),
        cmocka_unit_test(probe_says_what_is_missing),
    };
    char data[64];
    if (!mkdtemp(scratch) || envelope_choose(0, 2, UINT64_C(256) << 20, &setup.envelope, NULL) < 0)
        return 1;
    snprintf(data, sizeof(data), "%s/data", scratch);
    mkdir(data, 0700);
    setenv("XDG_CONFIG_HOME", scratch, 1);
    setup.agent_path = getenv("AGENT") ? getenv("AGENT") : "boxmark-agent";
    setup.data_folder = data;
    setup.start_timeout_ns = MINUTE_NS;
    setup.stop_timeout_ns = 10 * NS_PER_S;
    setup.cancel_fd = -1;
    setup.clock = &clock_monotonic;
    signal(SIGPIPE, SIG_IGN);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    file_remove_tree(scratch, NULL);
    return failed;
}
