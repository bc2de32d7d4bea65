# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# A Docker daemon of one's own for as long as a script runs, without networks, in a folder of its
# own: for scripts that would otherwise have none. Nothing of it is left behind.

docker_answers() {
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

cgroups_named() {
    find /sys/fs/cgroup -depth -type d -name "$1" 2>/dev/null
}

# dockerd_start FOLDER: true when a daemon answers, with $DOCKER_HOST set where it is ours.
# dockerd_end must follow, in any case.
dockerd_start() {
    local tries=300
    dockerd_pid=
    ! docker_answers || return 0
    [ "$(id -u)" -eq 0 ] && command -v docker >/dev/null && command -v dockerd >/dev/null || return 1
    dockerd_folder=$1
    dockerd_had_groups=$(cgroups_named docker)
    dockerd_had_key=$(ls /etc/docker/key.json 2>/dev/null)
    export DOCKER_HOST=unix://$dockerd_folder/socket
    mkdir "$dockerd_folder"
    dockerd --data-root "$dockerd_folder/data" --exec-root "$dockerd_folder/exec" \
        --pidfile "$dockerd_folder/pid" -H "$DOCKER_HOST" --iptables=false --ip6tables=false \
        --bridge=none >"$dockerd_folder/log" 2>&1 &
    dockerd_pid=$!
    until docker_answers; do
        ((tries-- > 0)) && kill -0 "$dockerd_pid" 2>/dev/null || return 1
        sleep 0.1
    done
}

dockerd_end() {
    local folder
    [ -n "${dockerd_pid-}" ] || return 0
    kill "$dockerd_pid" 2>/dev/null
    wait "$dockerd_pid" 2>/dev/null
    awk -v folder="$dockerd_folder/" 'index($2, folder) == 1 { print $2 }' /proc/self/mounts |
        sort -r | xargs -r -n 1 umount
    [ -n "$dockerd_had_groups" ] || cgroups_named docker | while read -r folder; do
        rmdir "$folder" 2>/dev/null
    done
    [ -n "$dockerd_had_key" ] || rm -f /etc/docker/key.json
    dockerd_pid=
}
