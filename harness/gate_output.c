// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/gate_output.h"

#include "common/output.h"

#include <sys/stat.h>

static int write_to(const struct gate_writer *writer, const struct gate_report *report,
                    const char *path, struct error **err) {
    cleanup_output struct output output = {0};
    if (output_open(path, &output, err) < 0 || writer->write(report, output.file, err) < 0)
        return -1;
    return output_commit(&output, err);
}

/* GitHub shows the Markdown in this file, which all steps of a job share, on the job's page. */
static int write_step_summary(const struct gate_report *report, struct error **err) {
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    if (!path || !*path)
        return 0;
    cleanup_file FILE *file = fopen(path, "ae");
    if (!file)
        return error_set(err, ERROR_USAGE, errno, "cannot write %s", path);
    if (gate_writer_markdown.write(report, file, err) < 0)
        return -1;
    return fflush(file) == 0 ? 0 : error_set(err, ERROR_INTERNAL, errno, "cannot write %s", path);
}

int gate_outputs_write(const struct gate_output *outputs, unsigned count,
                       const struct gate_report *report, struct error **err) {
    for (unsigned i = 0; i < count; i++) {
        struct gate_report own = *report;
        own.color = own.color && !outputs[i].path;
        if (outputs[i].writer == &gate_writer_github && write_step_summary(&own, err) < 0)
            return -1;
        if (write_to(outputs[i].writer, &own, outputs[i].path, err) < 0)
            return -1;
    }
    return 0;
}

static int write_failure(const struct gate_output *at, const struct gate_failure *failure,
                         struct error **err) {
    cleanup_output struct output output = {0};
    if (output_open(at->path, &output, err) < 0 ||
        at->writer->write_failure(failure, output.file, err) < 0)
        return -1;
    return output_commit(&output, err);
}

void gate_outputs_fail(const struct gate_output *outputs, unsigned count,
                       const struct gate_failure *failure) {
    for (unsigned i = 0; i < count; i++) {
        struct stat status;
        /* The failure itself is what the user is told; this one cannot be helped. */
        if (!outputs[i].path || !outputs[i].writer)
            continue;
        if (outputs[i].writer->write_failure)
            (void)write_failure(&outputs[i], failure, NULL);
        else if (lstat(outputs[i].path, &status) == 0 && S_ISREG(status.st_mode))
            (void)unlink(outputs[i].path);
    }
}
