// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "bench/disk_record.h"

#include <stdlib.h>

enum { BYTES = 4 * RECORD_BLOCK_BYTES, INDEX = 5, GENERATION = 3 };

struct fixture {
    struct record_format format;
    unsigned char record[BYTES] __attribute__((aligned(4096)));
};

static int setup(void **state) {
    struct fixture *fixture = aligned_alloc(4096, (sizeof(*fixture) + 4095) / 4096 * 4096);
    if (!fixture)
        return -1;
    fixture->format = record_format_new(77, BYTES);
    record_fill(&fixture->format, fixture->record);
    record_stamp(&fixture->format, fixture->record, INDEX, GENERATION);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    free(*state);
    return 0;
}

static void assert_good(struct fixture *fixture) {
    struct error *err = NULL;
    record_check(&fixture->format, fixture->record, INDEX, GENERATION, &err);
    assert_no_error(err);
}

static void assert_bad(struct fixture *fixture, const char *text) {
    struct error *err = NULL;
    assert_int_equal(record_check(&fixture->format, fixture->record, INDEX, GENERATION, &err), -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, text);
}

static void what_is_stamped_is_good(void **state) {
    struct fixture *fixture = *state;
    assert_good(fixture);
    /* A buffer is used for one record after the other. */
    record_stamp(&fixture->format, fixture->record, INDEX + 9, GENERATION + 1);
    record_stamp(&fixture->format, fixture->record, INDEX, GENERATION);
    assert_good(fixture);
}

static void every_changed_bit_shows(void **state) {
    struct fixture *fixture = *state;
    for (size_t byte = 0; byte < BYTES; byte += byte < 64 ? 1 : 37) {
        fixture->record[byte] ^= (unsigned char)(1u << byte % 8);
        assert_bad(fixture, "wrong");
        fixture->record[byte] ^= (unsigned char)(1u << byte % 8);
    }
    assert_good(fixture);
}

static void exchanged_words_show(void **state) {
    struct fixture *fixture = *state;
    uint64_t *words = (uint64_t *)fixture->record;
    for (size_t at = 10; at + 400 < BYTES / 8; at += 97) {
        uint64_t kept = words[at];
        words[at] = words[at + 300];
        words[at + 300] = kept;
        assert_bad(fixture, "wrong");
        words[at + 300] = words[at];
        words[at] = kept;
    }
}

static void another_place_shows(void **state) {
    struct fixture *fixture = *state;
    record_stamp(&fixture->format, fixture->record, INDEX + 1, GENERATION);
    assert_bad(fixture, "the record at offset 81920 has a wrong offset");
}

static void an_older_writing_shows(void **state) {
    struct fixture *fixture = *state;
    record_stamp(&fixture->format, fixture->record, INDEX, GENERATION - 1);
    assert_bad(fixture, "wrong generation");
}

/* One block of the record did not reach the disk: the one of the writing before is still there. */
static void a_torn_record_shows(void **state) {
    struct fixture *fixture = *state;
    cleanup_free unsigned char *older = malloc(BYTES);
    record_fill(&fixture->format, older);
    record_stamp(&fixture->format, older, INDEX, GENERATION - 1);
    memcpy(fixture->record + 2 * RECORD_BLOCK_BYTES, older + 2 * RECORD_BLOCK_BYTES,
           RECORD_BLOCK_BYTES);
    assert_bad(fixture, "the block at offset 90112 has a wrong stamp");
}

static void zeros_show(void **state) {
    struct fixture *fixture = *state;
    memset(fixture->record, 0, BYTES);
    assert_bad(fixture, "wrong");
}

static void another_seed_shows(void **state) {
    struct fixture *fixture = *state;
    fixture->format = record_format_new(78, BYTES);
    assert_bad(fixture, "wrong seed");
}

static void checksums_are_known_without_the_record(void **state) {
    struct fixture *fixture = *state;
    uint64_t stored;
    memcpy(&stored, fixture->record + 4 * sizeof(stored), sizeof(stored));
    assert_int_equal(stored, record_checksum(&fixture->format, INDEX, GENERATION));
    assert_int_not_equal(stored, record_checksum(&fixture->format, INDEX + 1, GENERATION));
    assert_int_not_equal(stored, record_checksum(&fixture->format, INDEX, GENERATION + 1));
}

static void a_witness_knows_its_record(void **state) {
    struct fixture *fixture = *state;
    struct record_witness witness;
    struct error *err = NULL;
    record_witness(&fixture->format, fixture->record, INDEX, &witness);
    record_check_witness(&fixture->format, &witness, INDEX, GENERATION, &err);
    assert_no_error(err);
    assert_int_equal(record_check_witness(&fixture->format, &witness, INDEX + 1, GENERATION, &err),
                     -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "wrong offset");
    assert_int_equal(record_check_witness(&fixture->format, &witness, INDEX, GENERATION + 1, &err),
                     -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "wrong generation");
    for (unsigned word = 0; word < sizeof(witness) / sizeof(uint64_t); word++) {
        struct record_witness changed = witness;
        ((uint64_t *)&changed)[word] ^= 1;
        assert_int_equal(record_check_witness(&fixture->format, &changed, INDEX, GENERATION, &err),
                         -1);
        assert_error(err, ERROR_UNTRUSTWORTHY, "wrong");
    }
}

static void the_last_block_is_always_witnessed(void **state) {
    struct fixture *fixture = *state;
    struct record_witness witness;
    struct error *err = NULL;
    fixture->record[BYTES - RECORD_BLOCK_BYTES] ^= 1;
    record_witness(&fixture->format, fixture->record, INDEX, &witness);
    assert_int_equal(record_check_witness(&fixture->format, &witness, INDEX, GENERATION, &err), -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "wrong stamp");
}

static void the_smallest_record_works(void **state) {
    struct fixture *fixture = *state;
    fixture->format = record_format_new(0, RECORD_BLOCK_BYTES);
    record_fill(&fixture->format, fixture->record);
    record_stamp(&fixture->format, fixture->record, INDEX, GENERATION);
    assert_good(fixture);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_is_stamped_is_good),
        CASE(every_changed_bit_shows),
        CASE(exchanged_words_show),
        CASE(another_place_shows),
        CASE(an_older_writing_shows),
        CASE(a_torn_record_shows),
        CASE(zeros_show),
        CASE(another_seed_shows),
        CASE(checksums_are_known_without_the_record),
        CASE(a_witness_knows_its_record),
        CASE(the_last_block_is_always_witnessed),
        CASE(the_smallest_record_works),
    };
    return cmocka_run_group_tests_name("disk_record", tests, NULL, NULL);
}
