// SPDX-License-Identifier: GPL-3.0-or-later
/* history.csv: what is read can be written and reads as the same; its series have change points. */
#include "tests/fuzz/fuzz.h"

#include "results/history.h"

#include <math.h>

static void check_again(const struct history *history) {
    cleanup_error struct error *err = NULL;
    cleanup_history struct history again = {0};
    cleanup_free char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    fuzz_check(to && history_write(history, to, &err) == 0 && fclose(to) == 0);
    cleanup_file FILE *file = fmemopen(text, size, "r");
    fuzz_check(history_read(file, "again", &again, &err) == 0);
    fuzz_check(again.count == history->count);
    for (size_t i = 0; i < again.count; i++) {
        const struct history_row *was = &history->rows[i], *is = &again.rows[i];
        fuzz_check(was->value == is->value && was->time_s == is->time_s);
        fuzz_check(strcmp(was->environment, is->environment) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_file FILE *file = fuzz_file(data, size);
    if (!file)
        return 0;
    cleanup_error struct error *err = NULL;
    cleanup_history struct history history = {0};
    int result = history_read(file, "history.csv", &history, &err);
    fuzz_check_result(result, err);
    if (result < 0)
        return 0;
    check_again(&history);
    history_sort(&history, NULL);
    cleanup_history_view struct history_view view = {0};
    const struct history_view_options options = {.full = true, .change = change_point_defaults};
    fuzz_check(history_view_make(&history, &options, &view, &err) == 0);
    for (size_t i = 0; i < view.count; i++)
        for (size_t j = 0; j < view.series[i].point_count; j++) {
            size_t index = view.series[i].points[j].index;
            fuzz_check(index > 0 && index < view.series[i].count);
        }
    return 0;
}
