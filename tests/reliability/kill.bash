# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# One SIGKILL of the harness at a seeded random moment, and everything that must hold afterwards. For
# tests/tap/kill.t and tests/reliability/soak, which have sourced tests/tap/lib.sh.

# No leaks are looked for in a program that is traced.
export ASAN_OPTIONS=detect_leaks=0
KILLER=$BUILDDIR/tests/tools/killer
kill_work=(--no-plots -q -p smoke -w 'prime,zip,disk,startup' --blocks 2 --starts 2 --seed 5)

# performed FOLDER: what was done, in order.
performed() {
    sed -n 's/^{"type":"\(request\|start\)","utc":"[^"]*"\(.*\)/\1 \2/p' "$1/journal.jsonl" |
        sed 's/,"digest":.*//; s/,"how":.*//'
}

# rows FOLDER: of samples.csv, without times; each of them once for what was measured once. Without
# moments of a start that are watched for and can be missed.
rows() {
    grep -vE '"(user_instruction|kernel_entered)"' "$1/samples.csv" | cut -d, -f1-11 | sort
}

# left_behind FOLDER PID: cgroups of this harness, mounts of this test, data and half-written files,
# and locks that are held. (The empty file of a free lock stays when the killed had just finished: the
# next run on that CPU removes it.)
left_behind() {
    local lock
    find /sys/fs/cgroup -maxdepth 6 -type d -name "boxmark-*-$2-*" 2>/dev/null
    grep -F "$SCRATCH" /proc/self/mountinfo
    find "$1" "$SCRATCH/data" -name 'boxmark-data.*' -o -name 'instance.*' -o \
        -name '*.json.????????????????'
    for lock in "$BOXMARK_LOCKS"/boxmark-cpu-*; do
        [ ! -e "$lock" ] || flock --nonblock "$lock" true || echo "$lock"
    done
}

# left_at_once FOLDER PID: of these, what must be gone before anybody starts boxmark again. (A folder that
# was just made is empty.)
left_at_once() {
    find /sys/fs/cgroup -maxdepth 6 -type d -name "boxmark-*-$2-*" 2>/dev/null
    find "$1" "$SCRATCH/data" -path '*/boxmark-data.*/*'
}

# kill_prepare SPEC...: an undisturbed run of the same plan. Sets kill_name, kill_specs, kill_calls
# and kill_ns, between which moments are drawn. Fails where it cannot be run.
kill_prepare() {
    local spec said
    kill_specs=()
    for spec; do
        kill_specs+=(-e "$spec")
    done
    kill_name=$(tr -c 'a-z0-9\n' _ <<<"$*")
    said=$("$KILLER" --never -- "$BOXMARK" run "${kill_work[@]}" "${kill_specs[@]}" \
        -o "$SCRATCH/ref-$kill_name" 2>"$SCRATCH/ref-$kill_name.err") || return
    kill_calls=$(sed -n 's/^calls //p' <<<"$said")
    local begin=${EPOCHREALTIME/./}
    "$BOXMARK" run "${kill_work[@]}" "${kill_specs[@]}" -o "$SCRATCH/ref2-$kill_name" \
        >/dev/null 2>"$SCRATCH/ref-$kill_name.err"
    kill_ns=$(((${EPOCHREALTIME/./} - begin) * 1000))
    [ -s "$SCRATCH/ref-$kill_name/summary.json" ]
}

# kill_random: 31 bits of a sequence that a seed fixes (kill_seed).
kill_random() {
    kill_seed=$(((kill_seed * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff))
    kill_drawn=$((kill_seed >> 32))
}

# kill_once NUMBER: kills at one moment, looks, continues, compares. Prints what is wrong; nothing
# when all is well. Sets kill_phase to where it struck.
kill_once() {
    local out=$SCRATCH/k-$kill_name-$1 ref=$SCRATCH/ref-$kill_name how at said pid problems='' code
    mkdir -p "$SCRATCH/data"
    kill_random
    if ((kill_drawn & 1)) && ((kill_calls > 1)); then
        kill_random
        how=--at at=$((kill_drawn % kill_calls + 1))
    else
        kill_random
        how=--after at=$((kill_drawn % 1000000 * (kill_ns / 1000000)))
    fi
    kill_moment="$how $at"
    said=$("$KILLER" $how "$at" -- "$BOXMARK" run "${kill_work[@]}" "${kill_specs[@]}" -o "$out" \
        --data "$SCRATCH/data" 2>"$out.err") ||
        problems+="outlived it: $(grep '^orphan' <<<"$said")"$'\n'
    kill_phase='nothing yet'
    [ ! -d "$out" ] || kill_phase='folders only'
    [ ! -e "$out/run.json" ] || kill_phase='run.json'
    [ ! -e "$out/journal.jsonl" ] || kill_phase=$(sed -n 's/^{"type":"\([a-z]*\)".*/after a \1/p' \
        "$out/journal.jsonl" | tail -n 1)
    [ -n "$kill_phase" ] || kill_phase='empty journal'
    [ ! -e "$out/summary.json" ] || kill_phase='reporting'
    ! grep -q '^ended' <<<"$said" || kill_phase='it had ended'
    ! grep -qF "$SCRATCH" /proc/self/mountinfo || problems+="a mount is left"$'\n'
    local left
    pid=$(sed -n 's/^pid //p' <<<"$said")
    left=$(left_at_once "$out" "$pid" | head -n 5)
    [ -z "$left" ] || problems+="left until the next start: $left"$'\n'

    # What is finished is there: every row that the journal counts.
    local bytes size
    bytes=$(sed -n 's/.*"samples_bytes":\([0-9]*\).*/\1/p' "$out/journal.jsonl" 2>/dev/null | tail -n 1)
    size=$(stat -c %s "$out/samples.csv" 2>/dev/null)
    ((${bytes:-0} <= ${size:-0})) || problems+="the journal counts $bytes bytes of $size"$'\n'
    if [ -e "$out/samples.csv" ] && [ "$(wc -l <"$out/samples.csv")" -gt 1 ]; then
        "$BOXMARK" report "$out" >"$out.report" 2>&1 ||
            problems+="it cannot be reported: $(tail -n 3 "$out.report")"$'\n'
    fi

    # It goes on to the same end.
    local continue=(run -q --no-plots --resume "$out")
    [ -e "$out/run.json" ] || continue=(run "${kill_work[@]}" "${kill_specs[@]}" -o "$out" --data "$SCRATCH/data")
    "$BOXMARK" "${continue[@]}" >"$out.again" 2>&1
    code=$?
    if grep -q '"status": "finished"' "$out/run.json" && ((code == 2)); then
        code=0 # it was finished before; nothing is started that would take up its locks
        "$BOXMARK" doctor --clean >"$out.clean" 2>&1 || problems+="cleaning: $(tail -n 3 "$out.clean")"$'\n'
    fi
    # Tiny work beside other tests: the audit may find it untrustworthy (5).
    ((code == 0 || code == 5)) || problems+="going on gave $code: $(tail -n 3 "$out.again")"$'\n'
    grep -q '"status": "finished"' "$out/run.json" || problems+="the record does not say finished"$'\n'
    [ "$(performed "$out")" = "$(performed "$ref")" ] ||
        problems+="another schedule: $(diff <(performed "$ref") <(performed "$out") | head -n 5)"$'\n'
    [ "$(rows "$out")" = "$(rows "$ref")" ] ||
        problems+="other rows: $(diff <(rows "$ref") <(rows "$out") | head -n 5)"$'\n'
    left=$(left_behind "$out" "$pid" | head -n 5)
    [ -z "$left" ] || problems+="left behind: $left"$'\n'
    if [ -n "$problems" ]; then
        printf '%s, %s, %s:\n%s' "$kill_name" "$kill_moment" "$kill_phase" "$problems"
    else
        rm -rf "$out" "$out".*
    fi
}
