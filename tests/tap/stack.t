#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# container@vm: the built-in container in a real guest, with the namespaces and privileges of the
# host's.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

run "$BOXMARK" run --dry-run -p smoke -w null -e container@vm
[ "$status" -ne 3 ] || skip_all "no virtual machine here: $errors"
status_is 0 "the stack can be described"
like "$output" 'in the guest the built-in container' "with its inner side"

run "$BOXMARK" list environments
like "$output" 'container@vm +(ready|degraded|missing) +the built-in container inside' "it is listed"

# A lean kernel of an older version cannot hold containers.
run "$BOXMARK" run -p smoke -w null,disk -o "$SCRATCH/run" -e container -e container@vm
kernel=
if [ "$status" -eq 3 ] && [[ $errors == *"for a container"* ]]; then
    like "$errors" 'has no CONFIG_[A-Z_]+ for a container' "a kernel that cannot is named"
    kernel=:kernel=cloud
    run "$BOXMARK" run -p smoke -w null,disk -o "$SCRATCH/run" -e container \
        -e "container@vm$kernel"
fi
if [ "$status" -eq 3 ]; then
    skip "no guest kernel can be had here: $errors"
    done_testing
    exit
fi
# Tiny work beside other tests: the audit may find the clocks of so little untrustworthy.
like "$status" '^(0|5)$' "it is measured beside the container on the host"
like "$output" "container@vm$kernel \((TCG|KVM)" "its label tells the depth and the accelerator"

# fact ENVIRONMENT KEY: what the agent said.
fact() {
    grep "\"type\":\"instance\".*\"environment\":\"$1\"" "$SCRATCH/run/journal.jsonl" |
        grep -o "\"agent_facts\":{.*" | grep -o "\"$2\":[^,}]*" | head -n 1
}
for key in pid uid hostname seccomp no_new_privs capabilities; do
    is "$(fact "container@vm$kernel" "$key")" "$(fact container "$key")" \
        "the same inside of the guest: $key"
done
isnt "$(fact "container@vm$kernel" kernel_version)" "$(fact container kernel_version)" \
    "on another kernel"

run "$BOXMARK" run -p smoke -w null -o "$SCRATCH/variants" \
    -e "container:seccomp=off,userns=on,root=overlay,data=overlay,cpu_quota=150%@vm$kernel"
like "$status" '^(0|5)$' "with variants"
like "$(cat "$SCRATCH/variants/journal.jsonl")" '"seccomp":"0"' "they are in force"

is "$(find "$SCRATCH" -name 'boxmark-data*')" "" "no data folder is left"
is "$(processes_with "$SCRATCH")" "" "no process is left"

done_testing
