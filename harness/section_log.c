// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/section_log.h"

#include "results/json_list.h"

void section_log_note(struct section_log *log, const struct session_sample *sample) {
    if (!log->data_folder)
        return;
    /* The counters first: the disk goes on. */
    struct disk_counters now = disk_counters_take(log->data_folder);
    if (!sample) {
        log->before = now;
        return;
    }
    if (!log->sections)
        log->sections = json_array();
    json_t *section = json_pack("{s:s, s:I, s:b, s:I}", "section", sample->metric->name,
                                "iteration", (json_int_t)sample->iteration, "warmup",
                                sample->warmup, "elapsed_ns", (json_int_t)(sample->value * 1e9));
    if (section)
        disk_counters_add(&log->before, &now, section);
    log->sections = json_list_append(log->sections, section);
}
