#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The start of the built-in container beside every engine that can run here, all measured by one
# `boxmark run`: from the execution of the engine's program to the agent's first words, in random
# order, paired within blocks. Prints medians and ratios, fails only when the run does.
# shellcheck source=tests/crosscheck/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/dockerd.bash
. "$SRCDIR/tests/dockerd.bash"

trap 'dockerd_end; rm -rf -- "$SCRATCH"' EXIT
dockerd_start "$SCRATCH/docker" || echo "docker: no daemon answers and none could be started"

environments=(-e container -e host)
for spec in bwrap unshare chroot lxc nspawn oci:runtime=runc oci:runtime=crun oci:runtime=runsc podman \
    podman:runtime=runc docker; do
    if "$BUILDDIR/boxmark" run --dry-run -p smoke -w startup -e "$spec" >"$SCRATCH/dry" 2>&1; then
        environments+=(-e "$spec")
    else
        echo "left out: $(sed -n 's/^boxmark: //p;T;q' "$SCRATCH/dry")"
    fi
done
mkdir "$SCRATCH/data"
"$BUILDDIR/boxmark" run -q --wait 5m -p smoke -w startup --starts 3 --blocks "$ROUNDS" --no-plots \
    --data "$SCRATCH/data" -o "$SCRATCH/run" "${environments[@]}" >"$SCRATCH/log" 2>&1
status=$?
# 4: too few blocks for a verdict, which is no failure here.
if [ "$status" -ne 0 ] && [ "$status" -ne 4 ]; then
    cat "$SCRATCH/log"
    exit 1
fi

echo "start to the agent's first words, warm, medians of $ROUNDS blocks of 3 starts"
printf '%-24s %10s %12s\n' "" "ms" "x container"
sed 's/"//g' "$SCRATCH/run/samples.csv" |
    awk -F, '$6 == "startup" && $7 == "ready" && $11 == 0 { print $4, $2, $12 }' |
    sort -k1,1 -k2,2n -k3,3g | awk '
        function median(list, count,    i, j, kept) {
            for (i = 2; i <= count; i++)
                for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
                    kept = list[j]; list[j] = list[j - 1]; list[j - 1] = kept
                }
            return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
        }
        { starts[$1, $2, ++number[$1, $2]] = $3; blocks[$2]; names[$1] }
        END {
            for (name in names)
                for (block in blocks) {
                    count = number[name, block]
                    for (i = 1; i <= count; i++)
                        list[i] = starts[name, block, i]
                    if (count)
                        value[name, block] = median(list, count)
                }
            for (name in names) {
                count = pairs = 0
                for (block in blocks) {
                    if (!((name, block) in value))
                        continue
                    list[++count] = value[name, block]
                    if (value["container", block] > 0)
                        ratio[++pairs] = value[name, block] / value["container", block]
                }
                if (count && pairs)
                    printf "%-24s %10.2f %12.2f\n", name, median(list, count), median(ratio, pairs)
            }
        }' | sort -k3,3g
