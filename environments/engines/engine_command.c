// SPDX-License-Identifier: GPL-3.0-or-later
/* Command lines from templates. No shell ever sees them. */
#include "environments/engines/engine.h"

#include "common/file.h"
#include "environments/capture.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

/* A service may be slow on a busy machine; it must not hold the harness for ever. */
#define RUN_TIMEOUT_NS (30 * NS_PER_S)

/* Enough for every workload, and what the built-in container allows. */
#define FILES_MAX 4096

struct places {
    const struct environment *environment;
    const struct engine_world *world;
    const struct engine_instance *instance; /* or NULL */
};

/* At most `most`, and no more than this process may have: an engine cannot raise it either. */
static char *limit_text(__rlimit_resource_t resource, rlim_t most) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) == 0 && limit.rlim_max < most)
        most = limit.rlim_max;
    return text_format("%" PRIu64, (uint64_t)most);
}

static char *copy(const char *text) {
    return strdup(text ? text : "");
}

static char *value_runtime(const struct places *at) {
    return copy(environment_value(at->environment, "runtime"));
}
static char *value_platform(const struct places *at) {
    return copy(environment_value(at->environment, "platform"));
}
static char *value_name(const struct places *at) {
    return copy(at->instance ? at->instance->name : NULL);
}
static char *value_data(const struct places *at) {
    return copy(at->instance ? at->instance->data_path : NULL);
}
static char *value_folder(const struct places *at) {
    return copy(at->instance ? at->instance->folder : NULL);
}
static char *value_config(const struct places *at) {
    return at->instance && at->instance->folder ? text_format("%s/config", at->instance->folder)
                                                : copy(NULL);
}
static char *value_image(const struct places *at) {
    return copy(at->world->name);
}
static char *value_root(const struct places *at) {
    return copy(at->world->root);
}
static char *value_state(const struct places *at) {
    return at->world->folder ? text_format("%s/state", at->world->folder) : copy(NULL);
}
static char *value_archive(const struct places *at) {
    return at->world->folder ? text_format("%s/root.tar", at->world->folder) : copy(NULL);
}
static char *value_cpus(const struct places *at) {
    return copy(at->world->limits.cpu_list);
}
static char *value_nodes(const struct places *at) {
    return copy(at->world->limits.node_list);
}
static char *value_memory(const struct places *at) {
    uint64_t bytes = at->world->limits.memory_bytes;
    return bytes ? text_format("%" PRIu64, bytes) : copy(NULL);
}
static char *value_pids(const struct places *at) {
    uint64_t pids = at->world->limits.pids;
    return pids ? text_format("%" PRIu64, pids) : copy(NULL);
}
static char *value_files(const struct places *at) {
    (void)at;
    return limit_text(RLIMIT_NOFILE, FILES_MAX);
}
static char *value_processes(const struct places *at) {
    (void)at;
    return limit_text(RLIMIT_NPROC, FILES_MAX);
}

/* The words between braces; anything else in braces is the engine's own. */
static const struct engine_value {
    const char *name;
    char *(*get)(const struct places *at); /* malloc'ed; "" leaves the argument out */
} values[] = {
    {"{archive}", value_archive}, {"{config}", value_config},   {"{cpus}", value_cpus},
    {"{data}", value_data},       {"{files}", value_files},     {"{folder}", value_folder},
    {"{image}", value_image},     {"{memory}", value_memory},   {"{name}", value_name},
    {"{nodes}", value_nodes},     {"{pids}", value_pids},       {"{platform}", value_platform},
    {"{root}", value_root},       {"{runtime}", value_runtime}, {"{processes}", value_processes},
    {"{state}", value_state},
};

static const struct engine_value *value_at(const char *text) {
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        if (strncmp(text, values[i].name, strlen(values[i].name)) == 0)
            return &values[i];
    return NULL;
}

/* One argument; *ret_argument stays NULL where a value in it is empty. */
static int expand_one(const struct places *places, const char *from, char **ret_argument,
                      struct error **err) {
    char *argument = NULL;
    size_t size = 0;
    bool empty = false;
    cleanup_file FILE *stream = open_memstream(&argument, &size);
    if (!stream)
        return error_no_memory(err);
    while (*from) {
        const struct engine_value *value = *from == '{' ? value_at(from) : NULL;
        if (!value) {
            fputc(*from++, stream);
            continue;
        }
        cleanup_free char *text = value->get(places);
        empty = empty || !text || !*text;
        fputs(text ? text : "", stream);
        from += strlen(value->name);
    }
    /* Only its end gives the text its final place. */
    bool failed = fclose(TAKE_PTR(stream)) != 0;
    if (empty || failed) {
        free(argument);
        return failed ? error_no_memory(err) : 0;
    }
    *ret_argument = argument;
    return 0;
}

void engine_free_words(char **words) {
    for (char **word = words; word && *word; word++)
        free(*word);
    free(words);
}

int engine_expand(const struct environment *environment, const struct instance *instance,
                  const char *const *template, char ***ret_arguments, struct error **err) {
    const struct places places = {environment, environment->state,
                                  instance ? instance->state : NULL};
    size_t count = 0;
    while (template[count])
        count++;
    char **arguments = calloc(count + 2, sizeof(*arguments));
    if (!arguments || !(arguments[0] = copy(places.world->program))) {
        free(arguments);
        return error_no_memory(err);
    }
    size_t filled = 1;
    for (; *template; template ++) {
        char *argument = NULL;
        if (expand_one(&places, *template, &argument, err) < 0) {
            engine_free_words(arguments);
            return -1;
        }
        if (argument)
            arguments[filled++] = argument;
    }
    *ret_arguments = arguments;
    return 0;
}

int engine_run(const struct environment *environment, const struct instance *instance,
               const char *const *template, char **ret_output, struct error **err) {
    char **arguments = NULL;
    if (engine_expand(environment, instance, template, &arguments, err) < 0)
        return -1;
    int result = capture_run(&(struct capture_options){.arguments = (const char *const *)arguments,
                                                       .timeout_ns = RUN_TIMEOUT_NS,
                                                       .cancel_fd = -1},
                             ret_output, err);
    engine_free_words(arguments);
    return result;
}

int engine_variables(const struct engine *engine, char ***ret_variables, struct error **err) {
    size_t count = 0;
    while (engine->environment && engine->environment[count])
        count++;
    char **variables = calloc(count + 2, sizeof(*variables));
    if (!variables || !(variables[0] = strdup(launch_environment[0]))) {
        free(variables);
        return error_no_memory(err);
    }
    size_t filled = 1;
    for (size_t i = 0; i < count; i++) {
        const char *value = getenv(engine->environment[i]);
        if (!value)
            continue;
        variables[filled] = text_format("%s=%s", engine->environment[i], value);
        if (!variables[filled++]) {
            engine_free_words(variables);
            return error_no_memory(err);
        }
    }
    *ret_variables = variables;
    return 0;
}
