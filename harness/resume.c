// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/resume.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "harness/data_folder.h"
#include "harness/run.h"
#include "results/manifest.h"
#include "results/run_record.h"

#include <string.h>

struct resumption {
    char *folder;
    int lock_fd;     /* of the folder, or -1 */
    json_t *record;  /* run.json as the earlier execution left it */
    json_t *journal; /* array of entries */
    json_t *done;    /* {"request 0 vm zip": true, ...}: keys of what is done */
    json_t *active;  /* {"3": ["zip"]} */
    json_t *digests;
    uint64_t elapsed_ns;
    int64_t samples_bytes;
    unsigned problems;
};

struct resumption *resumption_free(struct resumption *resumption) {
    if (resumption) {
        json_decref(resumption->record);
        json_decref(resumption->journal);
        json_decref(resumption->done);
        json_decref(resumption->active);
        json_decref(resumption->digests);
        free(resumption->folder);
        if (resumption->lock_fd >= 0)
            close(resumption->lock_fd);
        free(resumption);
    }
    return NULL;
}

static void resumption_cleanup(struct resumption **resumption) {
    resumption_free(*resumption);
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static uint64_t number_of(const json_t *object, const char *key) {
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* Of something done in one environment. Nothing is allocated, so that looking cannot fail. */
enum { KEY_BYTES = 128 };

static void done_key(const char *type, uint64_t block, const char *what, char key[KEY_BYTES]) {
    snprintf(key, KEY_BYTES, "%s %llu %s", type, (unsigned long long)block, what);
}

static void start_key(uint64_t block, uint64_t iteration, bool cold, char key[KEY_BYTES]) {
    char what[48];
    snprintf(what, sizeof(what), "%s %llu", cold ? "cold" : "warm", (unsigned long long)iteration);
    done_key("start", block, what, key);
}

static int remember(struct resumption *resumption, const char *environment, const char *key,
                    bool fine) {
    json_t *all = json_object_get(resumption->done, environment);
    if (!all) {
        all = json_object();
        if (json_object_set_new(resumption->done, environment, all) < 0)
            return -1;
    }
    /* What was too long for the key may have been cut within a character. */
    return json_object_set_new_nocheck(all, key, json_boolean(fine));
}

/* Takes one entry of the journal into account. */
static int replay(struct resumption *resumption, const json_t *entry, struct error **err) {
    const char *type = text_of(entry, "type"), *environment = text_of(entry, "environment");
    uint64_t block = number_of(entry, "block");
    char key[KEY_BYTES] = "";
    int result = 0;
    if (strcmp(type, "request") == 0) {
        done_key(type, block, text_of(entry, "workload"), key);
        json_object_set(resumption->digests, text_of(entry, "workload"),
                        json_object_get(entry, "digest"));
    } else if (strcmp(type, "start") == 0) {
        start_key(block, number_of(entry, "iteration"),
                  json_is_true(json_object_get(entry, "cold")), key);
    } else if (strcmp(type, "instance") == 0) {
        done_key(type, block, "", key);
    } else if (strcmp(type, "block") == 0) {
        char number[32];
        snprintf(number, sizeof(number), "%llu", (unsigned long long)block);
        json_object_set(resumption->active, number, json_object_get(entry, "active"));
    } else if (strcmp(type, "failure") == 0) {
        resumption->problems++;
    }
    if (*key)
        result = remember(resumption, environment, key,
                          strcmp(text_of(entry, "outcome"), "failed") != 0);
    const json_t *bytes = json_object_get(entry, "samples_bytes");
    if (bytes)
        resumption->samples_bytes = json_integer_value(bytes);
    const json_t *elapsed = json_object_get(entry, "run_ns");
    if (elapsed)
        resumption->elapsed_ns = (uint64_t)json_integer_value(elapsed);
    return result < 0 ? error_no_memory(err) : 0;
}

static int load_files(struct resumption *resumption, struct error **err) {
    cleanup_free char *record = text_format("%s/run.json", resumption->folder);
    cleanup_free char *journal = text_format("%s/journal.jsonl", resumption->folder);
    if (!record || !journal)
        return error_no_memory(err);
    if (!file_exists(record)) {
        error_set(err, ERROR_USAGE, 0, "there is no run in %s: it has no run.json",
                  resumption->folder);
        return error_advise(err,
                            "a run that ended before its first measurement is begun anew, with "
                            "-o instead of --resume");
    }
    if (run_record_load(resumption->folder, &resumption->record, err) < 0)
        return error_advise(err, "only a run folder that boxmark wrote can be continued");
    if (strcmp(text_of(resumption->record, "status"), "finished") == 0) {
        /* It may have been killed while it reported. */
        file_remove_half_replaced(resumption->folder);
        error_set(err, ERROR_USAGE, 0, "the run in %s is finished", resumption->folder);
        return error_advise(err, "`boxmark report %s` shows it", resumption->folder);
    }
    /* Killed before the first entry. */
    if (!file_exists(journal))
        return (resumption->journal = json_array()) ? 0 : error_no_memory(err);
    return journal_read(journal, &resumption->journal, err);
}

/* The options as the record keeps them ("asked" in docs/schema.md). */
static int fill_options(struct resumption *resumption, struct run_options *options,
                        struct error **err) {
    const json_t *asked = json_object_get(resumption->record, "asked");
    const json_t *plan = json_object_get(resumption->record, "plan");
    if (!json_is_object(asked) || !json_is_object(plan))
        return error_set(err, ERROR_USAGE, 0, "%s/run.json: no \"asked\" or no \"plan\"",
                         resumption->folder);
    size_t index;
    json_t *value;
    json_array_foreach(json_object_get(asked, "environments"), index, value) if (index < PLAN_MAX)
        options->environments[index] = json_string_value(value);
    json_array_foreach(json_object_get(asked, "workloads"), index, value) if (index < WORKLOADS_MAX)
        options->workloads[index] = json_string_value(value);
    options->profile = text_of(resumption->record, "profile");
    json_decref(options->overrides);
    options->overrides = json_deep_copy(json_object_get(asked, "overrides"));
    options->pairs = json_object_get(asked, "pairs");
    options->cpus = (unsigned)number_of(asked, "cpus");
    options->memory_bytes = number_of(asked, "memory_bytes");
    options->data_folder = json_string_value(json_object_get(asked, "data"));
    options->kernel = json_string_value(json_object_get(asked, "kernel"));
    options->require_kvm = json_is_true(json_object_get(asked, "require_kvm"));
    options->request_timeout_ns = number_of(asked, "request_timeout_ns");
    options->start_timeout_ns = number_of(asked, "start_timeout_ns");
    options->seed = number_of(resumption->record, "seed");
    options->seed_given = true;
    options->blocks = (unsigned)number_of(plan, "blocks");
    options->max_blocks = (unsigned)number_of(plan, "max_blocks");
    options->precision = json_number_value(json_object_get(plan, "precision"));
    options->budget_ns = number_of(plan, "budget_ns");
    options->starts = (unsigned)number_of(plan, "starts");
    options->output_folder = resumption->folder;
    return 0;
}

int resumption_load(const char *folder, struct run_options *options,
                    struct resumption **ret_resumption, struct error **err) {
    __attribute__((cleanup(resumption_cleanup))) struct resumption *resumption =
        calloc(1, sizeof(*resumption));
    if (!resumption)
        return error_no_memory(err);
    resumption->lock_fd = -1;
    resumption->folder = realpath(folder, NULL);
    if (!resumption->folder)
        return error_set(err, ERROR_USAGE, errno, "cannot open the run %s", folder);
    if (run_folder_lock(resumption->folder, &resumption->lock_fd, err) < 0)
        return -1;
    resumption->done = json_object();
    resumption->active = json_object();
    resumption->digests = json_object();
    resumption->samples_bytes = -1;
    if (load_files(resumption, err) < 0 || fill_options(resumption, options, err) < 0)
        return -1;
    size_t index;
    json_t *entry;
    json_array_foreach(resumption->journal, index, entry) {
        if (replay(resumption, entry, err) < 0)
            return -1;
    }
    *ret_resumption = TAKE_PTR(resumption);
    return 0;
}

/*
 * Members of run.json that must be equal for the samples to belong together, beside the work. What
 * changes by itself and means nothing (load, free memory, the clock rate of the moment, names of
 * devices) is not among them.
 */
static const char *const must_match[][2] = {
    {"boxmark", NULL},
    {"agent", "sha256"},
    {"machine", "cpu_model"},
    {"machine", "cpu_flags"},
    {"machine", "microcode"},
    {"machine", "cpus_online"},
    {"machine", "smt"},
    {"machine", "governor"},
    {"machine", "intel_no_turbo"},
    {"machine", "boost"},
    {"machine", "memory_bytes"},
    {"machine", "transparent_huge_pages"},
    {"machine", "numa_balancing"},
    {"machine", "kernel"},
    {"machine", "kernel_version"},
    {"machine", "kernel_command_line"},
    {"machine", "mitigations"},
    {"machine", "envelope"},
    {"data_disk", "file_system"},
    {"data_disk", "bytes"},
    {"data_disk", "model"},
    {"data_disk", "rotational"},
    {"data_disk", "scheduler"},
    {"data_disk", "write_cache"},
};

/* The same of each environment. */
static const char *const environment_must_match[][2] = {
    {"accelerator", NULL},
    {"image", NULL},
    {"probe", "version"},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const json_t *member(const json_t *record, const char *const names[2]) {
    const json_t *value = json_object_get(record, names[0]);
    return names[1] ? json_object_get(value, names[1]) : value;
}

/* Absent on both sides is equal, too. */
static bool equal(const json_t *before, const json_t *now) {
    return before == now || json_equal(before, now);
}

/* Where two texts begin to differ, but for some characters that are common to both. */
static size_t difference_at(const char *a, const char *b) {
    const size_t context = 24;
    size_t at = 0;
    while (a[at] && a[at] == b[at])
        at++;
    at = at > context ? at - context : 0;
    /* Not within a character. */
    while (at > 0 && ((unsigned char)a[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static int changed(const char *what, const json_t *before, const json_t *now, struct error **err) {
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS;
    cleanup_free char *was_dumped = json_dumps(before, flags);
    cleanup_free char *is_dumped = json_dumps(now, flags);
    const char *was = was_dumped ? was_dumped : "absent", *is = is_dumped ? is_dumped : "absent";
    /* A kernel's command line is long, and its end is what differs. */
    size_t from = was_dumped && is_dumped ? difference_at(was, is) : 0;
    const char *cut = from > 0 ? "..." : "";
    error_set(err, ERROR_USAGE, 0, "this is not the same any more: %s was %s%.120s, is %s%.120s",
              what, cut, was + from, cut, is + from);
    return error_advise(err, "begin a new run; samples of the two would not be comparable");
}

/* `of` is the label of the environment that the members are of, or NULL. */
static int check_members(const char *const (*members)[2], size_t count, const char *of,
                         const json_t *earlier, const json_t *record, struct error **err) {
    for (size_t i = 0; i < count; i++) {
        const json_t *before = member(earlier, members[i]), *now = member(record, members[i]);
        if (equal(before, now))
            continue;
        cleanup_free char *what =
            text_format("%s%s%s%s%s", of ? of : "", of ? ": " : "", members[i][0],
                        members[i][1] ? "." : "", members[i][1] ? members[i][1] : "");
        return what ? changed(what, before, now, err) : error_no_memory(err);
    }
    return 0;
}

static const json_t *find_environment(const json_t *record, const char *label) {
    size_t index;
    const json_t *environment;
    json_array_foreach(json_object_get(record, "environments"), index, environment) {
        if (strcmp(text_of(environment, "label"), label) == 0)
            return environment;
    }
    return NULL;
}

int record_check_same(const json_t *earlier, const json_t *record, struct error **err) {
    /* A run of before the disk was recorded can only be trusted to be on the same one. */
    bool disk_known = json_object_get(earlier, "data_disk") != NULL;
    for (size_t i = 0; i < COUNT(must_match); i++)
        if ((disk_known || strcmp(must_match[i][0], "data_disk") != 0) &&
            check_members(&must_match[i], 1, NULL, earlier, record, err) < 0)
            return -1;
    size_t index;
    const json_t *environment;
    json_array_foreach(json_object_get(record, "environments"), index, environment) {
        const char *label = text_of(environment, "label");
        const json_t *before = find_environment(earlier, label);
        if (before && check_members(environment_must_match, COUNT(environment_must_match), label,
                                    before, environment, err) < 0)
            return -1;
    }
    return 0;
}

int resumption_check(const struct resumption *resumption, const json_t *record,
                     struct error **err) {
    if (record_check_same(resumption->record, record, err) < 0)
        return -1;
    const json_t *works_before = json_object_get(resumption->record, "workloads");
    const json_t *works_now = json_object_get(record, "workloads");
    if (!equal(works_before, works_now))
        return changed("workloads", works_before, works_now, err);
    /* The schedule goes by their order. */
    const json_t *before = json_object_get(resumption->record, "environments");
    const json_t *now = json_object_get(record, "environments");
    for (size_t i = 0; i < json_array_size(before) || i < json_array_size(now); i++) {
        const json_t *was = json_object_get(json_array_get(before, i), "label");
        const json_t *is = json_object_get(json_array_get(now, i), "label");
        if (!equal(was, is))
            return changed("environments.label", was, is, err);
    }
    return 0;
}

/* The rows beyond the last commit, and where they begin. */
static int find_uncommitted(const struct resumption *resumption, const char *samples,
                            size_t *ret_bytes, struct dropped_rows *ret_dropped,
                            struct error **err) {
    cleanup_free char *text = NULL;
    size_t size = 0;
    /* No commit yet: every row, the header included, is written anew. */
    size_t bytes = resumption->samples_bytes > 0 ? (size_t)resumption->samples_bytes : 0;
    *ret_dropped = (struct dropped_rows){0};
    if ((bytes > 0 || file_exists(samples)) && file_read(samples, &text, &size, err) < 0)
        return -1;
    if (size < bytes) {
        error_set(err, ERROR_USAGE, 0, "%s has lost rows: %zu bytes, but the journal says %zu",
                  samples, size, bytes);
        return error_advise(err, "restore the file, or begin a new run");
    }
    for (size_t i = bytes; i < size; i++)
        ret_dropped->count += text[i] == '\n' || i + 1 == size;
    ret_dropped->half_written = size > bytes && text[size - 1] != '\n';
    if (bytes == 0 && ret_dropped->count > 0)
        ret_dropped->count--; /* the header */
    *ret_bytes = bytes;
    return 0;
}

int resumption_trim(const struct resumption *resumption, struct dropped_rows *ret_dropped,
                    struct error **err) {
    if (data_folder_remove_leftover(text_of(resumption->record, "data_folder"), err) < 0 ||
        manifest_remove(resumption->folder, err) < 0)
        return -1;
    cleanup_free char *samples = text_format("%s/samples.csv", resumption->folder);
    size_t bytes = 0;
    if (!samples)
        return error_no_memory(err);
    if (find_uncommitted(resumption, samples, &bytes, ret_dropped, err) < 0)
        return -1;
    if (file_exists(samples) && truncate(samples, (off_t)bytes) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot cut %s", samples);
    return 0;
}

static const json_t *find_done(const struct resumption *resumption, const char *environment,
                               const char *key) {
    return resumption ? json_object_get(json_object_get(resumption->done, environment), key) : NULL;
}

bool resumption_has_start(const struct resumption *resumption, uint64_t block,
                          const char *environment, uint64_t iteration, bool cold) {
    char key[KEY_BYTES];
    start_key(block, iteration, cold, key);
    return find_done(resumption, environment, key) != NULL;
}

bool resumption_has_request(const struct resumption *resumption, uint64_t block,
                            const char *environment, const char *workload) {
    char key[KEY_BYTES];
    done_key("request", block, workload, key);
    return find_done(resumption, environment, key) != NULL;
}

int resumption_instance(const struct resumption *resumption, uint64_t block,
                        const char *environment) {
    char key[KEY_BYTES];
    done_key("instance", block, "", key);
    const json_t *found = find_done(resumption, environment, key);
    return !found ? -1 : json_is_true(found) ? 0 : 1;
}

const json_t *resumption_active(const struct resumption *resumption, uint64_t block) {
    char number[32];
    snprintf(number, sizeof(number), "%llu", (unsigned long long)block);
    return resumption ? json_object_get(resumption->active, number) : NULL;
}

json_t *resumption_digests(const struct resumption *resumption) {
    return resumption ? json_deep_copy(resumption->digests) : json_object();
}

uint64_t resumption_elapsed_ns(const struct resumption *resumption) {
    return resumption ? resumption->elapsed_ns : 0;
}

unsigned resumption_problems(const struct resumption *resumption) {
    return resumption ? resumption->problems : 0;
}
