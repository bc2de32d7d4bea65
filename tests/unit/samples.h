// SPDX-License-Identifier: GPL-3.0-or-later
/* A samples.csv in a scratch folder, for tests of what reads it. */
#ifndef BOXMARK_TESTS_UNIT_SAMPLES_H
#define BOXMARK_TESTS_UNIT_SAMPLES_H

#include "tests/unit/unit.h"

#include "common/file.h"
#include "results/store.h"

#include <math.h>

struct scratch {
    char folder[64];
    char path[96]; /* of samples.csv */
    struct store *store;
};

static inline int scratch_setup(void **state) {
    struct scratch *scratch = calloc(1, sizeof(*scratch));
    assert_non_null(scratch);
    strcpy(scratch->folder, "/tmp/boxmark-test.XXXXXX");
    assert_non_null(mkdtemp(scratch->folder));
    snprintf(scratch->path, sizeof(scratch->path), "%s/samples.csv", scratch->folder);
    *state = scratch;
    return 0;
}

static inline int scratch_teardown(void **state) {
    struct scratch *scratch = *state;
    store_close(scratch->store);
    int result = file_remove_tree(scratch->folder, NULL);
    free(scratch);
    return result;
}

#define scratch_test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

/* A sample that is like all others but for what the test sets. */
static inline struct sample sample_of(uint64_t block, const char *environment, double value) {
    return (struct sample){
        .block = block,
        .environment = environment,
        .accelerator = strncmp(environment, "vm", 2) == 0 ? "TCG" : "none",
        .workload = "prime",
        .metric = "time",
        .unit = "s",
        .better = "lower",
        .value = value,
        .agent_value = NAN,
    };
}

static inline void scratch_add(struct scratch *scratch, const struct sample *sample) {
    struct error *err = NULL;
    if (!scratch->store)
        store_open(scratch->path, &scratch->store, NULL, &err);
    assert_no_error(err);
    store_append(scratch->store, sample, &err);
    assert_no_error(err);
}

/* Ends the writing. */
static inline void scratch_close(struct scratch *scratch) {
    struct error *err = NULL;
    if (scratch->store)
        store_sync(scratch->store, &err);
    assert_no_error(err);
    scratch->store = store_close(scratch->store);
}

#endif
