// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "bench/corpus.h"

#include <sodium.h>
#include <zlib.h>

#define MIB ((size_t)1 << 20)

static unsigned char *make(uint64_t seed, size_t size) {
    cleanup_corpus struct corpus *corpus = corpus_new(seed);
    unsigned char *text = malloc(size);
    assert_non_null(corpus);
    assert_non_null(text);
    corpus_fill(corpus, 0, text, size);
    return text;
}

static double ratio(uint64_t seed, size_t size) {
    cleanup_free unsigned char *text = make(seed, size);
    uLongf packed_size = compressBound(size);
    cleanup_free unsigned char *packed = malloc(packed_size);
    assert_non_null(packed);
    assert_int_equal(compress2(packed, &packed_size, text, size, 6), Z_OK);
    return (double)size / (double)packed_size;
}

static void shrinks_like_text(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        double found = ratio(seed * seed * seed, MIB);
        if (found < 2.5 || found > 3.5)
            fail_msg("seed %d: ratio %.3f", (int)(seed * seed * seed), found);
    }
}

static void shrinks_alike_at_every_size(void **state) {
    (void)state;
    double small = ratio(1, MIB), odd = ratio(1, 3 * MIB + 12345), large = ratio(1, 24 * MIB);
    assert_true(small > 2.5 && small < 3.5);
    assert_true(odd > 0.97 * small && odd < 1.03 * small);
    assert_true(large > 0.97 * small && large < 1.03 * small);
}

/* The bytes themselves are part of what a result means: whoever changes them changes the digest of
 * every zip, and must change the version of the protocol. */
static void is_the_same_everywhere(void **state) {
    (void)state;
    cleanup_free unsigned char *text = make(42, MIB);
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof(hash) + 1];
    crypto_hash_sha256(hash, text, MIB);
    assert_string_equal(sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)),
                        "9f0956ef821b77a325b8fc49d8abd781f5835f3963e59f385df08127d5e9d5ee");
}

static void seeds_differ(void **state) {
    (void)state;
    cleanup_free unsigned char *one = make(1, MIB), *two = make(2, MIB);
    size_t same = 0;
    for (size_t i = 0; i < MIB; i++)
        same += one[i] == two[i];
    assert_true(same < MIB / 4);
}

static void blocks_can_be_made_apart(void **state) {
    (void)state;
    size_t size = 5 * CORPUS_BLOCK_BYTES + 100;
    cleanup_free unsigned char *whole = make(7, size), *part = malloc(size);
    cleanup_corpus struct corpus *corpus = corpus_new(7);
    for (size_t offset = 0; offset < size; offset += 2 * CORPUS_BLOCK_BYTES) {
        size_t left = size - offset;
        corpus_fill(corpus, offset, part + offset,
                    left < 2 * CORPUS_BLOCK_BYTES ? left : 2 * CORPUS_BLOCK_BYTES);
    }
    assert_memory_equal(whole, part, size);
}

static void blocks_differ_beyond_4_gib(void **state) {
    (void)state;
    cleanup_corpus struct corpus *corpus = corpus_new(7);
    char near[64], far[64];
    corpus_fill(corpus, 0, near, sizeof(near));
    corpus_fill(corpus, UINT64_C(1) << 32, far, sizeof(far));
    assert_memory_not_equal(near, far, sizeof(near));
    corpus_fill(corpus, UINT64_C(1) << 48, near, sizeof(near));
    assert_memory_not_equal(near, far, sizeof(near));
}

static void writes_no_further_than_asked(void **state) {
    (void)state;
    cleanup_corpus struct corpus *corpus = corpus_new(3);
    for (size_t size = 0; size < 200; size += 7) {
        unsigned char text[200];
        memset(text, 0xee, sizeof(text));
        corpus_fill(corpus, 0, text, size);
        for (size_t i = size; i < sizeof(text); i++)
            assert_int_equal(text[i], 0xee);
    }
}

static void is_readable_text(void **state) {
    (void)state;
    cleanup_free unsigned char *text = make(99, MIB);
    size_t spaces = 0, sentences = 0;
    for (size_t i = 0; i < MIB; i++) {
        assert_true((text[i] >= ' ' && text[i] < 0x7f) || text[i] == '\n');
        spaces += text[i] == ' ' || text[i] == '\n';
        sentences += text[i] == '.';
    }
    assert_in_range(spaces, MIB / 12, MIB / 4);
    assert_in_range(sentences, MIB / 400, MIB / 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrinks_like_text),
        cmocka_unit_test(shrinks_alike_at_every_size),
        cmocka_unit_test(is_the_same_everywhere),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(blocks_can_be_made_apart),
        cmocka_unit_test(blocks_differ_beyond_4_gib),
        cmocka_unit_test(writes_no_further_than_asked),
        cmocka_unit_test(is_readable_text),
    };
    return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
