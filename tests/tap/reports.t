#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Reports and figures before the validators that people have: tidy, xmllint, a spreadsheet's eye.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

show=$BUILDDIR/tests/unit/show_report
[ -x "$show" ] || skip_all "tests/unit/show_report is not built"

variants=("2 1 80" "3 10 80 holes" "3 6 80 hostile" "9 10 80 long" "1 10 80 alone")

for variant in "${variants[@]}"; do
    # shellcheck disable=SC2086 # words on purpose
    run "$show" html $variant
    status_is 0 "a page is written ($variant)"
    if command -v tidy >/dev/null; then
        tidy -quiet -errors "$SCRATCH/.output" >"$SCRATCH/tidy" 2>&1
        is "$(cat "$SCRATCH/tidy")" "" "tidy finds nothing in it ($variant)"
    else
        skip "tidy is not installed"
    fi
done

if command -v gnuplot >/dev/null; then
    for variant in "${variants[@]}"; do
        folder=$SCRATCH/plots
        rm -rf "$folder"
        mkdir "$folder"
        # shellcheck disable=SC2086
        run "$show" "plots:$folder" $variant
        status_is 0 "figures are drawn ($variant)"
        if command -v xmllint >/dev/null; then
            xmllint --noout "$folder"/*.svg >"$SCRATCH/xmllint" 2>&1
            is "$(cat "$SCRATCH/xmllint")" "" "every SVG is well-formed ($variant)"
        else
            skip "xmllint is not installed"
        fi
        is "$(grep -lE 'href=.(https?|file):|<script|@import' "$folder"/*.svg)" "" \
            "no SVG refers to elsewhere ($variant)"
        is "$(find "$folder" -name '*.part')" "" "nothing half-made is left ($variant)"
    done
    # What was drawn from stays, and draws again by hand.
    rm "$folder"/*.svg
    (cd "$folder" && gnuplot data/prime.gp) >"$SCRATCH/gnuplot" 2>&1
    is "$(cat "$SCRATCH/gnuplot")" "" "a figure can be drawn again with gnuplot alone"
    file_exists "$folder/prime.svg" "and is there again"
else
    skip "gnuplot is not installed" 22
fi

run "$show" papyrus 2 1 80
isnt "$status" 0 "an unknown format is refused"

done_testing
