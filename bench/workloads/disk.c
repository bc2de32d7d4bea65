// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One file in large records past the page cache, as `iozone -s 4g -r 1m`: written in order, made
 * durable, read in order, read and written in a random order that visits every record once.
 *
 * Every record is verified and none while the clock runs: after each writing the whole file is read
 * back and every byte checked. The timed reads, whose buffers are used again at once, leave a
 * witness of each record (header and some block stamps), which is checked when the clock has
 * stopped: each of them has really read that record.
 */
#include "bench/disk_file.h"
#include "bench/disk_io.h"
#include "bench/disk_record.h"
#include "bench/latency.h"
#include "bench/workload.h"
#include "common/clock.h"
#include "common/random.h"

#include <sodium.h>
#include <string.h>

struct disk_work {
    struct workload_run *run;
    uint64_t bytes, seed;
    unsigned records;
    struct record_format format;
    struct disk_file file;
    struct disk_io io;
    unsigned *order;
    struct record_witness *witnesses;
    uint64_t *started_ns;   /* by slot */
    unsigned *slot_records; /* by slot: the place in the order of the record in it */
    struct latency_histogram *latency;
    crypto_hash_sha256_state digest;
    uint64_t passes_to_do, passes_done; /* over the file, for progress */
};

/* What a pass does with a record in a slot's buffer; any may be NULL. */
struct disk_pass {
    enum disk_operation operation;
    uint64_t generation;
    bool random;
    void (*before)(struct disk_work *work, const struct disk_pass *pass, unsigned record,
                   void *buffer);
    int (*after)(struct disk_work *work, const struct disk_pass *pass, unsigned record,
                 const void *buffer, struct error **err);
};

static void stamp_before(struct disk_work *work, const struct disk_pass *pass, unsigned record,
                         void *buffer) {
    record_stamp(&work->format, buffer, record, pass->generation);
}

static int witness_after(struct disk_work *work, const struct disk_pass *pass, unsigned record,
                         const void *buffer, struct error **err) {
    (void)pass;
    (void)err;
    record_witness(&work->format, buffer, record, &work->witnesses[record]);
    return 0;
}

static int check_after(struct disk_work *work, const struct disk_pass *pass, unsigned record,
                       const void *buffer, struct error **err) {
    return record_check(&work->format, buffer, record, pass->generation, err);
}

static int start_record(struct disk_work *work, const struct disk_pass *pass, unsigned place,
                        unsigned slot, struct error **err) {
    unsigned record = pass->random ? work->order[place] : place;
    if (pass->before)
        pass->before(work, pass, record, disk_io_buffer(&work->io, slot));
    work->slot_records[slot] = record;
    work->started_ns[slot] = monotonic_ns();
    return work->io.ops->start(&work->io, pass->operation, slot,
                               (uint64_t)record * work->format.bytes, err);
}

static int result_error(const struct disk_work *work, const struct disk_pass *pass, unsigned slot,
                        int64_t result, struct error **err) {
    /* A short write is a disk that is full; a short read a file that is too short. */
    int short_errnum = pass->operation == DISK_WRITE ? ENOSPC : EIO;
    return error_set(err, ERROR_INTERNAL, result < 0 ? (int)-result : short_errnum,
                     "cannot %s the record at offset %llu",
                     pass->operation == DISK_WRITE ? "write" : "read",
                     (unsigned long long)work->slot_records[slot] * work->format.bytes);
}

/* Every record once, as many in flight as there are slots. */
static int run_pass(struct disk_work *work, const struct disk_pass *pass, struct error **err) {
    unsigned started = 0, ended = 0;
    for (unsigned slot = 0; slot < work->io.depth && started < work->records; slot++)
        if (start_record(work, pass, started++, slot, err) < 0)
            return -1;
    while (ended < work->records) {
        unsigned slot;
        int64_t result;
        if (work->io.ops->wait(&work->io, &slot, &result, err) < 0)
            return -1;
        latency_record(work->latency, monotonic_ns() - work->started_ns[slot]);
        if (result != (int64_t)work->format.bytes)
            return result_error(work, pass, slot, result, err);
        if (pass->after && pass->after(work, pass, work->slot_records[slot],
                                       disk_io_buffer(&work->io, slot), err) < 0)
            return -1;
        ended++;
        if (started < work->records && start_record(work, pass, started++, slot, err) < 0)
            return -1;
        run_progress(work->run, ((double)work->passes_done + (double)ended / work->records) /
                                    (double)work->passes_to_do);
    }
    work->passes_done++;
    return 0;
}

/* A timed pass with its metrics, which begin with its name. */
static int time_pass(struct disk_work *work, const struct disk_pass *pass, const char *name,
                     uint64_t iteration, struct error **err) {
    static const struct {
        const char *suffix;
        double quantile;
    } quantiles[] = {{"p50", 0.50}, {"p99", 0.99}, {"p99_9", 0.999}};
    char metric[64];
    snprintf(metric, sizeof(metric), "%s_time", name);
    latency_reset(work->latency);
    run_section_start(work->run, metric, iteration, false);
    int result = run_pass(work, pass, err);
    uint64_t elapsed_ns = run_section_stop(work->run);
    if (result < 0)
        return error_wrap(err, "%s", name);
    run_sample(work->run, name, iteration, false,
               (double)work->bytes / 1e6 / ((double)(elapsed_ns ? elapsed_ns : 1) / 1e9));
    for (unsigned i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++) {
        snprintf(metric, sizeof(metric), "%s_latency_%s", name, quantiles[i].suffix);
        run_sample(work->run, metric, iteration, false,
                   (double)latency_quantile_ns(work->latency, quantiles[i].quantile) / 1e3);
    }
    snprintf(metric, sizeof(metric), "%s_latency_max", name);
    run_sample(work->run, metric, iteration, false, (double)latency_max_ns(work->latency) / 1e3);
    return 0;
}

static int time_write(struct disk_work *work, const char *name, bool random, uint64_t generation,
                      uint64_t iteration, struct error **err) {
    struct disk_pass pass = {.operation = DISK_WRITE,
                             .generation = generation,
                             .random = random,
                             .before = stamp_before};
    for (unsigned slot = 0; slot < work->io.depth; slot++)
        record_fill(&work->format, disk_io_buffer(&work->io, slot));
    return time_pass(work, &pass, name, iteration, err);
}

static int time_read(struct disk_work *work, const char *name, bool random, uint64_t generation,
                     uint64_t iteration, struct error **err) {
    struct disk_pass pass = {
        .operation = DISK_READ, .generation = generation, .random = random, .after = witness_after};
    if (disk_file_settle(&work->file, err) < 0)
        return -1;
    memset(work->witnesses, 0, work->records * sizeof(*work->witnesses));
    if (time_pass(work, &pass, name, iteration, err) < 0)
        return -1;
    for (unsigned record = 0; record < work->records; record++)
        if (record_check_witness(&work->format, &work->witnesses[record], record, generation, err) <
            0)
            return error_wrap(err, "%s", name);
    return 0;
}

/* Reads everything back, checks every byte, takes the checksums into the digest. */
static int verify(struct disk_work *work, uint64_t generation, struct error **err) {
    struct disk_pass pass = {
        .operation = DISK_READ, .generation = generation, .after = check_after};
    if (disk_file_settle(&work->file, err) < 0)
        return -1;
    if (run_pass(work, &pass, err) < 0)
        return error_wrap(err, "verifying");
    for (unsigned record = 0; record < work->records; record++) {
        uint64_t checksum = record_checksum(&work->format, record, generation);
        crypto_hash_sha256_update(&work->digest, (const unsigned char *)&checksum,
                                  sizeof(checksum));
    }
    return 0;
}

static int time_fsync(struct disk_work *work, uint64_t iteration, struct error **err) {
    run_section_start(work->run, "fsync_time", iteration, false);
    int code = fsync(work->file.fd), errnum = errno;
    run_section_stop(work->run);
    if (code < 0)
        return error_set(err, ERROR_INTERNAL, errnum, "cannot sync the file");
    return 0;
}

static void shuffle(struct disk_work *work, uint64_t seed) {
    struct random_state random = random_seeded(seed);
    for (unsigned i = 0; i < work->records; i++)
        work->order[i] = i;
    random_shuffle(&random, work->order, work->records);
}

static void note_ways(struct disk_work *work) {
    run_note(work->run, "io", "%s", work->io.ops->name);
    if (work->io.fallback[0])
        run_note(work->run, "io_fallback", "%s; one record in flight", work->io.fallback);
    if (work->io.polled)
        run_note(work->run, "io_polled",
                 "submissions and completions are watched for, at the price of CPU time");
    run_note(work->run, "direct", "%s", work->file.direct_text);
    run_note(work->run, "preallocated", "%s", work->file.preallocated_text);
}

/* Each iteration writes a file of its own, so that the first write is always to fresh blocks. */
static int measure(struct disk_work *work, uint64_t iteration, struct error **err) {
    uint64_t first = 2 * iteration + 1, second = 2 * iteration + 2;
    disk_file_cleanup(&work->file);
    work->file.fd = -1;
    if (disk_file_open(run_data_folder(work->run), work->bytes, &work->file, err) < 0)
        return -1;
    work->io.fd = work->file.fd;
    if (iteration == 0)
        note_ways(work);
    if (time_write(work, "seq_write", false, first, iteration, err) < 0 ||
        time_fsync(work, iteration, err) < 0 || verify(work, first, err) < 0 ||
        time_read(work, "seq_read", false, first, iteration, err) < 0)
        return -1;
    shuffle(work, work->seed + first);
    if (time_read(work, "rand_read", true, first, iteration, err) < 0)
        return -1;
    shuffle(work, work->seed + second);
    if (time_write(work, "rand_write", true, second, iteration, err) < 0)
        return -1;
    return verify(work, second, err);
}

static void disk_work_cleanup(struct disk_work *work) {
    disk_io_cleanup(&work->io);
    disk_file_cleanup(&work->file);
    latency_free(work->latency);
    free(work->order);
    free(work->witnesses);
    free(work->started_ns);
    free(work->slot_records);
}

static int prepare(struct disk_work *work, unsigned depth, uint64_t record_bytes,
                   struct error **err) {
    work->format = record_format_new(work->seed, record_bytes);
    work->order = calloc(work->records, sizeof(*work->order));
    work->witnesses = calloc(work->records, sizeof(*work->witnesses));
    work->started_ns = calloc(depth, sizeof(*work->started_ns));
    work->slot_records = calloc(depth, sizeof(*work->slot_records));
    work->latency = latency_new();
    if (!work->order || !work->witnesses || !work->started_ns || !work->slot_records ||
        !work->latency)
        return error_no_memory(err);
    crypto_hash_sha256_init(&work->digest);
    return disk_io_open(depth, record_bytes, &work->io, err);
}

static int run_disk(struct workload_run *run, struct error **err) {
    CLEANUP(disk_work)
    struct disk_work work = {
        .run = run,
        .bytes = run_parameter(run, "bytes"),
        .seed = run_parameter(run, "seed"),
        .file = {.fd = -1},
        .io = {.fd = -1},
    };
    uint64_t record_bytes = run_parameter(run, "record_bytes"), depth = run_parameter(run, "depth");
    uint64_t iterations = run_parameter(run, "iterations");
    work.records = (unsigned)(work.bytes / record_bytes);
    work.passes_to_do = 6 * iterations;
    if (prepare(&work, (unsigned)depth, record_bytes, err) < 0)
        return -1;
    for (uint64_t iteration = 0; iteration < iterations; iteration++)
        if (measure(&work, iteration, err) < 0)
            return -1;
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof(hash) + 1];
    crypto_hash_sha256_final(&work.digest, hash);
    run_digest(run, "%s", sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)));
    return 0;
}

const struct workload workload_disk = {"disk", run_disk};
