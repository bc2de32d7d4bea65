#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGINT and SIGTERM in the middle of a run: it ends soon, keeps its samples, leaves nothing behind,
# and can be continued.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

# In the first block of this seed zip comes first, and ends; prime would take hours.
endless=(-p smoke -e host -w prime -w zip --seed 1 --set prime.events=2000000 --timeout 10h)

# wait_until SECONDS COMMAND ARGUMENT...: looks ten times a second.
wait_until() {
    local tries=$(($1 * 10))
    shift
    until "$@"; do
        ((tries-- > 0)) || return 1
        sleep 0.1
    done
}

ended() {
    ! kill -0 "$1" 2>/dev/null || [ "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)" = Z ]
}

running=
end_running() {
    [ -z "$running" ] || kill -KILL "$running"
}
cleanup end_running

for signal in INT TERM; do
    out=$SCRATCH/$signal
    mkdir "$SCRATCH/data-$signal"
    # A background job of a script ignores SIGINT, and would pass that on.
    env --default-signal=INT "$BOXMARK" run --no-plots "${endless[@]}" -q -o "$out" \
        --data "$SCRATCH/data-$signal" >"$SCRATCH/$signal.out" 2>"$SCRATCH/$signal.err" &
    pid=$!
    running=$pid
    ok "SIG$signal: zip is done, prime goes on" wait_until 120 grep -qs '"type":"request"' \
        "$out/journal.jsonl"
    kill -"$signal" "$pid"
    ok "SIG$signal ends it" wait_until 60 ended "$pid"
    wait "$pid"
    status=$?
    running=
    is "$status" 130 "SIG$signal gives exit code 130"
    like "$(cat "$SCRATCH/$signal.err")" "--resume" "SIG$signal: it says how to go on"
    like "$(cat "$out/run.json")" '"status": "interrupted"' "SIG$signal: the record says interrupted"
    is "$(ls -A "$SCRATCH/data-$signal")" "" "SIG$signal: no data is left"
    is "$(processes_with "$SCRATCH")" "" "SIG$signal: no process is left"
    is "$(grep -c '"zip","time"' "$out/samples.csv")" 1 "SIG$signal: what was measured is kept"
    unlike "$(cat "$out/samples.csv")" '"prime"' "SIG$signal: nothing half-measured is"
done

done_testing
