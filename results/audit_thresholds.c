// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/audit.h"

#include <math.h>

const struct audit_threshold audit_thresholds[] = {
    {"failures", 0, 0.5, "of the instances",
     "a lost instance costs a block; when most are lost, those that are left are a selection"},
    {"accelerator", 1.1, 1.5, "times the reference's calibration loop",
     "native execution runs a CPU loop within a few per cent of the host, so half as long again "
     "cannot be native; some emulators translate so short a loop well, hence the next line"},
    {"accelerator_work", 1.2, 2, "times the reference's prime",
     "native execution computes within a few per cent of the host; emulation (TCG) took five times "
     "as long"},
    {"accelerator_work_start", 0.02, INFINITY, "seconds a request",
     "what is no computing: starting threads, and a dozen lines through the channel, need some "
     "milliseconds in a guest; a request of not much more tells nothing of how it computes"},
    {"memory_missing", 0.1, 0.5, "of the envelope's memory",
     "a guest's kernel keeps some per cent of a small memory for itself; half of it missing is "
     "another envelope"},
    {"memory_excess", 0.02, INFINITY, "of the envelope's memory",
     "more memory than meant helps only work that does not fit, and the work is made to fit"},
    {"frequency", 0.05, INFINITY, "of the frequency",
     "laptops and servers move their clock all the time; what that does to the work is judged by "
     "the calibration loop"},
    {"calibration", 0.05, 0.25, "of the loop's time",
     "blocks are paired and their order is random, so a drift within an instance widens the "
     "interval rather than shifts it; a CPU that changes its speed by a quarter within one instance "
     "is not the machine that was meant to be measured"},
    {"calibration_instances", 2, INFINITY, "instances",
     "a drift in one or two instances may be an accident of that moment"},
    {"steal", 0.01, 0.2, "of the CPU time wanted",
     "cloud and CI machines see some steal time, alike in all environments on average; when a fifth "
     "of the time is taken away, the hypervisor's other guests are measured"},
    {"throttling", 0, 0.01, "of the elapsed time",
     "a quota that the environment asks for is its property and is noted; one that comes from "
     "outside (a CI job's limit) falls on what runs at that moment"},
    {"load", 0.05, 0.3, "CPUs",
     "an idle desktop or server keeps a few per cent of a CPU busy; a process that competes for one "
     "of the envelope's CPUs takes half of it"},
    {"load_disk", 0.2, 0.5, "CPUs",
     "what the kernel does for a disk (interrupts, workers) is on nobody's account and takes some "
     "tenth of a CPU; a process that competes takes half of one or more"},
    {"swap", 0, 1048576, "bytes a second",
     "some stray pages move on any machine that has been up for long; a steady stream means that "
     "memory does not suffice"},
    {"guest_clock", 0.002, 0.005, "of the elapsed time",
     "clocks that keep time at all agree within 0.01 %; half a per cent is far beyond that and as "
     "large as the differences that are looked for"},
    {"guest_clock_latency", 0.003, INFINITY, "seconds a request",
     "the two ends of an interval are seen through the channel; its delay varies by up to some "
     "milliseconds under emulation and is no property of the clock"},
    {"guest_clock_resolution", 0.02, INFINITY, "of the elapsed time",
     "when the channel's delays could hide this much, the requests were too short to tell"},
    {"tick_resolution", 2, INFINITY, "seconds",
     "the kernel counts CPU time in ticks of some milliseconds: less is too short to tell"},
    {"page_cache", 0.01, 0.05, "of the bytes claimed",
     "direct I/O reaches the device byte for byte and metadata only adds to it; what is missing was "
     "served from or left in the host's memory"},
    {"page_cache_delay", 0.01, INFINITY, "seconds a section",
     "runs of before the agent waited for it (no `round_trip_ns` in the journal): the device's "
     "counters were read when the line that begins a section had arrived; on a busy machine that "
     "was some milliseconds late, and the work had begun"},
    {0},
};
