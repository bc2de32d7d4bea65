// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The four kernels of STREAM 5.10 (John D. McCalpin, University of Virginia) over a stretch of the
 * arrays. They are functions of their own, so that the same machine code runs everywhere: left to
 * itself the compiler turns the copy into a call of memcpy, and that chooses its instructions and
 * its use of the cache by what CPU and cache sizes the environment shows.
 */
#ifndef BOXMARK_BENCH_STREAM_KERNELS_H
#define BOXMARK_BENCH_STREAM_KERNELS_H

#include <stddef.h>

#define STREAM_SCALAR 3.0

void stream_copy(double *restrict c, const double *restrict a, size_t count);
void stream_scale(double *restrict b, const double *restrict c, size_t count);
void stream_add(double *restrict c, const double *restrict a, const double *restrict b,
                size_t count);
void stream_triad(double *restrict a, const double *restrict b, const double *restrict c,
                  size_t count);

#endif
