// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Does the gate keep its promises? Baselines and runs are drawn from recorded runs (recorded.json,
 * in the form of a baseline: block by block, as `boxmark baseline` keeps them), by blocks within a
 * run drawn at random, and go through the real code: samples.csv, summary, baseline file, check.
 *
 *   gate [FILE]           a short, seeded check of the promises, as TAP (for make check)
 *   gate --long [FILE]    the table of docs/method.md (some minutes)
 */
#include "results/gate.h"
#include "common/file.h"
#include "results/store.h"

#include <getopt.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

/* Metrics of one check. */
#define METRICS 20
/* The default of `boxmark run --precision`. */
#define PRECISION 0.01

struct world {
    const char *folder;
    struct baseline recorded;
    const struct baseline_series *pairs[METRICS]; /* whose noise each metric has */
    double centres[METRICS];                      /* mean logarithm of the ratios */
    double between[METRICS];                      /* part of the runs' differences that is theirs */
    double scales[METRICS];                       /* of the noise */
    struct gate_settings settings;
    gsl_rng *rng;
};

struct outcome {
    unsigned checks, alarms, rows, worse, inconclusive, same;
};

/* Mean and standard deviation of a recorded run's logarithms. */
struct recorded {
    const struct baseline_blocks *blocks;
    double mean, sd;
};

static struct recorded describe(const struct baseline_blocks *blocks) {
    struct recorded run = {.blocks = blocks};
    double count = (double)blocks->ratio_count, squares = 0;
    for (size_t i = 0; i < blocks->ratio_count; i++)
        run.mean += log(blocks->ratios[i]) / count;
    for (size_t i = 0; i < blocks->ratio_count; i++)
        squares += pow(log(blocks->ratios[i]) - run.mean, 2);
    run.sd = sqrt(squares / (count - 1));
    return run;
}

static struct recorded draw_run(const struct world *world, unsigned metric) {
    return describe(
        &world->pairs[metric]->runs[gsl_rng_uniform_int(world->rng, world->recorded.run_count)]);
}

/*
 * The logarithm of one block's ratio, with the noise that the metric has: a block of the run at
 * random, smoothed, since ten values drawn again and again would be equal too often (Silverman and
 * Young, Biometrika 74, 1987); and of the run's own difference the part that is not its blocks'.
 */
static double draw(const struct world *world, unsigned metric, const struct recorded *run) {
    static const double width = 0.25;
    double value =
        log(run->blocks->ratios[gsl_rng_uniform_int(world->rng, run->blocks->ratio_count)]);
    double noise = (value - run->mean + gsl_ran_gaussian(world->rng, width * run->sd)) /
                   sqrt(1 + width * width);
    double offset = world->between[metric] * (run->mean - world->centres[metric]);
    return world->centres[metric] + world->scales[metric] * (offset + noise);
}

static int append(struct store *store, unsigned metric, unsigned block, const char *environment,
                  double value, struct error **err) {
    char name[16];
    snprintf(name, sizeof(name), "m%u", metric);
    struct sample sample = {.block = block,
                            .environment = environment,
                            .accelerator = "none",
                            .workload = "simulation",
                            .metric = name,
                            .unit = "s",
                            .better = "lower",
                            .value = value,
                            .agent_value = NAN};
    return store_append(store, &sample, err);
}

/* A run whose metrics are `factor` times slower; the machine's own course is in both. */
static int write_run(const struct world *world, const char *path, unsigned blocks, double factor,
                     struct error **err) {
    unlink(path);
    cleanup_store struct store *store = NULL;
    if (store_open(path, &store, NULL, err) < 0)
        return -1;
    for (unsigned m = 0; m < METRICS; m++) {
        struct recorded run = draw_run(world, m);
        for (unsigned b = 0; b < blocks; b++) {
            double host = exp(gsl_ran_gaussian(world->rng, 0.1));
            if (append(store, m, b, "host", host, err) < 0 ||
                append(store, m, b, "guest", host * factor * exp(draw(world, m, &run)), err) < 0)
                return -1;
        }
    }
    store = store_close(store);
    return 0;
}

static bool is_headline(const char *workload, const char *metric) {
    (void)workload;
    (void)metric;
    return true;
}

static json_t *make_record(void) {
    return json_pack("{s:s, s:s, s:s, s:[{s:s,s:s,s:s},{s:s,s:s,s:s}], s:[{s:s,s:{}}], s:{}}",
                     "status", "finished", "created", "2026-01-01T00:00:00Z", "boxmark", "0",
                     "environments", "label", "host", "kind", "host", "accelerator", "none",
                     "label", "guest", "kind", "guest", "accelerator", "none", "workloads", "name",
                     "simulation", "parameters", "machine");
}

static int add_run(const struct world *world, struct baseline *baseline, unsigned blocks,
                   double factor, struct error **err) {
    cleanup_free char *path = text_format("%s/samples.csv", world->folder);
    cleanup_summary struct summary *summary = NULL;
    struct summary_options options = summary_defaults;
    options.resamples = 100; /* the gate has intervals of its own */
    options.is_headline = is_headline;
    if (!path || write_run(world, path, blocks, factor, err) < 0 ||
        summary_build(path, &options, &summary, err) < 0)
        return -1;
    json_t *record = make_record();
    struct baseline_source source = {.name = path, .record = record, .summary = summary};
    int added = baseline_add(baseline, &source, false, false, err);
    json_decref(record);
    return added;
}

/* One baseline in ten goes through its file: to make files durable takes most of the time. */
static int make_baseline(const struct world *world, unsigned runs, unsigned blocks, bool to_file,
                         struct baseline *ret_baseline, struct error **err) {
    cleanup_baseline struct baseline made = {0};
    cleanup_free char *path = text_format("%s/baseline.json", world->folder);
    for (unsigned r = 0; r < runs; r++)
        if (add_run(world, &made, blocks, 1, err) < 0)
            return -1;
    if (!to_file) {
        *ret_baseline = made;
        made = (struct baseline){0};
        return 0;
    }
    if (!path || baseline_write(&made, path, err) < 0)
        return -1;
    return baseline_read(path, ret_baseline, err);
}

/* So many checks, each with a baseline of its own. */
static int simulate(const struct world *world, unsigned checks, unsigned runs, unsigned blocks,
                    double factor, struct outcome *ret_outcome, struct error **err) {
    *ret_outcome = (struct outcome){.checks = checks};
    for (unsigned i = 0; i < checks; i++) {
        cleanup_baseline struct baseline before = {0}, now = {0};
        cleanup_gate_result struct gate_result result = {0};
        if (make_baseline(world, runs, blocks, i % 10 == 0, &before, err) < 0 ||
            add_run(world, &now, blocks, factor, err) < 0 ||
            gate_decide(&before, &now, &world->settings, false, &result, err) < 0)
            return -1;
        ret_outcome->alarms += result.counts[VERDICT_WORSE] > 0;
        ret_outcome->rows += (unsigned)result.row_count;
        ret_outcome->worse += result.counts[VERDICT_WORSE];
        ret_outcome->inconclusive += result.counts[VERDICT_INCONCLUSIVE];
        ret_outcome->same += result.counts[VERDICT_SAME];
    }
    return 0;
}

/* Median relative width of the headline interval at so many blocks, with the noise as recorded. */
static int recorded_width(const struct world *world, unsigned metric, unsigned blocks,
                          double *ret_width, struct error **err) {
    enum { DRAWS = 101 };
    double widths[DRAWS];
    cleanup_free double *logs = calloc(blocks, sizeof(*logs));
    if (!logs)
        return error_no_memory(err);
    for (unsigned i = 0; i < DRAWS; i++) {
        struct recorded run = draw_run(world, metric);
        struct interval interval;
        for (unsigned b = 0; b < blocks; b++)
            logs[b] = draw(world, metric, &run);
        gsl_sort(logs, 1, blocks);
        if (statistics_headline_interval(logs, blocks, 0.95, 200, i + 1, &interval, err) < 0)
            return -1;
        widths[i] = interval.high - interval.low;
    }
    *ret_width = statistics_median(widths, DRAWS);
    return 0;
}

/* Noise with which so many blocks just reach the precision; 0: the noise as it was recorded. */
static int set_scales(struct world *world, unsigned blocks, double precision, struct error **err) {
    for (unsigned m = 0; m < METRICS; m++)
        world->scales[m] = 1;
    for (unsigned m = 0; m < METRICS && precision > 0; m++) {
        double width;
        if (recorded_width(world, m, blocks, &width, err) < 0)
            return -1;
        world->scales[m] = width > 0 ? precision / width : 1;
    }
    return 0;
}

/* The means of runs differ by what their blocks make of them, and by what differs between runs. */
static void centre(struct world *world, unsigned metric) {
    const struct baseline_series *series = world->pairs[metric];
    unsigned runs = world->recorded.run_count;
    double sum = 0, within = 0, squares = 0;
    for (unsigned r = 0; r < runs; r++)
        sum += describe(&series->runs[r]).mean;
    world->centres[metric] = sum / runs;
    for (unsigned r = 0; r < runs; r++) {
        struct recorded run = describe(&series->runs[r]);
        within += run.sd * run.sd / (double)series->runs[r].ratio_count / runs;
        squares += pow(run.mean - world->centres[metric], 2) / (runs - 1);
    }
    world->between[metric] = squares > within ? sqrt((squares - within) / squares) : 0;
}

static int open_world(struct world *world, const char *data, struct error **err) {
    if (baseline_read(data, &world->recorded, err) < 0 ||
        gate_settings_default(&world->settings, err) < 0)
        return -1;
    world->rng = gsl_rng_alloc(gsl_rng_taus2);
    if (!world->rng)
        return error_no_memory(err);
    gsl_rng_set(world->rng, 20260201);
    for (unsigned m = 0; m < METRICS; m++) {
        const struct baseline_series *series =
            &world->recorded.series[m % world->recorded.series_count];
        world->pairs[m] = series;
        centre(world, m);
    }
    return 0;
}

static void close_world(struct world *world) {
    if (world->rng)
        gsl_rng_free(world->rng);
    gate_settings_clear(&world->settings);
    baseline_clear(&world->recorded);
}

static double percent(unsigned part, unsigned whole) {
    return 100.0 * part / whole;
}

static int print_row(struct world *world, const char *noise, double precision, unsigned runs,
                     unsigned blocks, unsigned checks, struct error **err) {
    static const double factors[] = {1.03, 1.05, 1.1, 1.2};
    struct outcome outcome;
    if (set_scales(world, blocks, precision, err) < 0 ||
        simulate(world, checks, runs, blocks, 1, &outcome, err) < 0)
        return -1;
    printf("    %-12s%6u%8u%10.2f%8.1f%8.1f", noise, runs, blocks,
           percent(outcome.alarms, outcome.checks), percent(outcome.same, outcome.rows),
           percent(outcome.inconclusive, outcome.rows));
    for (unsigned f = 0; f < sizeof(factors) / sizeof(*factors); f++) {
        if (simulate(world, checks / 20, runs, blocks, factors[f], &outcome, err) < 0)
            return -1;
        printf("%8.1f", percent(outcome.worse, outcome.rows));
        fflush(stdout);
    }
    putchar('\n');
    return 0;
}

static int print_table(struct world *world, struct error **err) {
    static const struct {
        const char *noise;
        double precision;
    } noises[] = {{"1 % wide", PRECISION},
                  {"2 % wide", 2 * PRECISION},
                  {"6 % wide", 6 * PRECISION},
                  {"as recorded", 0}};
    static const unsigned runs[] = {1, 3}, blocks[] = {6, 10, 30};
    const unsigned checks = 1000;
    printf("                                     nothing changed          slower by a factor of\n"
           "    noise         runs  blocks     alarm    same inconcl.    1.03    1.05    1.10"
           "    1.20\n");
    for (unsigned n = 0; n < 4; n++)
        for (unsigned r = 0; r < 2; r++)
            for (unsigned b = 0; b < 3; b++)
                if (print_row(world, noises[n].noise, noises[n].precision, runs[r], blocks[b],
                              checks, err) < 0)
                    return -1;
    return 0;
}

static unsigned tests;

static void tap(bool good, const char *what, double value) {
    printf("%sok %u - %s (%.2f %%)\n", good ? "" : "not ", ++tests, what, value);
    fflush(stdout);
}

/* The seed is fixed: what passes always passes. */
static int check_promises(struct world *world, struct error **err) {
    static const struct {
        const char *noise;
        double precision;
        unsigned runs, blocks;
    } cases[] = {{"precise to 1 %", PRECISION, 1, 10},
                 {"precise to 1 %", PRECISION, 3, 10},
                 {"noisy as recorded", 0, 1, 6},
                 {"noisy as recorded", 0, 3, 10}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct outcome outcome;
        char what[160];
        if (set_scales(world, cases[i].blocks, cases[i].precision, err) < 0 ||
            simulate(world, 200, cases[i].runs, cases[i].blocks, 1, &outcome, err) < 0)
            return -1;
        snprintf(what, sizeof(what),
                 "%s, %u run%s of %u blocks: at most 1 %% of checks with any false alarm",
                 cases[i].noise, cases[i].runs, cases[i].runs == 1 ? "" : "s", cases[i].blocks);
        tap(percent(outcome.alarms, outcome.checks) <= 1, what,
            percent(outcome.alarms, outcome.checks));
        if (cases[i].precision == 0)
            continue;
        if (simulate(world, 30, cases[i].runs, cases[i].blocks, 1.05, &outcome, err) < 0)
            return -1;
        tap(percent(outcome.worse, outcome.rows) >= 90,
            "and at least 90 % of 5 % slow-downs are found", percent(outcome.worse, outcome.rows));
    }
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
    const char *parent = getenv("TMPDIR"), *sources = getenv("SRCDIR");
    cleanup_free char *folder =
        text_format("%s/boxmark-calibration.XXXXXX", parent ? parent : "/tmp");
    cleanup_free char *data =
        optind < argc ? strdup(argv[optind])
                      : text_format("%s/tests/calibration/recorded.json", sources ? sources : ".");
    cleanup_error struct error *err = NULL;
    if (!folder || !data || !mkdtemp(folder)) {
        perror(folder ? folder : parent);
        return EXIT_CODE_INTERNAL;
    }
    struct world world = {.folder = folder};
    int result = open_world(&world, data, &err);
    if (result == 0)
        result = is_long ? print_table(&world, &err) : check_promises(&world, &err);
    close_world(&world);
    (void)file_remove_tree(folder, NULL);
    if (result < 0)
        fprintf(stderr, "gate: %s\n", error_message(err));
    return result < 0 ? (int)error_exit_code(err) : 0;
}
