// SPDX-License-Identifier: GPL-3.0-or-later
/* One environment shown while it runs, and the result told. */
#include "harness/demo.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "common/units.h"
#include "config.h"
#include "harness/session.h"
#include "plots/words.h"

#include <string.h>

#define HELLO_TIMEOUT_NS (30 * NS_PER_S)
#define QUIT_TIMEOUT_NS (10 * NS_PER_S)

/* What engines counted while the work was done (KVM's exits by reason). */
static json_t *counters_of(struct instance *instance) {
    json_t *counters = json_object();
    if (instance->environment->ops->counters)
        (void)instance->environment->ops->counters(instance, counters, NULL);
    return counters;
}

static void show_counted(const struct demo *demo, const json_t *before, json_t *after) {
    enum { SHOWN_MAX = 4 };
    unsigned shown = 0;
    const char *name;
    json_t *value;
    json_object_foreach(after, name, value) {
        json_int_t count =
            json_integer_value(value) - json_integer_value(json_object_get(before, name));
        if (count > 0 && shown++ < SHOWN_MAX)
            demo_show(demo, "counted meanwhile: %s %lld", name, (long long)count);
    }
}

/* One request, so that something is seen at work; the first workload that an agent can do. */
static int show_work(const struct demo *demo, struct session *session, struct instance *instance,
                     struct error **err) {
    const struct work *work = NULL;
    for (unsigned i = 0; i < demo->run->works.count && !work; i++)
        if (!demo->run->works.works[i].description->by_harness)
            work = &demo->run->works.works[i];
    if (!work)
        return 0;
    cleanup_session_result struct session_result result = {0};
    json_auto_t *before = counters_of(instance);
    if (session_run(session, work->description, work->parameters, demo->run->request_timeout_ns,
                    NULL, &result, err) < 0)
        return -1;
    json_auto_t *after = counters_of(instance);
    char duration[32];
    demo_show(demo, "%s, a first time: %s; its answer: %s", work->description->name,
              format_duration(result.host_elapsed_ns, duration), result.digest);
    show_counted(demo, before, after);
    return 0;
}

static int serve(const struct demo *demo, struct instance *instance, struct error **err) {
    struct session session = {.channel = instance->channel, .clock = demo->run->setup.clock};
    json_auto_t *facts = NULL;
    char sha256[65];
    if (session_hello(&session, HELLO_TIMEOUT_NS, PACKAGE_VERSION, err) < 0 ||
        session_identify(&session, HELLO_TIMEOUT_NS, sha256, &facts, err) < 0)
        return -1;
    const char *kernel = json_string_value(json_object_get(facts, "kernel"));
    demo_show(demo,
              "the program inside says: Linux %s, %lld CPUs; it is the very same program "
              "(SHA-256 %.12s...)",
              kernel ? kernel : "?", (long long)json_integer_value(json_object_get(facts, "cpus")),
              sha256);
    if (show_work(demo, &session, instance, err) < 0)
        return -1;
    demo_evidence(demo, instance);
    return session_quit(&session, QUIT_TIMEOUT_NS, err);
}

int demo_environment(const struct demo *demo, unsigned index, struct error **err) {
    struct environment *environment = demo->run->environments[index];
    const struct demo_words *words = demo_words_of(environment->ops->name);
    char title[160], duration[32];
    environment_title(environment, title, sizeof(title));
    cleanup_free char *heading = text_format("%u. %s", index + 1, title);
    demo_heading(demo, heading ? heading : title);
    demo_say(demo, "%s", words->what);
    struct instance *instance = NULL;
    cleanup_error struct error *failure = NULL;
    int result = environment->ops->start(environment, &instance, &failure);
    if (result == 0) {
        demo_show(
            demo, "started: the program answered after %s",
            format_duration(instance->stamps[STAMP_AGENT_READY] - instance->stamps[STAMP_LAUNCH],
                            duration));
        result = serve(demo, instance, &failure);
        struct error **reason = result < 0 ? NULL : &failure;
        if (environment->ops->stop(instance, reason) < 0)
            result = -1;
    }
    instance_free(instance);
    if (failure && failure->kind == ERROR_INTERRUPTED)
        return error_move(err, TAKE_PTR(failure));
    if (result < 0)
        demo_show(demo, "it did not work here: %s", error_message(failure));
    demo_say(demo, "Expected: %s", words->expect);
    if (strcmp(environment->accelerator, "TCG") == 0)
        demo_say(demo,
                 "Without KVM every instruction is translated in software, so that computing, "
                 "too, is several times slower here. That is the price of emulation, not of "
                 "virtual machines.");
    return 0;
}

static bool tells(const struct report *report, unsigned index) {
    struct report headlines = *report;
    headlines.full = false;
    const struct summary_metric *metrics = report->summary->metrics;
    return report_shows(&headlines, &metrics[index]);
}

int demo_result(const struct demo *demo, const struct report *report, struct error **err) {
    const struct summary *summary = report->summary;
    demo_heading(demo, "What came out");
    const char *workload = "";
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const struct summary_metric *metric = &summary->metrics[i];
        /* The first headline of each workload; the report has them all. */
        if (!tells(report, i) || strcmp(metric->workload, workload) == 0)
            continue;
        workload = metric->workload;
        const char *reason = demo_workload_words(workload);
        demo_heading(demo, workload);
        if (reason)
            demo_say(demo, "%s", reason);
        for (unsigned j = 1; j < summary->environment_count; j++) {
            cleanup_free char *sentence = report_sentence(report, metric, j);
            if (!sentence)
                return error_no_memory(err);
            demo_show(demo, "%s", sentence);
        }
    }
    cleanup_text_list struct text_list warnings = {0};
    if (report_warnings(report, &warnings, err) < 0)
        return -1;
    if (warnings.count)
        demo_heading(demo, "Before you believe it");
    for (size_t i = 0; i < warnings.count; i++)
        demo_say(demo, "%s", warnings.items[i]);
    return 0;
}
