// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/disk_record.h"

#include "common/random.h"

#include <stdbool.h>

/* Words of the first block. The stamp is the first word of every block. */
enum { WORD_STAMP, WORD_OFFSET, WORD_SEED, WORD_GENERATION, WORD_CHECKSUM, HEADER_WORDS };

#define BLOCK_WORDS (RECORD_BLOCK_BYTES / sizeof(uint64_t))

static size_t blocks_of(const struct record_format *format) {
    return format->bytes / RECORD_BLOCK_BYTES;
}

/* Every word has a weight of its own, odd, so that no change of one word and no exchange of two
 * leaves the sum as it was. */
static uint64_t weight(uint64_t word) {
    return (2 * word + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t mix(uint64_t value) {
    struct random_state state = random_seeded(value);
    return random_next(&state);
}

/* What all stamps of one writing of the file have in common. */
static uint64_t stamp_base(const struct record_format *format, uint64_t generation) {
    return mix(format->seed ^ mix(generation));
}

static uint64_t stamp_of(uint64_t base, uint64_t block) {
    return mix(base + block * UINT64_C(0xd1342543de82ef95));
}

/* The words that belong to no pattern. */
static bool is_marked(uint64_t word) {
    return word % BLOCK_WORDS == WORD_STAMP || word < HEADER_WORDS;
}

static uint64_t pattern_word(struct random_state *random) {
    return random_next(random);
}

struct record_format record_format_new(uint64_t seed, size_t bytes) {
    struct record_format format = {.seed = seed, .bytes = bytes};
    struct random_state random = random_seeded(seed);
    for (uint64_t word = 0; word < bytes / sizeof(uint64_t); word++) {
        uint64_t value = pattern_word(&random);
        if (!is_marked(word))
            format.body_sum += value * weight(word);
    }
    return format;
}

void record_fill(const struct record_format *format, void *buffer) {
    uint64_t *words = buffer;
    struct random_state random = random_seeded(format->seed);
    for (uint64_t word = 0; word < format->bytes / sizeof(uint64_t); word++)
        words[word] = pattern_word(&random);
}

/* The checksum from its parts; with `words` the stamps are laid down on the way. */
static uint64_t mark(const struct record_format *format, uint64_t *words, uint64_t index,
                     uint64_t generation) {
    uint64_t base = stamp_base(format, generation), sum = format->body_sum;
    size_t blocks = blocks_of(format);
    for (size_t block = 0; block < blocks; block++) {
        uint64_t stamp = stamp_of(base, index * blocks + block);
        if (words)
            words[block * BLOCK_WORDS + WORD_STAMP] = stamp;
        sum += stamp * weight(block * BLOCK_WORDS + WORD_STAMP);
    }
    sum += index * format->bytes * weight(WORD_OFFSET);
    sum += format->seed * weight(WORD_SEED);
    sum += generation * weight(WORD_GENERATION);
    return mix(sum);
}

uint64_t record_checksum(const struct record_format *format, uint64_t index, uint64_t generation) {
    return mark(format, NULL, index, generation);
}

void record_stamp(const struct record_format *format, void *buffer, uint64_t index,
                  uint64_t generation) {
    uint64_t *words = buffer;
    words[WORD_CHECKSUM] = mark(format, words, index, generation);
    words[WORD_OFFSET] = index * format->bytes;
    words[WORD_SEED] = format->seed;
    words[WORD_GENERATION] = generation;
}

static int wrong(const struct record_format *format, uint64_t index, const char *what,
                 struct error **err) {
    return error_set(err, ERROR_UNTRUSTWORTHY, 0, "the record at offset %llu has a wrong %s",
                     (unsigned long long)(index * format->bytes), what);
}

static uint64_t sum_words(const uint64_t *words, uint64_t from, uint64_t to) {
    uint64_t sum = 0;
    for (uint64_t word = from; word < to; word++)
        sum += words[word] * weight(word);
    return sum;
}

int record_check(const struct record_format *format, const void *buffer, uint64_t index,
                 uint64_t generation, struct error **err) {
    const uint64_t *words = buffer;
    uint64_t base = stamp_base(format, generation);
    size_t blocks = blocks_of(format);
    if (words[WORD_OFFSET] != index * format->bytes)
        return wrong(format, index, "offset", err);
    if (words[WORD_SEED] != format->seed)
        return wrong(format, index, "seed", err);
    if (words[WORD_GENERATION] != generation)
        return wrong(format, index, "generation", err);
    for (size_t block = 0; block < blocks; block++)
        if (words[block * BLOCK_WORDS + WORD_STAMP] != stamp_of(base, index * blocks + block))
            return error_set(err, ERROR_UNTRUSTWORTHY, 0,
                             "the block at offset %llu has a wrong stamp",
                             (unsigned long long)((index * blocks + block) * RECORD_BLOCK_BYTES));
    uint64_t sum = sum_words(words, 0, WORD_CHECKSUM) +
                   sum_words(words, WORD_CHECKSUM + 1, format->bytes / sizeof(uint64_t));
    if (words[WORD_CHECKSUM] != mix(sum))
        return wrong(format, index, "checksum", err);
    return 0;
}

/* The block that the nth stamp of a witness is taken from. */
static size_t witness_block(const struct record_format *format, uint64_t index, unsigned n) {
    size_t blocks = blocks_of(format);
    return n == 0 ? blocks - 1 : mix(index * RECORD_WITNESS_STAMPS + n) % blocks;
}

void record_witness(const struct record_format *format, const void *buffer, uint64_t index,
                    struct record_witness *ret_witness) {
    const uint64_t *words = buffer;
    ret_witness->header[0] = words[WORD_STAMP];
    ret_witness->header[1] = words[WORD_OFFSET];
    ret_witness->header[2] = words[WORD_GENERATION];
    ret_witness->header[3] = words[WORD_CHECKSUM];
    for (unsigned n = 0; n < RECORD_WITNESS_STAMPS; n++)
        ret_witness->stamps[n] = words[witness_block(format, index, n) * BLOCK_WORDS + WORD_STAMP];
}

int record_check_witness(const struct record_format *format, const struct record_witness *witness,
                         uint64_t index, uint64_t generation, struct error **err) {
    uint64_t base = stamp_base(format, generation);
    size_t blocks = blocks_of(format);
    if (witness->header[1] != index * format->bytes)
        return wrong(format, index, "offset", err);
    if (witness->header[2] != generation)
        return wrong(format, index, "generation", err);
    if (witness->header[3] != record_checksum(format, index, generation))
        return wrong(format, index, "checksum", err);
    bool same = witness->header[0] == stamp_of(base, index * blocks);
    for (unsigned n = 0; n < RECORD_WITNESS_STAMPS; n++)
        same &=
            witness->stamps[n] == stamp_of(base, index * blocks + witness_block(format, index, n));
    return same ? 0 : wrong(format, index, "stamp", err);
}
