#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Virtual machines that cannot be, fail or hang, and every kind of /dev/kvm, as a user meets them:
# the words, the exit code, and that the run goes on with the others.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

need qemu-system-x86_64
real=$(command -v qemu-system-x86_64)
program_path=$PATH

# compare OUT ARGUMENT...: one block of prime on the host and in a virtual machine, programs being
# looked for in $program_path.
compare() {
    local out=$1
    shift
    run env PATH="$program_path" "$BOXMARK" run --no-plots -q -p smoke -w prime --blocks 1 --seed 1 -o "$SCRATCH/$out" \
        -e host "$@"
}

# ---- What cannot be is refused before anything starts ------------------------------------------

# refused CODE REGEX ARGUMENT...
refused() {
    local code=$1 message=$2
    shift 2
    compare refused "$@"
    status_is "$code" "$*: exit code $code"
    like "$errors" "$message" "$*: says why"
    ok "$*: nothing was begun" test ! -e "$SCRATCH/refused"
}

refused 2 'unknown key "color".*known: machine' -e vm:color=red
refused 2 'unknown value "floppy".*known: virtio' -e vm:disk=floppy
refused 2 'stands there twice' -e vm:accel=kvm,accel=tcg
refused 2 'no PCI bus' -e vm:disk=nvme
refused 2 'cache=none' -e vm:aio=native,cache=unsafe
refused 2 'whole number' -e vm --cpus 9999
refused 2 'CPUs' -e vm --cpus 255
refused 2 'this machine has' -e vm --memory 100T
refused 2 'neither an ELF kernel nor a bzImage' -e vm:kernel=/etc/passwd
refused 2 'No such file' -e vm:kernel=/nonexistent
if ls "/boot/vmlinuz-$(uname -r)" "/boot/vmlinux-$(uname -r)" "/lib/modules/$(uname -r)/vmlinuz" \
    >/dev/null 2>&1; then
    skip "the running kernel has a file" 3
else
    refused 3 'has no file in /boot.*leave kernel=host out' -e vm:kernel=host
fi
printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\76\0' >"$SCRATCH/short"
refused 2 'cannot be used as guest kernel' "-e" "vm:kernel=$SCRATCH/short"
refused 3 'KVM is required, but accel=tcg' -e vm:accel=tcg --require-kvm

# ---- QEMUs that do not do ----------------------------------------------------------------------

# A program in QEMU's place: it answers questions as the real one does, and else does `command`.
in_place_of_qemu() {
    mkdir -p "$SCRATCH/bin"
    cat >"$SCRATCH/bin/qemu-system-x86_64" <<SCRIPT
#!/bin/bash
case \$1 in --version) ${2:-exec $real --version} ;; -machine) ${3:-exec $real -machine help} ;; esac
$1
SCRIPT
    chmod 755 "$SCRATCH/bin/qemu-system-x86_64"
    program_path=$SCRATCH/bin:$PATH
}

in_place_of_qemu 'exit 1' "echo 'QEMU emulator version 5.2.0'; exit"
refused 3 'vm cannot run here: QEMU is older than 7.0' -e vm
in_place_of_qemu 'exit 1' "echo 'QEMU emulator version 8.0.0'; exit" "echo 'q35   a PC'; exit"
refused 3 'vm cannot run here: this QEMU was built without the machine' -e vm
mkdir -p "$SCRATCH/empty"
program_path=$SCRATCH/empty
refused 3 'qemu-system-x86_64 is not installed' -e vm
program_path=$PATH

# ---- Those that fail on the way: named, and the host's figures are kept --------------------------

compare sound -e vm -w startup --starts 2 --start-timeout 2m
if [ "$status" = 3 ]; then
    diag "$errors"
    skip "no guest kernel can be had here" 1
    done_testing
    exit
fi
status_is 0 "a virtual machine that works"
like "$(cat "$SCRATCH/sound/journal.jsonl")" '"qemu_seccomp":"2"' "QEMU is confined by its filter"
like "$(cat "$SCRATCH/sound/journal.jsonl")" '"qemu_capabilities":"0000000000000000"' \
    "and has no capability"

# Long enough to be met at work.
long=(--set prime.events=600 --set prime.iterations=5)

# Whether it starts cold or warm, each start has all that can be told of it.
metrics='clean_up cold_ready helper_alive kernel_entered ready stop user_instruction'
is "$(sed -n 's/.*"vm","[A-Za-z]*","startup","\([a-z_]*\)".*/\1/p' "$SCRATCH/sound/samples.csv" | sort -u |
    paste -sd' ')" "$metrics" "all stages of a start are timed"
is "$(grep -c '"type":"start".*"environment":"vm".*"cold":true,"how":".*dropped' \
    "$SCRATCH/sound/journal.jsonl")" 2 "two cold starts, caches dropped before each"
is "$(grep -c '"vm","[A-Za-z]*","startup","ready"' "$SCRATCH/sound/samples.csv")" 2 "two warm ones"
instance=$(grep '"type":"instance".*"environment":"vm"' "$SCRATCH/sound/journal.jsonl")
for stamp in launch helper_alive kernel_entered user_instruction agent_ready stop_requested reaped cleaned; do
    like "$instance" "\"stamps_ns\":\{[^}]*\"$stamp\":[0-9]" "stamp $stamp"
done
like "$instance" '"footprint":\{[^}]*"guest_bytes":[1-9][^}]*"idle_cpu_ns":[0-9]' \
    "memory of the guest and CPU time at rest are measured"
run "$BOXMARK" report "$SCRATCH/sound"
like "$output" 'Footprint.*of it guest.*vm \((KVM|TCG)\) +[0-9.]+ MiB +[0-9.]+ MiB +[0-9.]+ MiB' \
    "and stand in the report"

# failing NAME REGEX ARGUMENT...
failing() {
    local name=$1 message=$2
    shift 2
    compare "$name" -e vm "${long[@]}" "$@"
    program_path=$PATH
    # Where other tests keep the CPUs busy, that comes first.
    if [ "$status" = 5 ] && [[ "$output$errors" == *'host: not to be trusted: '* ]]; then
        status=3
    fi
    status_is 3 "$name: exit code 3"
    like "$errors" "$message" "$name: says what"
    is "$(grep -c '"host","none","prime","time"' "$SCRATCH/$name/samples.csv")" 5 \
        "$name: the host's figures are whole"
    is "$(processes_with "$SCRATCH/$name")$(find "$SCRATCH/$name" -name 'boxmark-data*')" "" \
        "$name: nothing is left"
}

in_place_of_qemu 'echo "no such option" >&2; exit 3'
failing refuses 'QEMU exited with status 3; it says: no such option'
in_place_of_qemu 'exec sleep 600'
failing silent 'vm .*cannot be started: .*QEMU is still running' --start-timeout 5s

# With the real one, and an initramfs that was cut off.
# shellcheck disable=SC2016 # for the script
in_place_of_qemu 'next=
for argument; do
    shift
    if [ "$next" ]; then
        head -c 50000 "$argument" >'"$SCRATCH/cut"'
        argument='"$SCRATCH/cut"'
    fi
    next=
    [ "$argument" != -initrd ] || next=1
    set -- "$@" "$argument"
done
exec '"$real"' "$@"'
failing panics 'Kernel panic'

# The real one, which gets a signal when the guest is at work: a second after its start, so the work
# takes several.
long=(--set prime.events=4000 --set prime.iterations=5)
signalled() {
    # shellcheck disable=SC2016 # for the script
    in_place_of_qemu '(for try in $(seq 600); do
    grep -qs "boxmark-init: started" '"$SCRATCH/$1"'/environments/vm/console.log && break
    sleep 0.1
done
sleep 1
kill -'"$2"' $$) <&- >/dev/null 2>&1 &
exec '"$real"' "$@"'
}
signalled killed KILL
failing killed 'QEMU was killed by signal 9.*last lines: ' --timeout 2m
signalled stopped STOP
failing stopped 'QEMU is stopped' --timeout 15s

# ---- Every kind of /dev/kvm --------------------------------------------------------------------

# in_world SCRIPT COMMAND...: in mount points of its own, after the script.
in_world() {
    local script=$1
    shift
    unshare --mount --propagation private bash -c "set -e; $script; shift 0; exec \"\$@\"" world "$@"
}

vm_line() {
    grep '^vm ' <<<"$output"
}

# says_back_end STATE: what stands behind KVM is said in each state of it.
back_ends=$(cd /sys/module && for module in kvm_*; do [ ! -d "$module" ] || printf '%s|' "$module"; done)
back_ends=${back_ends%|}
says_back_end() {
    like "$output" "KVM $1; back end: (${back_ends:-none}); nested virtualization: (yes|no)" \
        "KVM $1: back end and nesting are named"
}

if [ "$(id -u)" != 0 ] || ! in_world : true 2>/dev/null; then
    skip "only root can put another /dev/kvm in place" 9
else
    # A /dev of our own, without it.
    # shellcheck disable=SC2016 # for the script
    bare='mkdir -p "$SCRATCH/dev"; mount -t tmpfs none "$SCRATCH/dev"
        for node in null zero full random urandom; do
            touch "$SCRATCH/dev/$node"; mount --bind "/dev/$node" "$SCRATCH/dev/$node"
        done
        ln -s /proc/self/fd "$SCRATCH/dev/fd"; mkdir "$SCRATCH/dev/shm"; chmod 1777 "$SCRATCH/dev/shm"
        mount --rbind "$SCRATCH/dev" /dev'
    run in_world "$bare" "$BOXMARK" doctor
    like "$(vm_line)" 'degraded .*TCG: software emulation \(TCG\), not KVM: there is no /dev/kvm' \
        "no /dev/kvm: software emulation, and why"
    says_back_end absent
    run in_world "$bare" "$BOXMARK" run -p smoke -w prime -e host -e vm --require-kvm -o "$SCRATCH/no"
    status_is 3 "no /dev/kvm: --require-kvm refuses"
    like "$errors" 'KVM is required, but there is no /dev/kvm' "no /dev/kvm: says so"
    run in_world "$bare" "$BOXMARK" run -p smoke -w prime -e host -e vm:accel=kvm -o "$SCRATCH/no"
    status_is 3 "no /dev/kvm: accel=kvm refuses"

    run in_world 'mount --bind /dev/null /dev/kvm' "$BOXMARK" doctor
    if [ -e /dev/kvm ]; then
        like "$(vm_line)" 'TCG: .*/dev/kvm opens, but' "another device in its place: TCG, and why"
    else
        skip "there is no /dev/kvm to put something in place of"
    fi

    # shellcheck disable=SC2016 # for the script
    closed="$bare"'; touch /dev/kvm; chmod 600 /dev/kvm; chmod 755 "$SCRATCH"'
    run in_world "$closed" setpriv --reuid 65534 --regid 65534 --clear-groups \
        env HOME=/nonexistent XDG_CACHE_HOME="$SCRATCH/none" "$BOXMARK" doctor
    chmod 700 "$SCRATCH"
    if [ "$status" = 126 ] || [ "$status" = 127 ]; then
        skip "the build folder is closed to other users" 3
    else
        like "$(vm_line)" 'TCG: .*no permission' "a /dev/kvm for others: TCG, and why"
        like "$output" 'group' "and what to do"
        says_back_end 'no permission'
    fi
fi

# The real one, whatever it is.
run "$BOXMARK" doctor --json
like "${output//$'\n'/ }" "\"kvm\": \{ +\"state\": \"[a-z ]+\", +\"back_end\": \"(${back_ends})\", +\"nested\": (true|false)" \
    "doctor --json has them, too"
run "$BOXMARK" doctor
says_back_end '[a-z ]+'
case $(vm_line) in
*'TCG: '*software,*slower*) pass "the real one emulates: software emulation instead" ;;
*'KVM: KVM ('*) pass "the real one is native, and called KVM" ;;
*) skip "no KVM runs guests here: $(vm_line)" ;;
esac

done_testing
