// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * JUnit's XML as GitLab and Jenkins read it. Worse is a failure; what else makes the check fail is
 * an error; what does not, though it is undecided, is skipped.
 */
#include "plots/gate_words.h"
#include "plots/html.h"

#include <string.h>

static bool is_skipped(const struct gate_result *result, const struct gate_row *row) {
    bool passed = row->verdict == VERDICT_SAME || row->verdict == VERDICT_BETTER;
    return !passed && !gate_row_fails(result, row);
}

static void count(const struct gate_result *result, unsigned *ret_failures, unsigned *ret_errors,
                  unsigned *ret_skipped) {
    *ret_failures = *ret_errors = *ret_skipped = 0;
    for (size_t i = 0; i < result->row_count; i++) {
        const struct gate_row *row = &result->rows[i];
        if (is_skipped(result, row))
            ++*ret_skipped;
        else if (gate_row_fails(result, row))
            ++*(row->verdict == VERDICT_WORSE ? ret_failures : ret_errors);
    }
}

static void put_attribute(FILE *to, const char *name, const char *value) {
    fprintf(to, " %s=\"", name);
    html_text(to, value);
    putc('"', to);
}

static int put_case(const struct gate_report *report, const struct gate_row *row, FILE *to,
                    struct error **err) {
    cleanup_free char *subject = gate_subject(row);
    cleanup_free char *sentence = gate_sentence(report, row);
    if (!subject || !sentence)
        return error_no_memory(err);
    const char *tag = is_skipped(report->result, row)        ? "skipped"
                      : !gate_row_fails(report->result, row) ? NULL
                      : row->verdict == VERDICT_WORSE        ? "failure"
                                                             : "error";
    fputs("    <testcase", to);
    put_attribute(to, "name", subject);
    put_attribute(to, "classname", "boxmark");
    fputs(" time=\"0\"", to);
    if (!tag) {
        fputs(">\n      <system-out>", to);
        html_text(to, sentence);
        fputs("</system-out>\n    </testcase>\n", to);
        return 0;
    }
    fprintf(to, ">\n      <%s", tag);
    put_attribute(to, "message", sentence);
    if (strcmp(tag, "skipped") != 0)
        put_attribute(to, "type", verdict_name(row->verdict));
    fputs("/>\n    </testcase>\n", to);
    return 0;
}

/* "2026-01-31T12:00:00Z" without its zone, as the schema wants it. */
static void put_timestamp(FILE *to, const char *created) {
    char text[20] = "1970-01-01T00:00:00";
    if (created && strlen(created) >= 19)
        memcpy(text, created, 19);
    put_attribute(to, "timestamp", text);
}

static int write_junit(const struct gate_report *report, FILE *to, struct error **err) {
    const struct gate_result *result = report->result;
    unsigned failures, errors, skipped;
    char counts[128];
    count(result, &failures, &errors, &skipped);
    snprintf(counts, sizeof(counts), " tests=\"%zu\" failures=\"%u\" errors=\"%u\"",
             result->row_count, failures, errors);
    fprintf(to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"boxmark check\"%s "
            "time=\"0\">\n  <testsuite name=\"boxmark check\"%s skipped=\"%u\" time=\"0\"",
            counts, counts, skipped);
    put_timestamp(to, report->created);
    fputs(">\n    <properties>\n      <property name=\"baseline\"", to);
    put_attribute(to, "value", report->baseline_path);
    fputs("/>\n      <property name=\"run\"", to);
    put_attribute(to, "value", report->run_folder);
    fputs("/>\n      <property name=\"settings\"", to);
    put_attribute(to, "value", result->settings_path ? result->settings_path : "defaults");
    fputs("/>\n    </properties>\n", to);
    for (size_t i = 0; i < result->row_count; i++)
        if (put_case(report, &result->rows[i], to, err) < 0)
            return -1;
    fputs("    <system-out>", to);
    for (size_t i = 0; i < result->note_count; i++) {
        html_text(to, result->notes[i]);
        putc('\n', to);
    }
    fputs("</system-out>\n  </testsuite>\n</testsuites>\n", to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the XML") : 0;
}

static int write_failure(const struct gate_failure *failure, FILE *to, struct error **err) {
    static const char counts[] = " tests=\"1\" failures=\"0\" errors=\"1\"";
    fprintf(to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"boxmark check\"%s "
            "time=\"0\">\n  <testsuite name=\"boxmark check\"%s skipped=\"0\" time=\"0\"",
            counts, counts);
    put_timestamp(to, NULL);
    fputs(">\n    <properties>\n      <property name=\"baseline\"", to);
    put_attribute(to, "value", failure->baseline_path ? failure->baseline_path : "");
    fputs("/>\n      <property name=\"run\"", to);
    put_attribute(to, "value", failure->run_folder ? failure->run_folder : "");
    fputs("/>\n    </properties>\n    <testcase name=\"check\" classname=\"boxmark\" "
          "time=\"0\">\n      <error",
          to);
    put_attribute(to, "message", failure->message);
    fputs(" type=\"no outcome\"/>\n    </testcase>\n  </testsuite>\n</testsuites>\n", to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the XML") : 0;
}

const struct gate_writer gate_writer_junit = {.name = "junit",
                                              .summary = "XML for GitLab, Jenkins and others",
                                              .write = write_junit,
                                              .write_failure = write_failure};
