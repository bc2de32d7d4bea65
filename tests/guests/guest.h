// SPDX-License-Identifier: GPL-3.0-or-later
/* What programs without a C library share. */
#ifndef BOXMARK_TESTS_GUEST_H
#define BOXMARK_TESTS_GUEST_H

#include <asm/unistd.h>
#include <stddef.h>
#include <sys/mman.h>

#define SURVIVED 77

static inline long call6(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define CALL(number, a, b, c) call6(number, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(number, a, b, c, d) call6(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

static inline void *map(size_t bytes, int prot) {
    return (void *)call6(__NR_mmap, 0, (long)bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Returns 1 from the payload where an answer is wrong. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return 1;                                                                              \
    } while (0)

struct payload {
    char name[20];
    int (*run)(void); /* NULL: the end of a list */
};

#define PAYLOAD(name)                                                                              \
    { #name, do_##name }

/* Each of these ends the guest by a fault. */
extern const struct payload faults[];

/* These are answered rightly, or exit with 78 where there is no io_uring. */
extern const struct payload rings[];

#endif
