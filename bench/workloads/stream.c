// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Memory bandwidth as STREAM 5.10 measures it: copy, scale, add, triad over three arrays of
 * doubles, each kernel timed in each repetition, the first repetition not counted, the result
 * validated as STREAM validates it. MB are 10^6 bytes; a step of copy and scale moves 16 bytes,
 * one of add and triad 24. Every repetition is a sample; the best, which STREAM prints, another.
 *
 * A thread works on the same stretch of the arrays from first touch to validation, so that its
 * pages are on its own memory node.
 */
#include "bench/stream_kernels.h"
#include "bench/workload.h"
#include "common/clock.h"
#include "common/file.h"

#include <math.h>
#include <omp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

enum { COPY, SCALE, ADD, TRIAD, KERNELS };

static const struct {
    const char *metric, *best_metric;
    unsigned bytes_a_step;
} kernels[KERNELS] = {
    [COPY] = {"copy", "copy_best", 16},
    [SCALE] = {"scale", "scale_best", 16},
    [ADD] = {"add", "add_best", 24},
    [TRIAD] = {"triad", "triad_best", 24},
};

/* Values of the parameter huge_pages. */
enum { HUGE_PAGES_KERNEL, HUGE_PAGES_ASKED, HUGE_PAGES_NEVER };

enum { A, B, C, ARRAYS };

struct stream_work {
    uint64_t elements, threads;
    uint64_t bytes; /* of one mapping */
    double *arrays[ARRAYS];
};

/* Stretches begin at cache lines. */
#define LINE_DOUBLES 8

static size_t stretch_start(const struct stream_work *work, unsigned thread, unsigned threads) {
    uint64_t lines = (work->elements + LINE_DOUBLES - 1) / LINE_DOUBLES;
    uint64_t start = (uint64_t)((__uint128_t)lines * thread / threads) * LINE_DOUBLES;
    return start < work->elements ? start : work->elements;
}

static void thread_stretch(const struct stream_work *work, size_t *ret_start, size_t *ret_count) {
    unsigned thread = (unsigned)omp_get_thread_num(), threads = (unsigned)omp_get_num_threads();
    *ret_start = stretch_start(work, thread, threads);
    *ret_count = stretch_start(work, thread + 1, threads) - *ret_start;
}

static void run_kernel(const struct stream_work *work, int kernel) {
#pragma omp parallel num_threads((int)work->threads)
    {
        size_t start, count;
        thread_stretch(work, &start, &count);
        double *a = work->arrays[A] + start, *b = work->arrays[B] + start,
               *c = work->arrays[C] + start;
        switch (kernel) {
        case COPY:
            stream_copy(c, a, count);
            break;
        case SCALE:
            stream_scale(b, c, count);
            break;
        case ADD:
            stream_add(c, a, b, count);
            break;
        case TRIAD:
            stream_triad(a, b, c, count);
            break;
        }
    }
}

/* STREAM starts from a = 1, b = 2, c = 0 and doubles a while it looks at its clock. */
static const double initial[ARRAYS] = {[A] = 2.0, [B] = 2.0, [C] = 0.0};

/* The first touch: every thread gets the pages of its own stretch. */
static void fill_arrays(const struct stream_work *work) {
#pragma omp parallel num_threads((int)work->threads)
    {
        size_t start, count;
        thread_stretch(work, &start, &count);
        for (unsigned array = 0; array < ARRAYS; array++)
            for (size_t i = start; i < start + count; i++)
                work->arrays[array][i] = initial[array];
    }
}

static int map_arrays(struct stream_work *work, uint64_t huge_pages, struct error **err) {
    struct sysinfo info;
    work->bytes = work->elements * sizeof(double);
    /* Asked for more than there is, the kernel would say yes, and kill us later. */
    if (sysinfo(&info) == 0 && work->bytes > (uint64_t)info.totalram * info.mem_unit / ARRAYS)
        return error_set(err, ERROR_INTERNAL, ENOMEM, "cannot hold three arrays of %llu bytes",
                         (unsigned long long)work->bytes);
    for (unsigned i = 0; i < ARRAYS; i++) {
        void *memory =
            mmap(NULL, work->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            return error_set(err, ERROR_INTERNAL, errno, "cannot hold three arrays of %llu bytes",
                             (unsigned long long)work->bytes);
        work->arrays[i] = memory;
        /* A kernel without huge pages refuses; the note of what was got tells. */
        if (huge_pages == HUGE_PAGES_ASKED)
            (void)madvise(memory, work->bytes, MADV_HUGEPAGE);
        else if (huge_pages == HUGE_PAGES_NEVER)
            (void)madvise(memory, work->bytes, MADV_NOHUGEPAGE);
    }
    return 0;
}

static void stream_work_cleanup(struct stream_work *work) {
    for (unsigned i = 0; i < ARRAYS; i++)
        if (work->arrays[i])
            munmap(work->arrays[i], work->bytes);
}

/* Mean distance from the expected value over one array, and a sum of the bits of all of it. */
static double check_array(const struct stream_work *work, const double *array, double expected,
                          uint64_t *ret_bits) {
    double distance = 0;
    uint64_t bits = 0;
#pragma omp parallel num_threads((int)work->threads) reduction(+ : distance, bits)
    {
        size_t start, count;
        thread_stretch(work, &start, &count);
        for (size_t i = start; i < start + count; i++) {
            uint64_t pattern;
            memcpy(&pattern, &array[i], sizeof(pattern));
            distance += fabs(array[i] - expected);
            bits += pattern;
        }
    }
    *ret_bits = bits;
    return distance / (double)work->elements;
}

/* checkSTREAMresults: the mean relative error of each array must be below 10^-13. */
static int validate(struct workload_run *run, const struct stream_work *work, uint64_t repetitions,
                    struct error **err) {
    static const double epsilon = 1e-13;
    double expected[ARRAYS] = {initial[A], initial[B], initial[C]};
    uint64_t bits[ARRAYS];
    for (uint64_t i = 0; i < repetitions; i++) {
        stream_copy(&expected[C], &expected[A], 1);
        stream_scale(&expected[B], &expected[C], 1);
        stream_add(&expected[C], &expected[A], &expected[B], 1);
        stream_triad(&expected[A], &expected[B], &expected[C], 1);
    }
    for (unsigned i = 0; i < ARRAYS; i++) {
        double mean = check_array(work, work->arrays[i], expected[i], &bits[i]);
        if (!(mean / fabs(expected[i]) <= epsilon))
            return error_set(err, ERROR_UNTRUSTWORTHY, 0,
                             "array %c is wrong: expected %.17g, mean error %.3g", "abc"[i],
                             expected[i], mean);
    }
    run_digest(run, "%016llx %016llx %016llx", (unsigned long long)bits[A],
               (unsigned long long)bits[B], (unsigned long long)bits[C]);
    return 0;
}

static void note_huge_pages(struct workload_run *run) {
    cleanup_free char *rollup = NULL;
    const char *line = NULL;
    unsigned long long kib;
    if (file_read("/proc/self/smaps_rollup", &rollup, NULL, NULL) == 0)
        line = strstr(rollup, "AnonHugePages:");
    if (line && sscanf(line, "AnonHugePages: %llu kB", &kib) == 1)
        run_note(run, "anon_huge_pages", "%llu KiB", kib);
    else
        run_note(run, "anon_huge_pages", "unknown");
}

static double rate_mb_s(const struct stream_work *work, int kernel, uint64_t elapsed_ns) {
    double bytes = (double)work->elements * kernels[kernel].bytes_a_step;
    return bytes / 1e6 / ((double)(elapsed_ns ? elapsed_ns : 1) / 1e9);
}

static void repeat(const struct stream_work *work, uint64_t times_ns[KERNELS]) {
    for (int kernel = 0; kernel < KERNELS; kernel++) {
        uint64_t start_ns = monotonic_ns();
        run_kernel(work, kernel);
        times_ns[kernel] = monotonic_ns() - start_ns;
    }
}

static void report(struct workload_run *run, const struct stream_work *work, uint64_t iterations,
                   uint64_t (*times_ns)[KERNELS]) {
    for (int kernel = 0; kernel < KERNELS; kernel++) {
        uint64_t best_ns = UINT64_MAX;
        run_sample(run, kernels[kernel].metric, 0, true,
                   rate_mb_s(work, kernel, times_ns[0][kernel]));
        for (uint64_t i = 0; i < iterations; i++) {
            uint64_t time_ns = times_ns[i + 1][kernel];
            best_ns = time_ns < best_ns ? time_ns : best_ns;
            run_sample(run, kernels[kernel].metric, i, false, rate_mb_s(work, kernel, time_ns));
        }
        run_sample(run, kernels[kernel].best_metric, 0, false, rate_mb_s(work, kernel, best_ns));
    }
}

static int run_stream(struct workload_run *run, struct error **err) {
    CLEANUP(stream_work)
    struct stream_work work = {
        .elements = run_parameter(run, "elements"),
        .threads = run_parameter(run, "threads"),
    };
    uint64_t iterations = run_parameter(run, "iterations");
    cleanup_free uint64_t(*times_ns)[KERNELS] = calloc(iterations + 1, sizeof(*times_ns));
    if (!times_ns)
        return error_no_memory(err);
    if (map_arrays(&work, run_parameter(run, "huge_pages"), err) < 0)
        return -1;
    fill_arrays(&work);
    note_huge_pages(run);
    repeat(&work, times_ns[0]);
    run_section_start(run, "time", 0, false);
    for (uint64_t i = 1; i <= iterations; i++) {
        repeat(&work, times_ns[i]);
        run_progress(run, (double)i / (double)iterations);
    }
    run_section_stop(run);
    report(run, &work, iterations, times_ns);
    return validate(run, &work, iterations + 1, err);
}

const struct workload workload_stream = {"stream", run_stream};
