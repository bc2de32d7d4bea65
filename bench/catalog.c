// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/catalog.h"

#include <string.h>

/* Upper bounds that keep a request from being a denial of service, far above any profile. */
#define MAX_THREADS 1024
#define MAX_ITERATIONS 1000
#define MAX_BYTES (UINT64_C(1) << 44)

#define COMMON_PARAMETERS                                                                          \
    {"threads", 1, MAX_THREADS, "worker threads"}, {                                               \
        "iterations", 1, MAX_ITERATIONS, "repetitions that count"                                  \
    }
#define WARMUP_PARAMETER                                                                           \
    { "warmups", 0, MAX_ITERATIONS, "repetitions before, stored but not counted" }

static const struct workload_description null_description = {
    .name = "null",
    .summary = "an empty request: the cost of asking",
    .version = 1,
    .hidden = true,
    .parameters = (const struct parameter_description[]){{NULL, 0, 0, NULL}},
    .metrics =
        (const struct metric_description[]){
            {NULL, NULL, BETTER_NEITHER, false, false, NULL},
        },
};

static const struct workload_description calibrate_description = {
    .name = "calibrate",
    .summary = "a short fixed loop: the speed of the CPU now",
    .version = 1,
    .hidden = true,
    .parameters =
        (const struct parameter_description[]){
            {"loops", 1, UINT64_C(1) << 40, "iterations of the loop"},
            {"iterations", 1, MAX_ITERATIONS, "repetitions"},
            {NULL, 0, 0, NULL},
        },
    .metrics =
        (const struct metric_description[]){
            {"time", "s", BETTER_LOWER, false, true, "host time of the loop"},
            {NULL, NULL, BETTER_NEITHER, false, false, NULL},
        },
};

static const struct workload_description calls_description = {
    .name = "calls",
    .summary = "empty system calls: the speed of the kernel's own code",
    .hidden = true,
    .parameters =
        (const struct parameter_description[]){
            {"calls", 1, UINT64_C(1) << 32, "system calls"},
            {"iterations", 1, MAX_ITERATIONS, "repetitions"},
            {NULL, 0, 0, NULL},
        },
    .metrics =
        (const struct metric_description[]){
            {"time", "s", BETTER_LOWER, false, true, "host time of all calls"},
            {NULL, NULL, BETTER_NEITHER, false, false, NULL},
        },
};

static const struct workload_description prime_description = {
    .name = "prime",
    .summary = "prime numbers by trial division, as sysbench cpu (CPU)",
    .version = 1,
    .parameters =
        (const struct parameter_description[]){
            COMMON_PARAMETERS,
            WARMUP_PARAMETER,
            {"limit", 4, UINT64_C(1) << 32, "primes below this number are sought"},
            {"events", 1, UINT64_C(1) << 40, "passes over all numbers, all threads together"},
            {NULL, 0, 0, NULL},
        },
    .metrics =
        (const struct metric_description[]){
            {"time", "s", BETTER_LOWER, true, true, "host time for all events"},
            {"events_per_s", "1/s", BETTER_HIGHER, false, false, "events a second"},
            {"latency_p50", "us", BETTER_LOWER, false, false, "median time of an event"},
            {"latency_p95", "us", BETTER_LOWER, false, false, "95th percentile"},
            {"latency_p99", "us", BETTER_LOWER, false, false, "99th percentile"},
            {"latency_max", "us", BETTER_LOWER, false, false, "slowest event"},
            {NULL, NULL, BETTER_NEITHER, false, false, NULL},
        },
};

static const struct workload_description zip_description = {
    .name = "zip",
    .summary = "deflate into a real ZIP archive (CPU and memory)",
    .version = 1,
    .needs_data = true,
    .parameters =
        (const struct parameter_description[]){
            COMMON_PARAMETERS,
            WARMUP_PARAMETER,
            {"bytes", 1, MAX_BYTES, "size of the corpus"},
            {"seed", 0, INT64_MAX, "seed of the corpus"},
            {"level", 1, 9, "deflate level"},
            {"to_file", 0, 1, "1: from file to file, 0: from memory to memory"},
            {NULL, 0, 0, NULL},
        },
    .metrics =
        (const struct metric_description[]){
            {"time", "s", BETTER_LOWER, true, true, "host time of compressing"},
            {"throughput", "MB/s", BETTER_HIGHER, false, false, "corpus bytes a second"},
            {"unzip_time", "s", BETTER_LOWER, false, true, "host time of unpacking and comparing"},
            {"ratio", "x", BETTER_NEITHER, false, false, "corpus bytes / archive bytes"},
            {NULL, NULL, BETTER_NEITHER, false, false, NULL},
        },
};

static const struct workload_description stream_description = {
    .name = "stream",
    .summary = "STREAM copy, scale, add, triad (memory bandwidth)",
    .version = 1,
    .parameters =
        (const struct parameter_description[]){
            {"threads", 1, MAX_THREADS, "worker threads"},
            /* The values grow 15 times in each: beyond about 260 a double cannot hold them. */
            {"iterations", 1, 200, "repetitions that count, after one that does not"},
            {"elements", 1000, UINT64_C(1) << 40, "doubles in each of the three arrays"},
            {"huge_pages", 0, 2, "0: kernel's choice, 1: madvise huge pages, 2: never"},
            {NULL, 0, 0, NULL},
        },
    .metrics =
        (const struct metric_description[]){
            {"time", "s", BETTER_LOWER, false, true, "host time of all counted repetitions"},
            {"copy", "MB/s", BETTER_HIGHER, false, false, "c = a, each repetition"},
            {"scale", "MB/s", BETTER_HIGHER, false, false, "b = q c, each repetition"},
            {"add", "MB/s", BETTER_HIGHER, false, false, "c = a + b, each repetition"},
            {"triad", "MB/s", BETTER_HIGHER, true, false, "a = b + q c, each repetition"},
            {"copy_best", "MB/s", BETTER_HIGHER, false, false, "best repetition"},
            {"scale_best", "MB/s", BETTER_HIGHER, false, false, "best repetition"},
            {"add_best", "MB/s", BETTER_HIGHER, false, false, "best repetition"},
            {"triad_best", "MB/s", BETTER_HIGHER, false, false, "best repetition"},
            {NULL, NULL, BETTER_NEITHER, false, false, NULL},
        },
};

/* The metrics of one of the four passes over the file. */
#define DISK_PASS(name, headline, what)                                                            \
    {name "_time", "s", BETTER_LOWER, false, true, "host time of the " what},                      \
        {name, "MB/s", BETTER_HIGHER, headline, false, what},                                      \
        {name "_latency_p50", "us", BETTER_LOWER, false, false, what ": median of a record"},      \
        {name "_latency_p99", "us", BETTER_LOWER, false, false, what ": 99th percentile"},         \
        {name "_latency_p99_9", "us", BETTER_LOWER, false, false, what ": 99.9th percentile"}, {   \
        name "_latency_max", "us", BETTER_LOWER, false, false, what ": slowest record"             \
    }

static const struct workload_description disk_description = {
    .name = "disk",
    .summary = "one file in large records, direct I/O, as IOzone (disk)",
    .version = 1,
    .needs_data = true,
    .parameters =
        (const struct parameter_description[]){
            {"iterations", 1, MAX_ITERATIONS, "repetitions that count"},
            {"bytes", 4096, MAX_BYTES, "size of the file"},
            {"record_bytes", 4096, UINT64_C(1) << 28, "size of one record"},
            {"depth", 1, 256, "records in flight"},
            {"seed", 0, INT64_MAX, "seed of contents and random order"},
            {NULL, 0, 0, NULL},
        },
    .metrics =
        (const struct metric_description[]){
            DISK_PASS("seq_write", true, "sequential write"),
            {"fsync_time", "s", BETTER_LOWER, false, true, "host time of fsync after the write"},
            DISK_PASS("seq_read", true, "sequential read"),
            DISK_PASS("rand_read", true, "random read"),
            DISK_PASS("rand_write", true, "random write"),
            {NULL, NULL, BETTER_NEITHER, false, false, NULL},
        },
};

static const struct workload_description startup_description = {
    .name = "startup",
    .summary = "from launching an instance to its agent being ready",
    .version = 1,
    .by_harness = true,
    .parameters = (const struct parameter_description[]){{NULL, 0, 0, NULL}},
    .metrics =
        (const struct metric_description[]){
            {"ready", "ms", BETTER_LOWER, true, false, "launch to agent ready, files cached"},
            {"cold_ready", "ms", BETTER_LOWER, false, false, "the same, files not cached"},
            {"helper_alive", "ms", BETTER_LOWER, false, false, "launch to helper process alive"},
            {"kernel_entered", "ms", BETTER_LOWER, false, false, "launch to guest kernel entered"},
            {"user_instruction", "ms", BETTER_LOWER, false, false,
             "launch to first instruction of the agent"},
            {"stop", "ms", BETTER_LOWER, false, false, "stop requested to reaped"},
            {"clean_up", "ms", BETTER_LOWER, false, false, "reaped to cleaned up"},
            {NULL, NULL, BETTER_NEITHER, false, false, NULL},
        },
};

const struct workload_description *const workload_catalog[] = {
    &prime_description,     &zip_description,     &stream_description,
    &disk_description,      &startup_description, &null_description,
    &calibrate_description, &calls_description,   NULL,
};

const struct workload_description *workload_find(const char *name) {
    for (const struct workload_description *const *at = workload_catalog; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

/* Metrics of every workload that come from the harness itself. */
static const struct metric_description common_metrics[] = {
    {"cpu_seconds", "s", BETTER_LOWER, false, false,
     "host CPU time of everything that belongs to the environment"},
    {NULL, NULL, BETTER_NEITHER, false, false, NULL},
};

const struct metric_description *metric_find(const struct workload_description *workload,
                                             const char *name) {
    for (const struct metric_description *at = workload->metrics; at->name; at++)
        if (strcmp(at->name, name) == 0)
            return at;
    for (const struct metric_description *at = common_metrics; at->name; at++)
        if (strcmp(at->name, name) == 0)
            return at;
    return NULL;
}

const struct parameter_description *parameter_find(const struct workload_description *workload,
                                                   const char *name) {
    for (const struct parameter_description *at = workload->parameters; at->name; at++)
        if (strcmp(at->name, name) == 0)
            return at;
    return NULL;
}

static const char *const better_names[] = {
    [BETTER_LOWER] = "lower", [BETTER_HIGHER] = "higher", [BETTER_NEITHER] = "neither"};

const char *better_name(enum better better) {
    return better_names[better];
}

bool better_parse(const char *name, enum better *ret_better) {
    for (unsigned i = 0; i < sizeof(better_names) / sizeof(*better_names); i++)
        if (strcmp(name, better_names[i]) == 0) {
            *ret_better = (enum better)i;
            return true;
        }
    return false;
}
