#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# boxmark verify: manifests, recomputation, keys and signatures.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

whole=$SCRATCH/whole
run "$BOXMARK" run -q -p smoke --no-plots -e mock -e mock:delay=2 --blocks 3 -o "$whole"
like "$status" '^(0|5)$' "a run"
ok "sha256sum finds its manifest good" sh -c "cd '$whole' && sha256sum -c --strict --quiet SHA256SUMS"
run "$BOXMARK" verify "$whole"
status_is 0 "a run just made is sound"
like "$output" 'files are what they were, [1-9][0-9]* figures follow' "and says what was looked at"
unlike "$(cat "$whole/SHA256SUMS")" 'report.html|plots/' "what is derived is not in the manifest"

# fresh: a copy of the run to spoil, in $bad.
bad=$SCRATCH/bad
fresh() {
    rm -rf -- "$bad"
    cp -a -- "$whole" "$bad"
}

# spoilt NAME PATTERN: verify finds it.
spoilt() {
    run "$BOXMARK" verify "$bad"
    status_is 5 "$1"
    like "$output" "$2" "... and is named"
}

# Edited with care: the hash in the manifest is put right as well. The figures tell.
fresh
awk -F, -v OFS=, '/"prime","time"/ && !done { $12 = $12 * 0.5; done = 1 } { print }' \
    "$whole/samples.csv" >"$bad/samples.csv"
spoilt "an edited sample" 'samples.csv: is not what it was'
# What is shown of it says so, too; only the verdicts decide about the exit code.
unknown='not known to be as they were written: samples.csv was changed after the run'
run "$BOXMARK" report "$whole"
status_whole=$status
unlike "$errors$output" 'not known to be' "nothing is said of a sound run"
run "$BOXMARK" report "$bad"
status_is "$status_whole" "a report of an edited run"
like "$errors" "warning: the files of $bad are $unknown" "... warns"
like "$output" 'WARNING: The files of this run' "... in the table"
for format in html markdown latex; do
    run "$BOXMARK" report "$bad" --format "$format"
    like "$output" 'The files of this run are not known to be as they were written' "... and in $format"
done
run "$BOXMARK" report "$bad" --format json
like "$errors" "$unknown" "... and beside JSON"
run "$BOXMARK" compare "$whole" "$bad"
status_is 0 "a comparison with it"
like "$errors" "$unknown" "... warns"
like "$output" 'bad: its files are not known to be' "... in the table"
run "$BOXMARK" compare "$whole" "$bad" --format html
like "$output" 'bad: its files are not known to be' "... and on the page"
(cd "$bad" && sha256sum samples.csv | sed -i -e '/ samples.csv$/{r /dev/stdin' -e 'd}' SHA256SUMS)
spoilt "an edited sample, hashed anew" 'summary.json: metrics.*computed again it is'
unlike "$output" 'samples.csv: is not' "... by its figures alone"

fresh
echo '1,0,0,"mock"' >>"$bad/samples.csv"
spoilt "a row that is none" 'samples.csv:[0-9]+: 4 fields'
fresh
rm "$bad/journal.jsonl"
spoilt "a missing file" 'journal.jsonl: is missing'
fresh
echo x >"$bad/notes.txt"
spoilt "an additional file" 'notes.txt: was not there'
fresh
rm "$bad/journal.jsonl"
ln -s "$whole/journal.jsonl" "$bad/journal.jsonl"
spoilt "a link in place of a file" 'journal.jsonl: is not what it was'
fresh
rm "$bad/SHA256SUMS"
spoilt "no manifest" 'SHA256SUMS: is missing'
run "$BOXMARK" report "$bad"
like "$errors" 'it has no SHA256SUMS' "... a report says that nothing vouches for it"
fresh
echo "$(printf '0%.0s' {1..64})  ../x" >>"$bad/SHA256SUMS"
spoilt "a manifest that leads elsewhere" 'SHA256SUMS:[0-9]+: "../x" is not a file of this folder'
fresh
sed -i 's/"status": "finished"/"status": "running"/' "$bad/run.json"
spoilt "a run that is not finished" 'run.json: the run is not finished'
fresh
sed -i '0,/"median": [0-9.]*/s//"median": 17/' "$bad/summary.json"
spoilt "a summary that was touched up" 'summary.json: metrics\[0\].*median is 17'
fresh
echo x >"$bad/report.html"
mkdir -p "$bad/plots" && echo x >"$bad/plots/a.svg"
run "$BOXMARK" verify "$bad"
status_is 0 "reports and figures may be made anew"

run "$BOXMARK" verify "$SCRATCH"
status_is 2 "a folder that is no run is refused"
run "$BOXMARK" verify
status_is 2 "so is nothing at all"

# Keys and signatures.
key=$SCRATCH/key
run "$BOXMARK" verify --new-key "$key"
status_is 0 "a new key"
is "$(stat -c %a "$key")" 600 "is its owner's alone"
run "$BOXMARK" verify --new-key "$key"
status_is 2 "and is never replaced"
run "$BOXMARK" verify --new-key "$SCRATCH/other"
fresh
run "$BOXMARK" verify --key "$key.pub" "$bad"
status_is 5 "a run that nobody signed"
run "$BOXMARK" verify --sign "$key" "$bad"
status_is 0 "is signed"
run "$BOXMARK" verify --key "$key.pub" "$bad"
status_is 0 "its signature is good"
like "$output" "these files are signed by the owner of .*key.pub; reports and figures are not" "... and of what"
echo x >>"$bad/report.html"
run "$BOXMARK" verify --key "$key.pub" "$bad"
status_is 0 "a report is not what was signed"
like "$output" 'not covered, since they are derived: report\.\*, plots/' "... which is said"
run "$BOXMARK" verify --key "$SCRATCH/other.pub" "$bad"
status_is 5 "but not with another key"
like "$output" 'not a signature of these files by the owner of .*other.pub' "... which is named"
run "$BOXMARK" verify --key "$key" "$bad"
status_is 2 "a private key is no public one"
run "$BOXMARK" verify --sign "$key.pub" "$bad"
status_is 2 "nor the other way round"
chmod 644 "$key"
run "$BOXMARK" verify --sign "$key" "$bad"
status_is 2 "a private key that others can read is refused"
chmod 600 "$key"
if command -v openssl >/dev/null 2>&1; then
    ok "openssl finds the signature good" openssl pkeyutl -verify -pubin -inkey "$key.pub" -rawin \
        -in "$bad/SHA256SUMS" -sigfile "$bad/SHA256SUMS.sig"
else
    skip "openssl is not installed"
fi
(cd "$bad" && echo x >>topology.xml && sha256sum topology.xml |
    sed -i -e '/ topology.xml$/{r /dev/stdin' -e 'd}' SHA256SUMS)
run "$BOXMARK" verify "$bad"
status_is 0 "a forger can hash a file anew"
run "$BOXMARK" verify --key "$key.pub" "$bad"
status_is 5 "but not sign it"
run "$BOXMARK" verify --sign "$key" "$bad"
status_is 0 "the owner of the key can"
echo x >>"$bad/topology.xml"
cp "$bad/SHA256SUMS.sig" "$SCRATCH/before"
run "$BOXMARK" verify --sign "$key" "$bad"
status_is 5 "what is not sound is not signed"
ok "its signature stays" cmp -s "$bad/SHA256SUMS.sig" "$SCRATCH/before"

done_testing
