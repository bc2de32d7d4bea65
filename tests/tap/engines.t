#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Other engines as environments: real ones do the same work as the host, broken ones are named and
# leave nothing behind. Docker's daemon is started here where none answers, in a folder of its own.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

export XDG_CACHE_HOME=$SCRATCH/cache
mkdir "$SCRATCH/data"
smoke=(--no-plots -p smoke -w prime --blocks 1 --data "$SCRATCH/data")

# wait_until SECONDS COMMAND ARGUMENT...: looks ten times a second.
wait_until() {
    local tries=$(($1 * 10))
    shift
    until "$@"; do
        ((tries-- > 0)) || return 1
        sleep 0.1
    done
}

# shellcheck source=tests/dockerd.bash
. "$SRCDIR/tests/dockerd.bash"
cleanup dockerd_end
dockerd_start "$SCRATCH/docker" || diag "no docker daemon answers, none could be started"

no_processes() {
    [ -z "$(processes_with "$SCRATCH/data")" ]
}

# nothing_left NAME: no process, no data, no mount, no control group of a dead run.
nothing_left() {
    wait_until 20 no_processes
    is "$(processes_with "$SCRATCH/data")" "" "$1: no process is left"
    is "$(ls -A "$SCRATCH/data")" "" "$1: no data is left"
    unlike "$(cut -d' ' -f2 /proc/self/mounts)" "$SCRATCH/data" "$1: no mount is left"
}

# ---- Real engines: the same work as on the host ----

ready=()
for spec in docker podman podman:runtime=runc oci:runtime=runc oci:runtime=crun oci:runtime=runsc lxc \
    nspawn bwrap unshare chroot; do
    run "$BOXMARK" run --dry-run "${smoke[@]}" -e "$spec"
    if [ "$status" -eq 3 ]; then
        skip "$spec: $(head -n 1 <<<"$errors")"
    else
        status_is 0 "$spec can run here"
        like "$output" "execve /.*(data|bundle)" "$spec: a dry run shows its command line"
        ready+=(-e "$spec")
    fi
    nothing_left "the probe of $spec"
done

if [ "${#ready[@]}" -gt 0 ]; then
    out=$SCRATCH/real
    run "$BOXMARK" run "${smoke[@]}" -e host "${ready[@]}" -q -o "$out"
    # 4 and 5: so short a work on a busy machine tells nothing of times; what was done, it does.
    like "$status" '^(0|4|5)$' "all of them in one run"
    [[ $status =~ ^(0|4|5)$ ]] || diag "$errors"
    for spec in "${ready[@]}"; do
        [ "$spec" != -e ] || continue
        line=$(grep '"type":"instance"' "$out/journal.jsonl" | grep -F "\"environment\":\"$spec\"")
        like "$line" '"outcome":"done"' "$spec: its agent did the work"
        like "$line" "\"agent_sha256\":\"$(sha256sum "$AGENT" | cut -d' ' -f1)\"" \
            "$spec: with the same agent"
        like "$line" '"command":\[' "$spec: its command line is recorded"
        like "$(grep '"type":"request"' "$out/journal.jsonl" | grep -F "\"environment\":\"$spec\"")" \
            '"digest":"[0-9]+ primes"' "$spec: with the right answer"
    done
    nothing_left "the run"
    if docker_answers; then
        is "$(docker ps -aq --filter label=boxmark)" "" "no container is left with docker"
        is "$(docker images -q --filter label=boxmark)" "" "no image is left with docker"
    fi
else
    skip "no engine can run here" 4
fi

# ---- What doctor says of the runtimes that an engine can have ----

if [ "$(id -u)" -eq 0 ] && [[ " ${ready[*]} " == *" oci:runtime=runc "* ]]; then
    mkdir "$SCRATCH/runtimes"
    ln -s "$(command -v runc || echo /usr/sbin/runc)" "$SCRATCH/runtimes/crun"
    printf '%s\n' '#!/bin/sh' '[ "$1" = --version ] && echo "runsc 9.9" && exit' \
        'echo "no platform for it" >&2; exit 4' >"$SCRATCH/runtimes/runsc"
    chmod +x "$SCRATCH/runtimes/runsc"
    run env PATH="$SCRATCH/runtimes:$PATH" "$BOXMARK" doctor
    line=$(grep '^oci ' <<<"$output")
    like "$line" '; crun [0-9][^ ;]*: (ready|degraded)' "doctor names a second runtime, tried"
    like "$line" '; runsc does not work: no platform for it$' "and one that is broken, with its words"
    mv "$SCRATCH/runtimes/crun" "$SCRATCH/runtimes/other"
    if command -v crun >/dev/null; then
        skip "crun is installed"
    else
        run env PATH="$SCRATCH/runtimes:$PATH" "$BOXMARK" doctor
        like "$(grep '^oci ' <<<"$output")" '; crun: not installed' "and one that is missing"
    fi
else
    skip "runc cannot run here" 3
fi

# ---- Bad input, daemons that are down, images that vanish ----

run "$BOXMARK" run "${smoke[@]}" -e docker:cpus=2
status_is 2 "an unknown key is refused"
like "$errors" 'unknown key "cpus"' "and named"
run "$BOXMARK" run "${smoke[@]}" -e bwrap:runtime=runc
status_is 2 "a key of another engine is refused"

# refused STATUS SPEC REASON: before anything is started.
refused() {
    run "$BOXMARK" run --dry-run "${smoke[@]}" -e "$2"
    status_is "$1" "$2 is refused"
    like "$errors" "$3" "$2: with the reason"
}
refused 2 oci:runtime= '"runtime": it is empty'
refused 2 docker:runtime= '"runtime": it is empty'
refused 2 oci:platform=kvm '"platform" is for runsc only, not for runc'
refused 2 oci:runtime=runc,platform=kvm '"platform" is for runsc only, not for runc'
refused 2 oci:runtime=/x/crun,platform=ptrace '"platform" is for runsc only'
refused 2 oci:runtime=runsc,platform=pvm 'unknown value "pvm"'
if [ "$(id -u)" -eq 0 ]; then
    refused 3 oci:runtime=no-such-runtime 'known are runc, crun, runsc; of another give the path'
    unlike "$errors" "apt-get|dnf|pacman" "no package is invented"
else
    skip "OCI runtimes are for root" 3
fi

if command -v docker >/dev/null; then
    run env DOCKER_HOST="unix://$SCRATCH/nowhere.sock" "$BOXMARK" run "${smoke[@]}" -e docker
    status_is 3 "a daemon that is down makes docker unavailable"
    like "$errors" "its service does not answer.*nowhere.sock" "and is named"
    like "$errors" "systemctl start docker|install.* docker" "with the command that helps"
else
    skip "docker is not installed" 3
fi

if command -v docker >/dev/null && docker_answers; then
    real=$(command -v docker)
    mkdir "$SCRATCH/bin"
    cat >"$SCRATCH/bin/docker" <<END
#!/bin/sh
"$real" "\$@" || exit
[ "\$1" != import ] || for name; do :; done
[ "\$1" != import ] || "$real" rmi -f "\$name" >/dev/null
END
    chmod +x "$SCRATCH/bin/docker"
    run env PATH="$SCRATCH/bin:$PATH" "$BOXMARK" run "${smoke[@]}" -e docker
    status_is 3 "an image that vanishes is found out"
    like "$errors" "[Nn]o such image|[Uu]nable to find image" "and named"
    nothing_left "a vanished image"
    is "$(docker ps -aq --filter label=boxmark)" "" "a vanished image: no container is left"
else
    skip "no docker daemon answers" 6
fi

# ---- Engines that misbehave: scripts in place of an OCI runtime ----

# fake NAME LINE...: an engine; `run` executes the lines, with \$DATA the data folder on the host.
fake() {
    fake=$SCRATCH/$1
    shift
    {
        echo '#!/bin/bash'
        # shellcheck disable=SC2016
        echo 'case " $* " in *" --version "*) echo "fake 1.0"; exit;; *" delete "*) exit 1;; esac'
        # shellcheck disable=SC2016,SC2028
        echo 'DATA=$(sed -n "s/.*\"source\": \"\(.*instance[^\"]*\)\".*/\1/p" "$5/config.json")'
        printf '%s\n' "$@"
    } >"$fake"
    chmod +x "$fake"
}

if [ "$(id -u)" -eq 0 ]; then
    fake noisy 'echo "Warming up ..."' 'printf "almost there\nno newline follows: \n"' \
        "exec '$AGENT' --data \"\$DATA\""
    run "$BOXMARK" run "${smoke[@]}" -e "oci:runtime=$fake" -q -o "$SCRATCH/noisy-run"
    like "$status" '^(0|4|5)$' "noise before the agent's first line does no harm"
    like "$(cat "$SCRATCH/noisy-run/journal.jsonl")" '"said_before_the_agent":"[^"]*Warming up' \
        "and is recorded"
    nothing_left "a noisy engine"

    fake failing 'echo "no room for another box" >&2' 'exit 7'
    run "$BOXMARK" run "${smoke[@]}" -e "oci:runtime=$fake"
    status_is 3 "an engine that fails is unavailable"
    like "$errors" "exited with status 7" "its status is named"
    like "$errors" "no room for another box" "its words are shown"
    nothing_left "a failing engine"

    fake endless 'exec yes "still loading"'
    run "$BOXMARK" run "${smoke[@]}" -e "oci:runtime=$fake"
    status_is 3 "an engine that prints without end is unavailable"
    like "$errors" "no agent|prints without end" "and named"
    nothing_left "an endless engine"

    fake silent 'sleep 1000'
    run "$BOXMARK" run "${smoke[@]}" --start-timeout 2s -e "oci:runtime=$fake"
    status_is 3 "an engine that never speaks is unavailable"
    like "$errors" "not ready within 2.0 s" "the time that it had is named"
    nothing_left "a silent engine"

    fake lingering "'$AGENT' --data \"\$DATA\"" 'trap "" TERM' 'while :; do sleep 1; done'
    run "$BOXMARK" run --dry-run "${smoke[@]}" -e "oci:runtime=$fake"
    status_is 0 "an engine that does not stop is stopped"
    nothing_left "a lingering engine"

    fake deserting "'$AGENT' --data \"\$DATA\" </dev/null" 'exit 0'
    run "$BOXMARK" run "${smoke[@]}" -e host -e "oci:runtime=$fake" -q -o "$SCRATCH/deserting-run"
    status_is 3 "an engine that loses the channel fails"
    like "$errors" "closed|exited with status 0" "and how is said"
    nothing_left "a deserting engine"

    run "$BOXMARK" run "${smoke[@]}" -e oci:runtime=/no/such/runtime
    status_is 3 "a runtime that is not there is unavailable"
    like "$errors" "/no/such/runtime is not installed" "and named"
else
    skip "OCI runtimes are for root" 29
fi

# ---- Killed at any moment: nothing remains ----

# groups_of PID: control groups that a run of this process has made, or an engine for it.
groups_of() {
    cgroups_named "*boxmark-*-$1-*-????????????????"
}

no_groups_of() {
    [ -z "$(groups_of "$1")" ]
}

no_containers() {
    [ -z "$(docker ps -aq --filter label=boxmark)$(docker images -q --filter label=boxmark)" ]
}

working() {
    grep -qs '"type":"request"' "$1/journal.jsonl"
}

# In the first block of this seed zip comes first, and ends; prime would take hours.
endless=(--no-plots -p smoke -w prime -w zip --seed 1 --set prime.events=2000000 --timeout 10h -q
    --data "$SCRATCH/data")

for spec in "${ready[@]}"; do
    [ "$spec" != -e ] || continue
    out=$SCRATCH/killed-${spec//[^a-z]/-}
    "$BOXMARK" run "${endless[@]}" -e "$spec" -o "$out" >/dev/null 2>"$out.err" &
    pid=$!
    if ! wait_until 60 working "$out"; then
        fail "$spec: prime goes on"
        diag "$(cat "$out.err")"
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null
        continue
    fi
    lock=/run/systemd/nspawn/locks/inode-$(stat -c %d:%i "$SCRATCH"/data/*/engine.*/root 2>/dev/null)
    [[ $spec != nspawn* ]] || ok "$spec: its lock is there" test -e "$lock"
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    ok "$spec, killed: its control groups go" wait_until 30 no_groups_of "$pid"
    ok "$spec, killed: its processes go" wait_until 30 no_processes
    case $spec in
    docker*) ok "$spec, killed: its container and image go" wait_until 30 no_containers ;;
    podman*) ok "$spec, killed: its container goes" wait_until 30 \
        sh -c '[ -z "$(podman ps -aq --filter label=boxmark)" ]' ;;
    nspawn*)
        is "$(find /run/systemd/nspawn -name "boxmark-*-$pid-*")" "" "$spec, killed: its folder goes"
        ok "$spec, killed: its lock goes" wait_until 30 test ! -e "$lock"
        ;;
    esac
    find "$SCRATCH/data" -mindepth 1 -delete
done

# Podman's process beside a container that had not quite begun, which podman does not list.
# helper NAME FILE: one that stands for it, with a container inside, whose number goes to the file.
helper() {
    # shellcheck disable=SC2016 # for the shells inside
    bash -c 'exec -a /usr/bin/conmon sh -c "sleep 1000 & echo \$! >\"\$3\"; wait" sh -n "$1" "$2"' \
        sh "$1" "$2" >/dev/null 2>&1 </dev/null &
}
namespace=$(stat -L -c %i /proc/self/ns/pid)
dead="boxmark-$namespace-4194303-1-0123456789abcdef"
start=$(sed 's/.*) //' "/proc/$$/stat" | cut -d' ' -f20)
living="boxmark-$namespace-$$-$start-0123456789abcdef"
helper "$dead" "$SCRATCH/inside-dead"
of_the_dead=$!
helper "$living" "$SCRATCH/inside-living"
of_the_living=$!
wait_until 20 test -s "$SCRATCH/inside-dead" -a -s "$SCRATCH/inside-living"
inside=$(<"$SCRATCH/inside-dead")
run "$BOXMARK" doctor --clean
status_is 0 "doctor --clean beside a helper of a dead run's container"
like "$output" "removed: conmon of $dead" "names it"
unlike "$output" "$living" "and not a living run's"
ok "which is still there" kill -0 "$of_the_living"
wait "$of_the_dead" 2>/dev/null
is "$?" 137 "that of the dead was killed"
# Nobody may reap it.
gone() {
    ! grep -qs '^State:.[^Z]' "/proc/$1/status"
}
ok "with what descends from it" wait_until 10 gone "$inside"
kill -KILL "$of_the_living" "$(<"$SCRATCH/inside-living")"
wait "$of_the_living" 2>/dev/null

# The same with everything of ours dead, as after a crash of the machine's user space.
if docker_answers; then
    name="boxmark-$(stat -L -c %i /proc/self/ns/pid)-4194303-1-0123456789abcdef"
    other="someone-elses"
    tar -C "$SCRATCH/bin" -c docker | docker import --change "LABEL boxmark=$name" - "$name" >/dev/null
    docker create --name "$name" --label "boxmark=$name" --network none "$name" /x >/dev/null
    docker create --name "$other" --label "boxmark=$other" --network none "$name" /x >/dev/null
    run "$BOXMARK" doctor --clean
    status_is 0 "doctor --clean"
    like "$output" "removed: docker container $name" "removes a dead run's container"
    like "$output" "removed: docker image $name" "and image"
    is "$(docker ps -a --filter label=boxmark --format '{{.Names}}')" "$other" "and nothing else"
    docker rm -f "$other" >/dev/null
    docker images -q --filter label=boxmark | xargs -r docker rmi -f >/dev/null
else
    skip "no docker daemon answers" 4
fi

done_testing
