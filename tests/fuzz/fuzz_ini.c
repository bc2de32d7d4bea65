// SPDX-License-Identifier: GPL-3.0-or-later
/* A settings file: what is read has a section, a key, a value and a line, and no key twice. */
#include "tests/fuzz/fuzz.h"

#include "common/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_free char *text = fuzz_text(data, size);
    cleanup_error struct error *err = NULL;
    cleanup_ini_file struct ini_file *file = NULL;
    int result = ini_file_parse(text, size, "boxmark.ini", &file, &err);
    fuzz_check_result(result, err);
    for (unsigned i = 0; file && i < file->count; i++) {
        const struct ini_entry *entry = &file->entries[i];
        fuzz_check(entry->section && entry->key && entry->value && entry->line > 0);
        fuzz_check(i == 0 || entry->line > file->entries[i - 1].line);
        for (unsigned j = 0; j < i; j++)
            fuzz_check(strcmp(entry->section, file->entries[j].section) != 0 ||
                       strcmp(entry->key, file->entries[j].key) != 0);
    }
    return 0;
}
