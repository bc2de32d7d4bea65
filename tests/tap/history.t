#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# boxmark history: collecting runs, change points, formats, bad input.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

runs=$SCRATCH/runs
csv=$runs/history.csv
# hash_anew RUN: its manifest put right after an edit.
hash_anew() {
    (cd "$1" && sha256sum run.json summary.json >SHA256SUMS)
}

mkdir "$runs"
run "$BOXMARK" history "$runs"
status_is 2 "without a run there is no history"
like "$errors" 'no finished run in' "... and it says so"
ok "nothing is written then" test ! -e "$csv"

run "$BOXMARK" run -q -p smoke --no-plots --blocks 6 --seed 1 -e mock -e mock:delay=2 -o "$SCRATCH/one"
like "$status" '^(0|5)$' "a run to copy"
bash "$SRCDIR/tests/tools/many-runs" "$SCRATCH/one" "$runs" 40 26

run "$BOXMARK" history "$runs"
status_is 0 "forty runs"
like "$errors" '40 runs added' "all are added"
like "$output" '40 runs from 2026-01-01 to 2026-02-09' "from first to last"
for metric in 'prime time' 'zip time' 'stream triad' 'disk seq_write' 'startup ready'; do
    like "$output" "$metric +mock:delay=2 +2026-01-2[567] " "the step of $metric is found where it is"
done
like "$output" 'prime time.*\+[45]\.[0-9] % +worse' "slower is worse"
like "$output" 'stream triad.*\+[45]\.[0-9] % +better' "a higher rate is better"
is "$(head -n 1 "$csv" | tr ',' '\n' | wc -l)" 21 "the CSV has its columns"

before=$(cat "$csv")
run "$BOXMARK" history "$runs"
status_is 0 "again"
like "$errors" ' 0 runs added' "nothing is added twice"
is "$(cat "$csv")" "$before" "the file is as it was"

# What the audit calls untrustworthy makes no change point: the last eight runs, twice as slow.
cp "$csv" "$SCRATCH/trusted.csv"
awk -F, -v OFS=, '/"2026-02-0[2-9]T/ && /"prime","time"/ && $(NF - 3) != "" {
        $(NF - 3) *= 2
        $NF = "\"untrustworthy\""
    }
    { print }' "$csv" >"$SCRATCH/distrusted.csv"
distrusted=("$BOXMARK" history --history "$SCRATCH/distrusted.csv" "$SCRATCH/nothing")
mkdir "$SCRATCH/nothing"
run "${distrusted[@]}"
status_is 0 "a history with untrustworthy values"
like "$output" '8 values of 8 runs are untrustworthy: left out' "says that they are left out"
like "$output" 'prime time +mock:delay=2 +32 .*untrustworthy' "of that metric, whose last run is one"
like "$output" '2026-02-09 +[0-9a-f]{12} +1: prime time in mock:delay=2' "names the runs"
unlike "$output" 'prime time +mock:delay=2 +2026-02' "and they make no change point"
run "${distrusted[@]}" --format csv
like "$errors" '8 values of 8 runs are untrustworthy' "what has no room for it says it beside"
run "${distrusted[@]}" --format json
like "$output" '"untrustworthy": \[' "JSON has them"
run "${distrusted[@]}" --untrustworthy
like "$output" 'prime time +mock:delay=2 +2026-02-02 ' "unless they are asked for"
like "$output" '8 values of 8 runs are untrustworthy: counted all the same' "which is said, too"
sed -i 's/"[a-z]*"$/"untrustworthy"/' "$SCRATCH/distrusted.csv"
run "${distrusted[@]}"
status_is 0 "a history of nothing else"
like "$output" '0 change points in 0 series' "has no series"

rm -r "$runs/run-0001" "$runs/run-0002"
run "$BOXMARK" history "$runs"
like "$output" '^40 runs' "runs that were deleted stay in the history"

run "$BOXMARK" history --max-p 1e-12 --min-change 50 "$runs"
like "$output" ' 0 change points' "small steps do not count when they shall not"
run "$BOXMARK" history --format json "$runs"
status_is 0 "JSON"
like "$output" '"change_points": \[' "... has change points"
run "$BOXMARK" history --format csv "$runs"
is "$(tail -n +2 <<<"$output" | awk -F, '{ print NF }' | sort -u)" 14 "CSV has a row for each of them"
run "$BOXMARK" history --format markdown "$runs"
like "$output" '\| prime time \| mock:delay=2 \| 2026-01-2' "Markdown has them in a table"
run "$BOXMARK" history --format mardown "$runs"
status_is 2 "an unknown format"
like "$errors" 'did you mean "markdown"' "... is nearly one"
run "$BOXMARK" history --max-p 2 "$runs"
status_is 2 "an impossible p-value"
run "$BOXMARK" history --absolute --full "$runs"
status_is 0 "medians of one machine"

# For Otava: a time column, then numbers only.
run "$BOXMARK" history --otava "$SCRATCH/otava" "$runs"
status_is 0 "files for Otava"
like "$(head -n 1 "$SCRATCH/otava/boxmark-1.csv")" '^time,run,boxmark,prime\.time\.mock_delay_2\.none\.' \
    "a time column, then one a metric"
is "$(awk -F, 'NR > 1' "$SCRATCH/otava/boxmark-1.csv" | grep -cvE \
    '^[0-9-]+T[0-9:]+Z,[0-9a-f]{12},"[^"]*"(,[0-9.e+-]+)+$')" 0 "no field is empty"
like "$(cat "$SCRATCH/otava/otava.yaml")" 'prime.time.mock_delay_2[^ ]*:
        column: prime.time.mock_delay_2[^ ]*
        direction: -1' "its settings name every metric and its direction"

if command -v gnuplot >/dev/null 2>&1; then
    run "$BOXMARK" history --plot "$SCRATCH/figures" --plot-format svg "$runs"
    status_is 0 "a chart of each metric"
    like "$(cat "$SCRATCH/figures/history-prime-time.svg")" 'prime time over time' "... over time"
    limit=$(sed -n "s/^boxmark_limit = '\(.*\)'$/\1/p" "$SCRATCH/figures/data/history-prime-time.gp")
    like "$limit" '^[0-9.]+ %$' "the height of a row has a scale"
    ok "which its ends name" grep -qF -- ">-$limit<" "$SCRATCH/figures/history-prime-time.svg"
else
    skip "gnuplot is not installed" 4
fi

# Out of order: sorted, and told.
bash "$SRCDIR/tests/tools/many-runs" "$SCRATCH/one" "$runs" 2
rm -r "$runs/run-0001"
sed -i 's/2026-01-02T/2025-06-01T/' "$runs/run-0002/run.json"
hash_anew "$runs/run-0002"
run "$BOXMARK" history "$runs"
status_is 0 "a run older than all others"
like "$output" '^41 runs from 2025-06-01' "comes first"
{
    head -n 1 "$csv"
    tail -n +2 "$csv" | tac
} >"$SCRATCH/reversed"
cp "$SCRATCH/reversed" "$csv"
run "$BOXMARK" history "$runs"
status_is 0 "a file out of order"
like "$errors" 'was not in order of date; it is now' "is put in order, and it is told"

# Bad input.
whole=$SCRATCH/whole.csv
cp "$csv" "$whole"
sed -i '2s/"2025-06-01T12:00:00Z"/"June"/' "$csv"
run "$BOXMARK" history "$runs"
status_is 2 "a date that is none"
like "$errors" 'history.csv:2: created: "June" is not a date' "... is named by its line"
cp "$whole" "$csv"
sed -i '3s/,[^,]*$//' "$csv"
run "$BOXMARK" history "$runs"
status_is 2 "a torn row"
like "$errors" 'history.csv:3: 20 fields instead of 21' "... is named by its line"
: >"$csv"
run "$BOXMARK" history "$runs"
status_is 2 "an empty file"
like "$errors" 'no header' "... has no header"

cp "$whole" "$csv"
last=$runs/run-0040
sed -i '0,/"ratio": [0-9]\.[0-9]*/s//"ratio": 9.5/' "$last/summary.json"
hash_anew "$last"
run "$BOXMARK" history "$runs"
status_is 5 "a run that has changed since it was added"
like "$errors" 'has run [0-9a-f]+ already, with other figures' "... is named"

rm -rf "$runs"
mkdir "$runs"
cp -r "$SCRATCH/one" "$runs/edited"
sed -i 's/"median": /"median": 1/' "$runs/edited/summary.json"
run "$BOXMARK" history "$runs"
status_is 2 "an edited run alone makes no history"
like "$errors" 'edited is left out: summary.json was changed after the run' "... it is left out, with the reason"
cp -r "$SCRATCH/one" "$runs/good"
run "$BOXMARK" history "$runs"
status_is 5 "beside a good one it is told by the exit code"
like "$output" '^1 run from' "... and the good one counts"
rm "$runs/edited/SHA256SUMS"
run "$BOXMARK" history "$runs"
status_is 5 "an edited run without a manifest"
like "$errors" 'edited is left out: it has no SHA256SUMS' "... is left out, too"
rm -r "$runs/edited"
cp -r "$SCRATCH/one" "$runs/good.retry-1"
run "$BOXMARK" history "$runs"
like "$output" '^1 run from' "what was measured again for a check is no run of its own"
rm -r "$runs/good.retry-1"
cp -r "$SCRATCH/one" "$runs/unfinished"
sed -i 's/"status": "finished"/"status": "interrupted"/' "$runs/unfinished/run.json"
run "$BOXMARK" history "$runs"
status_is 0 "an unfinished run"
like "$errors" 'unfinished is left out: it is not finished \(interrupted\)' "is left out, with the reason"
echo '{' >"$runs/unfinished/run.json"
run "$BOXMARK" history "$runs"
status_is 5 "a record that is no JSON"
like "$errors" 'unfinished is left out: run.json:' "... is named"

done_testing
