#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# JSON output against the schemas that docs/ publishes.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

need python3
validate=$SRCDIR/tests/tools/validate.py
report_schema=$SRCDIR/docs/report.schema.json
comparison_schema=$SRCDIR/docs/comparison.schema.json
status=0
python3 "$validate" "$report_schema" || status=$?
[ "$status" -ne 77 ] || skip_all "python3-jsonschema is not installed"

cd "$SCRATCH" || exit 1
for out in one two; do
    "$BOXMARK" run --no-plots -q -p smoke -w prime,zip,startup --blocks 3 -o "$out" \
        -e mock:label=a -e mock:label=b,delay=2 >log 2>&1 || diag "$(tail -n 5 log)"
done
"$BOXMARK" report one --format json >report.json
"$BOXMARK" report one --format json --reference felter2014 >references.json
"$BOXMARK" compare one two --format json >comparison.json

# valid SCHEMA FILE NAME
valid() {
    run python3 "$validate" "$1" "$2"
    is "$status$output" 0 "$3"
}
valid "$report_schema" report.json "a report"
valid "$report_schema" references.json "a report with references"
valid "$report_schema" one/summary.json "summary.json of the run folder"
valid "$report_schema" "$SRCDIR/tests/golden/json-hostile.json" "a report of hostile text"
valid "$comparison_schema" comparison.json "a comparison"
valid "$comparison_schema" "$SRCDIR/tests/golden/compare-json-hostile.json" \
    "a comparison of hostile text"

# The schemas can refuse.
sed 's/"has_reference": .*,/"has_reference": "perhaps",/' report.json >wrong.json
run python3 "$validate" "$report_schema" wrong.json
is "$status" 1 "a wrong type is found"
sed 's/"workload": "prime"/"workload": "prime", "surprise": 1/' comparison.json >wrong.json
run python3 "$validate" "$comparison_schema" wrong.json
is "$status" 1 "a member that the schema does not describe is found"
run python3 "$validate" "$report_schema" comparison.json
is "$status" 1 "a comparison is no report"

done_testing
