// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Prime numbers by trial division, as `sysbench cpu` 1.0 (src/tests/cpu/sb_cpu.c): one event looks
 * at every number from 3 below the limit and divides it by 2, 3, ... up to its square root. The
 * threads take events from one counter until the fixed number is done.
 */
#include "bench/latency.h"
#include "bench/workload.h"
#include "common/clock.h"

#include <math.h>
#include <omp.h>
#include <stdatomic.h>

/*
 * The primes found in one pass; also the answer. Divisors are kept 64 bits wide as in sysbench: the
 * width of the division decides the speed on many CPUs. sysbench's compiler drops its count, which
 * nobody reads; here it stands where the loop ends anyway, so that it costs nothing.
 */
static __attribute__((noinline)) uint64_t count_primes(uint64_t limit) {
    uint64_t found = 0;
    for (uint64_t candidate = 3; candidate < limit; candidate++) {
        double root = sqrt((double)candidate);
        for (uint64_t divisor = 2;; divisor++) {
            if ((double)divisor > root) {
                found++;
                break;
            }
            if (candidate % divisor == 0)
                break;
        }
    }
    return found;
}

struct prime_work {
    uint64_t limit, events, threads;
    struct latency_histogram **latencies; /* one a thread */
    atomic_uint_fast64_t next_event;
    atomic_uint_fast64_t wrong_answers;
    uint64_t answer;
};

static void run_events(struct prime_work *work) {
    atomic_store(&work->next_event, 0);
#pragma omp parallel num_threads((int)work->threads)
    {
        struct latency_histogram *latency = work->latencies[omp_get_thread_num()];
        while (atomic_fetch_add(&work->next_event, 1) < work->events) {
            uint64_t start_ns = monotonic_ns();
            uint64_t found = count_primes(work->limit);
            latency_record(latency, monotonic_ns() - start_ns);
            if (found != work->answer)
                atomic_fetch_add(&work->wrong_answers, 1);
        }
    }
}

static void report_latency(struct workload_run *run, const struct prime_work *work,
                           uint64_t iteration, bool warmup) {
    static const struct {
        const char *metric;
        double quantile;
    } quantiles[] = {{"latency_p50", 0.50}, {"latency_p95", 0.95}, {"latency_p99", 0.99}};
    for (uint64_t i = 1; i < work->threads; i++)
        latency_merge(work->latencies[0], work->latencies[i]);
    for (unsigned i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++)
        run_sample(run, quantiles[i].metric, iteration, warmup,
                   (double)latency_quantile_ns(work->latencies[0], quantiles[i].quantile) / 1e3);
    run_sample(run, "latency_max", iteration, warmup,
               (double)latency_max_ns(work->latencies[0]) / 1e3);
}

static void free_latencies(struct prime_work *work) {
    for (uint64_t i = 0; work->latencies && i < work->threads; i++)
        latency_free(work->latencies[i]);
    free(work->latencies);
}

static int measure(struct workload_run *run, struct prime_work *work, struct error **err) {
    uint64_t warmups = run_parameter(run, "warmups");
    uint64_t rounds = warmups + run_parameter(run, "iterations");
    for (uint64_t round = 0; round < rounds; round++) {
        bool warmup = round < warmups;
        uint64_t iteration = warmup ? round : round - warmups;
        for (uint64_t i = 0; i < work->threads; i++)
            latency_reset(work->latencies[i]);
        run_section_start(run, "time", iteration, warmup);
        run_events(work);
        uint64_t elapsed_ns = run_section_stop(run);
        run_sample(run, "events_per_s", iteration, warmup,
                   (double)work->events / ((double)(elapsed_ns ? elapsed_ns : 1) / 1e9));
        report_latency(run, work, iteration, warmup);
        run_progress(run, (double)(round + 1) / (double)rounds);
    }
    if (atomic_load(&work->wrong_answers) > 0)
        return error_set(err, ERROR_UNTRUSTWORTHY, 0,
                         "%llu passes found another number of primes than the first",
                         (unsigned long long)atomic_load(&work->wrong_answers));
    run_digest(run, "%llu primes", (unsigned long long)work->answer);
    return 0;
}

static int run_prime(struct workload_run *run, struct error **err) {
    __attribute__((cleanup(free_latencies))) struct prime_work work = {
        .limit = run_parameter(run, "limit"),
        .events = run_parameter(run, "events"),
        .threads = run_parameter(run, "threads"),
    };
    work.latencies = calloc(work.threads, sizeof(*work.latencies));
    if (!work.latencies)
        return error_no_memory(err);
    for (uint64_t i = 0; i < work.threads; i++)
        if (!(work.latencies[i] = latency_new()))
            return error_no_memory(err);
    work.answer = count_primes(work.limit);
    return measure(run, &work, err);
}

const struct workload workload_prime = {"prime", run_prime};
