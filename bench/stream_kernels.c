// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/stream_kernels.h"

#if defined(__clang__)
#define KERNEL __attribute__((noinline, no_builtin("memcpy", "memmove")))
#else
#define KERNEL __attribute__((noinline, optimize("no-tree-loop-distribute-patterns")))
#endif

KERNEL void stream_copy(double *restrict c, const double *restrict a, size_t count) {
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        c[i] = a[i];
}

KERNEL void stream_scale(double *restrict b, const double *restrict c, size_t count) {
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        b[i] = STREAM_SCALAR * c[i];
}

KERNEL void stream_add(double *restrict c, const double *restrict a, const double *restrict b,
                       size_t count) {
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        c[i] = a[i] + b[i];
}

KERNEL void stream_triad(double *restrict a, const double *restrict b, const double *restrict c,
                         size_t count) {
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        a[i] = b[i] + STREAM_SCALAR * c[i];
}
