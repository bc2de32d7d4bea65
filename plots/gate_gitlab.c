// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * GitLab's Code Quality report: what fails or is undecided, shown in merge requests at the
 * baseline. The fingerprint is that of the metric, so that GitLab can tell what is new.
 */
#include "common/file.h"
#include "common/text.h"
#include "plots/gate_words.h"

#include <jansson.h>
#include <sodium.h>
#include <string.h>

static char *fingerprint(const char *subject) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    char *hex = malloc(2 * sizeof(hash) + 1);
    crypto_hash_sha256(hash, (const unsigned char *)subject, strlen(subject));
    return hex ? sodium_bin2hex(hex, 2 * sizeof(hash) + 1, hash, sizeof(hash)) : NULL;
}

static int add_finding(const struct gate_report *report, const struct gate_row *row, json_t *list,
                       struct error **err) {
    cleanup_free char *subject = gate_subject(row);
    cleanup_free char *sentence = gate_sentence(report, row);
    cleanup_free char *both =
        subject && sentence
            ? text_format("%s: %s: %s", verdict_name(row->verdict), subject, sentence)
            : NULL;
    cleanup_free char *clean = both ? text_clean(both) : NULL;
    cleanup_free char *path = text_clean(report->baseline_path);
    cleanup_free char *hash = subject ? fingerprint(subject) : NULL;
    if (!clean || !path || !hash)
        return error_no_memory(err);
    const char *severity = row->verdict == VERDICT_WORSE         ? "critical"
                           : gate_row_fails(report->result, row) ? "major"
                                                                 : "minor";
    cleanup_free char *check = text_format("boxmark-%s", verdict_name(row->verdict));
    json_array_append_new(list,
                          json_pack("{s:s, s:s*, s:s, s:s, s:{s:s, s:{s:i}}}", "description", clean,
                                    "check_name", check, "fingerprint", hash, "severity", severity,
                                    "location", "path", path, "lines", "begin", 1));
    return 0;
}

static int write_gitlab(const struct gate_report *report, FILE *to, struct error **err) {
    const struct gate_result *result = report->result;
    json_t *list = json_array();
    int written = 0;
    for (size_t i = 0; i < result->row_count && written == 0; i++) {
        const struct gate_row *row = &result->rows[i];
        bool passed = row->verdict == VERDICT_SAME || row->verdict == VERDICT_BETTER;
        if (!passed && !row->ignored)
            written = add_finding(report, row, list, err);
    }
    bool good = written == 0 && json_dumpf(list, to, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0 &&
                putc('\n', to) != EOF;
    json_decref(list);
    if (written < 0)
        return -1;
    return good ? 0 : error_set(err, ERROR_INTERNAL, errno, "cannot write the JSON");
}

const struct gate_writer gate_writer_gitlab = {
    .name = "gitlab", .summary = "GitLab's Code Quality report", .write = write_gitlab};
