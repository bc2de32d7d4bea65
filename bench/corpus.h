// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A seeded, text-like corpus of any size: made-up words with the frequencies of a natural language
 * (Zipf), sentences, set phrases and numbers. Deflate at level 6 makes it about three times
 * smaller, at every size from 1 MiB up, because every block is made the same way.
 *
 * Any block can be made by itself, so a corpus needs no memory of its own size and threads can
 * share the making. Only whole-number arithmetic is used: the bytes are the same on every machine.
 */
#ifndef BOXMARK_BENCH_CORPUS_H
#define BOXMARK_BENCH_CORPUS_H

#include "common/cleanup.h"

#include <stddef.h>
#include <stdint.h>

/* The unit in which a corpus is made. */
#define CORPUS_BLOCK_BYTES (64 * 1024)

struct corpus; /* vocabulary and phrases of one seed; read-only once made */

struct corpus *corpus_new(uint64_t seed); /* NULL when out of memory */
struct corpus *corpus_free(struct corpus *corpus);

/* Writes the bytes [offset, offset + size) of the corpus; offset is a multiple of the block. */
void corpus_fill(const struct corpus *corpus, uint64_t offset, void *buffer, size_t size);

static inline void corpus_cleanup(struct corpus **corpus) {
    corpus_free(*corpus);
}
#define cleanup_corpus CLEANUP(corpus)

#endif
