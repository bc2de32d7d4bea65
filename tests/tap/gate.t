#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The regression gate from end to end: baseline and check, retries, formats, everything refused.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"
cd "$SCRATCH" || exit 1

host=mock:label=host,noise=0.02

# measure OUT ENV [ARGUMENT...]: ten blocks of scripted agents, on a fake clock.
measure() {
    local out=$1 environment=$2
    shift 2
    "$BOXMARK" run -q --no-plots -p smoke -w prime,zip,stream,disk --blocks 10 -o "$out" \
        -e "$host" -e "$environment" "$@" >/dev/null 2>&1
}

# verdicts: "workload/metric verdict" of the last check in JSON.
verdicts() {
    awk -F'"' '/"workload":/ { w = $4 } /"metric":/ { m = $4 }
        /"verdict":/ && /^      / { print w "/" m, $4 }' "$1" | sort
}

measure before mock:label=box,noise=0.02 --seed 1
measure before2 mock:label=box,noise=0.02 --seed 2
measure after mock:label=box,noise=0.02 --seed 3
measure slow mock:label=box,noise=0.02,delay=1.2 --seed 4
measure fast mock:label=box,noise=0.02,delay=0.8 --seed 5

# ---- Baseline --------------------------------------------------------------------------------

run "$BOXMARK" baseline before before2 -o base.json
status_is 0 "a baseline of two runs"
like "$output" '5 metrics of 2 runs' "it says what it holds"
ok "it is JSON" python3 -c 'import json, sys; json.load(open("base.json"))'
ok "a small one" [ "$(wc -c <base.json)" -lt 20000 ]
run "$BOXMARK" baseline before -o nowhere/base.json
status_is 2 "a place that cannot be written"
run "$BOXMARK" baseline before
status_is 2 "no place to write to"
like "$errors" '-o' "the message says what is missing"
run "$BOXMARK" baseline -o base.json
status_is 2 "no run"

run "$BOXMARK" baseline before before -o twice.json
status_is 2 "one run twice"
like "$errors" 'before holds the same samples as before: one run counts once' "in words"
cp -r before copy
run "$BOXMARK" baseline before before2 copy -o twice.json
status_is 2 "nor by a copy"
ok "neither makes a baseline" test ! -e twice.json

# What is there already: links are followed, devices and pipes written to, never replaced.
ln -s target.json link.json
run "$BOXMARK" baseline before -o link.json
status_is 0 "a link as the place"
ok "it stays one" test -L link.json
like "$(cat target.json)" '"boxmark baseline"' "and leads to the baseline"
run "$BOXMARK" baseline before -o -
like "$output" '^\{.*"boxmark baseline"' "- is standard output"
like "$errors" 'standard output: 5 metrics of 1 run' "which holds nothing else"
ok "and no file" test ! -e ./-
if mknod full c 1 7 2>/dev/null && (: >full) 2>/dev/null; then
    run "$BOXMARK" baseline before -o full
    isnt "$status" 0 "a device that takes nothing"
    run "$BOXMARK" check --baseline base.json --junit full after
    isnt "$status" 0 "nor a JUnit file"
    run "$BOXMARK" report before -o full
    isnt "$status" 0 "nor a report"
    ok "it stays a device" test -c full
else
    skip "no device can be made here" 4
fi
mkfifo pipe
timeout 60 cat pipe >piped.xml &
"$BOXMARK" check --baseline base.json -q --junit pipe after >/dev/null 2>&1
wait $!
ok "a pipe stays one" test -p pipe
like "$(cat piped.xml)" '</testsuites>' "and is written to"

# ---- Check -----------------------------------------------------------------------------------

check() {
    run "$BOXMARK" check --baseline base.json "$@"
}

check after
status_is 0 "nothing has changed: it passes"
like "$output" 'same: of 5 metrics 5 same' "and says so"
check slow
status_is 1 "20 % slower: a regression"
like "$output" 'mock:label=box,noise=0.02,delay=1.2 is compared with' "the other label is named"
check slow --format json=slow.json -q
is "$(verdicts slow.json)" "disk/seq_read worse
disk/seq_write worse
prime/time worse
stream/triad worse
zip/time worse" "every metric is named, times and rates alike"
check fast
status_is 0 "faster is no regression"
like "$output" 'better' "and is called better"

# Everything on another machine is three times slower, the host too.
cat >scale.py <<'END'
import json, sys
base = json.load(open("base.json"))
for metric in base["metrics"]:
    factor = 3 if metric["better"] == "lower" else 1 / 3
    metric["values"] = [[value * factor for value in run] for run in metric["values"]]
for run in base["runs"]:
    run["machine"]["cpu_model"] = "Another CPU"
json.dump(base, open("elsewhere.json", "w"))
END
python3 scale.py
run "$BOXMARK" check --baseline elsewhere.json after
status_is 0 "a baseline from another machine, three times slower, passes"
run "$BOXMARK" check --baseline elsewhere.json --absolute after
status_is 2 "but not in absolute terms"
like "$errors" 'cpu_model' "the machines are named"
check --absolute after
status_is 0 "absolute values on the same machine"
like "$output" 'prime/time in mock:label=host' "with those of the host"

# ---- Retry -----------------------------------------------------------------------------------

check slow --retry 2 -q
status_is 1 "what is slower stays slower however often it is measured"
ok "two runs were measured" test -e slow.retry-1/samples.csv -a -e slow.retry-2/samples.csv
check slow --format json
like "$output" '"retries": 2' "later checks count them, too"
like "$output" '"now_blocks": 30' "with all of their blocks"
measure part mock:label=box,noise=0.02 --seed 6
cat >only-zip.ini <<'END'
[between_runs]
zip/time = 40 %
END
check part --config only-zip.ini --retry 1 -q
status_is 4 "noise that could hide a change is inconclusive"
is "$(grep -oE '"(prime|zip|stream|disk|startup)"' part.retry-1/samples.csv | sort -u)" '"zip"' \
    "only what was suspicious is measured again"
# A retry that was killed is continued with the same pairs of environment and work: as a loss of
# power in its second block leaves it.
measure two mock:label=box,noise=0.02 -e mock:label=chest,noise=0.02 --seed 7
measure pairs mock:label=box,noise=0.02 -e mock:label=chest,noise=0.02 --seed 8
run "$BOXMARK" baseline two -o two.json
printf '[between_runs]\nzip/time@*box* = 40 %%\nprime/time@*chest* = 40 %%\n' >pairs.ini
recheck=("$BOXMARK" check --baseline two.json --config pairs.ini -q)
run "${recheck[@]}" --retry 1 pairs
cp -r pairs cut
cp -r pairs.retry-1 cut.retry-1
rm cut.retry-1/SHA256SUMS
sed -i 's/"status": "finished"/"status": "running"/' cut.retry-1/run.json
last=$(grep -n '"type":"request","utc":"[^"]*","block":1,' cut.retry-1/journal.jsonl | sed -n '1s/:.*//p')
sed -i -e "$((last + 1)),\$d" cut.retry-1/journal.jsonl
run "${recheck[@]}" cut
status_is 2 "a retry that never ended is refused"
like "$errors" 'run --resume cut.retry-1' "with what to do"
run "$BOXMARK" run -q --no-plots --resume cut.retry-1
like "$status" '^[05]$' "it is continued"
rows() {
    awk -F'"' '!/metric/ { print $2, $6 }' "$1/samples.csv" | sort | uniq -c
}
unlike "$(rows pairs.retry-1)" 'box,noise=0.02 prime|chest,noise=0.02 zip' "a retry measures pairs"
is "$(rows cut.retry-1)" "$(rows pairs.retry-1)" "with the same ones"
run "${recheck[@]}" cut
status_is 4 "and is read by later checks"
check after --retry 1 -q
ok "nothing suspicious: nothing is measured" test ! -e after.retry-1

# What cannot be measured again does not take the first verdict away.
cp -r slow stuck
ln -s nowhere/at/all stuck.retry-1
check stuck --retry 1 --junit stuck.xml --format markdown=stuck.md
like "$status" '^(2|3|70)$' "a retry that is impossible"
like "$output" 'worse: of 5 metrics 5 worse' "comes after the first verdict"
like "$output" 'could not be measured again: .*stuck.retry-1' "and is told with it"
like "$(cat stuck.xml)" '<failure .*could not be measured again' "in JUnit's XML"
like "$(cat stuck.md)" 'could not be measured again' "and in Markdown"
check stuck --retry 1 --wait nonsense
status_is 2 "a time to wait that is none"

# Files of an earlier check are not taken for the outcome of one that has none.
echo stale >stale.xml
echo stale >stale.md
check nowhere --junit stale.xml --format markdown=stale.md
status_is 2 "a check without an outcome"
like "$(cat stale.xml)" '<error message=".*nowhere.*" type="no outcome"' "is an error in JUnit's XML"
ok "its other files are gone" test ! -e stale.md
if command -v xmllint >/dev/null; then
    ok "that XML is valid" xmllint --noout --schema "$SRCDIR/tests/data/junit.xsd" stale.xml
else
    skip "xmllint is not installed"
fi

# ---- What fails ------------------------------------------------------------------------------

check part --config only-zip.ini --fail-on worse
status_is 0 "--fail-on worse lets the inconclusive pass"
like "$output" 'inconclusive' "but shows it"
check part --config only-zip.ini --fail-on worse,bad
status_is 2 "an outcome that is none"
printf '[ignore]\n* = yes\n' >ignore.ini
check after --config ignore.ini
status_is 4 "a check that watches nothing does not pass"
measure skewed mock:label=box,noise=0.02,skew=1.2 --set prime.events=40
check skewed
status_is 5 "a run that failed its audit is untrustworthy"
run "$BOXMARK" baseline skewed -o skewed.json
status_is 5 "and makes no baseline"
ok "none at all" test ! -e skewed.json
"$BOXMARK" run -q --no-plots -p smoke -w prime --blocks 2 -o few -e "$host" -e mock:label=box,noise=0.02 \
    >/dev/null 2>&1
check few
status_is 4 "too few blocks, and metrics that are missing, are inconclusive"
like "$output" 'not measured in this run' "the gaps are named"

# ---- Not comparable, bad input ---------------------------------------------------------------

# refused NAME REGEX ARGUMENT...: exit code 2, in words, nothing on standard output.
refused() {
    local name=$1 message=$2
    shift 2
    run "$BOXMARK" check "$@"
    status_is 2 "$name is refused"
    like "$errors" "$message" "$name: in words"
    is "$output" "" "$name: no table"
}

# with SED: the baseline changed by a sed script.
with() {
    sed "$1" base.json >changed.json
}

with 's/"schema": 1/"schema": 2/'
refused "another schema" 'schema 2' --baseline changed.json after
with 's/"limit": 2000/"limit": 3000/'
refused "another parameter" 'prime.limit is 3000.*2000' --baseline changed.json after
with 's/"name": "zip", "version": 1/"name": "zip", "version": 7/'
refused "another version of a workload" 'zip is of version 7' --baseline changed.json after
with 's/zip digest/other digest/'
refused "another answer" 'answer of zip' --baseline changed.json after
with 's/noise=0.02", "kind": "mock", "accelerator": "none"/noise=0.02", "kind": "mock", "accelerator": "KVM"/'
refused "another accelerator" 'under KVM in the baseline and under none' --baseline changed.json after
with 's/"metric": "time", "unit": "s"/"metric": "time", "unit": "ms"/'
refused "another unit" 'prime/time is in ms before and s now' --baseline changed.json after
refused "another unit of values" 'prime/time is in ms before and s now' --absolute --baseline changed.json after
with 's/"better": "lower"/"better": "higher"/'
refused "another direction" 'prime/time is better when higher before and lower now' --baseline changed.json after
refused "a baseline that is none" 'not a baseline' --baseline after/run.json after
refused "a baseline that is missing" 'nowhere.json' --baseline nowhere.json after
head -c 900 base.json >changed.json
refused "half a baseline" 'changed.json:[0-9]+' --baseline changed.json after
refused "a run that is missing" 'nowhere' --baseline base.json nowhere
refused "no baseline" 'which baseline' after
refused "no run" 'which run' --baseline base.json
refused "an unknown format" 'did you mean "junit"' --baseline base.json --format junt after
refused "an unknown option" 'did you mean --retry' --baseline base.json --rety 1 after

refused "a run that the baseline was made of" 'the baseline was made of before2' --baseline base.json before2
refused "a copy of it" 'the baseline was made of copy' --baseline base.json copy
sed -E 's/"samples_sha256": "[0-9a-f]*", //' base.json >older.json
ok "a baseline of an older version knows no runs" sh -c '! grep -q sha256 older.json'
ok "and is still read" "$BOXMARK" check -q --baseline older.json after
cp -r after unfinished
sed -i 's/"status": "finished"/"status": "interrupted"/' unfinished/run.json
rm -f unfinished/SHA256SUMS
refused "an unfinished run" 'not finished' --baseline base.json unfinished
like "$errors" '--resume' "with what to do"
cp -r after edited
sed -i '5s/"\(lower\|higher\)",0,0,./"\1",0,0,7/' edited/samples.csv
ok "a run is edited, by one digit" [ "$(cmp -l after/samples.csv edited/samples.csv | wc -l)" -eq 1 ]
refused "an edited CSV" 'samples.csv was changed after the run' --baseline base.json edited
cp -r edited forged
(cd forged && sha256sum samples.csv | sed -i -e '/ samples.csv$/{r /dev/stdin' -e 'd}' SHA256SUMS)
refused "one that was hashed anew" 'samples.csv gives other values of .* than summary.json' \
    --baseline base.json forged
sed -i '/ samples.csv$/d' edited/SHA256SUMS
refused "one that is not in the manifest" 'samples.csv is not in SHA256SUMS' --baseline base.json edited
rm edited/SHA256SUMS
refused "one without a manifest" 'it has no SHA256SUMS: nothing says' --baseline base.json edited
run "$BOXMARK" baseline edited -o edited.json
status_is 2 "which makes no baseline either"
ok "none at all, again" test ! -e edited.json
printf '[check]\nconfidence = very\n' >bad.ini
refused "bad settings" 'bad.ini:2: check.confidence' --baseline base.json --config bad.ini after
mkdir here
cp bad.ini here/boxmark.ini
cd here || exit 1
refused "bad settings of this folder" 'boxmark.ini:2' --baseline ../base.json ../after
cd ..
ok "the installed sample is good" "$BOXMARK" check --baseline base.json --config \
    "$SRCDIR/docs/ci/boxmark.ini" after
unlike "$("$BOXMARK" check --baseline base.json --config "$SRCDIR/docs/ci/boxmark.ini" after)" \
    'applies to no metric' "its defaults need no metric here"
check after
like "$output" 'Settings: the defaults, no file' "without a file that is said"
# What a file found in the folder lets pass is said to come from it.
printf '[margins]\n* = 900 %%\nzip/tme = 1 %%\n[ignore]\nprime/*@nowhere = yes\n[floors]\nzip/* = 1 MB/s\n' >here/boxmark.ini
cd here || exit 1
for format in terminal markdown json junit tap github; do
    run "$BOXMARK" check --baseline ../base.json --format "$format" ../slow
    status_is 0 "a margin of 900 % lets everything pass ($format)"
    like "$output" '(Settings: |"settings": "|name="settings" value=")boxmark.ini' "its file is named"
    like "$output" 'margins.*zip/tme applies to no metric here' "and a pattern with a slip"
done
like "$output" 'ignore.*prime/\*@nowhere applies to no metric' "one that ignores nothing"
like "$output" 'floors.*zip/\* applies to no metric' "one with a floor in another unit"
run "$BOXMARK" check --baseline ../base.json -q ../slow
like "$errors" 'settings are those of boxmark.ini in this folder' "and the file is named with --quiet"
cd ..

# ---- Formats ---------------------------------------------------------------------------------

check slow --format junit=slow.xml --format tap=slow.tap --format gitlab=slow-quality.json \
    --format markdown=slow.md
status_is 1 "several formats at once"
like "$output" 'worse: of 5' "and the table"
like "$(cat slow.tap)" 'not ok 1 - prime/time' "TAP"
like "$(cat slow.md)" 'red_circle.*worse' "Markdown"
ok "GitLab's report is JSON with what GitLab needs" python3 -c '
import json
findings = json.load(open("slow-quality.json"))
assert len(findings) == 5
for finding in findings:
    assert finding["severity"] == "critical" and finding["location"]["lines"]["begin"] == 1
    assert finding["description"] and finding["check_name"] and finding["location"]["path"]
assert len({finding["fingerprint"] for finding in findings}) == 5'
if command -v xmllint >/dev/null; then
    check part --config only-zip.ini --fail-on worse --junit part.xml -q
    check skewed --junit skewed.xml -q
    for name in slow part skewed; do
        ok "JUnit of $name is valid" xmllint --noout --schema "$SRCDIR/tests/data/junit.xsd" "$name.xml"
    done
    is "$(xmllint --xpath 'count(//failure)' slow.xml)" 5 "regressions are failures"
    is "$(xmllint --xpath 'count(//skipped)' part.xml)" 1 "what is undecided, but may pass, is skipped"
    is "$(xmllint --xpath 'count(//error)' skewed.xml)" 5 "untrustworthy ones are errors"
else
    skip "xmllint is not installed" 6
fi
GITHUB_STEP_SUMMARY=summary.md run "$BOXMARK" check --baseline base.json --format github slow
status_is 1 "as a step of GitHub Actions"
like "$output" '^::error file=base.json,title=worse%3A prime/time' "an annotation each"
like "$(cat summary.md)" '^### .*worse' "the table in the step summary"

# ---- Ready files for CI ----------------------------------------------------------------------

script=$SRCDIR/docs/ci/check.sh
small=(-p smoke -w prime -w zip --blocks 6 -e "$host" -e "mock:label=box,noise=0.02")
run sh "$script" ci.json reports "${small[@]}"
status_is 2 "check.sh without a baseline does not pass"
ok "but proposes one" mv reports/baseline.json ci.json
run sh "$script" ci.json reports2 "${small[@]}"
status_is 0 "check.sh with it"
for name in junit.xml check.md check.json codequality.json; do
    file_exists "reports2/$name" "check.sh leaves $name"
done
run sh "$script" ci.json reports3 "${small[@]:0:8}" -e "$host" -e mock:label=box,delay=1.2
status_is 1 "check.sh finds a regression"
run sh "$script"
status_is 2 "check.sh explains itself"
if python3 -c 'import yaml' 2>/dev/null; then
    cat >commands.py <<'END'
import sys, yaml
source = yaml.safe_load(open(sys.argv[1]))
if "jobs" in source:
    steps = source["jobs"]["gate"]["steps"]
    print("\n".join(step["run"] for step in steps if step.get("name") == "Gate"))
else:
    print("\n".join(source["isolation"]["script"]))
END
    mkdir ci build
    cp "$script" ci/
    cp ci.json ci/baseline.json
    # The workflows' own commands, with less work.
    cat >build/boxmark <<END
#!/bin/sh
[ "\$1" = run ] || exec "$BOXMARK" "\$@"
while [ \$# -gt 0 ]; do
    [ "\$1" = --output ] && out=\$2
    shift
done
exec "$BOXMARK" run -q --no-plots --output "\$out" ${small[*]}
END
    chmod +x build/boxmark
    for name in github gitlab; do
        rm -rf reports
        ok "$name.yml is YAML" sh -c "python3 commands.py '$SRCDIR/docs/ci/$name.yml' >$name.sh"
        FORMATS=github BOXMARK=build/boxmark run sh -e "$name.sh"
        status_is 0 "$name.yml: its commands run"
        file_exists reports/junit.xml "$name.yml: and leave a report"
    done
else
    skip "no YAML reader for Python" 6
fi

# ---- Real: a container with less CPU ---------------------------------------------------------

# What others do on this machine, seen or not, can make any of this undecided. It cannot make a container
# slower than itself twice, nor one that was held back for a fifth of its time as fast as one that was not.

# Long enough for many periods of the quota; one CPU, so that the rest of a machine helps nobody.
real=(-q --no-plots -p smoke -w prime -w zip --cpus 1 --blocks 6 --set prime.limit=2000
    --set prime.events=24000 --set zip.bytes=8M --wait 2m)

# real_run OUT ENV: 0 and a run to rely on, or a reason in $reason.
real_run() {
    run "$BOXMARK" run "${real[@]}" -o "$1" -e host -e "$2"
    reason=$(grep -o 'load: .*' <<<"$output" | head -1)
    [ -n "$reason" ] || reason=$(head -1 <<<"$errors")
    [ "$status" -eq 0 ] || return 1
    ! grep -q 'load: others used' <<<"$output"
}

# real_check RUN [ARGUMENT...]: the check of a run, and in $reason why nothing can be told from it.
real_check() {
    run "$BOXMARK" check --baseline real.json --format json "${@:2}" "$1"
    echo "$output" >"$1.json"
    reason=
    # What is measured again may meet others, as the first time.
    case $status in
    4) reason=$(grep -m 1 -oE '"reason": ".*"' "$1.json") ;;
    5) reason=$(grep -m 1 -oE "\"reason\": \"([^\"]*: )?$others.*\"" "$1.json") ;;
    esac
}

# held_back RUN: how much of the containers' time the quota took, as the kernel counted it, in per cent.
held_back() {
    python3 - "$1/journal.jsonl" <<'END'
import json, sys
entries = [json.loads(line) for line in open(sys.argv[1])]
entries = [entry for entry in entries if "cpu_quota" in entry.get("environment", "")]
worked_ns = sum(entry.get("host_elapsed_ns", 0) for entry in entries)
throttled_ns = sum(entry.get("footprint", {}).get("throttled_ns", 0) for entry in entries)
print(100 * throttled_ns // max(1, worked_ns))
END
}

if ! real_run real-before container || ! real_run real-after container ||
    ! real_run real-quota container:cpu_quota=80%; then
    skip "no quiet machine with containers: $reason" 5
elif ! grep -q '"cpu_quota_us":' real-quota/journal.jsonl; then
    skip "no quota without a cgroup of one's own" 5
else
    run "$BOXMARK" baseline real-before -o real.json
    status_is 0 "a real baseline"
    real_check real-after --retry 1
    if [ "$status" -eq 1 ] && real_run real-again container; then
        diag "$(verdicts real-after.json)"
        real_check real-again
    fi
    if [ -n "$reason" ]; then
        skip "too noisy to tell: $reason"
    else
        status_is 0 "a real run of the same passes, or is not worse twice"
    fi
    real_check real-quota --fail-on worse
    if [ -n "$reason" ]; then
        skip "too noisy to tell: $reason" 3
    elif [ "$status" -eq 0 ] && [ "$(held_back real-quota)" -lt 10 ]; then
        skip "something else held back so much that the quota was hardly met" 3
    else
        status_is 1 "a CPU quota of 80 % is a regression"
        unlike "$(verdicts real-quota.json)" ' better' "nothing is better for it"
        # The last period's share is not waited for: up to 20 ms of some 500 less than 1 / 0.8.
        ok "by the right ratio, within the interval" python3 -c '
import json
worse = [metric for metric in json.load(open("real-quota.json"))["metrics"] if metric["verdict"] == "worse"]
assert worse
for metric in worse:
    low, high = metric["interval"]
    assert low <= 0.29 and high >= 0.17, metric'
    fi
fi

done_testing
