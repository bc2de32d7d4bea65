#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How long a virtual machine takes from its launch to the agent's hello, beside the bare minimum (the
# same QEMU, machine and kernel with an init that only ends the guest: aim at most 1.25) and beside
# the distribution's kernel with the initrd that its own tools make for it, on a PC with firmware
# (aim at most 0.5). The lean kernel where it has been built (`boxmark guest build --lean`). A script
# for people and for logs: it prints ratios. Run it in the build folder.
#
#   vm-start.sh [ROUNDS]
#
# DISTRIBUTION=FOLDER: vmlinuz and initrd that are there already. Else, as root, a minimal Debian is
# made by debootstrap in a temporary folder, which takes minutes and 500 MB; DISTRIBUTION=no: without.
set -euo pipefail

rounds=${1:-${ROUNDS:-5}}
build=$(pwd)
[ -x "$build/boxmark-agent" ] || { echo "vm-start.sh: run it in the build folder, after make" >&2; exit 2; }
make -s tests/crosscheck/vm-start tests/crosscheck/power-off >/dev/null
scratch=$(mktemp -d "$build/vm-start.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# A minimal Debian with a kernel for virtual machines and its initrd; false where none can be made.
make_distribution() {
    local root=$scratch/debian mirror proxy=
    [ "$(id -u)" = 0 ] || { echo "the distribution's initrd: only root can make it"; return 1; }
    command -v debootstrap >/dev/null || { echo "the distribution's initrd: debootstrap is missing"; return 1; }
    # The mirror and proxy that apt uses here.
    # shellcheck disable=SC2016 # apt expands these
    mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' 'Created-By: Packages' \
        2>/dev/null | sed -n 's/^bookworm main //p' | head -n 1) || true
    eval "$(apt-config shell proxy Acquire::http::Proxy 2>/dev/null || true)"
    [ -z "$proxy" ] || export http_proxy=$proxy
    # What it mounts goes with its mount namespace.
    if ! unshare --mount --propagation private debootstrap --variant=minbase \
        --include="initramfs-tools,linux-image-cloud-$(dpkg --print-architecture)" bookworm "$root" \
        ${mirror:+"$mirror"} >"$scratch/debootstrap.log" 2>&1; then
        echo "the distribution's initrd: debootstrap failed:"
        tail -n 3 "$scratch/debootstrap.log"
        return 1
    fi
    mkdir "$scratch/distribution"
    cp "$root"/boot/vmlinuz-* "$scratch/distribution/vmlinuz" &&
        cp "$root"/boot/initrd.img-* "$scratch/distribution/initrd" || return 1
    rm -rf "$root"
}

# The root file system that its initrd mounts: an init that only ends the guest.
make_root() {
    mkdir -p "$scratch/root/sbin" "$scratch"/root/{dev,proc,sys,run,etc}
    cp tests/crosscheck/power-off "$scratch/root/sbin/init"
    PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext4 -d "$scratch/root" "$1/root.raw" 64M >/dev/null 2>&1
}

distribution=-
case ${DISTRIBUTION-} in
no) ;;
'')
    if make_distribution; then
        distribution=$scratch/distribution
    fi
    ;;
*)
    distribution=$scratch/distribution
    mkdir "$distribution"
    cp "$DISTRIBUTION/vmlinuz" "$DISTRIBUTION/initrd" "$distribution/"
    ;;
esac
[ "$distribution" = - ] || make_root "$distribution"
"$build/tests/crosscheck/vm-start" "$rounds" "$build/boxmark-agent" \
    "$build/tests/crosscheck/power-off" "$scratch" "$distribution" \
    vm vm:kernel=cloud vm:machine=q35,kernel=cloud
