// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/outcome.h"

#include "common/file.h"
#include "harness/run_view.h"
#include "plots/gnuplot.h"
#include "results/manifest.h"

#include <string.h>

/* summary.json beside the samples, for programs. */
static int write_summary(const struct run_view *view, struct error **err) {
    json_auto_t *json = NULL;
    if (run_view_summary(view, &json, err) < 0)
        return -1;
    cleanup_free char *text = json_dumps(json, JSON_INDENT(2));
    cleanup_free char *path = text_format("%s/summary.json", view->folder);
    if (!text || !path)
        return error_no_memory(err);
    return file_replace(path, text, strlen(text), err);
}

/* report.html: one file that can be opened, sent and printed. */
static int write_page(const struct report *report, struct error **err) {
    const struct report_writer *writer = report_writer_find("html");
    cleanup_free char *path = text_format("%s/report.html", report->run_folder);
    if (!writer || !path)
        return error_no_memory(err);
    cleanup_file FILE *file = fopen(path, "we");
    if (!file)
        return error_set(err, ERROR_INTERNAL, errno, "cannot write %s", path);
    if (writer->write(report, file, err) < 0)
        return -1;
    return fflush(file) == 0 ? 0 : error_set(err, ERROR_INTERNAL, errno, "cannot write %s", path);
}

/* Figures are an extra: without gnuplot the run is still whole. */
static void draw(struct run *run, const struct report *report) {
    cleanup_error struct error *err = NULL;
    cleanup_free char *folder = text_format("%s/plots", run->folder);
    struct plot_options options = {.formats = "svg,png", .output_folder = folder};
    unsigned count = 0;
    if (!folder || file_make_folders(folder, 0700, &err) < 0 ||
        plot_run(report, &options, &count, &err) < 0)
        progress_warn(&run->progress, "no figures: %s%s%s", error_message(err),
                      err && err->advice ? "; " : "", err && err->advice ? err->advice : "");
}

/*
 * Whether a figure that is shown is not to be trusted. (An environment that never worked fails its
 * audit too, but shows nothing: that is ERROR_UNAVAILABLE.)
 */
static bool shows_distrust(const struct summary *summary) {
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 0; j < summary->environment_count; j++)
            if (summary->metrics[i].cells[j].blocks > 0 &&
                summary->metrics[i].cells[j].verdict == VERDICT_UNTRUSTWORTHY)
                return true;
    return false;
}

int outcome_write(struct run *run, const struct run_view *view, const struct report *report,
                  struct error **err) {
    if (write_summary(view, err) < 0 || write_page(report, err) < 0)
        return error_advise(err, "what was measured is kept: `boxmark report %s` shows it",
                            run->folder);
    if (!run->options->no_plots) {
        progress_step(&run->progress, "drawing the figures");
        draw(run, report);
    }
    progress_end(&run->progress);
    return manifest_write(run->folder, err);
}

int outcome_show(struct run *run, struct error **err) {
    cleanup_run_view struct run_view view = {0};
    cleanup_error struct error *failure = NULL;
    if (run_view_open(run->folder, &view, &failure) < 0) {
        if (failure->kind != ERROR_USAGE || run->problems == 0)
            return error_move(err, TAKE_PTR(failure));
        error_set(err, ERROR_UNAVAILABLE, 0, "nothing could be measured");
        return error_advise(err, "the warnings say why; %s/journal.jsonl keeps them", run->folder);
    }
    struct report report;
    run_view_report(&view, &report);
    if (outcome_write(run, &view, &report, err) < 0)
        return -1;
    if (report_writer_find("terminal")->write(&report, stdout, err) < 0)
        return -1;
    if (!run->options->quiet)
        printf("\nEverything is kept in %s; begin with report.html there.\n", run->folder);
    if (shows_distrust(view.summary))
        return EXIT_CODE_UNTRUSTWORTHY;
    return run->problems ? EXIT_CODE_UNAVAILABLE : EXIT_CODE_OK;
}
