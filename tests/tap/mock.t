#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The sampling loop with scripted agents on a fake clock: schedule, times, every kind of failure.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

# compare OUT ARGUMENT...: one quiet run of prime and zip into $SCRATCH/OUT.
compare() {
    local out=$1
    shift
    run "$BOXMARK" run --no-plots -p smoke -w prime,zip -q -o "$SCRATCH/$out" "$@"
}

# What was done, in order: BLOCK ENVIRONMENT WORKLOAD for each request.
performed() {
    sed -n 's/^{"type":"request".*"block":\([0-9]*\),"environment":"\([^"]*\)","workload":"\([^"]*\)".*/\1 \2 \3/p' \
        "$SCRATCH/$1/journal.jsonl"
}

# column OUT N: of all rows of samples.csv, quotes removed (for labels without commas).
column() {
    tail -n +2 "$SCRATCH/$1/samples.csv" | tr -d '"' | cut -d, -f"$2"
}

# ---- Schedule and times ----------------------------------------------------------------------

pair=(-e mock:label=a -e mock:label=b)
compare first "${pair[@]}" --seed 7 --blocks 8
status_is 0 "a run of two mocks"
compare again "${pair[@]}" --seed 7 --blocks 8
compare other "${pair[@]}" --seed 8 --blocks 8
is "$(performed again)" "$(performed first)" "the same seed gives the same order"
isnt "$(performed other)" "$(performed first)" "another seed gives another order"
is "$(performed first | wc -l)" 32 "every workload in every environment of every block"
is "$(performed first | sort -u | wc -l)" 32 "and none twice"

# In each block, the workloads in the order of each environment, one line for both.
orders=$(performed first | awk '{ o[$1 " " $2] = o[$1 " " $2] " " $3 }
    END { for (k in o) { split(k, p, " "); print p[1] o[k] } }' | sort -u)
is "$(wc -l <<<"$orders")" 8 "all environments of a block have the same workload order"
is "$(cut -d' ' -f2 <<<"$orders" | sort -u | wc -l)" 2 "which differs between blocks"
is "$(performed first | awk '!seen[$1]++ { print $2 }' | sort -u | wc -l)" 2 \
    "now one environment is first, now the other"

run "$BOXMARK" run -p smoke -w prime,zip "${pair[@]}" --seed 7 --blocks 8 --dry-run
status_is 0 "a dry run"
planned=$(sed -n 's/^ *block \([0-9]*\): \([^;]*\);.*/\1 \2/p' <<<"$output" | tr -d ,)
is "$planned" "$(performed first | awk '!seen[$1, $2]++ { o[$1] = o[$1] " " $2 }
    END { for (b = 0; b < 8; b++) print b + 1 o[b] }')" "the dry run tells the order that is run"

is "$(tail -n +2 "$SCRATCH/first/samples.csv" | tr -d '"' |
    awk -F, '$6 == "prime" && $7 == "time" { print $12 "/" $13 }' | sort -u)" 1/1 \
    "a section of one second is one second on the injected clock"
compare slow -e mock:label=a -e mock:label=b,delay=3 --seed 7
is "$(tail -n +2 "$SCRATCH/slow/samples.csv" |
    sed -n 's/^[^"]*"\([^"]*\)".*"prime","time","s","lower",[0-9,]*,\([0-9.]*\),.*,.*/\1 \2/p' | sort -u)" \
    'mock:label=a 1
mock:label=b,delay=3 3' "an environment three times slower takes three seconds"

# ---- Failures: the exit code, the reason in words, the others' samples kept ------------------

# failing HOW CODE REGEX
failing() {
    local how=$1 code=$2 message=$3
    compare "fail-$how" -e mock:label=sound -e "mock:fail=$how" --seed 3 --blocks 3
    status_is "$code" "fail=$how gives exit code $code"
    like "$errors" "$message" "fail=$how says why"
    ok "fail=$how leaves no data behind" test -z "$(find "$SCRATCH/fail-$how" -name 'boxmark-data.*')"
}

failing start 3 'mock:fail=start: .*exited with status 1'
failing no-hello 3 'no answer before the deadline'
failing hang 3 'no answer before the deadline'
failing die 3 'killed by signal 9'
failing garbage 3 'nonsense'
failing flood 3 'floods: more than'
failing error 3 'No space left on device'
failing out-of-turn 3 'out of turn'
for how in start no-hello hang die garbage flood error out-of-turn; do
    is "$(column fail-$how 4 | grep -c '^mock:label=sound$')" \
        "$(($(column first 4 | grep -c '^mock:label=a$') * 3 / 8))" \
        "fail=$how costs the others nothing"
done
unlike "$(cat "$SCRATCH/fail-garbage/journal.jsonl")" $'\e' "an agent's control characters stay out"

failing wrong-hash 5 'not the one outside'
failing wrong-version 5 'another version'
compare digest -e mock:label=sound -e mock:fail=wrong-digest --seed 3
status_is 5 "another answer to the same request gives exit code 5"
like "$errors" 'not the[[:space:]]+same work' "it says that it is not the same work"

compare skewed -e mock:label=sound -e mock:skew=1.2 --seed 3 --blocks 2
status_is 5 "a clock inside that runs fast gives exit code 5"
like "$output" 'guest_clock.*20' "the table says which audit failed, and by how much"

compare once -e mock:label=sound -e mock:fail=die,at=1 --seed 3 --blocks 6
status_is 3 "one instance that died is not hidden"
is "$(grep -c '"type":"failure"' "$SCRATCH/once/journal.jsonl")" 1 "it is recorded once"
is "$(awk -F'"' '$2 ~ /at=1/ && /"prime","time"/' "$SCRATCH/once/samples.csv" | wc -l)" 5 \
    "the other instances of that environment count"

# ---- An accelerator that only a measurement inside can name -----------------------------------

# labelled NAME KEYS: what the environment and its rows are called, and the outcome of its trial.
labelled() {
    compare "$1" -e mock -e "mock:accel=in-doubt,$2" --seed 3
    grep -o '"title": "mock:[^"]*(.*)"' "$SCRATCH/$1/run.json" | sed 's/.*(\(.*\))"/title \1/'
    tail -n +2 "$SCRATCH/$1/samples.csv" |
        sed -n 's/^[^"]*"mock:accel[^"]*","\([^"]*\)".*/rows \1/p' | sort -u
    grep -o '"outcome": "[a-z]*"' "$SCRATCH/$1/run.json"
}

is "$(labelled native delay=1.2)" 'title KVM
rows KVM
"outcome": "native"' "a guest in doubt that runs as fast as outside is called KVM"
is "$(labelled slow-programs delay=5)" 'title KVM emulated
rows KVM emulated
"outcome": "emulated"' "one whose programs run slowly is not"
is "$(labelled slow-kernel kernel=100)" 'title KVM emulated
rows KVM emulated
"outcome": "emulated"' "nor one whose kernel runs slowly"
run "$BOXMARK" report "$SCRATCH/slow-programs"
like "$output" 'Do not[[:space:]]+quote them as KVM' "its report warns"
is "$(labelled never fail=start)" 'title KVM emulated
"outcome": "failed"' "nor one that cannot be measured"
compare required -e mock -e mock:accel=in-doubt,delay=5 --require-kvm
status_is 3 "--require-kvm refuses what was measured to be emulated"
like "$errors" 'KVM is required, but mock:.* was measured to be emulated' "it says so"
ok "before anything was run" test ! -e "$SCRATCH/required"
compare insisted -e mock -e mock:accel=in-doubt,delay=1.2 --require-kvm
status_is 0 "--require-kvm takes what was measured to be native"

# ---- Continuing ------------------------------------------------------------------------------

run "$BOXMARK" run --resume "$SCRATCH/first"
status_is 2 "a finished run cannot be continued"

# kill_copy FROM TO [N]: as a machine that lost its power after N (2) requests of the second block
# would leave it.
kill_copy() {
    local last bytes
    cp -r "$SCRATCH/$1" "$SCRATCH/$2"
    last=$(grep -n '"type":"request","utc":"[^"]*","block":1,' "$SCRATCH/$2/journal.jsonl" |
        sed -n "${3-2}s/:.*//p")
    sed -i -e "$((last + 1)),\$d" "$SCRATCH/$2/journal.jsonl"
    printf '{"type":"req' >>"$SCRATCH/$2/journal.jsonl"
    bytes=$(sed -n "${last}s/.*\"samples_bytes\":\([0-9]*\).*/\1/p" "$SCRATCH/$2/journal.jsonl")
    truncate -s "$((bytes + 11))" "$SCRATCH/$2/samples.csv"
    sed -i 's/"status": "finished"/"status": "running"/' "$SCRATCH/$2/run.json"
}

kill_copy first killed
run "$BOXMARK" run -q --resume "$SCRATCH/killed"
status_is 0 "a killed run is continued"
is "$(cut -d, -f1-12 "$SCRATCH/killed/samples.csv" | sort | md5sum)" \
    "$(cut -d, -f1-12 "$SCRATCH/first/samples.csv" | sort | md5sum)" \
    "it ends with the rows that it would have had, none twice"

# What is part of the plan is the run's own: nothing beside --resume changes it, or seems to.
kill_copy first planned
for option in "--blocks 50" "--max-blocks 60" "--seed 99" "-e vm" "-w zip" "-o elsewhere" "-p quick" \
    "--set zip.level=1" "--data ." "--cpus 1" "--memory 1G" "--kernel x" --require-kvm "--precision 5" \
    "--budget 1h" "--starts 2" "--timeout 1h" "--start-timeout 1h"; do
    # shellcheck disable=SC2086 # one option and its value
    run "$BOXMARK" run -q $option --resume "$SCRATCH/planned"
    case $option in
    -e*) name=--environment ;; -w*) name=--workload ;; -o*) name=--output ;; -p*) name=--profile ;;
    *) name=${option%% *} ;;
    esac
    is "$status $(grep -oE -- "$name cannot change" <<<"$errors")" "2 $name cannot change" \
        "$option beside --resume is refused"
done
run "$BOXMARK" run --resume "$SCRATCH/planned" --seed 99
status_is 2 "in either order"
ok "and nothing is done" grep -q '"status": "running"' "$SCRATCH/planned/run.json"
run "$BOXMARK" run --resume "$SCRATCH/planned" --dry-run
status_is 0 "a dry run of what is to be continued"
run "$BOXMARK" run --resume "$SCRATCH/planned" --wait 1s --no-plots --quiet
status_is 0 "what is no part of the plan may stand beside --resume"
ok "--no-plots is obeyed" test ! -e "$SCRATCH/planned/plots"

# edit_record FOLDER PYTHON: changes run.json as another machine, or this one later, would have it.
edit_record() {
    python3 -c 'import json, sys
path = sys.argv[1] + "/run.json"
with open(path) as file:
    record = json.load(file)
machine, disk, first = record["machine"], record.get("data_disk", {}), record["environments"][0]
exec(sys.argv[2])
with open(path, "w") as file:
    json.dump(record, file, indent=1)' "$SCRATCH/$1" "$2"
}

if command -v python3 >/dev/null 2>&1; then
    kill_copy first elsewhere
    cp "$SCRATCH/elsewhere/run.json" "$SCRATCH/run.json"
    while IFS='|' read -r what edit message; do
        cp "$SCRATCH/run.json" "$SCRATCH/elsewhere/run.json"
        edit_record elsewhere "$edit"
        before=$(md5sum <"$SCRATCH/elsewhere/run.json")
        run "$BOXMARK" run -q --resume "$SCRATCH/elsewhere"
        status_is 2 "$what is another measurement"
        like "$(tr -s ' \n' ' ' <<<"$errors")" "$message" "it says that it is"
        is "$(md5sum <"$SCRATCH/elsewhere/run.json")" "$before" "and goes on with nothing"
    done <<'EOF'
another engine|first["probe"]["version"] = "9.9.9"|mock:label=a: probe.version was "9.9.9", is ""
another accelerator|first["accelerator"] = "KVM"|mock:label=a: accelerator was "KVM", is "none"
another image|first["image"] = "kernel 1"|mock:label=a: image was "kernel 1", is ""
another order of environments|record["environments"].reverse()|label was "mock:label=b", is "mock:label=a"
another kernel|machine["kernel"] += "-2"|machine.kernel was ".*-2", is "
another end of its command line|machine["kernel_command_line"] += " x" * 200 + " y"|kernel_command_line was [^,]* x
other microcode|machine["microcode"] = "0xfe"|machine.microcode was "0xfe", is
another governor|machine["governor"] = "sleepy"|machine.governor was "sleepy", is
another file system|disk["file_system"] = "floppyfs"|data_disk.file_system was "floppyfs", is "
another disk|disk["bytes"] = 512|data_disk.bytes was 512, is
EOF
    cp "$SCRATCH/run.json" "$SCRATCH/elsewhere/run.json"
    edit_record elsewhere '
machine["load_average"] = "9.99"
machine["memory_available_bytes"] = 1
machine["cpu_mhz"] = "1.0"
first["probe"]["detail"] = "said otherwise"
record["boot"] = "unknown to this program"
disk["device"] = "sdz"'
    run "$BOXMARK" run -q --resume "$SCRATCH/elsewhere"
    status_is 0 "what changes by itself is no other measurement"
    kill_copy first older
    edit_record older 'del record["data_disk"], record["asked"]["request_timeout_ns"]'
    run "$BOXMARK" run -q --resume "$SCRATCH/older"
    status_is 0 "nor is what was not recorded yet"
else
    skip "python3 is not installed" 32
fi

# Relative names are of the folder in which the run was begun.
mkdir "$SCRATCH/there"
(cd "$SCRATCH" && "$BOXMARK" run -q --no-plots -p smoke -w prime -e mock --data there --blocks 3 -o moved) \
    >/dev/null 2>&1
kill_copy moved moved-on 1
run "$BOXMARK" run -q --resume "$SCRATCH/moved-on"
status_is 0 "a run is continued from another folder"
is "$(sed -n 's/.*"data": "\(.*\)",/\1/p' "$SCRATCH/moved-on/run.json")" "$(realpath "$SCRATCH/there")" \
    "with its own data folder"
is "$(sed -n 's/.*"file_system": "\(.*\)".*/\1/p' "$SCRATCH/moved/run.json")" \
    "$(df --output=fstype "$SCRATCH/there" | tail -1)" "whose file system is known"

# Two hundred seconds a request, more than the profile's two minutes.
compare patient -e mock:delay=200 --timeout 10m --start-timeout 5m --blocks 3
status_is 0 "a run with deadlines of its own"
kill_copy patient patient-killed 1
run "$BOXMARK" run -q --resume "$SCRATCH/patient-killed"
status_is 0 "is continued with them"
is "$(sed -n '/"asked"/,/}/p' "$SCRATCH/patient-killed/run.json")" \
    "$(sed -n '/"asked"/,/}/p' "$SCRATCH/patient/run.json")" "and asks for the same once more"

done_testing
