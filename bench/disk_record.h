// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The records of the disk workload. Every block of 4096 bytes begins with a stamp made from the
 * seed, the generation (which writing of the file it was) and its place in the file, so that no two
 * blocks are alike and a lost, torn, stale or misplaced write shows. The first block of a record
 * also carries the record's offset, seed, generation and a checksum over all of the record.
 *
 * Everything else is a pattern that is the same in all records and is laid down beforehand:
 * stamping a record costs a store a block, so that it can be done while the clock runs.
 */
#ifndef BOXMARK_BENCH_DISK_RECORD_H
#define BOXMARK_BENCH_DISK_RECORD_H

#include "bench/parameters.h"
#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

#define RECORD_BLOCK_BYTES DISK_BLOCK_BYTES

struct record_format {
    uint64_t seed;
    size_t bytes;      /* of a record, a multiple of RECORD_BLOCK_BYTES */
    uint64_t body_sum; /* the pattern's share of every checksum */
};

/* A few words of a record, taken while the clock runs and checked afterwards. */
#define RECORD_WITNESS_STAMPS 4
struct record_witness {
    uint64_t header[4]; /* first stamp, offset, generation, checksum */
    uint64_t stamps[RECORD_WITNESS_STAMPS];
};

struct record_format record_format_new(uint64_t seed, size_t bytes);

/* Lays down the pattern in a buffer for one record. */
void record_fill(const struct record_format *format, void *buffer);

/* Makes a filled buffer the record of that index and generation. */
void record_stamp(const struct record_format *format, void *buffer, uint64_t index,
                  uint64_t generation);

/* What the checksum of a record must be. */
uint64_t record_checksum(const struct record_format *format, uint64_t index, uint64_t generation);

/* Checks every byte of a record; ERROR_UNTRUSTWORTHY says what is wrong and where. */
int record_check(const struct record_format *format, const void *buffer, uint64_t index,
                 uint64_t generation, struct error **err);

/* Copies header and some stamps, others for other records, the last block's always. */
void record_witness(const struct record_format *format, const void *buffer, uint64_t index,
                    struct record_witness *ret_witness);

/* Checks that a witness is of that record. */
int record_check_witness(const struct record_format *format, const struct record_witness *witness,
                         uint64_t index, uint64_t generation, struct error **err);

#endif
