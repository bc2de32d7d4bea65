// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The built-in container for real: with the agent inside, and with an attacker in its place
 * (tests/tools/attacker.c). As root, everything is then done once more by an ordinary user.
 */
#include "tests/unit/unit.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "environments/environment.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY 65534
#define WAIT_NS (30 * NS_PER_S)

struct fixture {
    char folder[64];
    char *data_folder, *agent_path, *attacker_path;
    struct environment_setup setup;
};

/* Of the mounts that this process sees; those of others come and go. */
static bool has_mount_below(const char *folder) {
    cleanup_free char *text = NULL;
    return file_read("/proc/self/mountinfo", &text, NULL, NULL) < 0 || strstr(text, folder);
}

static unsigned count_entries(const char *path) {
    cleanup_dir DIR *dir = opendir(path);
    unsigned count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    return count;
}

static char *built_program(const char *variable, const char *name) {
    const char *given = variable ? getenv(variable) : NULL;
    const char *build = getenv("BUILDDIR");
    return given ? strdup(given) : text_format("%s/%s", build ? build : ".", name);
}

static void nothing_said(void *cookie, const char *text) {
    (void)cookie;
    (void)text;
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    strcpy(fixture->folder, "/tmp/boxmark-test.XXXXXX");
    if (!mkdtemp(fixture->folder))
        return -1;
    fixture->data_folder = text_format("%s/data", fixture->folder);
    fixture->agent_path = built_program("AGENT", "boxmark-agent");
    fixture->attacker_path = built_program("ATTACKER", "tests/tools/attacker");
    fixture->setup = (struct environment_setup){
        .agent_path = fixture->agent_path,
        .data_folder = fixture->data_folder,
        .start_timeout_ns = WAIT_NS,
        .stop_timeout_ns = 5 * NS_PER_S,
        .cancel_fd = -1,
        .clock = &clock_monotonic,
        .say = nothing_said,
    };
    *state = fixture;
    if (mkdir(fixture->data_folder, 0755) < 0)
        return -1;
    return envelope_choose(1, 1, UINT64_C(192) << 20, &fixture->setup.envelope, NULL);
}

/* Between start and stop; a test that failed leaves it to the teardown. */
static struct instance *running;

/* Whatever the test did, nothing of it is left. */
static int tear_down(void **state) {
    struct fixture *fixture = *state;
    int result = 0;
    if (running) {
        struct environment *environment = running->environment;
        environment->ops->stop(running, NULL);
        running = instance_free(running);
        environment_free(environment);
    }
    if (count_entries(fixture->data_folder) != 0) {
        print_error("something is left in the data folder\n");
        result = -1;
    }
    if (has_mount_below(fixture->folder)) {
        print_error("a mount is left\n");
        result = -1;
    }
    if (waitpid(-1, NULL, WNOHANG) != -1) {
        print_error("a child is left\n");
        result = -1;
    }
    file_remove_tree(fixture->folder, NULL);
    free(fixture->data_folder);
    free(fixture->agent_path);
    free(fixture->attacker_path);
    free(fixture);
    return result;
}

static struct environment *open_environment(struct fixture *fixture, const char *spec) {
    struct environment *environment = NULL;
    struct probe_result probe;
    struct error *err = NULL;
    environment_new(spec, &fixture->setup, &environment, &err);
    assert_no_error(err);
    environment->ops->probe(environment, &probe, &err);
    assert_no_error(err);
    if (probe.readiness == READINESS_MISSING) {
        environment_free(environment);
        skip_because("%s (%s)", probe.detail, probe.advice);
    }
    environment->ops->provision(environment, &err);
    assert_no_error(err);
    return environment;
}

static struct instance *start(struct environment *environment) {
    struct instance *instance = NULL;
    struct error *err = NULL;
    environment->ops->start(environment, &instance, &err);
    assert_no_error(err);
    assert_non_null(instance);
    running = instance;
    return instance;
}

/* The folders of the cgroups that a process is in and that bear our name. */
static unsigned own_cgroups(pid_t pid) {
    char path[64];
    cleanup_free char *text = NULL;
    unsigned count = 0;
    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    if (file_read(path, &text, NULL, NULL) < 0)
        return 0;
    for (const char *at = text; (at = strstr(at, "/boxmark-")); at++)
        count++;
    return count;
}

static void stop(struct instance *instance) {
    struct error *err = NULL;
    struct environment *environment = instance->environment;
    pid_t pid = instance->pid;
    running = NULL;
    environment->ops->stop(instance, &err);
    assert_no_error(err);
    assert_true(instance->stamps[STAMP_STOP_REQUESTED] <= instance->stamps[STAMP_REAPED]);
    assert_true(instance->stamps[STAMP_REAPED] <= instance->stamps[STAMP_CLEANED]);
    assert_int_equal(kill(pid, 0), -1);
    instance_free(instance);
    environment_free(environment);
}

/* ---- talking ---- */

static void send_line(struct instance *instance, const char *line) {
    struct error *err = NULL;
    instance->channel->ops->send(instance->channel, line, strlen(line),
                                 deadline_after(monotonic_ns(), WAIT_NS), &err);
    assert_no_error(err);
}

/* The next line; NULL at the end. */
static char *next_line(struct instance *instance) {
    struct error *err = NULL;
    char *line;
    size_t length;
    int got = instance->channel->ops->receive(
        instance->channel, deadline_after(monotonic_ns(), WAIT_NS), &line, &length, NULL, &err);
    if (got < 0)
        error_free(err);
    return got > 0 ? line : NULL;
}

static void receive(struct instance *instance, enum message_type type,
                    struct message *ret_message) {
    struct error *err = NULL;
    char *line = next_line(instance);
    assert_non_null(line);
    message_parse(line, strlen(line), ret_message, &err);
    assert_no_error(err);
    assert_string_equal(message_type_name(ret_message->type), message_type_name(type));
}

static void request(struct instance *instance, const struct message *message) {
    cleanup_free char *line = NULL;
    size_t length;
    assert_int_equal(message_format(message, &line, &length, NULL), 0);
    send_line(instance, line);
}

static const char *fact(const json_t *facts, const char *key) {
    const char *text = json_string_value(json_object_get(facts, key));
    return text ? text : "";
}

/* ---- with the agent ---- */

static void check_stamps(const struct instance *instance) {
    assert_true(instance->stamps[STAMP_LAUNCH] > 0);
    assert_true(instance->stamps[STAMP_LAUNCH] <= instance->stamps[STAMP_HELPER_ALIVE]);
    assert_true(instance->stamps[STAMP_HELPER_ALIVE] <= instance->stamps[STAMP_USER_INSTRUCTION]);
    assert_true(instance->stamps[STAMP_HELPER_ALIVE] <= instance->stamps[STAMP_AGENT_READY]);
    assert_int_equal(instance->stamps[STAMP_KERNEL_ENTERED], 0);
}

static void talk_to_the_agent(struct fixture *fixture, struct instance *instance, bool seccomp) {
    char hash[65];
    assert_int_equal(file_sha256(fixture->agent_path, hash, NULL), 0);
    cleanup_message struct message hello = {.type = MESSAGE_QUIT};
    receive(instance, MESSAGE_HELLO, &hello);
    request(instance, &(struct message){.type = MESSAGE_IDENTIFY, .id = 1});
    cleanup_message struct message identity = {.type = MESSAGE_QUIT};
    receive(instance, MESSAGE_IDENTITY, &identity);
    assert_string_equal(identity.text, hash);
    assert_string_equal(fact(identity.object, "hostname"), "boxmark");
    assert_string_equal(fact(identity.object, "capabilities"), "0000000000000000");
    assert_string_equal(fact(identity.object, "no_new_privs"), "1");
    assert_string_equal(fact(identity.object, "seccomp"), seccomp ? "2" : "0");
    assert_int_equal(json_integer_value(json_object_get(identity.object, "pid")), 1);
    assert_int_equal(json_integer_value(json_object_get(identity.object, "uid")), 0);
    assert_int_equal(json_integer_value(json_object_get(identity.object, "cpus")), 1);
    assert_true(fact(identity.object, "clock_source")[0] != '\0');
    assert_non_null(json_object_get(identity.object, "mitigations"));
    cleanup_json json_t *parameters = json_object();
    request(instance,
            &(struct message){.type = MESSAGE_RUN, .id = 2, .name = "null", .object = parameters});
    cleanup_message struct message answer = {.type = MESSAGE_QUIT};
    receive(instance, MESSAGE_BEGIN, &answer);
    do {
        message_clear(&answer);
        char *line = next_line(instance);
        assert_non_null(line);
        assert_int_equal(message_parse(line, strlen(line), &answer, NULL), 0);
    } while (answer.type != MESSAGE_END && answer.type != MESSAGE_ERROR);
    assert_int_equal(answer.type, MESSAGE_END);
    request(instance, &(struct message){.type = MESSAGE_QUIT, .id = 3});
    cleanup_message struct message end = {.type = MESSAGE_QUIT};
    receive(instance, MESSAGE_END, &end);
}

static void run_agent(void **state, const char *spec, bool seccomp) {
    struct fixture *fixture = *state;
    struct environment *environment = open_environment(fixture, spec);
    struct instance *instance = start(environment);
    check_stamps(instance);
    talk_to_the_agent(fixture, instance, seccomp);
    stop(instance);
}

static void the_agent_works(void **state) {
    run_agent(state, "container", true);
}

static void the_agent_works_without_seccomp(void **state) {
    run_agent(state, "container:seccomp=off", false);
}

static void the_agent_works_in_a_user_namespace(void **state) {
    run_agent(state, "container:userns=on", true);
}

static void the_agent_works_in_the_hosts_network(void **state) {
    run_agent(state, "container:net=host", true);
}

/* A pair into nowhere: a device inside, none on the host. */
static void the_agent_works_with_network_devices(void **state) {
    static const char *const specs[] = {"container:net=veth", "container:net=veth,userns=on"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < 2; i++) {
        struct environment *environment = open_environment(fixture, specs[i]);
        struct instance *instance = start(environment);
        cleanup_free char *path = text_format("/proc/%d/net/dev", (int)instance->pid);
        cleanup_free char *devices = NULL;
        assert_int_equal(file_read(path, &devices, NULL, NULL), 0);
        assert_non_null(strstr(devices, "eth0:"));
        assert_null(strstr(devices, "outside:"));
        free(devices);
        assert_int_equal(file_read("/proc/self/net/dev", &devices, NULL, NULL), 0);
        assert_null(strstr(devices, "outside:"));
        stop(instance);
    }
    run_agent(state, specs[0], true);
}

static void the_agent_works_copied_into_memory(void **state) {
    run_agent(state, "container:root=tmpfs", true);
}

static void the_agent_works_with_ssbd(void **state) {
    struct fixture *fixture = *state;
    struct environment *environment = open_environment(fixture, "container:mitigation=ssbd");
    struct instance *instance = start(environment);
    cleanup_json json_t *facts = json_object();
    assert_int_equal(environment->ops->facts(instance, facts, NULL), 0);
    assert_non_null(strstr(fact(facts, "speculation_store_bypass"), "mitigated"));
    stop(instance);
}

/* ---- seen from outside ---- */

static void facts_say_what_is_in_force(void **state) {
    struct fixture *fixture = *state;
    struct environment *environment = open_environment(fixture, "container");
    struct instance *instance = start(environment);
    cleanup_json json_t *facts = json_object();
    struct error *err = NULL;
    environment->ops->facts(instance, facts, &err);
    assert_no_error(err);
    assert_string_equal(fact(facts, "cpus_allowed"), fixture->setup.envelope.cpu_list);
    assert_string_equal(fact(facts, "seccomp_mode"), "2");
    assert_string_equal(fact(facts, "capabilities_bounding"), "0000000000000000");
    const json_t *namespaces = json_object_get(facts, "namespaces");
    static const char *const own[] = {"cgroup", "ipc", "mnt", "net", "pid", "uts", NULL};
    for (const char *const *kind = own; *kind; kind++) {
        char path[64], link[64] = "";
        snprintf(path, sizeof(path), "/proc/self/ns/%s", *kind);
        assert_true(readlink(path, link, sizeof(link) - 1) > 0);
        assert_true(fact(namespaces, *kind)[0] != '\0');
        assert_string_not_equal(fact(namespaces, *kind), link);
    }
    const json_t *limits = json_object_get(facts, "cgroup_limits");
    const json_t *memory = json_object_get(limits, "memory_bytes");
    if (memory)
        assert_int_equal(json_integer_value(memory), fixture->setup.envelope.memory_bytes);
    if (json_object_get(limits, "cpus"))
        assert_string_equal(fact(limits, "cpus"), fixture->setup.envelope.cpu_list);
    assert_int_equal(strcmp(fact(facts, "cgroup"), "none") == 0, json_object_size(limits) == 0);
    assert_int_equal(own_cgroups(instance->pid) > 0, json_object_size(limits) > 0);
    stop(instance);
}

static void the_footprint_is_told(void **state) {
    struct fixture *fixture = *state;
    struct environment *environment = open_environment(fixture, "container");
    struct instance *instance = start(environment);
    struct footprint footprint;
    assert_int_equal(environment->ops->footprint(instance, &footprint, NULL), 0);
    struct stat status;
    assert_int_equal(stat(fixture->agent_path, &status), 0);
    assert_int_equal(footprint.image_bytes, status.st_size);
    assert_true(footprint.cpu_ns > 0 && footprint.cpu_ns < 10 * NS_PER_S);
    assert_true(footprint.resident_bytes > 4096);
    kill(instance->pid, SIGKILL);
    cleanup_free char *diagnosis = NULL;
    while (!diagnosis)
        diagnosis = environment->ops->diagnose(instance);
    assert_int_equal(environment->ops->footprint(instance, &footprint, NULL), 0);
    stop(instance);
}

/* Nothing but the agent, its data and what describes the machine; all read-only but the data. */
static void the_root_is_bare_and_read_only(void **state) {
    struct fixture *fixture = *state;
    struct environment *environment = open_environment(fixture, "container");
    struct instance *instance = start(environment);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/root", (int)instance->pid);
    assert_int_equal(count_entries(path), 5); /* boxmark-agent data dev proc sys */
    snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)instance->pid);
    cleanup_free char *mounts = NULL;
    assert_int_equal(file_read(path, &mounts, NULL, NULL), 0);
    char *rest = mounts;
    unsigned writable = 0;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        char folder[256], options[256];
        assert_int_equal(sscanf(line, "%*s %*s %*s %*s %255s %255s", folder, options), 2);
        if (strcmp(folder, "/data") == 0) {
            assert_int_equal(strncmp(options, "rw,nosuid,nodev,noexec", 22), 0);
            writable++;
        } else if (strncmp(folder, "/proc/", 6) != 0) {
            /* What masks parts of /proc is the root itself or its empty device. */
            if (strncmp(options, "ro", 2) != 0)
                fail_msg("%s is mounted %s", folder, options);
        }
    }
    assert_int_equal(writable, 1);
    stop(instance);
}

/* ---- with the attacker ---- */

/* Asks the attacker; false when it ended instead of answering. */
static bool ask_attacker(struct instance *instance, const char *command,
                         void (*each)(const char *name, int number)) {
    send_line(instance, command);
    for (;;) {
        const char *line = next_line(instance);
        char name[64];
        int number;
        if (!line)
            return false;
        if (strcmp(line, "done") == 0)
            return true;
        if (sscanf(line, "%63s %d", name, &number) == 2)
            each(name, number);
    }
}

static unsigned attempts_made, attempts_succeeded;

/* Another error than these says that the call was let through and only disliked its arguments. */
static bool is_refusal(int errnum) {
    static const int refusals[] = {EPERM,   EACCES, EROFS,  ENOENT,  ENOSYS, ENXIO,
                                   ENODATA, ESRCH,  ENODEV, ETXTBSY, 0};
    const int *at = refusals;
    while (*at && *at != errnum)
        at++;
    return *at != 0;
}

static void expect_refusal(const char *name, int number) {
    static const struct {
        const char *name;
        int number;
    } expected[] = {
        {"processes", 1},
        {"interfaces", 1},
        {"pid", 1},
        {"hostname", 0},
        {"write-data", 0},
        {"write-null", 0},
        /* The call itself is known and allowed: it only dislikes its arguments. */
        {"io-uring", EFAULT},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
        if (strcmp(name, expected[i].name) == 0) {
            /* A kernel may have io_uring switched off. */
            if (number != expected[i].number && strcmp(name, "io-uring") != 0)
                fail_msg("%s: %d instead of %d", name, number, expected[i].number);
            return;
        }
    attempts_made++;
    if (!is_refusal(number)) {
        print_error("the attempt \"%s\" succeeded (%s)\n", name, strerror(number));
        attempts_succeeded++;
    }
}

static struct instance *start_attacker(struct fixture *fixture, const char *spec) {
    fixture->setup.agent_path = fixture->attacker_path;
    struct instance *instance = start(open_environment(fixture, spec));
    assert_string_equal(next_line(instance), "attacker");
    return instance;
}

static void attack(void **state, const char *spec) {
    struct instance *instance = start_attacker(*state, spec);
    attempts_made = attempts_succeeded = 0;
    assert_true(ask_attacker(instance, "attempts\n", expect_refusal));
    assert_true(attempts_made > 50);
    assert_int_equal(attempts_succeeded, 0);
    stop(instance);
}

static void attempts_are_refused(void **state) {
    attack(state, "container");
}

static void attempts_are_refused_in_a_user_namespace(void **state) {
    attack(state, "container:userns=on");
}

/* What is written goes to the data folder either way. */
static void write_a_file(void **state, const char *spec) {
    struct fixture *fixture = *state;
    fixture->setup.agent_path = fixture->attacker_path;
    struct environment *environment = open_environment(fixture, spec);
    struct instance *instance = NULL;
    struct error *err = NULL;
    environment->ops->start(environment, &instance, &err);
    if (err && err->errnum == EINVAL && strstr(error_message(err), "overlay")) {
        error_free(err);
        environment_free(environment);
        skip_because("no overlay on the file system of /tmp");
    }
    assert_no_error(err);
    assert_string_equal(next_line(instance), "attacker");
    attempts_made = attempts_succeeded = 0;
    assert_true(ask_attacker(instance, "attempts\n", expect_refusal));
    assert_int_equal(attempts_succeeded, 0);
    cleanup_free char *path = text_format("%s/file", instance->data_path);
    assert_true(file_exists(path));
    stop(instance);
}

static void the_root_may_be_an_overlay(void **state) {
    write_a_file(state, "container:root=overlay");
}

static void the_data_may_be_an_overlay(void **state) {
    write_a_file(state, "container:data=overlay");
}

static void all_may_be_overlays_in_a_user_namespace(void **state) {
    write_a_file(state, "container:root=overlay,data=overlay,userns=on");
}

static int forks_made;

static void count_forks(const char *name, int number) {
    if (strcmp(name, "forks") == 0)
        forks_made = number;
}

static bool has_limit(struct instance *instance, const char *limit) {
    cleanup_json json_t *facts = json_object();
    instance->environment->ops->facts(instance, facts, NULL);
    return json_object_get(json_object_get(facts, "cgroup_limits"), limit) != NULL;
}

static void a_fork_bomb_ends_at_the_limit(void **state) {
    struct instance *instance = start_attacker(*state, "container");
    if (!has_limit(instance, "pids")) {
        stop(instance);
        skip_because("no pids controller for this user");
    }
    assert_true(ask_attacker(instance, "forks\n", count_forks));
    assert_true(forks_made > 0 && forks_made < 600);
    stop(instance);
}

static void the_memory_limit_is_diagnosed(void **state) {
    struct instance *instance = start_attacker(*state, "container");
    if (!has_limit(instance, "memory_bytes")) {
        stop(instance);
        skip_because("no memory controller for this user");
    }
    assert_false(ask_attacker(instance, "memory 1000\n", count_forks));
    cleanup_free char *diagnosis = NULL;
    uint64_t deadline_ns = deadline_after(monotonic_ns(), WAIT_NS);
    while (!diagnosis || !strstr(diagnosis, "killed by")) {
        free(diagnosis);
        diagnosis = instance->environment->ops->diagnose(instance);
        assert_true(monotonic_ns() < deadline_ns);
    }
    assert_non_null(strstr(diagnosis, "killed by signal 9"));
    assert_non_null(strstr(diagnosis, "memory limit"));
    stop(instance);
}

static void a_quota_holds_it_back(void **state) {
    struct instance *instance = start_attacker(*state, "container:cpu_quota=10%");
    assert_true(has_limit(instance, "cpu_quota_us"));
    assert_true(ask_attacker(instance, "memory 100\n", count_forks));
    struct footprint footprint;
    assert_int_equal(instance->environment->ops->footprint(instance, &footprint, NULL), 0);
    assert_true(footprint.throttled_ns != FOOTPRINT_UNKNOWN && footprint.throttled_ns > 0);
    stop(instance);
}

/* ---- what goes wrong ---- */

static void a_killed_agent_is_diagnosed(void **state) {
    struct instance *instance = start_attacker(*state, "container");
    cleanup_free char *alive = instance->environment->ops->diagnose(instance);
    assert_non_null(alive); /* it spoke on its standard error */
    assert_non_null(strstr(alive, "a last word"));
    kill(instance->pid, SIGKILL);
    assert_null(next_line(instance));
    cleanup_free char *diagnosis = NULL;
    while (!diagnosis)
        diagnosis = instance->environment->ops->diagnose(instance);
    assert_non_null(strstr(diagnosis, "was killed by signal 9"));
    assert_null(strstr(diagnosis, "memory limit"));
    stop(instance);
}

static void expect_start_failure(struct fixture *fixture, const char *text) {
    struct environment *environment = open_environment(fixture, "container");
    struct instance *instance = NULL;
    struct error *err = NULL;
    assert_int_equal(environment->ops->start(environment, &instance, &err), -1);
    assert_null(instance);
    assert_non_null(err);
    if (!strstr(error_message(err), text))
        fail_msg("\"%s\" does not hold \"%s\"", error_message(err), text);
    error_free(err);
    environment_free(environment);
}

static void a_program_that_cannot_execute(void **state) {
    struct fixture *fixture = *state;
    cleanup_free char *path = text_format("%s/no-program", fixture->folder);
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    assert_int_equal(write(fd, "nonsense", 8), 8);
    close_fd(&fd);
    fixture->setup.agent_path = path;
    expect_start_failure(fixture, "executing the agent");
}

static void a_program_that_says_nothing(void **state) {
    struct fixture *fixture = *state;
    if (getenv("TEST_WRAPPER"))
        skip_because("a program that wraps this one executes in its own way");
    /* Not static: inside there is no loader for it. */
    fixture->setup.agent_path = "/bin/true";
    expect_start_failure(fixture, "executing the agent");
}

static void a_start_that_is_interrupted(void **state) {
    struct fixture *fixture = *state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], "", 1), 1);
    fixture->setup.cancel_fd = fds[0];
    expect_start_failure(fixture, "interrupted");
    close(fds[0]);
    close(fds[1]);
}

static void a_data_folder_that_vanished(void **state) {
    struct fixture *fixture = *state;
    fixture->setup.data_folder = "/nonexistent/folder";
    expect_start_failure(fixture, "/nonexistent/folder");
}

static void bad_values_are_named(void **state) {
    struct fixture *fixture = *state;
    static const char *const specs[] = {"container:cpu_quota=0", "container:cpu_quota=fast",
                                        "container:cpu_quota=-5%", "container:cpu_quota=", NULL};
    for (const char *const *spec = specs; *spec; spec++) {
        struct environment *environment = NULL;
        struct error *err = NULL;
        assert_int_equal(environment_new(*spec, &fixture->setup, &environment, &err), 0);
        assert_int_equal(environment->ops->provision(environment, &err), -1);
        assert_error(err, ERROR_USAGE, "cpu_quota");
        environment_free(environment);
    }
}

/* The harness is killed: the container goes with it. */
static void it_dies_with_the_harness(void **state) {
    struct fixture *fixture = *state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    /* Orphans come to us, so that their end can be waited for. */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t harness = fork();
    if (harness == 0) {
        struct environment *environment = NULL;
        struct instance *instance = NULL;
        if (environment_new("container", &fixture->setup, &environment, NULL) < 0 ||
            environment->ops->start(environment, &instance, NULL) < 0)
            _exit(77);
        /* So that it cannot end by itself when it finds its channel closed. */
        kill(instance->pid, SIGSTOP);
        if (write(fds[1], &instance->pid, sizeof(instance->pid)) != sizeof(instance->pid))
            _exit(1);
        raise(SIGKILL);
    }
    close(fds[1]);
    pid_t pid = 0;
    ssize_t count = read(fds[0], &pid, sizeof(pid));
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(harness, &status, 0), harness);
    if (count == sizeof(pid))
        assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    /* Its data folder and cgroup are left to the next start, which removes what is dead. */
    assert_int_equal(file_remove_tree(fixture->data_folder, NULL), 0);
    assert_int_equal(mkdir(fixture->data_folder, 0755), 0);
    if (count != sizeof(pid))
        skip_because("no container here");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    struct environment *environment = open_environment(fixture, "container");
    environment_free(environment);
}

static void the_description_names_every_step(void **state) {
    struct fixture *fixture = *state;
    struct environment *environment = open_environment(fixture, "container:userns=on");
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    struct error *err = NULL;
    environment->ops->describe(environment, to, &err);
    assert_no_error(err);
    fclose(to);
    static const char *const words[] = {"pid",         "no_new_privs", "seccomp",
                                        "pivot_root",  "user",         "capabilities",
                                        "/proc/kcore", "/data",        NULL};
    for (const char *const *word = words; *word; word++)
        if (!strstr(text, *word))
            fail_msg("the description does not say \"%s\"", *word);
    free(text);
    environment_free(environment);
}

static void a_shell_runs_inside(void **state) {
    struct fixture *fixture = *state;
    struct environment *environment = open_environment(fixture, "container");
    /* An interactive shell reads its commands from what is its standard input. */
    int fds[2];
    int status = -1, kept_stdin = dup(STDIN_FILENO), kept_stdout = dup(STDOUT_FILENO),
        kept_stderr = dup(STDERR_FILENO);
    static const char commands[] = "test $$ = 1 || exit 3\n"
                                   "test \"$(hostname)\" = boxmark || exit 4\n"
                                   "touch /etc/boxmark-test 2>/dev/null && exit 5\n"
                                   "exit 42\n";
    cleanup_fd int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], commands, strlen(commands)), (ssize_t)strlen(commands));
    close(fds[1]);
    dup2(fds[0], STDIN_FILENO);
    fflush(stdout);
    dup2(null_fd, STDOUT_FILENO);
    dup2(null_fd, STDERR_FILENO);
    struct error *err = NULL;
    environment->ops->shell(environment, &status, &err);
    dup2(kept_stdin, STDIN_FILENO);
    dup2(kept_stdout, STDOUT_FILENO);
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stdin);
    close(kept_stdout);
    close(kept_stderr);
    close(fds[0]);
    if (err && strstr(error_message(err), "needs Linux 5.12")) {
        error_free(err);
        environment_free(environment);
        skip_because("the kernel is too old for a shell");
    }
    assert_no_error(err);
    assert_int_equal(status, 42);
    environment_free(environment);
}

/* ---- all of it as an ordinary user ---- */

static int copy_program(const char *from, const char *to) {
    cleanup_free char *content = NULL;
    size_t size;
    if (file_read(from, &content, &size, NULL) < 0)
        return -1;
    cleanup_fd int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    return fd < 0 || fchmod(fd, 0755) < 0 ? -1 : file_write_all(fd, content, size, to, NULL);
}

/* Not where the build folder is: it may be closed to others. */
static void as_an_ordinary_user(void **state) {
    struct fixture *fixture = *state;
    if (geteuid() != 0)
        skip_because("it is what this run is");
    cleanup_free char *agent = text_format("%s/agent", fixture->folder);
    cleanup_free char *attacker = text_format("%s/attacker", fixture->folder);
    cleanup_free char *test = text_format("%s/test", fixture->folder);
    cleanup_free char *log = text_format("%s/log", fixture->folder);
    assert_int_equal(chmod(fixture->folder, 0755), 0);
    assert_int_equal(copy_program(fixture->agent_path, agent), 0);
    assert_int_equal(copy_program(fixture->attacker_path, attacker), 0);
    assert_int_equal(copy_program("/proc/self/exe", test), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        setenv("AGENT", agent, 1);
        setenv("ATTACKER", attacker, 1);
        unsetenv("CMOCKA_MESSAGE_OUTPUT");
        if (dup2(log_fd, STDOUT_FILENO) < 0 || dup2(log_fd, STDERR_FILENO) < 0 || chdir("/") < 0 ||
            setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
            _exit(1);
        execl(test, test, (char *)NULL);
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(log, &text, NULL, NULL), 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("as user %d:\n%s", NOBODY, text);
    bool could = strstr(text, "[       OK ] the_agent_works\n") != NULL;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (strstr(line, "# skipped"))
            print_message("# as user %d: %s\n", NOBODY, line);
    if (!could)
        skip_because("user %d may not make containers here", NOBODY);
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(the_agent_works),
        test(the_agent_works_without_seccomp),
        test(the_agent_works_in_a_user_namespace),
        test(the_agent_works_in_the_hosts_network),
        test(the_agent_works_with_network_devices),
        test(the_agent_works_copied_into_memory),
        test(the_agent_works_with_ssbd),
        test(facts_say_what_is_in_force),
        test(the_footprint_is_told),
        test(the_root_is_bare_and_read_only),
        test(attempts_are_refused),
        test(attempts_are_refused_in_a_user_namespace),
        test(the_root_may_be_an_overlay),
        test(the_data_may_be_an_overlay),
        test(all_may_be_overlays_in_a_user_namespace),
        test(a_fork_bomb_ends_at_the_limit),
        test(the_memory_limit_is_diagnosed),
        test(a_quota_holds_it_back),
        test(a_killed_agent_is_diagnosed),
        test(a_program_that_cannot_execute),
        test(a_program_that_says_nothing),
        test(a_start_that_is_interrupted),
        test(a_data_folder_that_vanished),
        test(bad_values_are_named),
        test(it_dies_with_the_harness),
        test(the_description_names_every_step),
        test(a_shell_runs_inside),
        test(as_an_ordinary_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
