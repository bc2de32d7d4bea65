#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A hostile guest: root of a virtual machine tries to reach the host (tests/tools/guest_attacker.c
# stands in for the agent), and writes what it likes to the harness.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

need qemu-system-x86_64
mkdir "$SCRATCH/data"
echo 'of the host' >"$SCRATCH/host-file"

# attack NAME ORDERS: a run with such a guest.
attack() {
    cp "$BUILDDIR/tests/tools/guest_attacker" "$SCRATCH/agent-$1"
    printf '\nattack %s\n' "$2" >>"$SCRATCH/agent-$1"
    run env BOXMARK_AGENT="$SCRATCH/agent-$1" timeout --kill-after=10 120 nice "$BOXMARK" run --no-plots -q \
        -p smoke -e vm -w prime --blocks 1 --cpus 1 --data "$SCRATCH/data" -o "$SCRATCH/run-$1"
}

attack attempts "attempts $SCRATCH/host-file"
if [ -z "$(find "$SCRATCH/run-attempts" -name console.log 2>/dev/null)" ]; then
    diag "$errors"
    skip_all "no virtual machine can be had here"
fi
console=$SCRATCH/console
find "$SCRATCH/run-attempts" -name console.log -exec cat {} + | tr -d '\r' >"$console"
like "$(<"$console")" 'attack: over' "the attacker came to its end"
status_is 3 "its run failed, as one of no agent"

# count NAME NUMBER: of what the guest sees.
count() {
    like "$(<"$console")" "attack: count $1 $2(\$|[^0-9])" "$1: $2"
}
count network-devices-but-lo 0
count virtio-devices 2
count virtio-ports 1
count pci-devices 0
count usb-devices 0
count scsi-devices 0
count displays 0
count sound-cards 0
count tpms 0

tried=0 succeeded=
while read -r _ name number _; do
    case $name in count | over) continue ;; esac
    tried=$((tried + 1))
    [ "$number" != 0 ] || succeeded+=" $name"
done < <(grep '^attack: ' "$console" | sort -u)
ok "attempts: $tried" test "$tried" -ge 30
is "$succeeded" "" "none of them succeeded"
is "$(<"$SCRATCH/host-file")" "of the host" "the host's file is as it was"

# Whatever comes from the guest, the run ends soon, says so, and leaves nothing.
while IFS='|' read -r name words; do
    attack "$name" "$name"
    status_is 3 "a guest, $name: the environment failed"
    like "$errors" "$words" "a guest, $name: it says so"
    is "$(processes_with "$SCRATCH")$(find "$SCRATCH/data" -mindepth 1)" "" "a guest, $name: nothing is left"
done <<'END'
flood|nonsense|not JSON|message
line|longer|too long|line
binary|nonsense|line|message
lies|nonsense|instead|message|hello
END

done_testing
