#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `boxmark compare` over runs of the mock, which live on a fake clock.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

# measure OUT ARGUMENT...: a run of two mocks; the second is slower by the given factor.
measure() {
    local out=$1 delay=$2
    shift 2
    "$BOXMARK" run --no-plots -q -p smoke -w prime,zip --blocks 8 -o "$SCRATCH/$out" \
        -e mock:label=a,noise=0.01 -e "mock:label=b,noise=0.01,delay=$delay" "$@" \
        >"$SCRATCH/log" 2>&1 || diag "$(tail -n 5 "$SCRATCH/log")"
}
# The label of an environment is its whole spec, so that the third run is given that of the others.
measure first 1.5 --seed 1
measure again 1.5 --seed 2
measure slower 1.8 --seed 3
sed -i 's/delay=1\.8/delay=1.5/g' "$SCRATCH"/slower/{run.json,samples.csv,journal.jsonl}
measure other 1.5 --set prime.events=80
cd "$SCRATCH" || exit 1

run "$BOXMARK" compare first again slower
status_is 0 "three runs of the same work are compared"
changes=$(sed -n '/^prime/,/^zip/s/^ *change //p' <<<"$output")
like "$(tail -n 1 <<<"$changes")" '^1\.(1[89]|2[012])[0-9]* .*worse' "a slow-down is found"
unlike "$(head -n 1 <<<"$changes")" 'worse|better' "and none where there is none"
run "$BOXMARK" compare before=first after=slower
like "$output" 'before.*after' "runs can be given names"
mkdir -p elsewhere && cp -R again elsewhere/first
run "$BOXMARK" compare first elsewhere/first
like "$output" 'first#2' "and get some where theirs are the same"

for format in terminal html markdown latex csv json; do
    run "$BOXMARK" compare first slower --format "$format"
    status_is 0 "compare writes $format"
    like "$output" 'slower' "$format names the runs"
    run "$BOXMARK" compare first slower --format "$format" --output "$SCRATCH/out.$format"
    status_is 0 "and into a file"
    file_exists "$SCRATCH/out.$format" "which is there"
done
show=$BUILDDIR/tests/unit/show_report
if command -v tidy >/dev/null && [ -x "$show" ]; then
    for variant in "2 1 80" "3 10 80 holes" "3 6 80 hostile" "9 10 80 long full"; do
        # shellcheck disable=SC2086 # words on purpose
        "$show" compare:html $variant >made-up.html
        tidy -quiet -errors made-up.html >tidy.log 2>&1
        is "$(cat tidy.log)" "" "tidy finds nothing in the page ($variant)"
    done
else
    skip "tidy or tests/unit/show_report is not there" 4
fi
run "$BOXMARK" compare first slower --format csv
is "$(cut -d, -f1,2 <<<"$output" | sort | uniq -c | awk '$2 ~ /"time"/ { print $1 }' | sort -u)" 4 \
    "the CSV has a row for each environment and run"
for columns in 40 80; do
    run env COLUMNS=$columns "$BOXMARK" compare first slower
    status_is 0 "compare at $columns columns"
done

# The work has to be the same.
run "$BOXMARK" compare first other
status_is 5 "other parameters are refused"
like "$errors" 'prime.*events is 40 in first and 80 in other' "the parameter is named"
like "$errors" '-w' "and what to do about it"
run "$BOXMARK" compare first other -w zip
status_is 0 "what is the same can be compared"
unlike "$output" 'prime time' "without the rest"
cp -R again changed
sed -i 's/"digest":"[0-9]* primes"/"digest":"1 primes"/' changed/journal.jsonl
if cmp -s again/journal.jsonl changed/journal.jsonl; then
    sed -i 's/"workload":"prime","digest":"[^"]*"/"workload":"prime","digest":"other"/' \
        changed/journal.jsonl
fi
run "$BOXMARK" compare first changed
status_is 5 "another answer is refused"
like "$errors" 'its answer is' "in words"

# What differs between the machines.
cp -R again moved
sed -i 's/"kernel": "[^"]*"/"kernel": "9.9-elsewhere"/' moved/run.json
run "$BOXMARK" compare first moved
like "$output" '9\.9-elsewhere' "another kernel is shown"

# Slips.
run "$BOXMARK" compare first
status_is 2 "one run is none to compare with"
run "$BOXMARK" compare first nowhere
status_is 2 "a run that is not there"
run "$BOXMARK" compare first again -w prim
status_is 2 "an unknown workload"
like "$errors" 'prime' "the nearest is named"
run "$BOXMARK" compare first again --format papyrus
status_is 2 "an unknown format"
run "$BOXMARK" compare first again -w disk
status_is 2 "a workload that no run has"
sed -i 's/"status": "finished"/"status": "interrupted"/' moved/run.json
run "$BOXMARK" compare first moved
like "$output" 'not finished' "a run that was cut short is said to be one"

if command -v gnuplot >/dev/null; then
    run "$BOXMARK" compare first slower --plot drawn
    status_is 0 "the figure is drawn"
    file_exists drawn/comparison.svg "as SVG"
    file_exists drawn/comparison.png "and PNG"
else
    skip "gnuplot is not installed" 3
fi

done_testing
