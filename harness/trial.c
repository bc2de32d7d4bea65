// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/trial.h"

#include "common/file.h"
#include "config.h"
#include "harness/session.h"
#include "results/statistics.h"

#include <math.h>
#include <string.h>

#define HELLO_TIMEOUT_NS (30 * NS_PER_S)
#define REQUEST_TIMEOUT_NS (60 * NS_PER_S)
#define ITERATIONS 3

/* As the probe has it: half the speed of the host is native, less is not. */
#define LOOP_SLOWDOWN_MAX 2.0
/*
 * A kernel made for its back end takes a few times as long for a system call, one that is emulated
 * instruction by instruction a thousand times.
 */
#define CALLS_SLOWDOWN_MAX 20.0

struct speeds {
    double loop_s, calls_s;
};

static int time_workload(struct session *session, const char *name, const char *parameter,
                         json_int_t value, double *ret_s, struct error **err) {
    cleanup_session_result struct session_result result = {0};
    json_auto_t *parameters = json_pack("{s:I, s:i}", parameter, value, "iterations", ITERATIONS);
    if (session_run(session, workload_find(name), parameters, REQUEST_TIMEOUT_NS, NULL, &result,
                    err) < 0)
        return error_wrap(err, "%s", name);
    double values[ITERATIONS] = {0};
    for (unsigned i = 0; i < result.sample_count && i < ITERATIONS; i++)
        values[i] = result.samples[i].value;
    *ret_s = statistics_median(values, ITERATIONS);
    return 0;
}

static int measure(struct environment *environment, struct speeds *ret_speeds, struct error **err) {
    struct instance *instance = NULL;
    if (environment->ops->start(environment, &instance, err) < 0)
        return -1;
    struct session session = {.channel = instance->channel, .clock = environment->setup->clock};
    int result = session_hello(&session, HELLO_TIMEOUT_NS, PACKAGE_VERSION, err);
    if (result == 0)
        result = time_workload(&session, "calibrate", "loops", 5000000, &ret_speeds->loop_s, err);
    if (result == 0)
        result = time_workload(&session, "calls", "calls", 20000, &ret_speeds->calls_s, err);
    if (result < 0 && environment->ops->diagnose) {
        cleanup_free char *diagnosis = environment->ops->diagnose(instance);
        if (diagnosis)
            error_wrap(err, "%s", diagnosis);
    }
    if (result == 0)
        result = session_quit(&session, HELLO_TIMEOUT_NS, err);
    if (environment->ops->stop(instance, result == 0 ? err : NULL) < 0)
        result = -1;
    instance_free(instance);
    return result;
}

/* The same agent outside of any guest; a scripted one on the scripted one's clock. */
static int measure_reference(struct run *run, struct speeds *ret_speeds, struct error **err) {
    const char *spec = run->setup.clock == &clock_monotonic ? "host" : "mock";
    struct environment *reference = NULL;
    if (environment_new(spec, &run->setup, &reference, err) < 0)
        return -1;
    int result = reference->ops->provision(reference, err);
    if (result == 0)
        result = measure(reference, ret_speeds, err);
    environment_free(reference);
    return result;
}

static bool is_native(const struct speeds *guest, const struct speeds *reference) {
    return guest->loop_s <= reference->loop_s * LOOP_SLOWDOWN_MAX &&
           guest->calls_s <= reference->calls_s * CALLS_SLOWDOWN_MAX;
}

/* The label, and what stands beside it. */
static void settle(struct run *run, unsigned index, const struct speeds *guest,
                   const struct speeds *reference) {
    struct environment *environment = run->environments[index];
    struct probe_result *probed = &run->probes[index];
    bool native = is_native(guest, reference);
    snprintf(environment->accelerator, sizeof(environment->accelerator), "%s",
             native ? ACCELERATOR_KVM : ACCELERATOR_KVM_EMULATED);
    probed->readiness = native ? READINESS_READY : READINESS_DEGRADED;
    if (native)
        probed->advice[0] = '\0';
    snprintf(probed->detail, sizeof(probed->detail),
             "KVM as asked for; measured inside: the calibration loop takes %.3g times as long as "
             "outside, a system call %.3g times%s",
             guest->loop_s / reference->loop_s, guest->calls_s / reference->calls_s,
             native ? "" : ": emulated");
}

/* -1: the run ends. */
static int try_one(struct run *run, unsigned index, const struct speeds *reference, json_t *trials,
                   struct error **err) {
    struct environment *environment = run->environments[index];
    cleanup_error struct error *failure = NULL;
    struct speeds guest = {NAN, NAN};
    progress_step(&run->progress, "measuring %s", environment->label);
    if (measure(environment, &guest, &failure) < 0) {
        if (failure->kind == ERROR_INTERRUPTED)
            return error_move(err, TAKE_PTR(failure));
        progress_warn(&run->progress,
                      "%s: an instance to tell native from emulated failed: %s; called \"%s\"",
                      environment->label, error_message(failure), environment->accelerator);
        json_object_set_new(
            trials, environment->label,
            json_pack("{s:s, s:s}", "outcome", "failed", "message", error_message(failure)));
    } else {
        settle(run, index, &guest, reference);
        progress_say(&run->progress, "%s: %s", environment->label, run->probes[index].detail);
        json_object_set_new(trials, environment->label,
                            json_pack("{s:s, s:f, s:f, s:f, s:f}", "outcome",
                                      is_native(&guest, reference) ? "native" : "emulated",
                                      "loop_s", guest.loop_s, "reference_loop_s", reference->loop_s,
                                      "calls_s", guest.calls_s, "reference_calls_s",
                                      reference->calls_s));
    }
    if (run->setup.require_kvm && strcmp(environment->accelerator, ACCELERATOR_KVM) != 0)
        return error_set(err, ERROR_UNAVAILABLE, 0, "KVM is required, but %s %s",
                         environment->label,
                         failure ? "could not be tried" : "was measured to be emulated");
    return 0;
}

int run_trials(struct run *run, json_t **ret_trials, struct error **err) {
    json_auto_t *trials = json_object();
    struct speeds reference = {NAN, NAN};
    bool measured = false;
    for (unsigned i = 0; i < run->environment_count; i++) {
        if (!run->environments[i]->accelerator_in_doubt)
            continue;
        if (!measured && measure_reference(run, &reference, err) < 0)
            return error_wrap(err, "the calibration loop outside of any guest");
        measured = true;
        if (try_one(run, i, &reference, trials, err) < 0)
            return -1;
    }
    *ret_trials = json_incref(trials);
    return 0;
}
