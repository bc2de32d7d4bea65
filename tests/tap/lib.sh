# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Helpers for TAP scripts; a script starts with
#
#   . "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"
#
# and ends with done_testing (or begins with plan N). Set: SRCDIR, BUILDDIR, BOXMARK, AGENT, and
# SCRATCH, an empty folder that is removed at the end. Every check goes through one of: ok, is,
# isnt, like, unlike, status_is, file_exists, pass, fail, skip.
set -u

SRCDIR=${SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
if [ -z "${BUILDDIR-}" ]; then
    # By hand: from the build folder, or from anywhere after ./bootstrap build.
    BUILDDIR=$PWD
    [ -x "$BUILDDIR/boxmark" ] || BUILDDIR=$SRCDIR/build
fi
BOXMARK=${BOXMARK:-$BUILDDIR/boxmark}
AGENT=${AGENT:-$BUILDDIR/boxmark-agent}
export SRCDIR BUILDDIR BOXMARK AGENT

for program in "$BOXMARK" "$AGENT"; do
    [ -x "$program" ] || {
        echo "Bail out! $program is not built"
        exit 1
    }
done

tap_count=0
tap_failed=0
tap_planned=
tap_cleanups=()

SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/boxmark-tap.XXXXXX") || {
    echo "Bail out! no scratch folder"
    exit 1
}
export SCRATCH
# Scripts run beside each other, on the same CPUs.
export BOXMARK_LOCKS=${BOXMARK_LOCKS:-$SCRATCH}

# cleanup COMMAND ARGUMENT...: run at the end, whatever happens; the last one given runs first.
cleanup() {
    tap_cleanups+=("$(printf '%q ' "$@")")
}

tap_finish() {
    local status=$? i
    trap - EXIT HUP INT TERM
    for ((i = ${#tap_cleanups[@]} - 1; i >= 0; i--)); do
        eval "${tap_cleanups[i]}"
    done
    rm -rf -- "$SCRATCH"
    if [ -z "$tap_planned" ] || [ "$status" -ne 0 ]; then
        echo "Bail out! the script ended early (status $status)"
        exit 1
    fi
    exit $((tap_failed > 0))
}
trap tap_finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# plan N: before the first check.
plan() {
    tap_planned=$1
    echo "1..$1"
}

# skip_all REASON: the whole script cannot run here.
skip_all() {
    tap_planned=0
    echo "1..0 # SKIP $*"
    exit 0
}

# done_testing: after the last check, where no plan was given.
done_testing() {
    [ -n "$tap_planned" ] || plan "$tap_count"
}

# diag TEXT...: lines for the log.
diag() {
    printf '%s\n' "$*" | sed 's/^/# /'
}

pass() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $*"
}

fail() {
    tap_count=$((tap_count + 1))
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $*"
}

# skip REASON [COUNT]: cases that cannot run here.
skip() {
    local i
    for ((i = 0; i < ${2:-1}; i++)); do
        tap_count=$((tap_count + 1))
        echo "ok $tap_count # SKIP $1"
    done
}

# ok NAME COMMAND ARGUMENT...: the command succeeds. Its output goes to the log.
ok() {
    local name=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    if [ "$status" -eq 0 ]; then
        pass "$name"
    else
        fail "$name"
        diag "status $status: $*"
        diag "$output"
    fi
    return 0
}

# is GOT EXPECTED NAME
is() {
    if [ "$1" = "$2" ]; then
        pass "$3"
    else
        fail "$3"
        diag "     got: $1"
        diag "expected: $2"
    fi
}

# isnt GOT UNEXPECTED NAME
isnt() {
    if [ "$1" != "$2" ]; then
        pass "$3"
    else
        fail "$3"
        diag "got: $1"
    fi
}

# like TEXT REGEX NAME: an extended regular expression, matched anywhere in the text.
like() {
    if [[ $1 =~ $2 ]]; then
        pass "$3"
    else
        fail "$3"
        diag "       text: $1"
        diag "is not like: $2"
    fi
}

unlike() {
    if [[ $1 =~ $2 ]]; then
        fail "$3"
        diag "   text: $1"
        diag "is like: $2"
    else
        pass "$3"
    fi
}

# file_exists PATH NAME: there, and not empty.
file_exists() {
    if [ -s "$1" ]; then
        pass "$2"
    else
        fail "$2"
        diag "missing or empty: $1"
    fi
}

# run COMMAND ARGUMENT...: sets $output (standard output), $errors (standard error), $status.
run() {
    "$@" >"$SCRATCH/.output" 2>"$SCRATCH/.errors" </dev/null
    status=$?
    # shellcheck disable=SC2034 # for the script
    output=$(tr -d '\0' <"$SCRATCH/.output") errors=$(tr -d '\0' <"$SCRATCH/.errors")
}

# status_is EXPECTED NAME: of the last `run`; shows what it wrote where it differs.
status_is() {
    if [ "$status" = "$1" ]; then
        pass "$2"
    else
        fail "$2"
        diag "status $status, expected $1"
        diag "$(tail -n 20 "$SCRATCH/.output")"
        diag "$(tail -n 20 "$SCRATCH/.errors")"
    fi
}

# What an audit says where others used the machine, too: begins such an item's evidence.
# shellcheck disable=SC2034 # for scripts
others='(load|steal|throttling|calibration|frequency|swap): '

# processes_with TEXT: ids of processes with the text in their command line.
processes_with() {
    local file
    for file in /proc/[0-9]*/cmdline; do
        # It may have ended since.
        if [[ $({ tr '\0' ' ' <"$file"; } 2>/dev/null) == *"$1"* ]]; then
            file=${file%/cmdline}
            echo "${file#/proc/}"
        fi
    done
}

# need PROGRAM...: skips the whole script where one is missing.
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null 2>&1 || skip_all "$program is not installed"
    done
}
