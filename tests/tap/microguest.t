#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The micro-guest: the agent inside gives the agent's answers; a hostile program is ended and named,
# and reaches nothing; many starts leave nothing behind.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

MONITOR=$BUILDDIR/boxmark-microguest
HOSTILE=$BUILDDIR/tests/guests/hostile
[ -x "$MONITOR" ] || skip_all "the micro-guest is for x86-64"
probed=$("$MONITOR" --probe)
case $probed in
*reason=*) skip_all "${probed#*reason=}" ;;
esac
like "$probed" 'guest_steps_per_s=[0-9]+' "the probe measures the guest's speed"
like "$probed" 'entry=(SYSCALL at CPL 0|page fault at LSTAR|invalid opcode)' \
    "and finds out how system calls leave"

DATA=$SCRATCH/data
mkdir "$DATA"
ln -s /etc "$DATA/link"
ln -s /etc/passwd "$DATA/escape"
user=0
if [ "$(id -u)" = 0 ]; then
    user=65534
    chown -R $user "$DATA"
    chmod 755 "$SCRATCH"
fi

# guest ARGUMENT...: one run of the monitor.
guest() {
    run "$MONITOR" --user $user --data "$DATA" --memory 256M "$@"
}

# Refusals.
printf '#!/bin/sh\n' >"$SCRATCH/script"
head -c 200 "$AGENT" >"$SCRATCH/short"
{ head -c 18 "$AGENT" && printf '\267\0' && tail -c +21 "$AGENT"; } >"$SCRATCH/foreign"
guest "$(command -v env)"
status_is 120 "a dynamic program is refused"
like "$errors" 'dynamically linked' "by name"
guest "$SCRATCH/script"
status_is 120 "a script is refused"
guest "$SCRATCH/short"
status_is 120 "a program that is cut off is refused"
guest "$SCRATCH/foreign"
status_is 120 "a program for another architecture is refused"
like "$errors" 'another architecture' "by name"
guest "$SCRATCH/missing"
status_is 120 "a missing program is refused"
guest --threads 0 "$AGENT"
status_is 120 "no threads at all are refused"
run "$MONITOR" --data "$SCRATCH/missing" "$AGENT"
status_is 120 "a missing data folder is refused"
run "$MONITOR" --memory 64K "$AGENT"
status_is 120 "too little memory for the program is refused"
like "$errors" 'memory' "by name"
guest --threads 129 "$AGENT"
status_is 120 "more threads than there can be are refused"
like "$errors" '128' "with the limit"
many='{"type":"run","id":1,"workload":"prime","paced":false,"parameters":{"limit":99,"events":20,"threads":3,"iterations":1,"warmups":0}}'
run sh -c 'echo "$1" | { shift; "$@"; }' sh "$many" "$MONITOR" --threads 2 --user $user --data "$DATA" \
    "$AGENT" --data /data
status_is 1 "a program that starts more threads than it may have ends"
like "$errors" 'refused a thread: there are 2 virtual CPUs' "and is told why"
deny=$BUILDDIR/tests/tools/deny
run "$deny" kvm_capability:74=22 kvm_capability:136=22 -- "$MONITOR" "$AGENT"
if [ "$status" = 77 ]; then
    skip "seccomp is not to be had" 2
else
    status_is 120 "a KVM without what is needed is refused"
    like "$errors" 'needed: KVM_CAP_SYNC_REGS KVM_CAP_IMMEDIATE_EXIT' "and all that it lacks is named"
fi
run "$deny" openat=2 -- "$MONITOR" "$AGENT"
status_is 120 "a machine without KVM is refused"
like "$errors" 'cannot open /dev/kvm: No such file.*kvm_intel' "and what to do is said"
run "$deny" openat=13 -- "$MONITOR" "$AGENT"
like "$errors" 'cannot open /dev/kvm: Permission denied.*member of the group' "so is a lack of permission"

# What a program may not do: it is ended, the fault is named.
while read -r payload expected; do
    guest --time-limit 20000 "$HOSTILE" "$payload"
    status_is 122 "$payload ends the guest"
    like "$errors" "did what it may not: .*$expected" "$payload is named"
done <<'END'
out #GP
in #GP
hlt #GP
cli #GP
read_cr0 #GP
write_cr3 #GP
write_cr4 #GP
rdmsr #GP
wrmsr #GP
lgdt #GP
lidt #GP
ltr #GP
invlpg #GP
wbinvd #GP
swapgs #GP
sysret #GP
iret_kernel #GP
far_kernel #GP
xsetbv #GP
int80 #(GP|UD)
int14 #(GP|UD)
ud2 #UD
divide #DE
iopl #GP
trap_flag #DB
bad_rip #(GP|PF)
bad_rsp #(SS|PF)
read_null cannot read 0x0
read_supervisor cannot read
write_idt cannot write
write_time cannot write
write_vdso cannot write
call_stub cannot execute
bad_return #(PF|GP)
sysenter #(UD|GP)
write_text cannot write
execute_data cannot execute
execute_map cannot execute
read_unmapped cannot read
read_none cannot read
write_readonly cannot write
stack_overflow cannot write
fault_aside thread 2.*#UD|#UD
END

# Calls of another hypervisor's or KVM's own: answered with an error or a fault, never more.
for payload in vmcall vmmcall; do
    guest --time-limit 20000 "$HOSTILE" "$payload"
    like "$status" '^(77|122)$' "$payload does no harm"
done

# What it may do is answered rightly.
for payload in ask_execute rights_back remap bad_pointers paths streams descriptors unknown_calls memory \
    pieces odd_calls threads threads_again outlive fuzz; do
    guest --time-limit 60000 "$HOSTILE" "$payload"
    status_is 0 "$payload is answered rightly"
done
# Where KVM makes one thread wait for the other, no time limit of its own ends it.
run timeout -s KILL 60 "$MONITOR" --user $user --data "$DATA" "$HOSTILE" aside
status_is 0 "aside is answered rightly"
while read -r polling payload; do
    guest --time-limit 60000 --polling "$polling" "$HOSTILE" "$payload"
    if [ "$status" = 78 ]; then
        skip "$payload: the host gives no io_uring, or there is no CPU to spare"
    else
        status_is 0 "$payload is answered rightly"
    fi
done <<'END'
off ring
off wrong_ring
on polled_ring
on shaken_ring
END
guest --polling sometimes "$AGENT"
status_is 120 "a way to poll that is none is refused"
like "$errors" 'auto, on or off, not sometimes' "by name"
is "$(find "$DATA" -mindepth 1 ! -name link ! -name escape -newer "$SCRATCH/script" -name '*passwd*')" "" \
    "nothing was made outside of what was asked for"

guest --time-limit 300 "$HOSTILE" spin
status_is 123 "a program that spins ends when its time is over"
like "$errors" 'in its own code' "and is named"
guest --time-limit 300 "$HOSTILE" block
status_is 123 "a program that blocks ends when its time is over"
like "$errors" 'in the system call futex' "and is named"
guest --time-limit 300 "$HOSTILE" sleep
status_is 123 "a program that sleeps ends when its time is over"
guest --time-limit 20000 "$HOSTILE" abort
status_is 124 "a program that aborts is ended"
like "$errors" 'signal 6' "by name"

# The agent inside gives the same answers as outside.
requests='{"type":"identify","id":1}
{"type":"run","id":2,"workload":"null","paced":false,"parameters":{}}
{"type":"run","id":3,"workload":"calibrate","paced":false,"parameters":{"loops":1000000,"iterations":1}}
{"type":"run","id":4,"workload":"prime","paced":false,"parameters":{"limit":1000,"events":200,"threads":3,"iterations":1,"warmups":0}}
{"type":"run","id":5,"workload":"zip","paced":false,"parameters":{"bytes":300000,"level":6,"threads":2,"to_file":0,"seed":1,"iterations":1,"warmups":0}}
{"type":"run","id":6,"workload":"zip","paced":false,"parameters":{"bytes":300000,"level":6,"threads":2,"to_file":1,"seed":1,"iterations":1,"warmups":0}}
{"type":"run","id":7,"workload":"stream","paced":false,"parameters":{"elements":200000,"threads":2,"huge_pages":1,"iterations":2}}
{"type":"run","id":8,"workload":"disk","paced":false,"parameters":{"bytes":4194304,"record_bytes":1048576,"depth":1,"iterations":1,"seed":1}}
{"type":"quit","id":9}'
# answers COMMAND...: type, number, hash or digest of each final answer.
answers() {
    "$@" <<<"$requests" 2>"$SCRATCH/.errors" |
        grep -E '"type":"(end|error|identity)"' |
        sed -E 's/.*"type":"([a-z]+)","id":([0-9]+).*"(digest|agent_sha256|message)":"([^"]*)".*/\1 \2 \4/'
}
outside=$(answers "$AGENT" --data "$SCRATCH")
inside=$(answers "$MONITOR" --user $user --data "$DATA" --memory 512M "$AGENT" --data /data)
is "$inside" "$outside" "the agent's hash and all digests are the same inside and outside"
unlike "$inside" 'error' "without an error"
is "$(find "$DATA" -mindepth 1 | sort | tr '\n' ' ')" "$DATA/escape $DATA/link " \
    "the agent leaves no files"

# As an environment.
run "$BOXMARK" run --no-plots -p smoke -e host -e microguest -o "$SCRATCH/run" --blocks 1 --quiet
status_is 0 "a run with the micro-guest ends well"
like "$(cut -d, -f4,5 "$SCRATCH/run/samples.csv" | sort -u)" '"?microguest"?,"?KVM' "its rows say KVM"
file_exists "$SCRATCH/run/environments/microguest/exits.jsonl" "its exits are kept"
like "$(cat "$SCRATCH/run/environments/microguest/exits.jsonl")" '"system_call":\{"count":[1-9]' \
    "system calls are counted"
like "$(grep '"environment":"microguest","workload":"prime"' "$SCRATCH/run/journal.jsonl")" \
    '"counters":\{.*"kvm\.exits":[1-9]' "what KVM counts is, too, of more than one virtual CPU"
like "$(grep '"workload":"disk"' "$SCRATCH/run/journal.jsonl")" \
    '"counters":\{.*"exits.system_call":[1-9].*"calls.(io_uring_enter|pwritev2)":[1-9]' \
    "and kept with the request that made them"
# Requests that leave by exits, and those that somebody looks for: the same work.
run "$BOXMARK" run --no-plots -p smoke -w disk -e microguest:polling=on -e microguest:polling=off \
    --set disk.bytes=64M -o "$SCRATCH/polling" --blocks 1 --quiet
status_is 0 "a run with and without polling ends well"
polled=$(grep '"environment":"microguest:polling=on"' "$SCRATCH/polling/journal.jsonl")
case $polled in
*'"io_polled":"'*)
    like "$polled" '"io_polled":[1-9]' "requests leave without exits where that is asked for"
    like "$(cat "$SCRATCH/polling/summary.json")" 'polled: submissions and completions' \
        "which the audit notes"
    ;;
*) skip "there is no io_uring, or no CPU to spare" 2 ;;
esac
unlike "$(grep '"environment":"microguest:polling=off"' "$SCRATCH/polling/journal.jsonl")" 'io_polled' \
    "and not where it is not"
run "$BOXMARK" run -p smoke -e microguest:polling=often --dry-run
status_is 2 "another way to poll is refused"
run "$BOXMARK" run -p smoke -e microguest --dry-run
status_is 0 "a dry run says what would be done"
like "$output" 'boxmark-microguest --data' "with the command"

# Where the virtual machine is emulated and this is not, it takes part unasked, also where control
# groups are missing.
for world in '' 'mount -t tmpfs none /sys/fs/cgroup &&'; do
    what=${world:+without cgroups }
    if [ -n "$world" ] && ! { [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; }; then
        skip "only root can hide cgroups"
        continue
    fi
    run ${world:+unshare -m} sh -c "$world exec '$BOXMARK' run -p smoke --dry-run"
    case $output in
    *'vm (TCG)'*) like "$output$errors" 'microguest joins: ' "${what}it joins an emulated VM" ;;
    *) skip "${what}no emulated VM here" ;;
    esac
done

# Many starts: no process, file or lock is left. BOXMARK_TEST_STARTS=1000 for a long look.
starts=${BOXMARK_TEST_STARTS:-50}
failures=0
for ((i = 0; i < starts; i++)); do
    "$MONITOR" --user $user --data "$DATA" "$HOSTILE" rights_back </dev/null >/dev/null 2>&1 ||
        failures=$((failures + 1))
done
is "$failures" 0 "$starts starts in a row succeed"
left=0
for process in /proc/[0-9]*; do
    if cat "$process/cmdline" 2>/dev/null | tr '\0' ' ' | grep -q "^$MONITOR .*$DATA"; then
        left=$((left + 1))
    fi
done
is "$left" 0 "and no process of them is left"

done_testing
