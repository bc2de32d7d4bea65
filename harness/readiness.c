// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/readiness.h"

#include "bench/protocol.h"
#include "common/clock.h"
#include "common/file.h"
#include "config.h"
#include "environments/definition.h"
#include "environments/environment.h"
#include "harness/agent_path.h"

static const char *const readiness_names[] = {[READINESS_READY] = "ready",
                                              [READINESS_DEGRADED] = "degraded",
                                              [READINESS_MISSING] = "missing"};

static json_t *probe_json(const char *name, const struct environment *environment,
                          const struct probe_result *result) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", name, "readiness",
                     readiness_names[result->readiness], "accelerator", environment->accelerator,
                     "version", result->version, "detail", result->detail, "advice",
                     result->advice);
}

static json_t *probe_one(const char *name, const struct environment_setup *setup) {
    struct environment *environment = NULL;
    struct probe_result result = {0};
    cleanup_error struct error *failure = NULL;
    if (environment_new(name, setup, &environment, &failure) < 0)
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", name, "readiness",
                         readiness_names[READINESS_MISSING], "accelerator", "none", "version", "",
                         "detail", error_message(failure), "advice",
                         failure->advice ? failure->advice : "");
    if (environment->ops->probe(environment, &result, &failure) < 0) {
        result.readiness = READINESS_MISSING;
        snprintf(result.detail, sizeof(result.detail), "%s", error_message(failure));
    }
    json_t *json = probe_json(name, environment, &result);
    environment_free(environment);
    return json;
}

/* The built-in ones, and those that the user has described in files. */
static int probe_all(const struct environment_setup *setup, json_t *list, struct error **err) {
    cleanup_definitions struct definitions definitions = {0};
    for (const struct environment_ops *const *at = environment_table; *at; at++)
        if (!(*at)->hidden)
            json_array_append_new(list, probe_one((*at)->name, setup));
    if (definitions_find(&definitions, err) < 0)
        return -1;
    for (unsigned i = 0; i < definitions.count; i++)
        if (!environment_kind(definitions.entries[i].name))
            json_array_append_new(list, probe_one(definitions.entries[i].name, setup));
    return 0;
}

int readiness_envelope(struct envelope *ret_envelope, struct error **err) {
    return envelope_choose(0, 4, UINT64_C(512) << 20, ret_envelope, err);
}

int readiness_list(const struct envelope *envelope, bool survey, json_t **ret_list,
                   struct error **err) {
    cleanup_free char *agent = NULL;
    cleanup_json json_t *list = json_array();
    if (!list)
        return error_no_memory(err);
    if (agent_path_find(&agent, err) < 0)
        return -1;
    const struct environment_setup setup = {.agent_path = agent,
                                            .version = PACKAGE_VERSION,
                                            .start_timeout_ns = 10 * NS_PER_S,
                                            .cancel_fd = -1,
                                            .survey = survey,
                                            .envelope = *envelope,
                                            .clock = &clock_monotonic};
    if (probe_all(&setup, list, err) < 0)
        return -1;
    *ret_list = json_incref(list);
    return 0;
}
