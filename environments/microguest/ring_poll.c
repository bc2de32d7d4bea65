// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/ring_poll.h"

#include "common/clock.h"
#include "environments/microguest/vmm.h"

#include <linux/futex.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Leaving the guest and entering it again: from here on it is dear, being 1 % and more of what a
 * record of 1 MiB takes on a fast disk. Hardware virtualization takes 1 or 2 us. */
#define DEAR_NS UINT64_C(5000)
/* So many requests by calls show which CPU the disk interrupts. */
#define PROBE_REQUESTS 8u
/* No wait for the host is longer. */
#define WAIT_NS (2 * NS_PER_MS)
/* Between two records a program prepares the next one; after that it is not coming soon. */
#define SPIN_NS UINT64_C(200000)
#define REST_MIN_NS (1 * NS_PER_MS)
#define REST_MAX_NS (1 * NS_PER_S)
/* So many requests in a row without a miss, and rests are short again. */
#define TRUST_AFTER 256u
/* How often it looks how long it had to wait for a CPU, and what part of the time is too much. */
#define DELAY_EVERY 32u
#define DELAY_PART 10u
#define STACK_BYTES (64 * 1024)

/* The CPU that this thread stays away from; -1: none. */
static _Thread_local int avoided = -1;

/*
 * A virtual CPU's thread that uses the ring stays away from the CPU of the one that polls, or may
 * use it again. Whom one thread wakes, schedulers like to run beside it, even where another CPU is
 * idle; and the kernel ends some records in a thread of its own on the CPU that was interrupted,
 * which a program that watches there would only delay.
 */
static void avoid(const struct ring_poller *self, int cpu) {
    cpu_set_t cpus = self->cpus;
    if (cpu == avoided)
        return;
    if (cpu >= 0)
        CPU_CLR(cpu, &cpus);
    if (sched_setaffinity(0, sizeof(cpus), &cpus) == 0)
        avoided = cpu;
}

static bool rests(const struct ring_poller *self) {
    return monotonic_ns() < self->rest_until_ns;
}

/* It did not come in time. */
static void missed(struct vmm *vmm) {
    struct ring_poller *self = &vmm->poller;
    self->rest_ns *= 2;
    if (self->rest_ns < REST_MIN_NS)
        self->rest_ns = REST_MIN_NS;
    if (self->rest_ns > REST_MAX_NS)
        self->rest_ns = REST_MAX_NS;
    self->rest_until_ns = monotonic_ns() + self->rest_ns;
    self->trusted = 0;
    atomic_fetch_add_explicit(&vmm->status->poll_misses, 1, memory_order_relaxed);
}

/* Nanoseconds that this thread was ready to run and did not (Documentation/scheduler/
 * sched-stats.rst): the second number. 0 where the kernel does not count. */
static uint64_t run_delay_ns(int fd) {
    char text[96];
    ssize_t bytes = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
    char *at = text;
    if (bytes <= 0)
        return 0;
    text[bytes] = '\0';
    (void)strtoull(text, &at, 10);
    return strtoull(at, NULL, 10);
}

/* What one look at the ring brought. */
static void account(struct vmm *vmm, unsigned ended, uint64_t now_ns) {
    struct ring_poller *self = &vmm->poller;
    if (ended == 0)
        return;
    atomic_fetch_add_explicit(&vmm->status->polled_requests, ended, memory_order_relaxed);
    self->trusted += ended;
    self->unchecked += ended;
    if (self->unchecked >= DELAY_EVERY) {
        uint64_t delay_ns = run_delay_ns(self->delay_fd);
        if ((delay_ns - self->delay_ns) * DELAY_PART > now_ns - self->checked_ns)
            missed(vmm);
        self->delay_ns = delay_ns;
        self->checked_ns = now_ns;
        self->unchecked = 0;
    }
    if (self->trusted >= TRUST_AFTER)
        self->rest_ns = 0;
}

enum next { AGAIN, WAIT_FOR_HOST, SLEEP };

/* Gives back what has ended before anything else, and takes what there is. */
static bool advance(struct vmm *vmm) {
    unsigned ended = 0;
    bool moved = ring_advance(vmm, &ended);
    account(vmm, ended, monotonic_ns());
    return moved;
}

/* Looks at both rings, and what to do then. `woken`: it waited. Lock held. */
static enum next look(struct vmm *vmm, bool woken) {
    struct ring *ring = &vmm->ring;
    struct ring_poller *self = &vmm->poller;
    uint64_t now_ns = monotonic_ns();
    if (woken)
        ring_sleeps(vmm, false);
    if (advance(vmm) || woken)
        self->moved_ns = now_ns;
    /* While one is under way, another one hardly comes: the CPU is for the kernel, which ends it.
     */
    if (ring->polled && !ring->under_way && !rests(self) && now_ns - self->moved_ns < SPIN_NS)
        return AGAIN;
    /* From here on the program calls. What it left before it saw this is looked for once more. */
    ring_sleeps(vmm, true);
    if (!advance(vmm))
        return ring->under_way ? WAIT_FOR_HOST : SLEEP;
    self->moved_ns = now_ns;
    ring_sleeps(vmm, false);
    return AGAIN;
}

static void go_to(int cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    (void)sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* Takes the CPU that was interrupted most since the ring was set up. Without the lock. */
static void settle(struct vmm *vmm) {
    struct ring_poller *self = &vmm->poller;
    struct interrupts now;
    interrupts_read(&now);
    pthread_mutex_lock(&vmm->ring.lock);
    int cpu = interrupts_busiest(&self->interrupts, &now);
    if (cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET(cpu, &self->cpus))
        self->cpu = cpu;
    self->settles = false;
    self->settled = true;
    go_to(self->cpu);
    pthread_mutex_unlock(&vmm->ring.lock);
}

/* Until a request ends, but not for ever: a virtual CPU may have given it back already. */
static void wait_for_host(const struct ring *ring) {
    const struct __kernel_timespec longest = {.tv_nsec = WAIT_NS};
    const struct io_uring_getevents_arg argument = {.ts = (uint64_t)(uintptr_t)&longest};
    (void)syscall(SYS_io_uring_enter, ring->host.ring_fd, 0, 1,
                  IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof(argument));
}

static void sleep_until_woken(struct ring_poller *self) {
    while (atomic_load(&self->awake) == 0)
        (void)syscall(SYS_futex, &self->awake, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void *poll_main(void *argument) {
    struct vmm *vmm = argument;
    struct ring *ring = &vmm->ring;
    struct ring_poller *self = &vmm->poller;
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
    self->delay_fd =
        (int)syscall(SYS_openat2, AT_FDCWD, "/proc/thread-self/schedstat", &how, sizeof(how));
    for (bool woken = true;;) {
        /* Give a virtual CPU that wants the lock a chance. */
        if (atomic_load_explicit(&ring->wanted, memory_order_relaxed) > 0)
            sched_yield();
        pthread_mutex_lock(&ring->lock);
        bool settles = self->settles;
        enum next next = settles ? AGAIN : look(vmm, woken);
        if (next == SLEEP)
            atomic_store(&self->awake, 0);
        pthread_mutex_unlock(&ring->lock);
        woken = next != AGAIN;
        if (settles)
            settle(vmm);
        else if (next == AGAIN)
            for (unsigned i = 0; i < 4; i++)
                __builtin_ia32_pause();
        else if (next == WAIT_FOR_HOST)
            wait_for_host(ring);
        else
            sleep_until_woken(self);
    }
    return NULL;
}

static bool start_thread(struct vmm *vmm) {
    pthread_attr_t attributes;
    pthread_t thread;
    vmm->poller.delay_fd = -1;
    atomic_store(&vmm->poller.awake, 1);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int result = pthread_create(&thread, &attributes, poll_main, vmm);
    pthread_attr_destroy(&attributes);
    return result == 0;
}

static void rouse(struct vmm *vmm) {
    struct ring_poller *self = &vmm->poller;
    if (!self->started)
        self->started = start_thread(vmm);
    else if (atomic_exchange(&self->awake, 1) == 0)
        (void)syscall(SYS_futex, &self->awake, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* To work, unless it rests or has not found its CPU; `must`: even then. False: it does not. Where
 * it waits for the host it comes when something ends, or a little later. */
static bool wake(struct vmm *vmm, bool must) {
    struct ring_poller *self = &vmm->poller;
    if (!must && (!self->settled || rests(self))) {
        avoid(self, -1);
        return false;
    }
    avoid(self, self->cpu);
    rouse(vmm);
    return self->started;
}

/* The program called for so many requests. */
static void called(struct vmm *vmm, unsigned requests) {
    struct ring_poller *self = &vmm->poller;
    if (self->to_probe == 0)
        return;
    self->to_probe -= requests < self->to_probe ? requests : self->to_probe;
    if (self->to_probe == 0) {
        self->settles = true;
        rouse(vmm);
    }
}

/*
 * The program calls although it has somebody who looks: that one sleeps, or is late. Where it takes
 * over after this call everything has to end until then, for what this thread has submitted ends in
 * this thread, which will be in the guest.
 */
int64_t ring_poll_enter(struct vmm *vmm, unsigned to_submit, unsigned min_complete,
                        unsigned flags) {
    const unsigned waits = IORING_ENTER_GETEVENTS, wakes = IORING_ENTER_SQ_WAKEUP;
    struct ring *ring = &vmm->ring;
    int errnum = ring_check(vmm, flags);
    if (errnum < 0)
        return errnum;
    if (!(flags & waits) && (!(flags & wakes) || wake(vmm, true)))
        return to_submit;
    if (!ring->sleeps && ring_lags(vmm))
        missed(vmm);
    if (wake(vmm, false))
        min_complete = ring->completions;
    int64_t result = ring_enter(vmm, RING_ENTRIES_MAX, min_complete, flags);
    if (result > 0)
        called(vmm, (unsigned)result);
    return result;
}

bool ring_poll_begin(struct vmm *vmm) {
    struct ring_poller *self = &vmm->poller;
    uint64_t exit_ns = atomic_load_explicit(&vmm->status->exit_ns, memory_order_relaxed);
    /* With more than one request under way, the others hide what an exit takes, and more than one
     * CPU is busy with them already. */
    bool pays = exit_ns >= DEAR_NS && vmm->ring.entries == 1;
    if (vmm->polling == RING_POLLING_OFF || (vmm->polling == RING_POLLING_AUTO && !pays) ||
        !(vmm->ring.host.features & IORING_FEAT_EXT_ARG))
        return false;
    if (CPU_COUNT(&self->cpus) == 0 && sched_getaffinity(0, sizeof(self->cpus), &self->cpus) < 0)
        return false;
    self->cpu = sched_getcpu();
    if (CPU_COUNT(&self->cpus) < 2 || self->cpu < 0 || !CPU_ISSET(self->cpu, &self->cpus))
        return false;
    self->to_probe = PROBE_REQUESTS;
    self->settles = self->settled = false;
    self->moved_ns = 0;
    interrupts_read(&self->interrupts);
    vmm->ring.polled = true;
    return true;
}

void ring_poll_close(struct vmm *vmm) {
    bool polled = vmm->ring.polled;
    ring_close(vmm);
    if (polled)
        avoid(&vmm->poller, -1);
}

void ring_poll_start_thread(struct vmm *vmm) {
    /* As its parent had it, but for the kernel. */
    const cpu_set_t *cpus = &vmm->poller.cpus;
    if (CPU_COUNT(cpus) > 0)
        (void)sched_setaffinity(0, sizeof(*cpus), cpus);
}

const cpu_set_t *ring_poll_cpus(const struct vmm *vmm) {
    const cpu_set_t *cpus = &vmm->poller.cpus;
    return CPU_COUNT(cpus) > 0 ? cpus : NULL;
}
