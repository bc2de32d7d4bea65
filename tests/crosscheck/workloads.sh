#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Our workloads on the host beside sysbench cpu, Info-ZIP and fio doing the same work.
# shellcheck source=tests/crosscheck/lib.bash
. "$(dirname "$0")/lib.bash"

make -s -C "$BUILDDIR" boxmark-agent tests/tools/client >/dev/null || exit 1
client=$BUILDDIR/tests/tools/client

PRIME_EVENTS=${PRIME_EVENTS:-5000} # a thread
ZIP_BYTES=${ZIP_BYTES:-40000000}
DISK_BYTES=${DISK_BYTES:-1073741824}

# Nothing else may run while something is timed: output goes to a file first.
mkdir "$SCRATCH/data" "$SCRATCH/kept"
ask() {
    "$client" "$AGENT,--data,$SCRATCH/data" 1 "$@" >"$SCRATCH/answer"
}

prime_ours() {
    ask prime threads="$threads" iterations=1 warmups=0 limit=10000 \
        events=$((PRIME_EVENTS * threads))
    awk '$1 == "section" && $2 == "time" { print t, n / $4 }' \
        t="threads=$threads" n=$((PRIME_EVENTS * threads)) "$SCRATCH/answer"
}
prime_theirs() {
    sysbench cpu --cpu-max-prime=10000 --threads="$threads" --time=0 \
        --events=$((PRIME_EVENTS * threads)) run >"$SCRATCH/answer"
    awk '/events per second:/ { print t, $4 }' t="threads=$threads" "$SCRATCH/answer"
}

zip_ours() {
    ask zip threads=1 iterations=1 warmups=0 bytes="$ZIP_BYTES" seed=1 level=6 to_file=1
    awk '$1 == "section" && $2 == "time" { print "level-6", $4 }' "$SCRATCH/answer"
}
zip_theirs() {
    local start=$EPOCHREALTIME
    (cd "$SCRATCH/kept" && zip -6 -q theirs.zip corpus.txt)
    local end=$EPOCHREALTIME
    rm -f "$SCRATCH/kept/theirs.zip"
    awk -v start="$start" -v end="$end" 'BEGIN { print "level-6", end - start }'
}

disk_ours() {
    ask disk iterations=1 bytes="$DISK_BYTES" record_bytes=1048576 depth="$depth" seed=1
    awk '$1 == "section" && $2 ~ /^(seq|rand)_/ { sub("_time", "", $2); print $2, n / 1e6 / $4 }' \
        n="$DISK_BYTES" "$SCRATCH/answer"
}
disk_theirs() {
    local job=(--rw) arguments=() rw
    for rw in seq_write:write seq_read:read rand_read:randread rand_write:randwrite; do
        arguments+=(--name="${rw%:*}" --stonewall "${job[0]}=${rw#*:}")
    done
    fio --filename="$SCRATCH/fio.dat" --size="$DISK_BYTES" --bs=1m --direct=1 \
        --ioengine=io_uring --iodepth="$depth" --output-format=terse --terse-version=3 \
        "${arguments[@]}" >"$SCRATCH/answer"
    rm -f "$SCRATCH/fio.dat"
    # Fields 7 and 48: bandwidth of reads and of writes in KiB/s.
    awk -F';' 'NF > 48 { print $3, ($7 + $48) * 1024 / 1e6 }' "$SCRATCH/answer"
}

heading "Workloads on the host beside known programs"
if have sysbench; then
    for threads in 1 $([ "$(nproc)" -gt 1 ] && nproc); do
        compare "prime, sysbench" "1/s" "0.98 to 1.02" prime_ours prime_theirs
    done
fi
if have zip; then
    # The same corpus for both: the agent makes it and leaves it.
    "$client" "$AGENT,--data,$SCRATCH/kept,--keep" 1 zip threads=1 iterations=1 warmups=0 \
        bytes="$ZIP_BYTES" seed=1 level=1 to_file=1 >/dev/null
    lower=1 compare "zip, zip -6" "s" ">= 1" zip_ours zip_theirs
    rm -f "$SCRATCH"/kept/*
fi
if have fio; then
    for depth in 1 8; do
        compare "disk, fio depth $depth" "MB/s" ">= 0.97" disk_ours disk_theirs
    done
fi

"$client" "$AGENT" 2000 null >"$SCRATCH/answer"
awk '$1 == "round_trip" { print $2 }' "$SCRATCH/answer" | sort -n |
    awk '{ v[NR] = $1 } END { printf "%-28s %12.5g %12s  %-6s %7s  %15s  %s\n", "null, round trip (median)",
        v[int((NR + 1) / 2)], "-", "us", "-", "-", "<= 200" }'
echo
