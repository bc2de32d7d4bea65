// SPDX-License-Identifier: GPL-3.0-or-later
/* Sizes, durations and counts of the command line, names with slips; one in eight: text to be
 * shown. */
#include "tests/fuzz/fuzz.h"

#include "common/text.h"
#include "common/units.h"

static void check_numbers(const char *text) {
    cleanup_error struct error *size_error = NULL, *time_error = NULL, *count_error = NULL;
    cleanup_error struct error *percent_error = NULL;
    double fraction = 0;
    uint64_t value = 0;
    char shown[32];
    int result = parse_size(text, "--memory", &value, &size_error);
    fuzz_check_result(result, size_error);
    fuzz_check(result < 0 || strlen(format_size(value, shown)) < sizeof(shown));
    result = parse_duration(text, "--budget", &value, &time_error);
    fuzz_check_result(result, time_error);
    fuzz_check(result < 0 || strlen(format_duration(value, shown)) < sizeof(shown));
    result = parse_count(text, "--blocks", 1, 1000, &value, &count_error);
    fuzz_check_result(result, count_error);
    fuzz_check(result < 0 || (value >= 1 && value <= 1000));
    result = parse_percentage(text, "--precision", &fraction, &percent_error);
    fuzz_check_result(result, percent_error);
    fuzz_check(result < 0 || (fraction > 0 && fraction <= 1));
}

/* One line, nothing that a terminal would obey. */
static void check_harmless(const char *text) {
    fuzz_check(text);
    for (uint32_t character; (character = text_next(&text));)
        fuzz_check(character >= 0x20 && character != 0x7f && text_harmless(character) == character);
}

static void check_text(const char *text) {
    cleanup_free char *clean = text_clean(text);
    cleanup_free char *ascii = text_clean_ascii(text);
    check_harmless(clean);
    check_harmless(ascii);
    cleanup_free char *wrapped = text_wrap(clean, 20);
    fuzz_check(wrapped);
    char *rest = wrapped;
    for (char *line; (line = strsep(&rest, "\n"));)
        fuzz_check(text_width(line) <= 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"host", "container", "vm", "microguest", NULL};
    cleanup_free char *text = fuzz_text(data, size);
    check_numbers(text);
    if (fuzz_at_length(data, size, 8))
        check_text(text);
    (void)nearest_name(text, names);
    return 0;
}
