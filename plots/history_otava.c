// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/file.h"
#include "common/output.h"
#include "plots/csv.h"
#include "plots/format.h"
#include "plots/history_report.h"

#include <math.h>
#include <string.h>

/* Series that were measured in exactly the same runs; they share a file. */
static bool same_runs(const struct history_series *a, const struct history_series *b) {
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->rows[i]->run, b->rows[i]->run) != 0)
            return false;
    return true;
}

/*
 * "zip.time.vm.TCG.0a1b2c3d": made of what neither YAML nor Otava's patterns take for something
 * else, and the same as long as the series exists.
 */
static char *plain_name(const struct history_report *report, size_t index) {
    const struct history_series *series = &report->view->series[index];
    const struct history_row *row = series->rows[0];
    char *name = text_format("%s.%s.%s.%s.%s", row->workload, row->metric, row->environment,
                             row->accelerator, row->work);
    for (char *at = name; at && *at; at++)
        if (!(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') &&
            !(*at >= '0' && *at <= '9') && *at != '.' && *at != '-')
            *at = '_';
    return name;
}

/* The plain name; a number follows where labels that differ in odd characters only share it. */
static char *column_name(const struct history_report *report, size_t index) {
    char *name = plain_name(report, index);
    unsigned number = 1;
    for (size_t i = 0; name && i < index; i++) {
        cleanup_free char *other = plain_name(report, i);
        number += other && strcmp(other, name) == 0;
    }
    if (number == 1 || !name)
        return name;
    char *numbered = text_format("%s.%u", name, number);
    free(name);
    return numbered;
}

static int replace(const char *folder, const char *name, char *text, size_t size,
                   struct error **err) {
    cleanup_free char *path = text_format("%s/%s", folder, name);
    return path ? output_write(path, text, size, err) : error_no_memory(err);
}

/* The rows of one file; `group` says which file a series belongs to. */
static int write_group(const struct history_report *report, const unsigned *groups, unsigned group,
                       FILE *to, struct error **err) {
    const struct history_view *view = report->view;
    const struct history_series *first = NULL;
    fputs("time,run,boxmark", to);
    for (size_t i = 0; i < view->count; i++) {
        if (groups[i] != group)
            continue;
        cleanup_free char *name = column_name(report, i);
        if (!name)
            return error_no_memory(err);
        first = first ? first : &view->series[i];
        fprintf(to, ",%s", name);
    }
    putc('\n', to);
    for (size_t j = 0; first && j < first->count; j++) {
        fprintf(to, "%s,%s,", first->rows[j]->created, first->rows[j]->run);
        if (csv_text(to, first->rows[j]->boxmark, err) < 0)
            return -1;
        for (size_t i = 0; i < view->count; i++) {
            char number[FORMAT_BYTES];
            if (groups[i] == group)
                fprintf(to, ",%s", format_exact(view->series[i].values[j], number));
        }
        putc('\n', to);
    }
    return 0;
}

static int write_settings(const struct history_report *report, const unsigned *groups,
                          unsigned group_count, FILE *to, struct error **err) {
    fputs("# Written by `boxmark history --otava'; read by `otava analyze boxmark-1' and so on,\n"
          "# in this folder, with OTAVA_CONFIG=otava.yaml.\n"
          "tests:\n",
          to);
    for (unsigned group = 1; group <= group_count; group++) {
        fprintf(to,
                "  boxmark-%u:\n    type: csv\n    file: boxmark-%u.csv\n    time_column: time\n"
                "    attributes: [run, boxmark]\n    csv_options:\n      delimiter: ','\n"
                "      quote_char: '\"'\n    metrics:\n",
                group, group);
        for (size_t i = 0; i < report->view->count; i++) {
            const char *better = report->view->series[i].rows[0]->better;
            if (groups[i] != group)
                continue;
            cleanup_free char *name = column_name(report, i);
            if (!name)
                return error_no_memory(err);
            /* Otava knows two directions. */
            fprintf(to, "      %s:\n        column: %s\n        direction: %d\n", name, name,
                    strcmp(better, "lower") == 0 ? -1 : 1);
        }
    }
    return 0;
}

static int write_files(const struct history_report *report, const char *folder,
                       const unsigned *groups, unsigned group_count, struct error **err) {
    for (unsigned group = 0; group <= group_count; group++) {
        cleanup_free char *text = NULL;
        size_t size = 0;
        cleanup_free char *name =
            group == 0 ? strdup("otava.yaml") : text_format("boxmark-%u.csv", group);
        FILE *to = open_memstream(&text, &size);
        if (!to || !name)
            return error_no_memory(err);
        int result = group == 0 ? write_settings(report, groups, group_count, to, err)
                                : write_group(report, groups, group, to, err);
        if (fclose(to) != 0 && result == 0)
            result = error_no_memory(err);
        if (result < 0 || replace(folder, name, text, size, err) < 0)
            return -1;
    }
    return 0;
}

int history_export_otava(const struct history_report *report, const char *folder,
                         unsigned *ret_files, struct error **err) {
    const struct history_view *view = report->view;
    cleanup_free unsigned *groups = calloc(view->count + 1, sizeof(*groups));
    unsigned group_count = 0;
    if (!groups)
        return error_no_memory(err);
    for (size_t i = 0; i < view->count; i++) {
        for (size_t j = 0; j < i && groups[i] == 0; j++)
            if (same_runs(&view->series[i], &view->series[j]))
                groups[i] = groups[j];
        if (groups[i] == 0)
            groups[i] = ++group_count;
    }
    if (file_make_folders(folder, 0755, err) < 0)
        return -1;
    *ret_files = group_count;
    return write_files(report, folder, groups, group_count, err);
}
