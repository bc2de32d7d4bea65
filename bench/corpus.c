// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/corpus.h"

#include "common/random.h"

#include <string.h>

enum {
    WORDS = 4096,
    PHRASES = 1024,
    TOKEN_BYTES = 16,  /* a word is copied as one block of this size, whatever its length */
    PHRASE_BYTES = 64, /* likewise a phrase */
    DRAW_BITS = 16,
    DRAWS = 1 << DRAW_BITS, /* resolution of the frequencies */
    /* What one step may write beyond the end: a phrase and the punctuation after it. */
    SLACK_BYTES = 2 * PHRASE_BYTES,
};

struct token {
    char text[TOKEN_BYTES];
    uint8_t length;
};

struct phrase {
    char text[PHRASE_BYTES];
    uint8_t length;
};

struct corpus {
    uint64_t seed;
    uint16_t word_draws[DRAWS];   /* a uniform draw -> a word with Zipf's frequencies */
    uint16_t phrase_draws[DRAWS]; /* likewise for phrases */
    struct token words[WORDS];
    struct phrase phrases[PHRASES];
};

/*
 * Zipf and Mandelbrot's law in whole numbers: rank r gets a share of draws in proportion to
 * 1 / (r + 3), and at least one draw.
 */
static void share_draws(uint16_t draws[DRAWS], unsigned items) {
    const uint64_t scale = UINT64_C(1) << 40;
    uint64_t sum = 0, reached = 0;
    for (unsigned rank = 0; rank < items; rank++)
        sum += scale / (rank + 3);
    unsigned at = 0;
    for (unsigned rank = 0; rank < items; rank++) {
        reached += scale / (rank + 3);
        uint64_t end = (uint64_t)(((__uint128_t)reached * (DRAWS - items)) / sum) + rank + 1;
        while (at < end)
            draws[at++] = (uint16_t)rank;
    }
}

/* Consonants and vowels about as often as English has them. */
static const char consonants[32] = "ttttnnnnssssrrrrhhhlllddccmmfpgb";
static const char vowels[16] = "eeeeeaaaaoooiiiu";

/* Frequent words are short, as in every language. */
static void make_word(struct token *word, unsigned rank, struct random_state *random) {
    unsigned syllables = 1 + (rank >= 40) + (rank >= 600);
    if (rank >= 12 && random_below(random, 4) == 0)
        syllables++;
    unsigned length = 0;
    for (unsigned i = 0; i < syllables; i++) {
        uint64_t bits = random_next(random);
        if (i > 0 || (bits & 3) != 0)
            word->text[length++] = consonants[(bits >> 8) % 32];
        word->text[length++] = vowels[(bits >> 16) % 16];
        if ((bits >> 24) % 3 == 0)
            word->text[length++] = consonants[(bits >> 32) % 32];
    }
    word->text[length++] = ' ';
    word->length = (uint8_t)length;
}

static const struct token *draw_word(const struct corpus *corpus, uint64_t bits) {
    return &corpus->words[corpus->word_draws[bits % DRAWS]];
}

static void make_phrase(struct corpus *corpus, struct phrase *phrase, struct random_state *random) {
    unsigned words = 2 + (unsigned)random_below(random, 4), length = 0;
    for (unsigned i = 0; i < words; i++) {
        const struct token *word = draw_word(corpus, random_next(random));
        if (length + word->length > PHRASE_BYTES)
            break;
        memcpy(phrase->text + length, word->text, word->length);
        length += word->length;
    }
    phrase->length = (uint8_t)length;
}

struct corpus *corpus_new(uint64_t seed) {
    struct corpus *corpus = calloc(1, sizeof(*corpus));
    if (!corpus)
        return NULL;
    corpus->seed = seed;
    share_draws(corpus->word_draws, WORDS);
    share_draws(corpus->phrase_draws, PHRASES);
    struct random_state random = random_seeded(seed);
    for (unsigned i = 0; i < WORDS; i++)
        make_word(&corpus->words[i], i, &random);
    for (unsigned i = 0; i < PHRASES; i++)
        make_phrase(corpus, &corpus->phrases[i], &random);
    return corpus;
}

struct corpus *corpus_free(struct corpus *corpus) {
    free(corpus);
    return NULL;
}

/* The cursor of the block being written. */
struct writer {
    char *at;
    unsigned words_left;     /* in this sentence */
    unsigned sentences_left; /* in this paragraph */
    char *sentence;
};

static void begin_sentence(struct writer *writer, uint64_t bits) {
    writer->words_left = 6 + (unsigned)(bits % 16);
    writer->sentence = writer->at;
}

/* Every word ends in a space: the last one's becomes the full stop. */
static void end_sentence(struct writer *writer, uint64_t bits) {
    *writer->sentence = (char)(*writer->sentence & ~0x20);
    writer->at[-1] = '.';
    if (writer->sentences_left-- == 0) {
        writer->sentences_left = 3 + (unsigned)(bits >> 8) % 8;
        *writer->at++ = '\n';
        *writer->at++ = '\n';
    } else {
        *writer->at++ = (bits >> 16) % 2 ? ' ' : '\n';
    }
    begin_sentence(writer, bits >> 24);
}

static void add_number(struct writer *writer, uint64_t bits) {
    unsigned value = (unsigned)(bits % 10000);
    for (unsigned divisor = 1000; divisor > 0; divisor /= 10)
        *writer->at++ = (char)('0' + value / divisor % 10);
    *writer->at++ = ' ';
}

/* One step: a phrase, a number or a word, perhaps with a comma. */
static void add_step(const struct corpus *corpus, struct writer *writer, uint64_t bits) {
    unsigned kind = (unsigned)(bits % 64);
    uint64_t draw = (bits >> 8) % DRAWS;
    if (kind < 15) {
        const struct phrase *phrase = &corpus->phrases[corpus->phrase_draws[draw]];
        memcpy(writer->at, phrase->text, PHRASE_BYTES);
        writer->at += phrase->length;
    } else if (kind < 16 && writer->at != writer->sentence) {
        add_number(writer, draw);
    } else {
        const struct token *word = draw_word(corpus, draw);
        memcpy(writer->at, word->text, TOKEN_BYTES);
        writer->at += word->length;
    }
    if ((bits >> 24) % 16 == 0) {
        writer->at[-1] = ',';
        *writer->at++ = ' ';
    }
    if (writer->words_left-- == 0) {
        if (writer->at[-2] == ',')
            writer->at--;
        end_sentence(writer, bits >> 28);
    }
}

static void fill_block(const struct corpus *corpus, uint64_t block,
                       char text[CORPUS_BLOCK_BYTES + SLACK_BYTES]) {
    struct random_state mixed =
        random_seeded(corpus->seed ^ (block + 1) * UINT64_C(0xd1342543de82ef95));
    struct random_state random = random_seeded(random_next(&mixed));
    struct writer writer = {.at = text, .sentences_left = 4};
    begin_sentence(&writer, random_next(&random));
    while (writer.at < text + CORPUS_BLOCK_BYTES)
        add_step(corpus, &writer, random_next(&random));
}

void corpus_fill(const struct corpus *corpus, uint64_t offset, void *buffer, size_t size) {
    char block[CORPUS_BLOCK_BYTES + SLACK_BYTES];
    char *to = buffer;
    for (uint64_t number = offset / CORPUS_BLOCK_BYTES; size > 0; number++) {
        size_t part = size < CORPUS_BLOCK_BYTES ? size : CORPUS_BLOCK_BYTES;
        fill_block(corpus, number, block);
        memcpy(to, block, part);
        to += part;
        size -= part;
    }
}
