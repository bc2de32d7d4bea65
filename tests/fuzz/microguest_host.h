// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Read before every file of the micro-guest's monitor in its fuzz target: what these would ask of
 * the host goes through the target, which lets nothing block, start a thread, grow without bounds
 * or reach KVM.
 */
#ifndef BOXMARK_TESTS_FUZZ_MICROGUEST_HOST_H
#define BOXMARK_TESTS_FUZZ_MICROGUEST_HOST_H

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

int host_ioctl(int fd, unsigned long request, ...);
long host_syscall(long number, ...);
int host_poll(struct pollfd *waits, nfds_t count, int timeout_ms);
int host_clock_nanosleep(clockid_t clock, int flags, const struct timespec *duration,
                         struct timespec *left);
int host_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*main)(void *),
                        void *argument);
int host_ftruncate(int fd, off_t bytes);
int host_fallocate(int fd, int mode, off_t offset, off_t bytes);

#define ioctl host_ioctl
#define syscall host_syscall
#define poll host_poll
#define clock_nanosleep host_clock_nanosleep
#define pthread_create host_pthread_create
#define ftruncate host_ftruncate
#define fallocate host_fallocate

#endif
