// SPDX-License-Identifier: GPL-3.0-or-later
/* An engine as an environment: is it here, does it run, what it needs once a run. */
#include "environments/engines/engine.h"

#include "common/file.h"
#include "environments/install.h"
#include "environments/owner.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

/* A probe starts the agent for real. */
#define TRIAL_START_NS (15 * NS_PER_S)
#define TRIAL_STOP_NS (3 * NS_PER_S)

static const char *program_name(const struct environment *environment) {
    const struct engine *engine = engine_of(environment);
    const char *runtime = environment_value(environment, "runtime");
    /* Where the choice of a runtime is the choice of the program. */
    return engine->runtimes && runtime ? runtime : engine->program;
}

const struct engine_runtime *engine_find_runtime(const struct engine *engine, const char *name) {
    const char *slash = strrchr(name, '/');
    const struct engine_runtime *known = engine->runtimes;
    while (known && known->name && strcmp(known->name, slash ? slash + 1 : name) != 0)
        known++;
    return known && known->name ? known : NULL;
}

const char *const *engine_start_template(const struct environment *environment) {
    const struct engine *engine = engine_of(environment);
    const struct engine_runtime *known = engine_find_runtime(engine, program_name(environment));
    return known ? known->start : engine->start;
}

int engine_check_value(const char *key, const char *value, struct error **err) {
    (void)key;
    return *value ? 0 : error_set(err, ERROR_USAGE, 0, "it is empty");
}

int engine_open(struct environment *environment, struct error **err) {
    if (environment->state)
        return 0;
    if (engine_of(environment)->check && engine_of(environment)->check(environment->spec, err) < 0)
        return -1;
    struct engine_world *world = calloc(1, sizeof(*world));
    if (!world)
        return error_no_memory(err);
    environment->state = world;
    world->engine = engine_of(environment);
    world->keeper = KEEPER_NONE;
    world->program = file_find_program(program_name(environment));
    world->name = owner_make_name();
    world->agent_path = realpath(environment->setup->agent_path, NULL);
    if (!world->name)
        return error_no_memory(err);
    if (!world->agent_path)
        return error_set(err, ERROR_INTERNAL, errno, "cannot find the agent %s",
                         environment->setup->agent_path);
    cgroup_limits_of(&environment->setup->envelope, &world->limits);
    return cgroup_world_find(&world->cgroups, err);
}

/* ---- Is it here? ---- */

/* The first word that begins with a digit, else the last one of the first line. */
static void take_version(const char *printed, char *version, size_t capacity) {
    cleanup_free char *line = strndup(printed, strcspn(printed, "\r\n"));
    char *rest = line;
    for (char *word; line && (word = strsep(&rest, " ,"));) {
        if (*word)
            snprintf(version, capacity, "%s", word);
        if (isdigit((unsigned char)*word))
            break;
    }
    for (char *at = version; *at; at++)
        if (!isgraph((unsigned char)*at))
            *at = '?';
}

static void engine_install_advice(const struct environment *environment, char *text,
                                  size_t capacity) {
    const struct engine *engine = engine_of(environment);
    const char *program = program_name(environment);
    const struct engine_runtime *known = engine_find_runtime(engine, program);
    size_t length = 0;
    *text = '\0';
    if (strchr(program, '/')) {
        snprintf(text, capacity, "give the path of an executable file");
    } else if (engine->runtimes && !known) {
        for (const struct engine_runtime *at = engine->runtimes; at->name; at++)
            length += (size_t)snprintf(text + length, capacity - length, "%s%s",
                                       length ? ", " : "known are ", at->name);
        snprintf(text + length, capacity - length, "; of another give the path");
    } else {
        install_advice(known ? known->packages : engine->packages, text, capacity);
    }
}

/* The program is there, but what stands behind it does not answer. */
static int say_service(const struct environment *environment, const struct error *failure,
                       struct error **err) {
    const struct engine *engine = engine_of(environment);
    const char *reason = error_message(failure);
    const char *sudo = geteuid() == 0 ? "" : "sudo ";
    char advice[160];
    error_set(err, ERROR_UNAVAILABLE, 0, "%s", reason);
    if (!engine->service)
        return -1;
    error_wrap(err, "its service does not answer");
    if (strstr(reason, "ermission denied"))
        return error_advise(err, "run boxmark as root, or as a member of the group %s",
                            engine->service);
    cleanup_free char *daemon = file_find_program(engine->daemon);
    cleanup_free char *path = text_format("/usr/sbin/%s", engine->daemon);
    if (daemon || (path && file_exists(path)))
        return error_advise(err, "%ssystemctl start %s", sudo, engine->service);
    engine_install_advice(environment, advice, sizeof(advice));
    return *advice ? error_advise(err, "%s", advice) : -1;
}

/* ERROR_UNAVAILABLE with the reason and what to do about it. */
static int check_here(const struct environment *environment, struct error **err) {
    const struct engine *engine = engine_of(environment);
    struct engine_world *world = environment->state;
    char advice[160];
    if (engine->root_only && geteuid() != 0) {
        error_set(err, ERROR_UNAVAILABLE, 0, "%s starts containers for root only",
                  program_name(environment));
        return error_advise(err, "run boxmark as root");
    }
    if (!world->program) {
        engine_install_advice(environment, advice, sizeof(advice));
        error_set(err, ERROR_UNAVAILABLE, 0, "%s is not installed", program_name(environment));
        return *advice ? error_advise(err, "%s", advice) : -1;
    }
    if (world->version[0])
        return 0;
    cleanup_free char *printed = NULL;
    cleanup_error struct error *failure = NULL;
    if (engine_run(environment, NULL, engine->version, &printed, &failure) < 0) {
        return say_service(environment, failure, err);
    }
    take_version(printed, world->version, sizeof(world->version));
    return 0;
}

/* ---- Does it run? ---- */

/* What the kernel says that it holds; true when that is all of the envelope. */
static bool describe_limits(const json_t *facts, const struct cgroup_limits *limits, char *text,
                            size_t capacity) {
    const json_t *held = json_object_get(facts, "cgroup_limits");
    const char *missing[3];
    unsigned count = 0;
    if (!json_object_get(held, "cpus"))
        missing[count++] = "CPUs (affinity only)";
    if (limits->memory_bytes && !json_object_get(held, "memory_bytes"))
        missing[count++] = "memory";
    if (limits->pids && !json_object_get(held, "pids"))
        missing[count++] = "processes";
    size_t length = (size_t)snprintf(text, capacity, "its start was tried; ");
    if (count == 0)
        snprintf(text + length, capacity - length, "CPUs, memory and processes are limited");
    for (unsigned i = 0; i < count; i++)
        length += (size_t)snprintf(text + length, capacity - length, "%s%s",
                                   i == 0 ? "no limit on " : ", ", missing[i]);
    return count == 0;
}

/* A start and a stop, on a folder of its own. */
static int try_it(struct environment *environment, const char *folder, json_t *facts,
                  struct error **err) {
    struct environment_setup setup = *environment->setup;
    struct environment *trial = NULL;
    struct instance *instance = NULL;
    setup.data_folder = folder;
    setup.log_folder = NULL;
    if (setup.start_timeout_ns > TRIAL_START_NS)
        setup.start_timeout_ns = TRIAL_START_NS;
    setup.stop_timeout_ns = TRIAL_STOP_NS;
    if (environment_new(environment->spec->text, &setup, &trial, err) < 0)
        return -1;
    int result = engine_start(trial, &instance, err);
    if (result == 0) {
        result = engine_facts(instance, facts, err);
        if (engine_stop(instance, result < 0 ? NULL : err) < 0)
            result = -1;
        instance_free(instance);
    }
    environment_free(trial);
    return result;
}

static int make_trial_folder(char **ret_folder, struct error **err) {
    cleanup_free char *parent = NULL, *name = owner_make_name();
    if (file_cache_folder(&parent, err) < 0)
        return -1;
    cleanup_free char *folder = name ? text_format("%s/%s", parent, name) : NULL;
    if (!folder)
        return error_no_memory(err);
    if (mkdir(folder, 0711) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make %s", folder);
    *ret_folder = TAKE_PTR(folder);
    return 0;
}

static void say_missing(struct probe_result *result, const struct error *failure) {
    result->readiness = READINESS_MISSING;
    snprintf(result->detail, sizeof(result->detail), "%s", error_message(failure));
    snprintf(result->advice, sizeof(result->advice), "%s",
             failure && failure->advice ? failure->advice : "");
}

static int probe_one(struct environment *environment, struct probe_result *ret_result,
                     struct error **err) {
    *ret_result = (struct probe_result){.readiness = READINESS_READY};
    cleanup_error struct error *failure = NULL;
    cleanup_free char *folder = NULL;
    if (engine_open(environment, err) < 0)
        return -1;
    const struct engine_world *world = environment->state;
    if (check_here(environment, &failure) < 0) {
        say_missing(ret_result, failure);
        return 0;
    }
    snprintf(ret_result->version, sizeof(ret_result->version), "%s", world->version);
    if (make_trial_folder(&folder, err) < 0)
        return -1;
    json_t *facts = json_object();
    if (try_it(environment, folder, facts, &failure) < 0) {
        say_missing(ret_result, failure);
        if (world->engine->advice && !ret_result->advice[0])
            snprintf(ret_result->advice, sizeof(ret_result->advice), "%s", world->engine->advice);
    } else if (!describe_limits(facts, &world->limits, ret_result->detail,
                                sizeof(ret_result->detail))) {
        ret_result->readiness = READINESS_DEGRADED;
        enclosure_advise(world->cgroups, ret_result->advice, sizeof(ret_result->advice));
    }
    json_decref(facts);
    int result = file_remove_tree(folder, err);
    if (failure && failure->kind == ERROR_INTERRUPTED)
        return error_move(err, TAKE_PTR(failure));
    return result;
}

/* One word or two of how another runtime does here, added to the detail. */
static int survey_runtime(const struct environment *environment, const char *runtime,
                          struct probe_result *result, struct error **err) {
    enum { REASON_MAX = 70 };
    struct environment_setup setup = *environment->setup;
    struct environment *other = NULL;
    struct probe_result found;
    setup.survey = false;
    cleanup_free char *spec = text_format("%s:runtime=%s", environment->ops->name, runtime);
    if (!spec)
        return error_no_memory(err);
    if (environment_new(spec, &setup, &other, err) < 0)
        return -1;
    int probed = probe_one(other, &found, err);
    const struct engine_world *world = other->state;
    bool installed = probed == 0 && world->program;
    environment_free(other);
    if (probed < 0)
        return -1;
    const char *said = strstr(found.detail, SAID);
    const char *reason = said ? said + strlen(SAID) : found.detail;
    size_t length = strlen(result->detail);
    char *end = result->detail + length;
    size_t left = sizeof(result->detail) - length;
    if (!installed)
        snprintf(end, left, "; %s: not installed", runtime);
    else if (found.readiness == READINESS_MISSING)
        snprintf(end, left, "; %s does not work: %.*s%s", runtime, REASON_MAX, reason,
                 strlen(reason) > REASON_MAX ? "..." : "");
    else
        snprintf(end, left, "; %s %s: %s", runtime, found.version,
                 found.readiness == READINESS_READY ? "ready" : "degraded");
    return 0;
}

int engine_probe(struct environment *environment, struct probe_result *ret_result,
                 struct error **err) {
    const struct engine *engine = engine_of(environment);
    if (probe_one(environment, ret_result, err) < 0)
        return -1;
    /* Who may not start any gets one answer for all. */
    if (!environment->setup->survey || !engine->runtimes ||
        spec_given(environment->spec, "runtime") || (engine->root_only && geteuid() != 0))
        return 0;
    for (const struct engine_runtime *at = engine->runtimes + 1; at->name; at++)
        if (survey_runtime(environment, at->name, ret_result, err) < 0)
            return -1;
    return 0;
}

/* ---- Once a run ---- */

static int make_folder(struct environment *environment, struct error **err) {
    struct engine_world *world = environment->state;
    cleanup_free char *data_folder = realpath(environment->setup->data_folder, NULL);
    cleanup_free char *folder = data_folder ? text_format("%s/engine.XXXXXX", data_folder) : NULL;
    if (!folder || !mkdtemp(folder))
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a folder in %s",
                         environment->setup->data_folder);
    world->folder = TAKE_PTR(folder);
    cleanup_free char *state = text_format("%s/state", world->folder);
    world->root = text_format("%s/root", world->folder);
    world->root_agent = text_format("%s/root" ENGINE_AGENT, world->folder);
    if (!state || !world->root || !world->root_agent)
        return error_no_memory(err);
    /* Container users may differ from ours. */
    if (mkdir(state, 0711) < 0 || chmod(world->folder, 0711) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make %s", state);
    if (engine_make_root(world->agent_path, world->root, &world->root_bytes, err) < 0)
        return -1;
    struct stat status;
    if (!world->engine->locks || stat(world->root, &status) < 0)
        return 0;
    world->lock_path =
        text_format("%s/inode-%llu:%llu", world->engine->locks, (unsigned long long)status.st_dev,
                    (unsigned long long)status.st_ino);
    return world->lock_path ? 0 : error_no_memory(err);
}

static void say_nothing(void *cookie, const char *what) {
    (void)cookie;
    (void)what;
}

/* In the keeper. */
static void clean_after_harness(const void *cookie) {
    const struct environment *environment = cookie;
    const struct engine_world *world = environment->state;
    cgroup_remove_leftovers(world->cgroups);
    engine_remove_lock(world);
    file_remove_tree(world->folder, NULL);
    engine_remove_leftovers(environment->ops, say_nothing, NULL);
}

int engine_provision(struct environment *environment, struct error **err) {
    if (engine_open(environment, err) < 0)
        return -1;
    struct engine_world *world = environment->state;
    if (world->cold_files[0])
        return 0;
    if (check_here(environment, err) < 0 || make_folder(environment, err) < 0 ||
        keeper_start(&world->keeper, clean_after_harness, environment, err) < 0)
        return -1;
    if (world->engine->provision && world->engine->provision(environment, err) < 0)
        return -1;
    world->cold_files[0] = world->program;
    world->cold_files[1] = world->root_agent;
    return 0;
}

void engine_release(struct environment *environment) {
    struct engine_world *world = environment->state;
    if (!world)
        return;
    if (world->image_made)
        engine_run(environment, NULL, world->engine->remove_image, NULL, NULL);
    engine_remove_lock(world);
    if (world->folder)
        file_remove_tree(world->folder, NULL);
    keeper_dismiss(&world->keeper);
    cgroup_world_free(world->cgroups);
    free(world->program);
    free(world->name);
    free(world->agent_path);
    free(world->folder);
    free(world->root);
    free(world->lock_path);
    free(world->root_agent);
    free(world);
    environment->state = NULL;
}

const char *const *engine_cold_files(struct environment *environment) {
    static const char *const none[] = {NULL};
    const struct engine_world *world = environment->state;
    return world ? world->cold_files : none;
}

int engine_describe(struct environment *environment, FILE *to, struct error **err) {
    if (engine_open(environment, err) < 0)
        return -1;
    const struct engine_world *world = environment->state;
    const struct engine *engine = world->engine;
    const char *const *start = engine_start_template(environment);
    enclosure_describe(environment->setup, world->cgroups, &world->limits, to);
    if (engine->pid)
        fprintf(to,
                "  what its service starts is not in that cgroup: the engine gets the limits\n");
    fprintf(to, "a root folder with the agent and empty mount points%s\n",
            engine->remove_image ? ", imported as an image for the time of the run" : "");
    if (engine->private_mounts)
        fprintf(to, "in mounts of its own: the root read-only, /proc, /sys, " ENGINE_DATA "\n");
    fprintf(to, "execve %s", world->program ? world->program : program_name(environment));
    for (; *start; start++)
        fprintf(to, " %s", *start);
    fputc('\n', to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the description") : 0;
}
