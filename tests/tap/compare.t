#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The real thing: all workloads in all environments that this machine can run, smallest sizes.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

workloads='disk prime startup stream zip'
out=$SCRATCH/out
data=$SCRATCH/data
mkdir "$data"

# readiness ENVIRONMENT: ready, degraded or missing, as the doctor says.
doctor=$("$BOXMARK" doctor --json)
readiness() {
    sed -n "/\"name\": \"$1\"/,/\"readiness\"/s/.*\"readiness\": \"\([a-z]*\)\".*/\1/p" <<<"$doctor"
}

present=()
arguments=()
for environment in host container vm; do
    case $(readiness "$environment") in
    ready | degraded)
        present+=("$environment")
        arguments+=(-e "$environment")
        ;;
    esac
done
is "${present[0]-}" host "the host can always run"

run "$BOXMARK" run -p smoke -o "$out" --data "$data" "${arguments[@]}"
# One block of tiny work beside other tests: the audit may well find it untrustworthy (5).
like "$status" '^(0|5)$' "the run of ${present[*]} ends"
[[ $status =~ ^(0|5)$ ]] || diag "$errors"
table=$output

# rows ENVIRONMENT WORKLOAD: of samples.csv (labels and names hold no commas here).
rows() {
    tr -d '"' <"$out/samples.csv" | awk -F, -v e="$1" -v w="$2" '$4 == e && $6 == w'
}

for environment in host container vm; do
    if [[ " ${present[*]} " != *" $environment "* ]]; then
        skip "$environment cannot run here: $(readiness "$environment")" 7
        continue
    fi
    for workload in $workloads; do
        isnt "$(rows "$environment" "$workload" | wc -l)" 0 "$environment has samples of $workload"
    done
    accelerators=$(rows "$environment" prime | cut -d, -f5 | sort -u)
    if [ "$environment" = vm ]; then
        like "$accelerators" '^(KVM|TCG)$' "its rows say what executed the guest"
        like "$table" "vm \($accelerators\)" "so does the table"
    else
        is "$accelerators" none "$environment has no accelerator"
        like "$table" "$environment" "$environment is in the table"
    fi
done

count=${#present[@]}
hash=$(sha256sum "$AGENT" | cut -d' ' -f1)
is "$(grep -c "\"type\":\"instance\".*\"agent_sha256\":\"$hash\"" "$out/journal.jsonl")" "$count" \
    "every environment ran this very agent"
for workload in disk prime stream zip; do
    digests=$(sed -n "s/^{\"type\":\"request\".*\"workload\":\"$workload\",\"digest\":\"\([^\"]*\)\".*/\1/p" \
        "$out/journal.jsonl")
    is "$(wc -l <<<"$digests") $(sort -u <<<"$digests" | wc -l)" "$count 1" \
        "$workload gave the same answer $count times"
done
like "$(cat "$out/run.json")" '"status": "finished"' "the run is finished by its own record"
file_exists "$out/summary.json" "the summary is there"
file_exists "$out/topology.xml" "the machine's topology is there"
if command -v gnuplot >/dev/null 2>&1; then
    for workload in $workloads; do
        like "$(head -c 8 "$out/plots/$workload.png" | tr -d '\r\n\032')" PNG "a PNG of $workload"
        like "$(head -c 1000 "$out/plots/$workload.svg")" '<svg' "an SVG of $workload"
    done
else
    skip "gnuplot is not installed" 10
fi

run "$BOXMARK" report "$out"
status_is 0 "the report can be shown again"
# The first run adds where it is kept, after the table.
is "$output" "$(sed '/^Everything is kept/,$d' <<<"$table" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}')" \
    "and says the same"

# Nothing is left: files in the data folder, processes, mounts.
is "$(ls -A "$data")" "" "the data folder is empty again"
is "$(processes_with "$SCRATCH")" "" "no process is left"
is "$(grep -c "$SCRATCH" /proc/self/mountinfo)" 0 "no mount is left"

run "$BOXMARK" run -p smoke --dry-run "${arguments[@]}"
status_is 0 "a dry run of the same"
[[ " ${present[*]} " != *" vm "* ]] || like "$output" 'qemu-system.*-sandbox on' \
    "shows QEMU's command line"
[[ " ${present[*]} " != *" container "* ]] || like "$output" 'seccomp|namespace' \
    "shows the container's set-up"

done_testing
