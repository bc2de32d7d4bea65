#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# How long a virtual machine takes from its launch to the agent's hello, beside the bare minimum: the
# same QEMU, machine and kernel with an init that only ends the guest. The lean kernel where it has
# been built (`boxmark guest build --lean`), beside it the distribution's on a PC with firmware. A
# script for people and for logs: it prints ratios. Run it in the build folder.
#
#   vm-start.sh [ROUNDS]
set -eu

rounds=${1:-${ROUNDS:-5}}
build=$(pwd)
[ -x "$build/boxmark-agent" ] || { echo "vm-start.sh: run it in the build folder, after make" >&2; exit 2; }
make -s tests/crosscheck/vm-start tests/crosscheck/power-off >/dev/null
scratch=$(mktemp -d "$build/vm-start.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
"$build/tests/crosscheck/vm-start" "$rounds" "$build/boxmark-agent" \
    "$build/tests/crosscheck/power-off" "$scratch" vm vm:kernel=cloud vm:machine=q35,kernel=cloud
