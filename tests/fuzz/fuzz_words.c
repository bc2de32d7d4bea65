// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A command as a user writes it: its words, the line that is shown of them, and (one in four) its
 * placeholders.
 */
#include "tests/fuzz/fuzz.h"

#include "environments/command/words.h"

static const struct placeholder placeholders[] = {
    {"agent", "/a folder/agent"}, {"data", ""}, {"cpus", "2"}, {"exec", NULL}, {NULL, NULL}};

/* A word without characters that mean something reads back as it was from the line that is shown.
 */
static void check_line(char *const *words) {
    cleanup_error struct error *err = NULL;
    cleanup_free char *line = words_join(words);
    fuzz_check(line);
    cleanup_words char **again = NULL;
    fuzz_check(words_split(line, &again, &err) == 0);
    size_t i = 0;
    for (; words[i] && again[i]; i++)
        fuzz_check(strcmp(words[i], again[i]) == 0);
    fuzz_check(!words[i] && !again[i]);
}

/* Filling keeps the number of words, and leaves none of the known placeholders behind. */
static void check_filled(char *const *words) {
    cleanup_error struct error *err = NULL;
    cleanup_words char **filled = NULL;
    int result = words_fill(words, placeholders, &filled, &err);
    fuzz_check_result(result, err);
    fuzz_check(result == 0 || !filled);
    fuzz_check(result < 0 || !words_hold(words, "exec"));
    for (size_t i = 0; result == 0 && words[i]; i++)
        fuzz_check(filled[i] && (strchr(words[i], '{') || strcmp(words[i], filled[i]) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_free char *text = fuzz_text(data, size);
    cleanup_error struct error *err = NULL;
    cleanup_words char **words = NULL;
    int result = words_split(text, &words, &err);
    fuzz_check_result(result, err);
    fuzz_check((result < 0) == !words);
    if (result < 0)
        return 0;
    size_t length = 0;
    for (char **word = words; *word; word++)
        length += strlen(*word);
    fuzz_check(*words[0] && length <= strlen(text));
    check_line(words);
    if (fuzz_at_length(data, size, 4))
        check_filled(words);
    return 0;
}
