#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# boxmark shell: a prompt inside, what it sees, and what is left when it ends.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

export TMPDIR=$SCRATCH/tmp XDG_CONFIG_HOME=$SCRATCH/config
mkdir "$TMPDIR"

# type_into ENVIRONMENT: standard input is typed in there.
type_into() {
    "$BOXMARK" shell "$1" >"$SCRATCH/.output" 2>"$SCRATCH/.errors"
    status=$?
    output=$(tr -d '\0\r' <"$SCRATCH/.output") errors=$(tr -d '\0' <"$SCRATCH/.errors")
}

nothing_left() {
    is "$(ls -A "$TMPDIR")" "" "$1: no folder is left"
    is "$(processes_with "$TMPDIR")" "" "$1: no process is left"
}

# look ENVIRONMENT: questions, the answers as NAME=TEXT.
look() {
    type_into "$1" <<'END'
echo answer-pid=$$
echo answer-host=$(hostname)
echo answer-kernel=$(uname -r)
touch /boxmark-was-here && echo answer-root=writable || echo answer-root=read-only
echo answer-$(grep Seccomp: /proc/self/status)
echo answer-$(grep CapEff: /proc/self/status)
END
}
answer() {
    sed -n "s/^answer-$1//p" <<<"$output"
}

run "$BOXMARK" shell host
status_is 3 "the host gives none"
like "$errors" 'cannot give a prompt.*command with shell=' "in words"
run "$BOXMARK" shell
status_is 2 "an environment must be named"
run "$BOXMARK" shell 'command:exec=true'
status_is 3 "a command without shell= gives none"
like "$errors" 'add shell = ' "and says how it would"

type_into "command:exec=true,shell=sh -c 'read word; echo got \$word; exit 5'" <<<hello
status_is 5 "a command's shell gives its status"
is "$output" "got hello" "and has the terminal's input"

run "$BOXMARK" shell container </dev/null
if [ "$status" -eq 3 ]; then
    skip "no container here: $errors" 8
else
    look container
    status_is 0 "a prompt in the container"
    is "$(answer pid=)" 1 "it is process 1"
    is "$(answer host=)" boxmark "of another host name"
    is "$(answer kernel=)" "$(uname -r)" "on this kernel"
    is "$(answer root=)" read-only "with a root that is read-only"
    is "$(answer 'Seccomp: ')" 2 "with its system calls filtered"
    nothing_left container
fi
if command -v script >/dev/null; then
    # What a person sees: a terminal.
    run script -qec "$BOXMARK shell container" /dev/null
    like "$output" 'What to look at' "there is a note of what to look at"
else
    skip "script is not installed"
fi

guest() {
    local name=$1 pid=$2 host=$3
    look "$name"
    if [ "$status" -ne 0 ]; then
        like "$errors" '(busybox|not installed|cannot run here|kernel)' "$name: the reason is said"
        skip "no prompt in $name here: $errors" 6
        return
    fi
    like "$(answer pid=)" "$pid" "$name: the shell's number"
    is "$(answer host=)" "$host" "$name: the host name"
    isnt "$(answer kernel=)" "$(uname -r)" "$name: a kernel of its own"
    like "$output" 'answer-Seccomp: [02]' "$name: the filter of system calls can be seen"
    nothing_left "$name"
}
guest uml '^[0-9]+$' '(none)'
guest vm:kernel=cloud '^[0-9]+$' '(none)'
guest container@vm:kernel=cloud '^1$' boxmark

# Without busybox: what to install. A program of that name that is not static does not do, either.
mkdir "$SCRATCH/bin"
ln -s "$(command -v ls)" "$SCRATCH/bin/busybox"
old_path=$PATH
PATH=$SCRATCH/bin:$PATH
run "$BOXMARK" shell uml
PATH=$old_path
if [[ $errors == *"user-mode-linux"* ]]; then
    skip "user-mode Linux is not installed"
else
    like "$errors" 'busybox.*busybox-static' "a busybox that is not static is refused with the package's name"
fi
nothing_left refusal

done_testing
