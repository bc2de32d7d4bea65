// SPDX-License-Identifier: GPL-3.0-or-later
/* From what the user asked for to a run that can begin: checks first, then folders and images. */
#include "harness/run.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "common/lock.h"
#include "common/units.h"
#include "config.h"
#include "environments/cgroup_above.h"
#include "harness/agent_path.h"
#include "harness/data_folder.h"
#include "harness/machine.h"
#include "harness/trial.h"

#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define START_TIMEOUT_NS (120 * NS_PER_S)
#define STOP_TIMEOUT_NS (10 * NS_PER_S)
#define DEFAULT_CPUS 4
#define DEFAULT_PRECISION 0.01

static const char *const default_environments[] = {"host", "container", "vm", NULL};

/* What the machine has, or the groups that we are in leave us of it. */
static uint64_t usable_memory_bytes(void) {
    uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t limit = cgroup_above_memory_bytes();
    return limit < machine ? limit : machine;
}

/* Memory first follows from the work; when the machine has less, the work follows from that. */
static int choose_sizes(struct run *run, struct error **err) {
    const struct run_options *options = run->options;
    const char *const *names = options->workloads[0] ? options->workloads : NULL;
    struct envelope envelope;
    if (envelope_choose(options->cpus, DEFAULT_CPUS, options->memory_bytes, &envelope, err) < 0)
        return -1;
    struct work_basis basis = {.cpus = envelope.cpu_count,
                               .cache_bytes = host_last_level_cache_bytes(),
                               .memory_bytes = options->memory_bytes};
    if (work_list_make(run->profile, &basis, names, options->overrides, &run->works, err) < 0)
        return -1;
    const uint64_t unit = UINT64_C(256) << 20;
    uint64_t machine_bytes = usable_memory_bytes() / 5 * 4;
    uint64_t needed = (work_list_memory_bytes(&run->works) + unit - 1) / unit * unit;
    if (!options->memory_bytes && needed > machine_bytes) {
        basis.memory_bytes = machine_bytes;
        work_list_clear(&run->works);
        if (work_list_make(run->profile, &basis, names, options->overrides, &run->works, err) < 0)
            return -1;
        needed = (work_list_memory_bytes(&run->works) + unit - 1) / unit * unit;
    }
    envelope.memory_bytes = options->memory_bytes ? options->memory_bytes
                            : needed < 2 * unit   ? 2 * unit
                                                  : needed;
    /* What was rounded up to be roomy need not be more than there is. */
    if (!options->memory_bytes && envelope.memory_bytes > machine_bytes &&
        work_list_memory_bytes(&run->works) <= machine_bytes)
        envelope.memory_bytes = machine_bytes >> 20 << 20;
    if (work_list_memory_bytes(&run->works) > envelope.memory_bytes ||
        envelope.memory_bytes > machine_bytes / 4 * 5) {
        char need[32], have[32];
        error_set(err, ERROR_USAGE, 0, "this work needs %s of memory in each environment, not %s",
                  format_size(work_list_memory_bytes(&run->works), need),
                  format_size(envelope.memory_bytes < machine_bytes ? envelope.memory_bytes
                                                                    : machine_bytes,
                              have));
        if (cgroup_above_memory_bytes() != UINT64_MAX)
            return error_advise(err,
                                "the control group that boxmark is in allows %s: raise that, "
                                "or choose a smaller profile",
                                format_size(cgroup_above_memory_bytes(), have));
        return error_advise(err, "give more with --memory, or choose a smaller profile");
    }
    run->setup.envelope = envelope;
    return 0;
}

static bool has_label(const struct run *run, const char *label) {
    for (unsigned i = 0; i < run->environment_count; i++)
        if (strcmp(run->environments[i]->label, label) == 0)
            return true;
    return false;
}

/* "host" twice is an A/A comparison: the second becomes "host#2". */
static int make_label_unique(struct run *run, struct environment *environment, struct error **err) {
    cleanup_free char *label = strdup(environment->label);
    for (unsigned number = 2; label && has_label(run, label); number++) {
        free(label);
        label = text_format("%s#%u", environment->label, number);
    }
    if (!label)
        return error_no_memory(err);
    free(environment->label);
    environment->label = TAKE_PTR(label);
    return 0;
}

static int probe(struct run *run, struct environment *environment, bool asked_for,
                 struct error **err) {
    struct probe_result *result = &run->probes[run->environment_count];
    if (environment->ops->probe(environment, result, err) < 0)
        return error_wrap(err, "%s", environment->label);
    if (result->readiness != READINESS_MISSING)
        return 0;
    if (asked_for) {
        error_set(err, ERROR_UNAVAILABLE, 0, "%s cannot run here: %s", environment->label,
                  result->detail);
        return result->advice[0] ? error_advise(err, "%s", result->advice) : -1;
    }
    progress_warn(&run->progress, "left out: %s: %s%s%s%s", environment->label, result->detail,
                  result->advice[0] ? " (" : "", result->advice, result->advice[0] ? ")" : "");
    return 1;
}

/* The mock runs on a fake clock; a comparison of fake with real times would mean nothing. */
static int choose_clock(struct run *run, struct error **err) {
    struct clock *own = run->environment_count ? run->environments[0]->ops->clock : NULL;
    for (unsigned i = 1; i < run->environment_count; i++)
        if (run->environments[i]->ops->clock != own)
            return error_set(err, ERROR_USAGE, 0,
                             "%s and %s run on different clocks and cannot be compared",
                             run->environments[0]->label, run->environments[i]->label);
    if (own)
        run->setup.clock = own;
    return 0;
}

/* Adds one environment; one that is not there is refused if it was asked for, else left out. */
static int add_environment(struct run *run, const char *spec, bool asked_for, struct error **err) {
    struct environment *environment = NULL;
    if (environment_new(spec, &run->setup, &environment, err) < 0)
        return -1;
    int result = make_label_unique(run, environment, err);
    if (result == 0)
        result = probe(run, environment, asked_for, err);
    if (result != 0) {
        environment_free(environment);
        return result < 0 ? -1 : 0;
    }
    run->environments[run->environment_count++] = environment;
    return 0;
}

/*
 * Where a Linux guest is emulated but a guest without an operating system runs natively, the latter
 * is the only KVM figure to be had here: it joins the default comparison.
 */
static int add_native_guest(struct run *run, struct error **err) {
    struct environment *native = NULL;
    struct probe_result result = {0};
    bool emulated = false;
    for (unsigned i = 0; i < run->environment_count; i++)
        emulated |= strcmp(run->environments[i]->accelerator, "TCG") == 0;
    if (!emulated)
        return 0;
    if (environment_new("microguest", &run->setup, &native, err) < 0)
        return -1;
    bool joins = native->ops->probe(native, &result, NULL) == 0 &&
                 result.readiness != READINESS_MISSING && strcmp(native->accelerator, "KVM") == 0;
    environment_free(native);
    if (!joins)
        return 0;
    progress_say(&run->progress, "microguest joins: Linux guests are emulated here (TCG), but a "
                                 "guest without an operating system runs natively under KVM");
    return add_environment(run, "microguest", false, err);
}

static int add_environments(struct run *run, struct error **err) {
    const char *const *asked_for = run->options->environments;
    const char *const *specs = asked_for[0] ? asked_for : default_environments;
    for (; *specs; specs++)
        if (add_environment(run, *specs, asked_for[0] != NULL, err) < 0)
            return -1;
    if (!asked_for[0] && add_native_guest(run, err) < 0)
        return -1;
    if (run->environment_count == 0)
        return error_set(err, ERROR_UNAVAILABLE, 0, "no environment can run here");
    return choose_clock(run, err);
}

int run_folder_lock(const char *folder, int *ret_fd, struct error **err) {
    if (lock_folder(folder, ret_fd) != LOCK_HELD)
        return 0;
    cleanup_free char *holder = lock_holder(folder);
    return error_set(err, ERROR_USAGE, 0, "the run in %s is still going on, in %s", folder,
                     holder ? holder : "another process");
}

/* A new folder for the run, private to the user; an existing one must be empty. */
static int make_run_folder(struct run *run, struct error **err) {
    const struct run_options *options = run->options;
    cleanup_free char *path = NULL;
    if (options->output_folder) {
        path = strdup(options->output_folder);
    } else {
        char now[32];
        time_t seconds = time(NULL);
        struct tm broken_down;
        strftime(now, sizeof(now), "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &broken_down));
        path = text_format("boxmark-runs/%s-%s", now, run->profile->name);
    }
    if (!path)
        return error_no_memory(err);
    cleanup_free char *record = text_format("%s/run.json", path);
    cleanup_free char *samples = text_format("%s/samples.csv", path);
    if (!record || !samples)
        return error_no_memory(err);
    if (!run->resumption && (file_exists(record) || file_exists(samples))) {
        error_set(err, ERROR_USAGE, 0, "%s holds a run already", path);
        return error_advise(err, "choose another folder with -o, or continue it with --resume %s",
                            path);
    }
    if (file_make_folders(path, 0700, err) < 0)
        return error_advise(err, "choose a folder that you can write with -o");
    run->folder = realpath(path, NULL);
    if (!run->folder)
        return error_set(err, ERROR_INTERNAL, errno, "cannot find %s", path);
    return run->resumption ? 0 : run_folder_lock(run->folder, &run->folder_lock_fd, err);
}

static int make_folders(struct run *run, struct error **err) {
    const struct run_options *options = run->options;
    if (make_run_folder(run, err) < 0)
        return -1;
    run->log_folder = text_format("%s/environments", run->folder);
    if (!run->log_folder)
        return error_no_memory(err);
    if (file_make_folders(run->log_folder, 0700, err) < 0)
        return -1;
    run->setup.log_folder = run->log_folder;
    file_remove_half_replaced(run->folder);
    const char *parent = options->data_folder ? options->data_folder : run->folder;
    if (data_folder_make(parent, run->setup.data_bytes, &run->data_folder, &run->data_lock_fd,
                         err) < 0)
        return -1;
    run->setup.data_folder = run->data_folder;
    if (aftermath_begin(&run->aftermath, run->data_folder, err) < 0)
        return -1;
    run->setup.session = run->aftermath.session;
    return 0;
}

static int open_files(struct run *run, struct error **err) {
    cleanup_free char *samples = text_format("%s/samples.csv", run->folder);
    cleanup_free char *journal = text_format("%s/journal.jsonl", run->folder);
    cleanup_free char *topology = text_format("%s/topology.xml", run->folder);
    if (!samples || !journal || !topology)
        return error_no_memory(err);
    if (store_open(samples, &run->store, NULL, err) < 0 ||
        journal_open(journal, &run->journal, err) < 0)
        return -1;
    return machine_write_topology(topology, err);
}

/* What a long step of an environment has to say (fetching a kernel, say). */
static void say(void *cookie, const char *text) {
    progress_say(cookie, "%s", text);
}

/* On a fake clock nothing is measured. */
static int lock_cpus(struct run *run, struct error **err) {
    if (run->setup.clock != &clock_monotonic)
        return 0;
    return cpu_locks_take(&run->setup.envelope, run->options->wait_ns, run->setup.cancel_fd, say,
                          &run->progress, &run->cpu_locks, err);
}

/* What is in the folder of the earlier execution becomes what this one goes on with. */
static int take_over(struct run *run, struct error **err) {
    struct dropped_rows dropped;
    if (!run->resumption)
        return 0;
    if (resumption_check(run->resumption, run->record, err) < 0 ||
        resumption_trim(run->resumption, &dropped, err) < 0)
        return -1;
    if (dropped.count > 0)
        progress_warn(&run->progress,
                      "dropped %u rows at the end of samples.csv%s: what they belong to was not "
                      "finished, and is done again",
                      dropped.count, dropped.half_written ? ", the last one half-written" : "");
    return 0;
}

/* Takes an environment out of the comparison. */
static void leave_out(struct run *run, unsigned index, const struct error *why) {
    progress_warn(&run->progress, "left out: %s: %s%s%s%s", run->environments[index]->label,
                  error_message(why), why && why->advice ? " (" : "",
                  why && why->advice ? why->advice : "", why && why->advice ? ")" : "");
    environment_free(run->environments[index]);
    run->environment_count--;
    for (unsigned i = index; i < run->environment_count; i++) {
        run->environments[i] = run->environments[i + 1];
        run->probes[i] = run->probes[i + 1];
    }
}

/* One that was not asked for and cannot be made (a guest's kernel that cannot be fetched, say) does
 * not stop the others. */
static int provision(struct run *run, struct error **err) {
    for (unsigned i = 0; i < run->environment_count;) {
        struct environment *environment = run->environments[i];
        cleanup_error struct error *failure = NULL;
        progress_step(&run->progress, "preparing %s", environment->label);
        if (environment->ops->provision(environment, &failure) == 0) {
            i++;
            continue;
        }
        bool optional = !run->options->environments[0] && run->environment_count > 1 &&
                        failure->kind != ERROR_INTERRUPTED;
        if (!optional) {
            error_move(err, TAKE_PTR(failure));
            return error_wrap(err, "%s", environment->label);
        }
        leave_out(run, i, failure);
    }
    return 0;
}

static uint64_t default_ns(uint64_t given_ns, uint64_t default_ns) {
    return given_ns ? given_ns : default_ns;
}

/* The record holds what the environments were measured to be. */
static int try_and_record(struct run *run, struct error **err) {
    json_auto_t *trials = NULL;
    if (run_trials(run, &trials, err) < 0 || run_make_record(run, err) < 0)
        return -1;
    return json_object_size(trials) > 0 ? json_object_set(run->record, "accelerator_trials", trials)
                                        : 0;
}

/* What was asked for goes before the profile's. */
static void choose_blocks(struct run *run) {
    const struct run_options *options = run->options;
    run->blocks = options->blocks ? options->blocks : run->profile->blocks;
    run->max_blocks = options->max_blocks ? options->max_blocks : run->profile->max_blocks;
    if (run->max_blocks >= run->blocks)
        return;
    if (options->blocks)
        run->max_blocks = run->blocks;
    else
        run->blocks = run->max_blocks;
}

int run_prepare(const struct run_options *options, const struct resumption *resumption,
                int cancel_fd, struct run *ret_run, struct error **err) {
    struct run *run = ret_run;
    *run = (struct run){.options = options,
                        .resumption = resumption,
                        .digests = resumption_digests(resumption),
                        .problems = resumption_problems(resumption),
                        .folder_lock_fd = -1,
                        .data_lock_fd = -1,
                        .aftermath = AFTERMATH_NONE};
    progress_start(&run->progress, options->quiet);
    if (profile_find(options->profile, &run->profile, err) < 0)
        return -1;
    run->seed = options->seed;
    if (!options->seed_given && getrandom(&run->seed, sizeof(run->seed), 0) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot draw a seed");
    run->seed &= INT64_MAX; /* JSON integers are signed */
    choose_blocks(run);
    run->precision = options->precision > 0 ? options->precision : DEFAULT_PRECISION;
    run->request_timeout_ns =
        default_ns(options->request_timeout_ns, run->profile->request_timeout_s * NS_PER_S);
    run->setup = (struct environment_setup){
        .version = PACKAGE_VERSION,
        .guest_kernel = options->kernel,
        .require_kvm = options->require_kvm,
        .start_timeout_ns = default_ns(options->start_timeout_ns, START_TIMEOUT_NS),
        .stop_timeout_ns = STOP_TIMEOUT_NS,
        .cancel_fd = cancel_fd,
        .clock = &clock_monotonic,
        .say = say,
        .say_cookie = &run->progress,
    };
    if (choose_sizes(run, err) < 0 || agent_path_find(&run->agent_path, err) < 0)
        return -1;
    run->setup.agent_path = run->agent_path;
    run->setup.data_bytes = work_list_data_bytes(&run->works);
    if (file_sha256(run->agent_path, run->agent_sha256, err) < 0)
        return -1;
    if (add_environments(run, err) < 0)
        return -1;
    if (options->dry_run)
        return 0;
    if (lock_cpus(run, err) < 0 || make_folders(run, err) < 0 || provision(run, err) < 0 ||
        try_and_record(run, err) < 0 || take_over(run, err) < 0)
        return -1;
    run->start_ns = clock_now_ns(run->setup.clock) - resumption_elapsed_ns(run->resumption);
    /* The record first: with it, whatever follows can be continued. */
    return run_save(run, "running", err) < 0 ? -1 : open_files(run, err);
}

int run_describe(struct run *run, FILE *to, struct error **err) {
    char memory[32], data[32];
    fprintf(to, "Profile %s, seed %llu, %u blocks, CPUs %s, memory %s, data %s\n",
            run->profile->name, (unsigned long long)run->seed, run->blocks,
            run->setup.envelope.cpu_list, format_size(run->setup.envelope.memory_bytes, memory),
            format_size(run->setup.data_bytes, data));
    fputs("\nWork, the same in every environment:\n", to);
    for (unsigned i = 0; i < run->works.count; i++) {
        cleanup_free char *parameters =
            json_dumps(run->works.works[i].parameters, JSON_COMPACT | JSON_SORT_KEYS);
        fprintf(to, "  %-8s %s\n", run->works.works[i].description->name,
                parameters ? parameters : "");
    }
    fputs("\nOrder:\n", to);
    for (unsigned block = 0; block < run->blocks; block++) {
        struct plan_block plan;
        plan_block(run->seed, block, run->environment_count, run->works.count, &plan);
        fprintf(to, "  block %u:", block + 1);
        for (unsigned i = 0; i < run->environment_count; i++)
            fprintf(to, "%s %s", i ? "," : "", run->environments[plan.environments[i]]->label);
        fputs(";  workloads", to);
        for (unsigned i = 0; i < run->works.count; i++)
            fprintf(to, "%s %s", i ? "," : "",
                    run->works.works[plan.workloads[i]].description->name);
        fputc('\n', to);
    }
    for (unsigned i = 0; i < run->environment_count; i++) {
        char title[160];
        environment_title(run->environments[i], title, sizeof(title));
        fprintf(to, "\n%s: %s\n", title, run->probes[i].detail);
        if (run->environments[i]->ops->describe(run->environments[i], to, err) < 0)
            return error_wrap(err, "%s", run->environments[i]->label);
    }
    return 0;
}

/* A run that never began leaves no empty folders behind; what holds anything stays. */
static void remove_empty_folders(const struct run *run) {
    if (run->store || !run->folder)
        return;
    if (run->log_folder)
        (void)rmdir(run->log_folder);
    if (rmdir(run->folder) == 0 && !run->options->output_folder)
        (void)rmdir("boxmark-runs");
}

void run_clear(struct run *run) {
    progress_end(&run->progress);
    for (unsigned i = 0; i < run->environment_count; i++)
        environment_free(run->environments[i]);
    if (run->data_folder)
        (void)file_remove_tree(run->data_folder, NULL);
    aftermath_end(&run->aftermath);
    if (run->data_lock_fd >= 0)
        close(run->data_lock_fd);
    if (run->folder_lock_fd >= 0)
        close(run->folder_lock_fd);
    cpu_locks_release(run->cpu_locks);
    remove_empty_folders(run);
    store_close(run->store);
    journal_close(run->journal);
    work_list_clear(&run->works);
    json_decref(run->record);
    json_decref(run->digests);
    free(run->folder);
    free(run->data_folder);
    free(run->log_folder);
    free(run->agent_path);
}
