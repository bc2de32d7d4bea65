#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The agent's workloads with small parameters: every metric of the catalog, equal digests for equal
# requests, refusals, full and read-only disks, and what it falls back to where something is denied.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

client=$BUILDDIR/tests/tools/client
deny=$BUILDDIR/tests/tools/deny
data=$SCRATCH/data
mkdir "$data"

prime="threads=2 iterations=2 warmups=1 limit=2000 events=20"
zip="threads=2 iterations=2 warmups=1 bytes=3000001 seed=5 level=6"
stream="threads=2 iterations=3 elements=100003 huge_pages=0"
disk="iterations=2 bytes=2097152 record_bytes=65536 depth=4 seed=5"

# ask WORKLOAD KEY=VALUE...: one request; prefix: commands before the agent (client's commas).
prefix=
ask() {
    run "$client" "$prefix$AGENT,--data,$data" 1 "$@"
}

# fact NAME: the rest of the line that starts with NAME.
fact() {
    sed -n "s/^$1 //p" <<<"$output"
}

# same_twice NAME WORKLOAD KEY=VALUE...: two sessions, one digest; kept in $digest.
same_twice() {
    local name=$1
    shift
    ask "$@"
    status_is 0 "$name: answered, with every metric of the catalog"
    digest=$(fact digest)
    ask "$@"
    is "$(fact digest)" "$digest" "$name: the same request gives the same digest"
    isnt "$digest" "" "$name: there is a digest"
    is "$(ls -A "$data")" "" "$name: nothing is left in the data folder"
}

# shellcheck disable=SC2086 # parameters are lists of words
{
    same_twice null null
    same_twice calibrate calibrate loops=1000 iterations=2
    is "$(grep -c '^section time' <<<"$output")" 2 "calibrate: a section for each iteration"
    same_twice prime prime $prime
    is "$digest" "302 primes" "prime: below 2000, as sysbench counts them (from 3)"
    is "$(grep -c '^section time' <<<"$output")" 2 "prime: a section for each counted iteration"

    same_twice "zip in memory" zip $zip to_file=0
    in_memory=$digest
    like "$(fact 'sample ratio 0')" '^(2\.[5-9]|3\.[0-4])' "zip: the ratio is that of text"
    same_twice "zip in files" zip $zip to_file=1
    is "$digest" "$in_memory" "zip: memory and files hold the same archives"
    ask zip ${zip/seed=5/seed=6} to_file=0
    isnt "$(fact digest)" "$in_memory" "zip: another seed gives another digest"

    same_twice stream stream $stream
    by_two=$digest
    ask stream ${stream/threads=2/threads=3}
    is "$(fact digest)" "$by_two" "stream: the answer does not depend on the threads"
    ask stream ${stream/huge_pages=0/huge_pages=1}
    is "$(fact digest)" "$by_two" "stream: nor on huge pages"
    like "$output" 'note anon_huge_pages ([0-9]+ KiB|unknown)' "stream: huge pages are noted"

    same_twice disk disk $disk
    on_disk=$digest
    is "$(grep -c '^section rand_read_time' <<<"$output")" 2 "disk: a section for each iteration"
    like "$(fact 'note io')" '^(io_uring|pwritev2)$' "disk: how it wrote is noted"
    ask disk ${disk/depth=4/depth=1}
    is "$(fact digest)" "$on_disk" "disk: the answer does not depend on the depth"
    ask disk ${disk/seed=5/seed=6}
    isnt "$(fact digest)" "$on_disk" "disk: another seed gives another digest"

    # Archives that other programs can read.
    run "$client" "$AGENT,--data,$data,--keep" 1 zip $zip to_file=1
    status_is 0 "zip: files can be kept"
    if command -v unzip >/dev/null; then
        ok "zip: Info-ZIP finds the first archive sound" unzip -t "$data/corpus-0.zip"
        ok "zip: and the second" unzip -t "$data/corpus-1.zip"
        { unzip -p "$data/corpus-0.zip"; unzip -p "$data/corpus-1.zip"; } >"$SCRATCH/unpacked"
        ok "zip: together they hold the corpus" cmp "$SCRATCH/unpacked" "$data/corpus.txt"
    else
        skip "unzip is not installed" 3
    fi
    is "$(cat "$data"/corpus-?.zip | sha256sum | cut -d' ' -f1)" "$in_memory" \
        "zip: the digest is the archives' SHA-256"
    rm -f "$data"/*
}

# refused WORKLOAD KEY=VALUE... NAME: "bad-request", and the agent is fit for the next one.
refused() {
    local name=${*: -1}
    ask "${@:1:$#-1}"
    like "$output" '^error bad-request ' "refused: $name"
}
# shellcheck disable=SC2086
{
    refused prime threads=2 "a parameter is missing"
    refused prime ${prime/threads=2/threads=0} "a parameter is too small"
    refused prime ${prime/threads=2/threads=1025} "a parameter is too large"
    refused prime ${prime/threads=2/threads=-1} "a parameter is negative"
    refused prime $prime x=1 "a parameter is unknown"
    refused zip $zip to_file=2 "zip to neither memory nor file"
    refused stream ${stream/iterations=3/iterations=201} "more repetitions than a double can hold"
    refused disk ${disk/65536/65537} "a record that direct I/O cannot write"
    refused disk ${disk/2097152/2097153} "a file of broken records"
    refused disk iterations=1 bytes=1099511627776 record_bytes=4096 depth=1 seed=0 \
        "more records than can be kept in mind"
    refused disk iterations=1 bytes=268435456 record_bytes=268435456 depth=256 seed=0 \
        "more in flight than fits into memory"
    ask stream ${stream/100003/1000000000000}
    like "$output" '^error no-memory ' "more memory than there is"
}
printf '%s\n' '{"type":"run","id":1,"workload":"prime","paced":false,"parameters":{"threads":"2"}}' \
    '{"type":"run","id":2,"workload":"null","paced":false,"parameters":{}}' >"$SCRATCH/requests"
output=$("$AGENT" <"$SCRATCH/requests")
like "$output" '"type":"error","id":1,"code":"bad-request"' "refused: a parameter that is text"
like "$output" '"type":"end","id":2' "after a refusal it answers the next request"

# denied WHAT... -- NAME: a disk request in a sandbox that lacks something.
denied() {
    local rules=
    while [ "$1" != -- ]; do
        rules+=,$1
        shift
    done
    prefix=$deny$rules,--,
    # shellcheck disable=SC2086
    ask disk $disk
    prefix=
    status_is 0 "disk without $2"
    is "$(fact digest)" "$on_disk" "disk without $2: the same digest"
}
if "$deny" null=1 -- true 2>/dev/null; [ $? -eq 2 ] && "$deny" io_uring_setup=38 -- true; then
    denied io_uring_setup=38 -- "io_uring in the kernel (ENOSYS)"
    is "$(fact 'note io')" pwritev2 "it says what it used instead"
    like "$(fact 'note io_fallback')" 'Function not implemented.*one record in flight' "and why"
    denied io_uring_setup=1 -- "permission for io_uring (EPERM)"
    like "$(fact 'note io_fallback')" 'Operation not permitted' "it says why"
    denied o_direct=22 -- "O_DIRECT (EINVAL)"
    is "$(fact 'note direct')" "no: Invalid argument" "it says that the page cache was used"
    denied fallocate=95 -- "fallocate (EOPNOTSUPP)"
    is "$(fact 'note preallocated')" "no: Operation not supported" "it says so"
    denied io_uring_setup=38 o_direct=22 fallocate=95 -- "all of them"
else
    skip "seccomp filters cannot be set here" 14
fi

# A small tmpfs in a mount namespace of its own: as root, or as root of a user namespace.
unshare=(unshare -m --propagation private)
[ "$(id -u)" = 0 ] || unshare=(unshare -Urm --propagation private)
if "${unshare[@]}" mount -t tmpfs -o size=4m none "$data" 2>/dev/null; then
    # shellcheck disable=SC2016,SC2086 # for the inner shell
    within() {
        run "${unshare[@]}" bash -c 'mount -t tmpfs -o size=4m,"$1" none "$2" || exit 99
            shift; cd /; data=$1; shift
            "$@"; status=$?
            ls -A "$data" | sed "s/^/left /"
            exit $status' within "$1" "$data" "$client" "$AGENT,--data,$data" 1 "${@:2}"
    }
    within rw disk iterations=1 bytes=8388608 record_bytes=65536 depth=4 seed=5
    status_is 1 "a full disk is an error of the disk workload"
    like "$output" '^error no-space .*No space left' "its code says so"
    is "$(fact left)" "" "nothing is left on it"
    within rw zip threads=2 iterations=1 warmups=0 bytes=8000000 seed=1 level=6 to_file=1
    like "$output" '^error no-space .*corpus.txt' "a disk too small for the corpus is, too"
    within rw zip threads=2 iterations=1 warmups=0 bytes=3500000 seed=1 level=6 to_file=1
    like "$output" 'error no-space .*corpus-[01].zip' "and one too small for the archives"
    is "$(fact left)" "" "nothing is left on it"
    # shellcheck disable=SC2086
    within rw disk $disk
    status_is 0 "disk on a file system in memory"
    like "$(fact 'note direct')" '^no: ' "it says that nothing was direct there"
    is "$(fact digest)" "$on_disk" "with the same digest"
    # shellcheck disable=SC2086
    within ro disk $disk
    like "$output" '^error read-only ' "a read-only folder is named as such"
else
    skip "no tmpfs can be mounted here" 9
fi

# shellcheck disable=SC2086
{
    run "$client" "$AGENT,--data,$SCRATCH/nowhere" 1 disk $disk
    like "$output" '^error failed .*nowhere.*No such file' "a missing folder is named"
}

# While it waits after a section, its threads sleep, also those that would look for work for ever.
mkfifo "$SCRATCH/paced.fifo"
OMP_WAIT_POLICY=active timeout 60 "$AGENT" <"$SCRATCH/paced.fifo" >"$SCRATCH/paced" &
exec 3>"$SCRATCH/paced.fifo"
# said TYPE: within half a minute it has said so.
said() {
    for ((i = 0; i < 300; i++)); do
        ! grep -q "\"type\":\"$1\"" "$SCRATCH/paced" || return 0
        sleep 0.1
    done
    return 1
}
# All its threads sleep within half a minute.
sleeps() {
    for ((i = 0; i < 300; i++)); do
        states=$(cat /proc/"$1"/task/*/status | sed -n 's/^State:.\(.\).*/\1/p' | sort | xargs)
        [[ $states != "S S" ]] || return 0
        sleep 0.1
    done
    diag "their states: $states"
    return 1
}
echo '{"type":"run","id":1,"workload":"prime","paced":true,"parameters":{"limit":1000,"events":9,"threads":2,"iterations":1,"warmups":0}}' >&3
ok "the start of a section is said" said start
unlike "$(<"$SCRATCH/paced")" '"type":"stop"' "it waits"
echo '{"type":"go","id":1}' >&3
ok "then its end" said stop
agent=$(pgrep -P $! -x boxmark-agent)
ok "both threads sleep until the harness has seen it" sleeps "$agent"
echo '{"type":"go","id":1}' >&3
ok "then it goes on" said end
echo '{"type":"quit","id":2}' >&3
wait $!
is $? 0 "and ends when told"
exec 3>&-

# Left by its reader, its input still open, the agent ends by itself at its next words.
mkfifo "$SCRATCH/requests.fifo"
timeout 60 "$AGENT" <"$SCRATCH/requests.fifo" > >(head -c 10 >/dev/null) &
agent=$!
exec 3>"$SCRATCH/requests.fifo"
for ((i = 0; i < 300; i++)); do
    (trap '' PIPE && echo '{"type":"run","id":1,"workload":"null","paced":false,"parameters":{}}' >&3) 2>/dev/null
    kill -0 "$agent" 2>/dev/null || break
    sleep 0.1
done
wait "$agent"
is $? 0 "the agent ends when its reader goes away"
exec 3>&-

done_testing
