// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Deflate into real ZIP archives, then unpack and compare.
 *
 * Each thread packs its own stretch of the corpus into an archive of its own, as people do who zip
 * with several CPUs: minizip writes an archive from one thread. With one thread this is exactly
 * what `zip -6` does. The stretches depend on the number of threads and on nothing else, so the
 * archives, and their digest, are the same everywhere for the same request.
 *
 * Memory to memory, all pages are touched before the clock starts. File to file, the corpus is on
 * the disk and out of the cache when the clock starts, and the archives are on the disk when it
 * stops; only a chunk of each is in memory.
 */
#include "bench/archive.h"
#include "bench/corpus.h"
#include "bench/workload.h"

#include <omp.h>
#include <sodium.h>
#include <stdatomic.h>

/* The corpus never shrinks less than this (corpus.h), so the archives never outgrow their memory;
 * a blob would grow, but while the clock runs. */
#define LEAST_RATIO 2

struct zip_part {
    char entry[32];
    char archive_name[32];
    struct archive_source source;
    struct blob *archive;
    struct error *err;
};

struct zip_work {
    struct workload_run *run;
    struct blob *corpus;
    struct zip_part *parts;
    uint64_t bytes, threads, seed;
    int level;
    bool to_file;
    uint64_t bytes_to_do; /* over all rounds, packed and unpacked: for progress */
    atomic_uint_fast64_t bytes_done;
};

static void add_progress(void *cookie, uint64_t more_bytes) {
    struct zip_work *work = cookie;
    uint64_t done = atomic_fetch_add(&work->bytes_done, more_bytes) + more_bytes;
    /* One thread speaks for all. */
    if (omp_get_thread_num() == 0)
        run_progress(work->run, (double)done / (double)work->bytes_to_do);
}

/* The corpus goes through a buffer of this size on its way to a file. */
#define CORPUS_BATCH_BYTES ((uint64_t)128 * CORPUS_BLOCK_BYTES)

static void fill_batch(const struct corpus *corpus, uint64_t offset, unsigned char *to,
                       uint64_t size, uint64_t threads) {
#pragma omp parallel for num_threads((int)threads) schedule(static)
    for (uint64_t done = 0; done < size; done += CORPUS_BLOCK_BYTES) {
        uint64_t left = size - done;
        corpus_fill(corpus, offset + done, to + done,
                    left < CORPUS_BLOCK_BYTES ? left : CORPUS_BLOCK_BYTES);
    }
}

static int write_corpus(struct zip_work *work, const struct corpus *corpus, struct error **err) {
    cleanup_free unsigned char *batch = malloc(CORPUS_BATCH_BYTES);
    if (!batch)
        return error_no_memory(err);
    for (uint64_t offset = 0; offset < work->bytes; offset += CORPUS_BATCH_BYTES) {
        uint64_t left = work->bytes - offset;
        size_t size = left < CORPUS_BATCH_BYTES ? left : CORPUS_BATCH_BYTES;
        fill_batch(corpus, offset, batch, size, work->threads);
        if (blob_write_at(work->corpus, offset, batch, size) != size)
            return blob_error(work->corpus, "write", err);
    }
    return blob_sync(work->corpus, err);
}

static int make_corpus(struct zip_work *work, struct error **err) {
    cleanup_corpus struct corpus *corpus = corpus_new(work->seed);
    if (!corpus)
        return error_no_memory(err);
    if (work->to_file) {
        if (blob_new_in_file(run_data_folder(work->run), "corpus.txt", run_keeps_files(work->run),
                             &work->corpus, err) < 0)
            return -1;
        return write_corpus(work, corpus, err);
    }
    if (blob_new_in_memory("corpus", work->bytes, &work->corpus, err) < 0)
        return -1;
    work->corpus->size = work->bytes;
    fill_batch(corpus, 0, work->corpus->memory, work->bytes, work->threads);
    return 0;
}

static int make_part(struct zip_work *work, uint64_t number, struct error **err) {
    struct zip_part *part = &work->parts[number];
    uint64_t base = work->bytes / work->threads, rest = work->bytes % work->threads;
    part->source = (struct archive_source){
        .blob = work->corpus,
        .offset = base * number + (number < rest ? number : rest),
        .size = base + (number < rest),
    };
    snprintf(part->entry, sizeof(part->entry), "corpus-%llu.txt", (unsigned long long)number);
    snprintf(part->archive_name, sizeof(part->archive_name), "corpus-%llu.zip",
             (unsigned long long)number);
    if (work->to_file)
        return blob_new_in_file(run_data_folder(work->run), part->archive_name,
                                run_keeps_files(work->run), &part->archive, err);
    return blob_new_in_memory(part->archive_name, part->source.size / LEAST_RATIO + 4096,
                              &part->archive, err);
}

static void prefault_parts(struct zip_work *work) {
#pragma omp parallel for num_threads((int)work->threads) schedule(static, 1)
    for (uint64_t i = 0; i < work->threads; i++)
        blob_prefault(work->parts[i].archive);
}

static void pack_parts(struct zip_work *work) {
#pragma omp parallel for num_threads((int)work->threads) schedule(static, 1)
    for (uint64_t i = 0; i < work->threads; i++) {
        struct zip_part *part = &work->parts[i];
        if (archive_pack(part->archive, part->entry, &part->source, work->level, add_progress, work,
                         &part->err) == 0)
            (void)blob_sync(part->archive, &part->err);
    }
}

static void compare_parts(struct zip_work *work) {
#pragma omp parallel for num_threads((int)work->threads) schedule(static, 1)
    for (uint64_t i = 0; i < work->threads; i++) {
        struct zip_part *part = &work->parts[i];
        (void)archive_compare(part->archive, part->entry, &part->source, add_progress, work,
                              &part->err);
    }
}

static int first_error(struct zip_work *work, struct error **err) {
    for (uint64_t i = 0; i < work->threads; i++)
        if (work->parts[i].err)
            return error_move(err, TAKE_PTR(work->parts[i].err));
    return 0;
}

static int prepare_round(struct zip_work *work, struct error **err) {
    for (uint64_t i = 0; i < work->threads; i++)
        if (blob_clear(work->parts[i].archive, err) < 0)
            return -1;
    blob_forget_cached(work->corpus);
    return 0;
}

static int measure_round(struct zip_work *work, uint64_t iteration, bool warmup,
                         struct error **err) {
    struct workload_run *run = work->run;
    if (prepare_round(work, err) < 0)
        return -1;
    run_section_start(run, "time", iteration, warmup);
    pack_parts(work);
    uint64_t elapsed_ns = run_section_stop(run);
    if (first_error(work, err) < 0)
        return -1;
    uint64_t archive_bytes = 0;
    for (uint64_t i = 0; i < work->threads; i++)
        archive_bytes += work->parts[i].archive->size;
    run_sample(run, "throughput", iteration, warmup,
               (double)work->bytes / 1e6 / ((double)(elapsed_ns ? elapsed_ns : 1) / 1e9));
    run_sample(run, "ratio", iteration, warmup, (double)work->bytes / (double)archive_bytes);

    blob_forget_cached(work->corpus);
    for (uint64_t i = 0; i < work->threads; i++)
        blob_forget_cached(work->parts[i].archive);
    run_section_start(run, "unzip_time", iteration, warmup);
    compare_parts(work);
    run_section_stop(run);
    return first_error(work, err);
}

/* SHA-256 over the archives of the last round, one after the other. */
static int digest_archives(struct zip_work *work, struct error **err) {
    enum { CHUNK_BYTES = 1 << 18 };
    cleanup_free unsigned char *buffer = malloc(CHUNK_BYTES);
    if (!buffer)
        return error_no_memory(err);
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (uint64_t i = 0; i < work->threads; i++) {
        struct blob *archive = work->parts[i].archive;
        for (uint64_t offset = 0; offset < archive->size;) {
            uint64_t left = archive->size - offset;
            size_t size = left < CHUNK_BYTES ? left : CHUNK_BYTES;
            const unsigned char *chunk = blob_view(archive, offset, size, buffer);
            if (!chunk)
                return blob_error(archive, "read", err);
            crypto_hash_sha256_update(&state, chunk, size);
            offset += size;
        }
    }
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof(hash) + 1];
    crypto_hash_sha256_final(&state, hash);
    run_digest(work->run, "%s", sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)));
    return 0;
}

static void zip_work_cleanup(struct zip_work *work) {
    for (uint64_t i = 0; work->parts && i < work->threads; i++) {
        blob_free(work->parts[i].archive);
        error_free(work->parts[i].err);
    }
    free(work->parts);
    blob_free(work->corpus);
}

static int run_zip(struct workload_run *run, struct error **err) {
    CLEANUP(zip_work)
    struct zip_work work = {
        .run = run,
        .bytes = run_parameter(run, "bytes"),
        .threads = run_parameter(run, "threads"),
        .seed = run_parameter(run, "seed"),
        .level = (int)run_parameter(run, "level"),
        .to_file = run_parameter(run, "to_file"),
    };
    uint64_t warmups = run_parameter(run, "warmups");
    uint64_t rounds = warmups + run_parameter(run, "iterations");
    work.bytes_to_do = work.bytes * rounds * 2;
    work.parts = calloc(work.threads, sizeof(*work.parts));
    if (!work.parts)
        return error_no_memory(err);
    if (make_corpus(&work, err) < 0)
        return -1;
    for (uint64_t i = 0; i < work.threads; i++)
        if (make_part(&work, i, err) < 0)
            return -1;
    prefault_parts(&work);
    for (uint64_t round = 0; round < rounds; round++) {
        bool warmup = round < warmups;
        if (measure_round(&work, warmup ? round : round - warmups, warmup, err) < 0)
            return -1;
    }
    return digest_archives(&work, err);
}

const struct workload workload_zip = {"zip", run_zip};
