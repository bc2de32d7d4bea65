#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The command line: help, bad input, exit codes, manual page, completion. Starts no real environment.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"
cd "$SCRATCH" || exit 1

# refused NAME REGEX ARGUMENT...: a usage error that says so on standard error, and no run folder.
refused() {
    local name=$1 message=$2
    shift 2
    run "$BOXMARK" "$@"
    status_is 2 "$name is a usage error"
    like "$errors" "$message" "$name: the message helps"
    is "$output" "" "$name: nothing on standard output"
}

# ---- Help ------------------------------------------------------------------------------------

run "$BOXMARK"
status_is 2 "no command is a usage error"
run "$BOXMARK" --help
status_is 0 "--help"
commands=$(sed -n 's/^  \([a-z]*\)  *[a-zA-Z].*/\1/p' <<<"$output")
like "$commands" 'run.*doctor.*list' "help names the commands"
for command in $commands; do
    run "$BOXMARK" "$command" --help
    status_is 0 "$command --help"
    like "$output" "Usage: boxmark $command" "$command --help shows its usage"
done
run "$BOXMARK" --version
like "$output" '^boxmark [0-9]+\.[0-9]+' "--version"

# ---- Bad input -------------------------------------------------------------------------------

refused "an unknown command" 'did you mean "run"' rum
refused "an unknown option" 'did you mean --quiet' run --quite
refused "an unknown environment" 'did you mean "host"' run -e hots -o out
refused "several environments in one option" 'several options: -e host -e container' \
    run -e host,container:seccomp=off -o out
refused "an unknown workload" 'did you mean "prime"' run -w prme -e host -o out
refused "an unknown profile" 'did you mean "quick"' run -p qick -e host -o out
refused "an unknown key" 'unknown key "secomp"' run -e container:secomp=off -o out
refused "an unknown value" 'known: on, off' run -e container:seccomp=maybe -o out
refused "a spec without a value" 'KEY=VALUE' run -e container:seccomp -o out
refused "an argument too many" 'run takes no argument' run host
refused "too many CPUs" '--cpus' run --cpus 100000 -e host -o out
refused "more CPUs than the machine has" 'CPUs asked for' run --cpus 256 -e host -o out
refused "no CPU" '--cpus' run --cpus 0 -e host -o out
refused "a size that is none" '--memory' run --memory lots -e host -o out
refused "more memory than the machine has" 'emory' run --memory 900T -e host -o out
refused "a parameter that is none" 'boxmark list workloads' run --set zip.speed=1 -e host -o out
refused "a parameter without a value" '--set' run --set zip.bytes -e host -o out
refused "a parameter out of range" 'out of range' run --set zip.level=10 -e host -o out
for precision in nan 0x10 1e1 0 101 -1; do
    refused "a precision of $precision" '--precision.*above 0 and up to 100' run --precision $precision -e host -o out
done
for option in --memory --budget --timeout --start-timeout; do
    for nothing in 0 0.0; do
        refused "$option $nothing" "$option: .* is nothing.*without $option, " run $option $nothing -e host -o out
    done
done
run "$BOXMARK" run -e mock -p smoke --wait 0 --dry-run
status_is 0 "not to wait is no usage error"
refused "fewer repetitions at most than at least" '--max-blocks 5 is fewer than --blocks 10' run --max-blocks 5 \
    --blocks 10 -e host -o out
for at_most in 2 99; do
    run "$BOXMARK" run -e mock -p quick -w prime --max-blocks $at_most --dry-run
    like "$output" "[^0-9]$((at_most < 6 ? at_most : 6)) blocks" "at most $at_most blocks of the profile's 6 at least"
done
refused "a parameter of work that is not done" 'zip is not among the workloads.*add -w zip' run --set zip.level=1 \
    -w prime -e host -o out
refused "a parameter of hidden work" 'calibrate is not among the workloads' run --set calibrate.loops=5 -e host -o out
run "$BOXMARK" run -e mock -p smoke -w prime --set prime.events=3 --dry-run
status_is 0 "one of work that is done"
like "$output" 'events":3' "and it is changed"
refused "a list of nothing" 'unknown' list nothing
refused "a probability in hexadecimal" '--max-p' history . --max-p 0x0.1p0
refused "a missing data folder" 'nowhere.*cannot be used' run -e host -p smoke --data nowhere -o out
touch file
refused "a data folder that is a file" 'not a folder' run -e host -p smoke --data file -o out
refused "a data folder too small" 'too small.*free' run -e host -w disk -p smoke --set disk.bytes=3T \
    --data . -o out
refused "a run folder to continue that is missing" 'nowhere' run --resume nowhere
ok "nothing was measured for all that" test ! -e out/samples.csv

if [ "$(id -u)" -ne 0 ]; then
    mkdir -m 500 locked
    refused "a data folder that cannot be written" 'cannot be written' run -e host -p smoke \
        --data locked -o out2
else
    skip "root may write everywhere" 3
fi

# A spoiled run folder.
run "$BOXMARK" run -q -e mock -p smoke -w prime -o good
status_is 0 "a good run to spoil"
cp -r good spoiled
echo '{"status": "running"' >spoiled/run.json
refused "a spoiled run.json" 'spoiled.*run.json' run --resume spoiled
run "$BOXMARK" run -q -e mock -p smoke -w prime -o good
isnt "$status" 0 "a run folder is never written over"
like "$errors" 'good' "and the message names it"

BOXMARK_AGENT=/nonexistent run "$BOXMARK" run -e host -p smoke -o out3
status_is 70 "a missing agent is an internal error"
like "$errors" 'BOXMARK_AGENT' "the message says where it is looked for"

# ---- Output ----------------------------------------------------------------------------------

"$BOXMARK" list workloads >/dev/full 2>"$SCRATCH/full"
isnt $? 0 "output that cannot be written is not a success"
# Of the others only the names: what runs beside this can change their readiness between two looks.
host_and_names() {
    sed -nE 's/^(host) +(ready|degraded) .*/\1 \2/p; s/^([a-z@]+) +(ready|degraded|missing) .*/\1/p' \
        <<<"$output"
}
run "$BOXMARK" doctor
unlike "$output" $'\e' "no colour where there is no terminal"
ready=$(host_and_names)
like "$ready" '^host (ready|degraded)' "the host can be measured everywhere"
run "$BOXMARK" list environments
unlike "$output" mock "what is for tests is not listed"
is "$(host_and_names)" "$ready" "with what is ready, as doctor has it"
run "$BOXMARK" list profiles
like "$output" 'quick.*smoke.*standard.*paper' "all profiles are listed"

# ---- Manual page and completion --------------------------------------------------------------

run "$BOXMARK" manual man
cp "$SCRATCH/.output" boxmark.1
for command in $commands; do
    like "$output" "\.SS boxmark $command" "the manual page describes $command"
done
if command -v man >/dev/null 2>&1; then
    is "$(man --warnings -l boxmark.1 2>&1 >/dev/null)" "" "the manual page is well-formed"
else
    skip "man is not installed"
fi
"$BOXMARK" manual bash >completion
ok "the completion is a bash script" bash -n completion
missing=
"$BOXMARK" manual man | sed 's/\\-/-/g' >manual.txt
read -ra known <<<"$(sed -n 's/^    words="\(run .*\) help --version"$/\1/p' completion)"
for command in "${known[@]}"; do
    while read -r option; do
        case $option in --help | --usage | --version) continue ;; esac
        grep -q -- "$option" manual.txt && grep -q -- "^    $command) .*$option" completion ||
            missing+=" $command:$option"
    done < <("$BOXMARK" "$command" --help | grep -oE -- '--[a-z][a-z-]*' | sort -u)
done
isnt "${#known[@]}" 0 "the completion knows commands"
is "$missing" "" "the manual page and the completion know every option of every command"
complete_words() {
    bash -c '. ./completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _boxmark 2>/dev/null
        printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}
is "$(complete_words boxmark doc)" doctor "it completes commands"
is "$(complete_words boxmark run --prof)" --profile= "it completes options"
is "$(complete_words boxmark run -e mic)" microguest "it completes environments"
is "$(complete_words boxmark report RUN --format mark)" markdown "formats of reports"
is "$(complete_words boxmark plot RUN -f pd)" pdf "formats of figures"
is "$(complete_words boxmark plot --figures overv)" overview "figures"
is "$(complete_words boxmark compare --style pap)" paper "and styles"
is "$(complete_words boxmark check RUN --format ju)" junit \
    "formats of checks"
is "$(complete_words boxmark check -f ht)" "" "and none that a check does not have"
is "$(complete_words boxmark history -f ht)" "" "nor a history"
is "$(complete_words boxmark history -f mark)" markdown "which has others"
is "$(complete_words boxmark check --fail-on inc)" inconclusive "what a check fails on"
is "$(complete_words boxmark guest cle)" clean "actions"
is "$(complete_words boxmark list ref)" references "lists"
is "$(complete_words boxmark report --format = ht)" html "values that bash parts from their option"
is "$(complete_words boxmark report --style =)" "$(complete_words boxmark report --style '')" \
    "also before their first letter"

done_testing
