// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What KVM itself counts of the virtual CPUs: all exits, also those that it serves without telling
 * the monitor (interrupts of the host, CPUID, first touches of pages).
 */
#ifndef BOXMARK_MICROGUEST_KVM_STATS_H
#define BOXMARK_MICROGUEST_KVM_STATS_H

struct vcpu;
struct vmm;

/*
 * Opens the statistics of one that is not in the guest: KVM lets nobody ask about one that is, but
 * makes them wait, beyond reach of signals, until it leaves.
 */
void kvm_stats_open(struct vcpu *vcpu);

/*
 * Puts sums over all virtual CPUs into the status page, where this KVM has statistics (Linux 5.14).
 * Called just before the program's answer goes out, so that they are there when the answer is; not
 * before the first one, which is waited for by the start-up's clock.
 */
void kvm_stats_publish(struct vmm *vmm);

#endif
