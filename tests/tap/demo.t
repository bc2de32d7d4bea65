#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The demonstration: its evidence is real, and it works on machines that lack things.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

cd "$SCRATCH" || exit 1
has_container=no
"$BOXMARK" doctor --json | sed -n '/"name": "container"/,/"readiness"/p' |
    grep -qE '"readiness": "(ready|degraded)"' && has_container=yes

boxes=(-e host)
[ "$has_container" = no ] || boxes+=(-e container)
run "$BOXMARK" demo -p smoke -o out "${boxes[@]}"
status_is 0 "the demonstration ends well"
like "$output" '> started: the program answered after' "an instance was started"
like "$output" 'no namespaces of its own' "the host's process has no namespaces of its own"
like "$output" 'its answer: [0-9]+ primes' "the work was done"
if [ "$has_container" = yes ]; then
    inside=$(sed -n 's/^ *> pid *\([0-9]*\) inside, \([0-9]*\) here/\1 \2/p' <<<"$output")
    is "${inside#* }" "$(readlink /proc/self/ns/pid | tr -dc 0-9)" \
        "the container's evidence names this shell's process namespace"
    isnt "${inside% *}" "${inside#* }" "and another one inside"
    like "$output" 'Seccomp: 2' "the filter is shown"
else
    skip "containers cannot run here" 3
fi
page=$(sed -n 's/^  \(.*\/report\.html\)$/\1/p' <<<"$output")
file_exists "$page" "the report is where the last lines say"
like "$(head -c 200 "$page")" '<!DOCTYPE html>' "and is a page"
unlike "$output$errors" $'\033' "no terminal, no colours"
file_exists out/samples.csv "the run folder is a run like any other"
run "$BOXMARK" report out
status_is 0 "which can be reported again"

for columns in 40 64; do
    run env COLUMNS=$columns "$BOXMARK" demo -p smoke -o "out$columns" -e host
    status_is 0 "at $columns columns"
    is "$(grep -v '/report\.html$' <<<"$output" | awk -v c=$columns 'length($0) > c')" "" \
        "no line is wider than $columns columns"
done
run env LC_ALL=C "$BOXMARK" demo -p smoke -o ascii -e host
unlike "$output" '[^ -~[:space:]]' "nothing but ASCII where the locale has nothing else"

# No QEMU, no gnuplot: what is missing is said, the rest is shown.
run env PATH=/nonexistent "$BOXMARK" demo -p smoke -o bare
if grep -q '^. vm\|^[0-9]\. vm' <<<"$output"; then
    skip "QEMU was found without PATH" 2
else
    like "$status" '^(0|3)$' "without QEMU and gnuplot"
    like "$output$errors" 'no virtual machine|left out: vm' "the virtual machine's absence is said"
fi

# Interrupted in its middle: a clean end.
"$BOXMARK" demo -p quick -o cut -e host >cut.log 2>cut.errors &
demo=$!
for ((i = 0; i < 200; i++)); do
    grep -q '1\. host' cut.log && break
    sleep 0.05
done
kill -INT "$demo"
wait "$demo"
is "$?" 130 "an interrupted demonstration says so by its exit code"
is "$(processes_with "$SCRATCH")" "" "no process is left"
run "$BOXMARK" demo surprise
status_is 2 "an argument is refused"
run "$BOXMARK" demo -p smoek
status_is 2 "an unknown profile, too"

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    mkdir other && chown nobody other && chmod 755 "$SCRATCH"
    run setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups env HOME="$SCRATCH/other" \
        XDG_CACHE_HOME="$SCRATCH/other" "$BOXMARK" demo -p smoke -o other/out -e host
    if [ "$status" != 0 ] && grep -q 'Permission denied\|No such file' <<<"$errors"; then
        skip "the build folder cannot be reached by others"
    else
        status_is 0 "without privileges"
    fi
else
    pass "this is the unprivileged case"
fi

done_testing
