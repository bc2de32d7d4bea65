#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What goes wrong around a run: full and read-only disks, limits, stopped and babbling agents, clocks,
# two runs at once. Each ends in bounded time, with the right words, the right exit code and the rows
# that were measured.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

# Longer than anything here takes, so that what hangs is ended and seen (status 124).
LIMIT=300

# bounded COMMAND ARGUMENT...: like run.
bounded() {
    run timeout --kill-after=10 $LIMIT "$@"
}

# wait_until COMMAND ARGUMENT...: looks a hundred times a second, for a minute.
wait_until() {
    local tries=6000
    until "$@"; do
        ((tries-- > 0)) || return 1
        sleep 0.01
    done
}

# rows FOLDER: of samples.csv, without times.
rows() {
    cut -d, -f1-11 "$1/samples.csv" | sort
}

# nothing_left NAME FOLDER...: no process, no data.
nothing_left() {
    local name=$1
    shift
    is "$(processes_with "$SCRATCH")$(find "$@" -name 'boxmark-data.*')" "" "$name: nothing is left"
}

quiet=(run --no-plots -q -p smoke)
mocks=(-e mock:label=a -e mock:label=b -w 'prime,zip' --seed 3)

# ---- Disks, as root of a mount namespace of our own ---------------------------------------------

# namespaced SCRIPT ARGUMENT...: bash there; its arguments are $1 and so on.
namespaced() {
    bounded unshare -m --propagation private bash -c "$1" bash "${@:2}"
}

mkdir "$SCRATCH/disk"
# In a user namespace of their own, users may mount, but not mount again with other options.
if [ "$(id -u)" -eq 0 ]; then
    # shellcheck disable=SC2016 # for the shell inside
    namespaced 'mount -t tmpfs x "$1" && mount -o remount,ro "$1"' "$SCRATCH/disk"
else
    status=77 errors='not root'
fi
if [ "$status" -ne 0 ]; then
    skip "no mount namespace can be had here: $errors" 22
else
    bounded "$BOXMARK" "${quiet[@]}" "${mocks[@]}" --blocks 60 -o "$SCRATCH/whole"
    # shellcheck disable=SC2016 # for the shell inside
    namespaced '
        mount -t tmpfs -o size=96k x "$1" || exit 99
        out=$1/run boxmark=$2
        "$boxmark" "${@:4}" -o "$out" >"$3/full" 2>&1
        echo "code $?"
        echo "kept $(wc -l <"$out/samples.csv")"
        "$boxmark" report "$out" >"$3/full.report" 2>&1 || echo "no report: $(tail -n 3 "$3/full.report")"
        mount -o remount,size=16m "$1" || exit 98
        "$boxmark" run --no-plots -q --resume "$out" >"$3/full.again" 2>&1
        echo "again $?"
        cp "$out/samples.csv" "$3/full.csv"
    ' "$SCRATCH/disk" "$BOXMARK" "$SCRATCH" "${quiet[@]}" "${mocks[@]}" --blocks 60
    status_is 0 "full run folder: it ends"
    like "$output" 'code 70' "full run folder: an internal error"
    like "$(<"$SCRATCH/full")" 'No space left on device' "full run folder: it says so"
    like "$(<"$SCRATCH/full")" '--resume' "full run folder: and how to go on"
    like "$output" 'kept [0-9]{2,}' "full run folder: what was stored is kept"
    unlike "$output" 'no report' "full run folder: and can be reported"
    like "$output" 'again 0' "with room, the run goes on"
    is "$(cut -d, -f1-11 "$SCRATCH/full.csv" | sort | md5sum)" "$(rows "$SCRATCH/whole" | md5sum)" \
        "to the rows that it would have had"

    # shellcheck disable=SC2016
    namespaced '
        mount -t tmpfs -o size=256m x "$1" || exit 99
        (until ls -d "$1"/boxmark-data.* >/dev/null 2>&1; do sleep 0.01; done
            until [ -e "$3/full-data.over" ]; do head -c 1G /dev/zero >>"$1/hog"; done) 2>/dev/null &
        "$2" "${@:4}" --data "$1" -o "$3/full-data" >"$3/full-data.said" 2>&1
        echo "code $?"
        touch "$3/full-data.over"
        wait
        rm "$1/hog"
        echo "left: $(ls -A "$1")"
    ' "$SCRATCH/disk" "$BOXMARK" "$SCRATCH" "${quiet[@]}" -e host -w disk,prime --blocks 40 --seed 1 \
        --set disk.bytes=64M --set prime.events=200
    status_is 0 "full data folder: it ends"
    like "$output" 'code (3|5)' "full data folder: the environment failed, or is not to be trusted"
    like "$(<"$SCRATCH/full-data.said")" 'No space left on device' "full data folder: it says so"
    like "$output" 'left: *$' "full data folder: nothing is left there"

    # shellcheck disable=SC2016
    namespaced '
        mount -t tmpfs x "$1" || exit 99
        mount -o remount,ro "$1" || exit 98
        "$2" "${@:3}" -o "$1/run"
        echo "code $?"
    ' "$SCRATCH/disk" "$BOXMARK" "${quiet[@]}" "${mocks[@]}"
    like "$output" 'code 70' "a read-only run folder"
    like "$errors" 'Read-only file system' "says so"
    like "$errors" 'choose a folder that you can write with -o' "and what to do"

    # Read-only in the middle: as soon as no file is open for writing there.
    # shellcheck disable=SC2016
    namespaced '
        mount -t tmpfs x "$1" || exit 99
        (until grep -qs "\"type\":\"request\"" "$3/read-only/journal.jsonl"; do sleep 0.01; done
            until mount -o remount,ro "$1" 2>/dev/null; do sleep 0.01; done) &
        "$2" "${@:4}" --data "$1" -o "$3/read-only" >"$3/read-only.said" 2>&1
        echo "code $?"
        wait
    ' "$SCRATCH/disk" "$BOXMARK" "$SCRATCH" "${quiet[@]}" -e host -w prime --blocks 200 \
        --set prime.events=200
    like "$output" 'code (3|5)' "a data folder that becomes read-only: the environment failed"
    like "$(<"$SCRATCH/read-only.said")" 'Read-only file system' "it says so"
    like "$(cat "$SCRATCH/read-only/samples.csv")" '"prime"' "what was measured is kept"
    bounded "$BOXMARK" report "$SCRATCH/read-only"
    status_is 0 "and can be reported"
    is "$(processes_with "$SCRATCH")" "" "no process is left"
    rm -rf "$SCRATCH/read-only" # its data folder was taken with the namespace
fi

# The data folder removed underneath.
mkdir "$SCRATCH/data"
(
    wait_until grep -qs '"type":"request"' "$SCRATCH/removed/journal.jsonl"
    rm -rf "$SCRATCH"/data/boxmark-data.*
) &
bounded "$BOXMARK" "${quiet[@]}" -e host -w prime --blocks 200 --set prime.events=200 \
    --data "$SCRATCH/data" -o "$SCRATCH/removed"
wait $!
like "$status" '^(3|5)$' "a data folder that vanishes: the environment failed"
like "$errors" 'boxmark-data.*No such file or directory' "it says so"
like "$(cat "$SCRATCH/removed/samples.csv")" '"prime"' "what was measured is kept"
nothing_left "a data folder that vanishes" "$SCRATCH/data"

# ---- Limits --------------------------------------------------------------------------------------

codes=
for limit in 3 4 5 6 8 10 12 14 16 18 20 24 28 32; do
    # The search for leaks needs descriptors of its own.
    bounded env ASAN_OPTIONS=detect_leaks=0 bash -c 'ulimit -n "$1" && shift && exec "$@"' bash $limit "$BOXMARK" "${quiet[@]}" -e host \
        -w prime --set prime.events=200 --data "$SCRATCH/data" -o "$SCRATCH/files-$limit"
    codes+=" $limit:$status"
    case $status in
    0 | 5) ;;
    3 | 70 | 127) [[ $errors == *'Too many open files'* || $errors == *libraries* ||
        $errors == *'cannot be initialised'* ]] || fail "$limit open files: it says so: $errors" ;;
    *) fail "$limit open files: exit code $status: $errors" ;;
    esac
done
diag "exit code by number of open files:$codes"
like "$codes" '(3|70|127)( .*)?:0$|:5$' "too few open files are told, enough are enough"
nothing_left "too few open files" "$SCRATCH"

if grep -q '^SANITIZE_CFLAGS = .*sanitize' "$BUILDDIR/Makefile"; then
    skip "the sanitizers need much address space" 2
else
    codes=
    for megabytes in 10 15 20 25 30 35 40 45 50 60 80 100 200 1000; do
        bounded bash -c 'ulimit -v "$1" && shift && exec "$@"' bash $((megabytes * 1024)) "$BOXMARK" \
            "${quiet[@]}" -e host -w prime --set prime.events=200 --data "$SCRATCH/data" \
            -o "$SCRATCH/memory-$megabytes"
        codes+=" $megabytes:$status"
        case $status in
        0 | 3 | 5 | 70 | 127) ;;
        *) fail "$megabytes MB of address space: exit code $status: $errors" ;;
        esac
    done
    diag "exit code by megabytes of address space:$codes"
    like "$codes" '(3|70|127) .*:(0|5)$' "too little memory is told, enough is enough"
    nothing_left "too little memory" "$SCRATCH"
fi

# ---- Agents --------------------------------------------------------------------------------------

# agent NAME COMMANDS: a program in its place, which says hello like it.
version=$("$BOXMARK" --version)
agent() {
    printf '#!%s\nprintf "%%s\\n" '\''{"type":"hello","boxmark":2,"version":"%s"}'\''\n%s\n' "$BASH" \
        "${version#boxmark }" "$2" >"$SCRATCH/agent-$1"
    chmod +x "$SCRATCH/agent-$1"
    BOXMARK_AGENT=$SCRATCH/agent-$1 bounded "$BOXMARK" "${quiet[@]}" -e host -w prime --blocks 1 \
        --data "$SCRATCH/data" -o "$SCRATCH/run-$1"
}

while IFS='|' read -r name commands words; do
    agent "$name" "$commands"
    status_is 3 "an agent, $name: the environment failed"
    like "$errors" "$words" "an agent, $name: it says so"
    nothing_left "an agent, $name" "$SCRATCH/data"
done <<'END'
flood|exec yes|nonsense|not JSON|message
endless-line|exec tr '\\0' x </dev/zero|longer|too long|line
garbage|head -c 200000 /dev/urandom; tail -f "$0" >/dev/null; :|nonsense|line
leaves|exit 0|closed|exited
closes-its-channel|exec <&- >&-; exec sleep 1000|closed
dies|kill -9 $$|killed by signal 9
END

# The agent of the run below $SCRATCH/data; the launcher before it is a copy of the harness.
find_agent() {
    agent_pid=$(processes_with "boxmark-agent --data $SCRATCH/data/")
    [ -n "$agent_pid" ]
}

# A real one, stopped, then killed, in the middle of its work.
for signal in STOP KILL; do
    "$BOXMARK" "${quiet[@]}" -e host -w prime --set prime.events=2000000 --timeout 3s --blocks 1 \
        --data "$SCRATCH/data" -o "$SCRATCH/$signal" >"$SCRATCH/$signal.out" 2>"$SCRATCH/$signal.err" &
    harness=$!
    if wait_until find_agent; then
        kill -"$signal" "$agent_pid"
    fi
    wait $harness
    is "$?" 3 "SIG$signal of the agent: the environment failed"
    like "$(<"$SCRATCH/$signal.err")" 'no answer before|killed by signal 9' "SIG$signal: it says so"
    nothing_left "SIG$signal of the agent" "$SCRATCH/data"
done

# ---- Clocks --------------------------------------------------------------------------------------

clocks=$BUILDDIR/tests/tools/clocks.so
if grep -q '^SANITIZE_CFLAGS = .*sanitize' "$BUILDDIR/Makefile"; then
    skip "the sanitizers want to be loaded first" 6
else
    bounded env LD_PRELOAD="$clocks" CLOCKS=back "$BOXMARK" "${quiet[@]}" "${mocks[@]}" --blocks 3 \
        -o "$SCRATCH/back"
    status_is 0 "a clock that is set back does no harm"
    bounded "$BOXMARK" "${quiet[@]}" "${mocks[@]}" --blocks 3 -o "$SCRATCH/forth"
    is "$(rows "$SCRATCH/back")" "$(rows "$SCRATCH/forth")" "nor to any row"
    bounded env LD_PRELOAD="$clocks" CLOCKS=suspend "$BOXMARK" "${quiet[@]}" "${mocks[@]}" --blocks 1 \
        -o "$SCRATCH/suspended"
    status_is 3 "a machine that was suspended meanwhile"
    like "$errors" 'was suspended for 60.0 s' "is told, and for how long"
    unlike "$(cat "$SCRATCH/suspended/samples.csv")" '"prime"' "what was being measured is left out"
    is "$(grep -c '"type":"failure"' "$SCRATCH/suspended/journal.jsonl")" 4 "each is in the journal"
fi

# ---- Two runs at once ----------------------------------------------------------------------------

endless=(run --no-plots -q -p smoke -e host -w prime --set prime.events=2000000 --timeout 1h --data "$SCRATCH/data")
begin_endless() { # OUT [COMMAND...]
    env --default-signal=INT "${@:2}" "$BOXMARK" "${endless[@]}" --cpus 1 -o "$1" >/dev/null 2>&1 &
    endless_pid=$!
    wait_until grep -qs '"type":"block"' "$1/journal.jsonl"
}
cpu=$(taskset -pc $$ 2>/dev/null | sed -n 's/.*: \([0-9]*\).*/\1/p')
for name in was is; do
    bounded taskset -c "$cpu" "$BOXMARK" "${quiet[@]}" -e host -e host -w prime --cpus 1 --blocks 3 \
        --set prime.events=200 --wait 5m -o "$SCRATCH/$name"
done
bounded "$BOXMARK" baseline "$SCRATCH/was" -o "$SCRATCH/was.json"
baseline_status=$status baseline_errors=$errors
begin_endless "$SCRATCH/first" taskset -c "$cpu"
bounded taskset -c "$cpu" "$BOXMARK" "${quiet[@]}" -e host -w prime --cpus 1 -o "$SCRATCH/second"
status_is 3 "a second run on the same CPU is refused"
like "$errors" "CPU $cpu is being measured by process $endless_pid \(" "it says who has it"
like "$errors" '--wait' "and how to wait"
ok "and makes no folder" test ! -e "$SCRATCH/second"
printf '[between_runs]\n* = 90 %%\n' >"$SCRATCH/noisy.ini"
recheck=("$BOXMARK" check --baseline "$SCRATCH/was.json" --config "$SCRATCH/noisy.ini" --junit
    "$SCRATCH/is.xml" --retry 1 "$SCRATCH/is")
if [ "$baseline_status" -eq 0 ]; then
    bounded taskset -c "$cpu" "${recheck[@]}"
    like "$status" '^[35]$' "nor is anything measured again for a check"
else
    skip "no baseline: $(head -1 <<<"$baseline_errors")"
fi
if [ "$baseline_status" -eq 0 ] && [ "$status" -eq 3 ]; then
    like "$output" 'could not be measured again: CPU [0-9]+ is being measured' "which is said"
    like "$(cat "$SCRATCH/is.xml")" '</testsuites>' "the first verdict is written"
    ok "and no retry counts" test ! -e "$SCRATCH/is.retry-1"
    bounded taskset -c "$cpu" "${recheck[@]}" --wait 1s
    status_is 3 "--wait ends"
    like "$errors" 'waiting for process' "and waits"
else
    skip "a busy machine: nothing was to be measured again" 5
fi
bounded "$BOXMARK" run -q --resume "$SCRATCH/first"
status_is 2 "a run that goes on cannot be continued"
like "$errors" "still going on, in process $endless_pid" "it says by whom"
other=$(awk -v cpu="$cpu" '/^processor/ && $3 != cpu { print $3; exit }' /proc/cpuinfo)
if [ -n "$other" ] && taskset -c "$other" true 2>/dev/null; then
    bounded taskset -c "$other" "$BOXMARK" "${quiet[@]}" -e host -w prime --cpus 1 --set prime.events=200 \
        -o "$SCRATCH/beside"
    like "$status" '^(0|5)$' "on another CPU it runs beside it"
else
    skip "there is one CPU only"
fi
(sleep 1 && kill -INT $endless_pid) &
bounded taskset -c "$cpu" "$BOXMARK" run --no-plots -p smoke -e host -w prime --cpus 1 --wait 5m \
    --set prime.events=200 -o "$SCRATCH/waited"
like "$status" '^(0|5)$' "with --wait it runs when the first has ended"
like "$output$errors" "waiting for process $endless_pid" "and says what it waits for"
wait $endless_pid
is "$?" 130 "the first was not disturbed"
nothing_left "two runs" "$SCRATCH/data"

done_testing
