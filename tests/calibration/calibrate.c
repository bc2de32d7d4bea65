// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Do the statistics keep their promises? Simulated runs with a known truth go through the real
 * code: rows are written to samples.csv, summary_build reads them. One simulated run is one metric,
 * so that a file holds many.
 *
 *   calibrate           a short, seeded check of the promises, as TAP (for make check)
 *   calibrate --long    the tables of docs/method.md (some minutes)
 */
#include "tests/calibration/scenarios.h"

#include "common/file.h"
#include "results/precision.h"
#include "results/store.h"

#include <getopt.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <string.h>

#define ITERATIONS 3
/* The noise of iterations within an instance, small beside that between instances. */
#define ITERATION_NOISE 0.002
/* summary_build refuses more metrics in one file. */
#define RUNS_A_FILE 2000

struct counts {
    unsigned runs, covered, same, better, worse, inconclusive, significant;
    double *widths; /* relative, of every run */
};

static double percent(unsigned part, unsigned whole) {
    return 100.0 * part / whole;
}

/* In simulations of whole runs all metrics are headlines; a metric that is a run by itself is not,
 * since the correction would be over all the runs of the file. */
static bool is_headline(const char *workload, const char *metric) {
    (void)workload;
    (void)metric;
    return true;
}

static int append(struct store *store, gsl_rng *rng, unsigned metric_number, unsigned block,
                  const char *environment, double value, struct error **err) {
    char metric[16];
    snprintf(metric, sizeof(metric), "m%u", metric_number);
    struct sample sample = {
        .block = block,
        .environment = environment,
        .accelerator = "none",
        .workload = "simulation",
        .metric = metric,
        .unit = "s",
        .better = "lower",
        .agent_value = NAN,
    };
    for (unsigned i = 0; i <= ITERATIONS; i++) {
        sample.warmup = i == 0; /* far off, and must not count */
        sample.iteration = i;
        sample.value =
            (i == 0 ? 2 : 1) * value * (1 + ITERATION_NOISE * (gsl_rng_uniform(rng) - 0.5));
        if (store_append(store, &sample, err) < 0)
            return -1;
    }
    return 0;
}

static int write_samples(const char *path, const struct scenario *scenario, gsl_rng *rng,
                         unsigned runs, unsigned blocks, double factor, struct error **err) {
    unlink(path);
    cleanup_store struct store *store = NULL;
    if (store_open(path, &store, NULL, err) < 0)
        return -1;
    for (unsigned run = 0; run < runs; run++) {
        struct scenario_state state = {.blocks = blocks};
        for (state.block = 0; state.block < blocks; state.block++) {
            double host, environment;
            scenario->draw(rng, &state, &host, &environment);
            if (append(store, rng, run, state.block, "host", host, err) < 0 ||
                append(store, rng, run, state.block, "simulated", factor * environment, err) < 0)
                return -1;
        }
    }
    return store_sync(store, err);
}

static void count_runs(const struct summary *summary, double truth, struct counts *counts) {
    for (unsigned m = 0; m < summary->metric_count; m++) {
        const struct summary_cell *cell = &summary->metrics[m].cells[1];
        counts->widths[counts->runs++] = precision_width(cell);
        counts->covered += cell->ratio_low <= truth && truth <= cell->ratio_high;
        counts->same += cell->verdict == VERDICT_SAME;
        counts->better += cell->verdict == VERDICT_BETTER;
        counts->worse += cell->verdict == VERDICT_WORSE;
        counts->inconclusive += cell->verdict == VERDICT_INCONCLUSIVE;
        counts->significant += cell->p_value <= 0.05;
    }
}

/* Many runs of a scenario whose environment is `factor` times slower than the scenario says. */
static int simulate(const char *folder, const struct scenario *scenario, unsigned runs,
                    unsigned blocks, double factor, unsigned resamples, struct counts *ret_counts,
                    struct error **err) {
    cleanup_free char *path = text_format("%s/samples.csv", folder);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    *ret_counts = (struct counts){.widths = calloc(runs, sizeof(double))};
    int result = path && rng && ret_counts->widths ? 0 : error_no_memory(err);
    if (result == 0)
        gsl_rng_set(rng, 20260131 + blocks);
    struct summary_options options = summary_defaults;
    options.resamples = resamples;
    for (unsigned done = 0; result == 0 && done < runs;) {
        unsigned part = runs - done < RUNS_A_FILE ? runs - done : RUNS_A_FILE;
        cleanup_summary struct summary *summary = NULL;
        options.seed++;
        result = write_samples(path, scenario, rng, part, blocks, factor, err);
        if (result == 0)
            result = summary_build(path, &options, &summary, err);
        if (result == 0)
            count_runs(summary, scenario->ratio * factor, ret_counts);
        done += part;
    }
    gsl_rng_free(rng);
    return result;
}

/* Comparisons in a whole run: as eight headlines in two environments. */
#define COMPARISONS 16

/*
 * Whole runs with `factor` everywhere, as the user would see them, Holm's correction included.
 * *ret_any: runs in which any difference is claimed; *ret_claims: claims among all comparisons.
 */
static int simulate_whole(const char *folder, const struct scenario *scenario, unsigned runs,
                          unsigned blocks, double factor, unsigned resamples, unsigned *ret_any,
                          unsigned *ret_claims, struct error **err) {
    cleanup_free char *path = text_format("%s/samples.csv", folder);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    int result = path && rng ? 0 : error_no_memory(err);
    if (result == 0)
        gsl_rng_set(rng, 11 + blocks);
    struct summary_options options = summary_defaults;
    options.resamples = resamples;
    options.is_headline = is_headline;
    *ret_any = *ret_claims = 0;
    for (unsigned run = 0; run < runs && result == 0; run++) {
        cleanup_summary struct summary *summary = NULL;
        options.seed++;
        result = write_samples(path, scenario, rng, COMPARISONS, blocks, factor, err);
        if (result == 0)
            result = summary_build(path, &options, &summary, err);
        unsigned claims = 0;
        for (unsigned m = 0; result == 0 && m < summary->metric_count; m++) {
            enum verdict verdict = summary->metrics[m].cells[1].verdict;
            claims += verdict == VERDICT_BETTER || verdict == VERDICT_WORSE;
        }
        *ret_any += claims > 0;
        *ret_claims += claims;
    }
    gsl_rng_free(rng);
    return result;
}

static double median_width(struct counts *counts) {
    return statistics_median(counts->widths, counts->runs);
}

/*
 * Adaptive repetition: after each block beyond the first six the width is looked at, and the run
 * stops when it is narrow enough. How often does the interval at that moment cover the truth?
 */
static int simulate_stopping(const struct scenario *scenario, unsigned runs, unsigned most,
                             double precision, double *ret_coverage, double *ret_blocks,
                             struct error **err) {
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    cleanup_free double *logs = calloc(most, sizeof(double));
    cleanup_free double *sorted = calloc(most, sizeof(double));
    if (!rng || !logs || !sorted)
        return error_no_memory(err);
    gsl_rng_set(rng, 7);
    unsigned covered = 0;
    double blocks = 0;
    int result = 0;
    for (unsigned run = 0; run < runs && result == 0; run++) {
        struct scenario_state state = {.blocks = most};
        struct interval interval = INTERVAL_NONE;
        while (state.block < most && !(exp(interval.high) - exp(interval.low) <= precision) &&
               result == 0) {
            double host, environment;
            scenario->draw(rng, &state, &host, &environment);
            logs[state.block++] = log(environment / host);
            memcpy(sorted, logs, state.block * sizeof(double));
            gsl_sort(sorted, 1, state.block);
            result = statistics_headline_interval(sorted, state.block, 0.95, 1000, run + 1,
                                                  &interval, err);
        }
        double truth = log(scenario->ratio);
        covered += interval.low <= truth && truth <= interval.high;
        blocks += state.block;
    }
    gsl_rng_free(rng);
    *ret_coverage = percent(covered, runs);
    *ret_blocks = blocks / runs;
    return result;
}

static const struct scenario *find_scenario(const char *name) {
    const struct scenario *at = scenarios;
    while (strcmp(at->name, name) != 0)
        at++;
    return at;
}

static int print_coverage(const char *folder, struct error **err) {
    static const unsigned block_counts[] = {6, 7, 8, 10, 13, 15, 20, 30};
    const unsigned runs = 5000;
    printf("Coverage of the 95 %% interval of the ratio, in %% of %u runs (standard error 0.3)\n\n"
           "%-20s",
           runs, "blocks");
    for (unsigned b = 0; b < sizeof(block_counts) / sizeof(*block_counts); b++)
        printf("%7u", block_counts[b]);
    putchar('\n');
    for (const struct scenario *at = scenarios; at->name; at++) {
        printf("%-20s", at->name);
        for (unsigned b = 0; b < sizeof(block_counts) / sizeof(*block_counts); b++) {
            struct counts counts;
            int result = simulate(folder, at, runs, block_counts[b], 1, 2000, &counts, err);
            free(counts.widths);
            if (result < 0)
                return -1;
            printf("%7.1f", percent(counts.covered, counts.runs));
            fflush(stdout);
        }
        printf("   %s%s\n", at->summary, at->promised ? "" : " (no promise)");
    }
    return 0;
}

static int print_alarms(const char *folder, struct error **err) {
    const unsigned runs = 10000, blocks = 10;
    printf("\nVerdicts at %u blocks, in %% of %u runs: no difference at all (A/A), and one just at "
           "the margin of 1 %%\n\n%-20s%12s%12s%12s%18s\n",
           blocks, runs, "", "A/A alarm", "A/A same", "p <= 0.05", "margin: \"same\"");
    for (const struct scenario *at = scenarios; at->name; at++) {
        struct counts none, margin = {0};
        int result = simulate(folder, at, runs, blocks, 1 / at->ratio, 2000, &none, err);
        if (result == 0)
            result = simulate(folder, at, runs, blocks, 1.01 / at->ratio, 2000, &margin, err);
        if (result == 0)
            printf("%-20s%12.1f%12.1f%12.1f%18.1f\n", at->name,
                   percent(none.better + none.worse, runs), percent(none.same, runs),
                   percent(none.significant, runs), percent(margin.same, runs));
        free(none.widths);
        free(margin.widths);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int print_power(const char *folder, struct error **err) {
    static const double factors[] = {1, 1.005, 1.01, 1.02, 1.03, 1.04, 1.05, 1.07, 1.1, 1.2};
    static const unsigned block_counts[] = {6, 10, 20, 30};
    const unsigned runs = 4000;
    printf("\nPower: verdicts worse / same, in %% of %u runs, 2 %% noise on both sides, margin 1 "
           "%%\n\n%-20s",
           runs, "blocks");
    for (unsigned f = 0; f < sizeof(factors) / sizeof(*factors); f++)
        printf("%10.3f", factors[f]);
    printf("   width\n");
    for (unsigned b = 0; b < sizeof(block_counts) / sizeof(*block_counts); b++) {
        double width = NAN;
        printf("%-20u", block_counts[b]);
        for (unsigned f = 0; f < sizeof(factors) / sizeof(*factors); f++) {
            struct counts counts;
            int result = simulate(folder, find_scenario("normal"), runs, block_counts[b],
                                  factors[f], 2000, &counts, err);
            if (result == 0) {
                width = median_width(&counts);
                printf("%6.0f/%3.0f", percent(counts.worse, runs), percent(counts.same, runs));
                fflush(stdout);
            }
            free(counts.widths);
            if (result < 0)
                return -1;
        }
        printf("  %5.1f %%\n", 100 * width);
    }
    return 0;
}

static int print_whole_runs(const char *folder, struct error **err) {
    static const unsigned block_counts[] = {6, 9, 10, 20};
    static const double factors[] = {1, 1.05, 1.1};
    static const char *const names[] = {"normal", "log-normal", "skewed", "drifting"};
    const unsigned runs = 500;
    printf("\nWhole runs of %d headline comparisons, Holm's correction included, %u runs: in %%, "
           "runs with any claim when nothing differs (A/A), and comparisons claimed when all "
           "differ by a factor\n\n%-20s%8s%8s%8s%8s\n",
           COMPARISONS, runs, "", "blocks", "A/A", "1.05", "1.10");
    for (unsigned n = 0; n < sizeof(names) / sizeof(*names); n++)
        for (unsigned b = 0; b < sizeof(block_counts) / sizeof(*block_counts); b++) {
            printf("%-20s%8u", names[n], block_counts[b]);
            for (unsigned f = 0; f < sizeof(factors) / sizeof(*factors); f++) {
                unsigned any, claims;
                const struct scenario *scenario = find_scenario(names[n]);
                if (simulate_whole(folder, scenario, runs, block_counts[b],
                                   factors[f] / scenario->ratio, 1000, &any, &claims, err) < 0)
                    return -1;
                printf("%8.1f", f == 0 ? percent(any, runs) : percent(claims, runs * COMPARISONS));
                fflush(stdout);
            }
            putchar('\n');
        }
    return 0;
}

static int print_stopping(struct error **err) {
    static const double precisions[] = {0.01, 0.02, 0.03, 0.04, 0.06};
    const unsigned runs = 5000, most = 60;
    printf("\nAdaptive repetition: coverage in %% (mean blocks) when stopped by width, 6 to %u "
           "blocks, %u runs\n\n%-20s",
           most, runs, "precision");
    for (unsigned p = 0; p < sizeof(precisions) / sizeof(*precisions); p++)
        printf("%12.0f %%", 100 * precisions[p]);
    putchar('\n');
    static const char *const names[] = {"normal", "heavy", "bimodal"};
    for (unsigned n = 0; n < sizeof(names) / sizeof(*names); n++) {
        printf("%-20s", names[n]);
        for (unsigned p = 0; p < sizeof(precisions) / sizeof(*precisions); p++) {
            double coverage = NAN, blocks = NAN;
            if (simulate_stopping(find_scenario(names[n]), runs, most, precisions[p], &coverage,
                                  &blocks, err) < 0)
                return -1;
            printf("%7.1f (%4.1f)", coverage, blocks);
            fflush(stdout);
        }
        putchar('\n');
    }
    return 0;
}

static int print_tables(const char *folder, struct error **err) {
    if (print_coverage(folder, err) < 0 || print_alarms(folder, err) < 0 ||
        print_power(folder, err) < 0 || print_whole_runs(folder, err) < 0)
        return -1;
    return print_stopping(err);
}

static unsigned tests;

static void tap(bool good, const char *what, double value) {
    printf("%sok %u - %s (%.1f %%)\n", good ? "" : "not ", ++tests, what, value);
    fflush(stdout);
}

/* Three standard errors of 5 % in so many runs. The seed is fixed: what passes always passes. */
#define CHECKED_RUNS 2000
#define CHANCE_PERCENT 1.5

static int check_promises(const char *folder, struct error **err) {
    const unsigned runs = CHECKED_RUNS;
    for (const struct scenario *at = scenarios; at->name; at++) {
        struct counts counts;
        int result = simulate(folder, at, runs, 10, 1 / at->ratio, 1000, &counts, err);
        free(counts.widths);
        if (result < 0)
            return -1;
        char what[120];
        double covered = percent(counts.covered, runs);
        snprintf(what, sizeof(what), "%s: %s", at->name,
                 at->promised ? "covers in 93 to 97 %"
                              : "no promise, and indeed it does not cover");
        tap((covered >= 93 && covered <= 97) == at->promised, what, covered);
        if (!at->promised)
            continue;
        snprintf(what, sizeof(what), "%s: false alarms in at most 5 %%, chance aside", at->name);
        tap(percent(counts.better + counts.worse, runs) <= 5 + CHANCE_PERCENT, what,
            percent(counts.better + counts.worse, runs));
    }
    static const struct {
        unsigned blocks;
        double factor, least;
    } powers[] = {{6, 1.1, 95}, {10, 1.05, 75}, {20, 1.05, 98}};
    for (unsigned i = 0; i < sizeof(powers) / sizeof(*powers); i++) {
        struct counts counts;
        int result = simulate(folder, find_scenario("normal"), runs, powers[i].blocks,
                              powers[i].factor, 1000, &counts, err);
        free(counts.widths);
        if (result < 0)
            return -1;
        char what[120];
        snprintf(what, sizeof(what), "a factor of %g is seen at %u blocks in %g %% or more",
                 powers[i].factor, powers[i].blocks, powers[i].least);
        tap(percent(counts.worse, runs) >= powers[i].least, what, percent(counts.worse, runs));
    }
    unsigned any, claims;
    const unsigned whole_runs = 200;
    if (simulate_whole(folder, find_scenario("log-normal"), whole_runs, 6, 1, 200, &any, &claims,
                       err) < 0)
        return -1;
    /* Three standard errors are 4.6 %. */
    tap(percent(any, whole_runs) <= 9.6,
        "any claim in a whole run without differences: at most 5 "
        "%, chance aside",
        percent(any, whole_runs));
    if (simulate_whole(folder, find_scenario("drifting"), whole_runs, 6, 1.2, 200, &any, &claims,
                       err) < 0)
        return -1;
    tap(percent(claims, whole_runs * COMPARISONS) >= 95,
        "a factor of 1.2 everywhere is claimed at 6 blocks in 95 % or more",
        percent(claims, whole_runs * COMPARISONS));
    printf("1..%u\n", tests);
    return 0;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"long", no_argument, NULL, 'l'}, {0}};
    bool is_long = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'l')
            return EXIT_CODE_USAGE;
        is_long = true;
    }
    const char *parent = getenv("TMPDIR");
    cleanup_free char *folder =
        text_format("%s/boxmark-calibration.XXXXXX", parent ? parent : "/tmp");
    cleanup_error struct error *err = NULL;
    if (!folder || !mkdtemp(folder)) {
        perror(folder ? folder : parent);
        return EXIT_CODE_INTERNAL;
    }
    int result = is_long ? print_tables(folder, &err) : check_promises(folder, &err);
    (void)file_remove_tree(folder, NULL);
    if (result < 0)
        fprintf(stderr, "calibrate: %s\n", error_message(err));
    return result < 0 ? (int)error_exit_code(err) : 0;
}
