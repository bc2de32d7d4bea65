#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# How long a container takes from its launch to the agent's first bytes, beside the micro-guest, the
# virtual machine, and bubblewrap and runc starting the same agent, alternating. VM=no: without the
# virtual machine. A script for people and for logs: it prints ratios, and
# fails only when something does not start at all. Run it in the build folder.
#
#   container-start.sh [ROUNDS]
set -eu

# `tests/crosscheck/run` counts slower things: starts are many in the same time.
rounds=${1:-$((${ROUNDS:-5} * 5))}
build=$(pwd)
driver=$build/tests/crosscheck/container-start
agent=$build/boxmark-agent
[ -x "$agent" ] || { echo "container-start.sh: run it in the build folder, after make" >&2; exit 2; }
make -s "tests/crosscheck/container-start" >/dev/null

scratch=$(mktemp -d "${TMPDIR:-/tmp}/boxmark-start.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
mkdir "$scratch/data"

set -- container host
if [ "$(id -u)" = 0 ]; then
    set -- "$@" container:userns=on
fi
set -- "$@" container:seccomp=off
if "$build/boxmark-microguest" --probe 2>/dev/null | grep -q '^guest_steps_per_s='; then
    set -- "$@" microguest
fi
if [ "${VM-}" != no ] && "$build/boxmark" doctor 2>/dev/null | grep -q '^ *vm .*\(KVM\|TCG\)'; then
    set -- "$@" vm
fi
if command -v bwrap >/dev/null; then
    set -- "$@" -- "bwrap --unshare-all" bwrap --unshare-all --die-with-parent \
        --ro-bind "$agent" /agent --proc /proc --dev /dev --bind "$scratch/data" /data /agent
    set -- "$@" -- "bwrap, agent only" bwrap --unshare-all --ro-bind "$agent" /agent /agent
fi
if [ "$(id -u)" = 0 ] && command -v runc >/dev/null; then
    # What `runc spec` writes, less what needs a terminal: default namespaces, mounts, no seccomp.
    mkdir -p "$scratch/bundle/rootfs"
    cp "$agent" "$scratch/bundle/rootfs/agent"
    (cd "$scratch/bundle" && runc spec &&
        sed -i -e 's/"terminal": true/"terminal": false/' -e 's,"sh","/agent",' config.json)
    cat >"$scratch/runc" <<END
#!/bin/sh
exec runc --root "$scratch/runc-state" run --bundle "$scratch/bundle" boxmark-start-\$\$
END
    chmod +x "$scratch/runc"
    set -- "$@" -- "runc" "$scratch/runc"
fi
"$driver" "$rounds" "$agent" "$scratch/data" "$@"
