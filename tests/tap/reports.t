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
    folder=$SCRATCH/column
    mkdir -p "$folder"
    "$show" "plots:$folder" 9 10 80 column >/dev/null
    like "$(tr -d '\n' <"$folder/overview.svg")" '× 1\.[0-9]+' "one column wide has the ratios, too"
    like "$(tr -d '\n' <"$folder/prime-time-ecdf.svg")" 'share of samples' "the upward axis has a name"
    like "$(tr -d '\n' <"$folder/prime-time-ecdf.svg")" 'logarithmic' "far curves do not press near ones flat"
    is "$(grep -o 'stroke-dasharray=[^ >]*' "$folder/prime-time-ecdf.svg" | sort -u | wc -l)" 16 \
        "every curve but the first has dashes of its own, and so has its key"
    # gnuplot 5.4 writes the page's size into the first tag.
    height=$(sed -n 's/.*viewBox="0 0 [0-9]* \([0-9]*\)".*/\1/p' "$folder/overview.svg" | head -n 1)
    ok "64 rows stand close" test "${height:-0}" -gt 0 -a "${height:-0}" -lt 1100
    is "$(tr -d '\n' <"$folder/overview.svg" | grep -oE '>(<tspan[^>]*>)?10<' | wc -l)" 2 \
        "with the scale below and above them"
else
    skip "gnuplot is not installed" 28
fi

run "$show" papyrus 2 1 80
isnt "$status" 0 "an unknown format is refused"

# The command line over a run made of the same samples.
run_folder=$SCRATCH/run
mkdir -p "$run_folder/drawn"
"$show" "plots:$run_folder" 3 10 80 main >/dev/null 2>&1
cat >"$run_folder/run.json" <<'JSON'
{"schema": 1, "boxmark": "0", "created": "2026-01-01T00:00:00Z", "profile": "made up", "seed": 1,
 "status": "finished", "plan": {"blocks": 10, "max_blocks": 10, "precision": 0.01},
 "agent": {"sha256": ""}, "workloads": [], "machine": {},
 "environments": [
  {"label": "host", "kind": "host", "accelerator": "none", "title": "host"},
  {"label": "container", "kind": "container", "accelerator": "none", "title": "container"},
  {"label": "vm", "kind": "vm", "accelerator": "TCG", "title": "vm (TCG)"}]}
JSON

for format in terminal html markdown latex csv json; do
    run "$BOXMARK" report "$run_folder" --format "$format" --reference felter2014
    status_is 0 "boxmark report writes $format"
    like "$output" 'TCG' "$format names the accelerator"
done
run "$BOXMARK" report "$run_folder" --format csv
is "$(head -n 1 <<<"$output" | tr ',' '\n' | wc -l)" 25 "the CSV has its columns"
if command -v python3 >/dev/null; then
    "$BOXMARK" report "$run_folder" --format json --reference felter2014 >"$SCRATCH/report.json"
    is "$(python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(j["schema"], len(j["environments"]), j["references"][0]["source"])' "$SCRATCH/report.json" 2>&1)" \
        "1 3 felter2014" "programs can read the JSON"
else
    skip "python3 is not installed"
fi
run env LC_ALL=C "$BOXMARK" report "$run_folder"
unlike "$output" '[^ -~[:space:]]' "nothing but ASCII where the locale has nothing else"

# The command that a page prints does the same work: parameters, plan, order, places.
repeated() {
    python3 -c 'import json, sys
run = json.load(open(sys.argv[1] + "/run.json"))
asked = {k: v for k, v in run["asked"].items() if k != "overrides"}
print(json.dumps([run["profile"], run["seed"], run["plan"], run["workloads"], asked], sort_keys=True))' "$1"
}
if command -v python3 >/dev/null; then
    mkdir "$SCRATCH/data of mine"
    run "$BOXMARK" run --no-plots -q -p smoke -w prime,stream -e mock -e mock:label=b --cpus 1 --blocks 2 \
        --max-blocks 3 --precision 7 --budget 90s --data "$SCRATCH/data of mine" --require-kvm \
        --set prime.events=41 --memory 512M -o "$SCRATCH/first"
    status_is 0 "a run with every option"
    "$BOXMARK" report "$SCRATCH/first" --format html >"$SCRATCH/first.html"
    command=$(sed -n '/To repeat it/,/<\/pre>/p' "$SCRATCH/first.html" |
        sed -n 's/.*<code>boxmark \(run .*\)<\/code>.*/\1/p' | sed "s/&#39;/'/g")
    like "$command" '--set stream.elements=[0-9]+' "what the machine chose is in the command"
    for option in '--precision 7' '--budget 90s' "--data '" '--require-kvm' '--set prime.events=41'; do
        like "$command" "$option" "and $option"
    done
    run eval "'$BOXMARK' $command --no-plots -q -o '$SCRATCH/second'"
    status_is 0 "the command runs"
    asked=$(repeated "$SCRATCH/first")
    is "$(repeated "$SCRATCH/second")" "$asked" "and does the same work"
else
    skip "python3 is not installed" 9
fi

# On paper nothing is folded away, but the long table of data.
"$show" html 3 10 80 >"$SCRATCH/paper.html"
if command -v pdftotext >/dev/null &&
    "$SRCDIR/tests/gallery/shoot" "$SCRATCH/paper.html" "$SCRATCH/paper.pdf" >/dev/null 2>&1; then
    paper=$(pdftotext -layout "$SCRATCH/paper.pdf" -)
    like "$paper" 'events_per_s' "printed: every metric"
    like "$paper" 'one SHA-256 in all' "every check"
    like "$paper" 'fairness audit: 2 ok' "and what the numbers mean"
    unlike "$paper" 'workload,metric,unit' "but not the data"
else
    skip "no page can be printed here" 4
fi

# A source of one's own, beside the run in words and in a picture.
cat >"$SCRATCH/own.csv" <<'CSV'
source,workload,metric,unit,direction,environment,variant,value,sd,n,note
ours2026,prime,time,s,lower,host,,2.000,0.002,10,
ours2026,prime,time,s,lower,container,,2.003,0.002,10,
ours2026,zip,time,s,lower,host,"a<b & ""c"" 'd' \e",1.000,0.002,10,
ours2026,zip,time,s,lower,container,"a<b & ""c"" 'd' \e",1.500,0.002,10,
CSV
run "$BOXMARK" report "$run_folder" --reference "$SCRATCH/own.csv"
status_is 0 "a source of one's own"
like "$output" '1 reproduced, 1 not reproduced' "is judged"
if command -v gnuplot >/dev/null; then
    run "$BOXMARK" plot "$run_folder" --reference "$SCRATCH/own.csv" --figures references \
        --format svg --output "$SCRATCH/literature"
    status_is 0 "and drawn"
    like "$(tr -d '\n' <"$SCRATCH/literature/references.svg")" 'published.*container, here' \
        "with both rows"
    run "$BOXMARK" plot "$run_folder" --figures references --output "$SCRATCH/none"
    like "$output" '^0 figures' "nothing is drawn without a source"
    like "$errors" 'references: no source was given' "and the reason is told"
    printf '%s\n' 'source,workload,metric,unit,direction,environment,variant,value,sd,n,note' \
        'odd,prime,time,s,lower,host,,2,,,' 'odd,prime,time,s,lower,lxc,,2.1,,,' >"$SCRATCH/odd.csv"
    run "$BOXMARK" plot "$run_folder" --reference "$SCRATCH/odd.csv" --figures references \
        --output "$SCRATCH/none"
    status_is 0 "a source of which nothing can be compared"
    like "$errors" 'none of 1 published ratios? can be compared: .*\(1\)' "is said to be one, with the reason"
else
    skip "gnuplot is not installed" 6
fi

run "$BOXMARK" report "$run_folder" --reference felter2041
status_is 2 "an unknown reference is refused"
like "$errors" 'felter2014' "and the nearest one named"
printf 'source,workload\nx,y\n' >"$SCRATCH/bad.csv"
run "$BOXMARK" report "$run_folder" --reference "$SCRATCH/bad.csv"
status_is 2 "a file of another form is refused"
like "$errors" 'bad.csv:1: ' "and its line named"
run "$BOXMARK" list references
status_is 0 "references are listed"
like "$output" 'felter2014 .*RC25482' "with their citations"
like "$output" 'docker-2026 .*; taken from: abstract' "and the tables that they were taken from"
for bad in "--format papyrus" "--figures pie" "--style baroque" "--scripts /nonexistent"; do
    # shellcheck disable=SC2086
    run "$BOXMARK" plot "$run_folder" $bad --output "$SCRATCH/never"
    if command -v gnuplot >/dev/null; then
        status_is 2 "boxmark plot $bad is refused"
    else
        isnt "$status" 0 "boxmark plot $bad is refused"
    fi
done
run env PATH=/nonexistent "$BOXMARK" plot "$run_folder"
status_is 3 "without gnuplot the exit code says that something is missing"
like "$errors" 'gnuplot' "and the message what"

done_testing
