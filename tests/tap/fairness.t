#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Known truths: nothing found where nothing is, a known effect found, and unfair conditions named.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

# cells RUN: "workload metric environment ratio low high verdict" of all headlines.
cells() {
    "$BOXMARK" report --format csv "$SCRATCH/$1" | tr -d '"' | awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["headline"] == 1 { print $at["workload"], $at["metric"], $at["environment"], $at["ratio"],
            $at["ratio_low"], $at["ratio_high"], $at["verdict"] }'
}

# ---- A/A: the same environment twice ---------------------------------------------------------

claims=0 compared=0
for seed in $(seq 20); do
    "$BOXMARK" run -q --no-plots -p smoke -w prime,zip,stream,disk --blocks 12 --seed "$seed" \
        -o "$SCRATCH/aa$seed" -e "mock:noise=0.05$seed" -e "mock:noise=0.05$seed" \
        >/dev/null 2>&1
    compared=$((compared + $(cells "aa$seed" | grep -c '#2 ')))
    claims=$((claims + $(cells "aa$seed" | grep -cE ' (better|worse)$')))
done
ok "twenty runs of noise against the same noise are compared ($compared cells)" [ "$compared" -ge 80 ]
is "$claims" 0 "and no difference is claimed"

# The host itself twice. Eight blocks, for with six no difference among three headlines is ever claimed:
# chance alone has all six alike too often.
twins=(run -q --no-plots -p smoke -w "prime,zip,stream" --cpus 1 --blocks 8)
run "$BOXMARK" "${twins[@]}" --seed 1 -o "$SCRATCH/power" -e mock:noise=0.05 -e mock:delay=1.3
is "$(cells power | awk '$3 ~ /delay/ { print $1, $7 }' | sort | paste -sd' ')" \
    "prime worse stream worse zip worse" "eight blocks suffice to claim a difference in three headlines"

# failing NAME: "CHECK: evidence" of what fails in the audit of a run.
failing() {
    awk -F'"' '/^ *"name":/ { name = $4 } /^ *"state":/ { state = $4 }
        /^ *"evidence":/ && state == "failing" { print name ": " $4; state = "" }' "$SCRATCH/$1/summary.json"
}

# host_twice NAME SEED: a run of the host beside itself. What others do on this machine may spoil it;
# then it is done again. $spoilt says why it cannot be used at last, $unfair what is wrong with it.
repeats=10
host_twice() {
    while :; do
        spoilt='' unfair=''
        run "$BOXMARK" "${twins[@]}" --seed "$2" -o "$SCRATCH/$1" -e host -e host
        [ "$status" -eq 0 ] && return
        spoilt=$(failing "$1" | grep -m 1 -E "^$others")
        unfair=$(failing "$1" | grep -vE "^$others")
        [ "$status" -eq 5 ] && [ -n "$spoilt" ] || unfair="status $status: $unfair $errors"
        [ -n "$unfair" ] && return
        ((repeats-- > 0)) || return
        rm -r "${SCRATCH:?}/$1"
    done
}

# claims NAME: what a run claims between the two.
claims() {
    cells "$1" | awk '$3 == "host#2" && NF >= 7 && $7 !~ /^(same|inconclusive)$/ { print $1, $2, $7 }' | sort
}

claimed='' again=''
for seed in $(seq 20); do
    host_twice "host$seed" "$seed"
    [ -z "$spoilt$unfair" ] || break
    claimed=$(claims "host$seed")
    [ -n "$claimed" ] || continue
    # Of all such runs 5 % may claim something by chance, but not twice the same.
    diag "seed $seed: $claimed"
    host_twice "host$seed-again" "$seed"
    [ -z "$spoilt$unfair" ] || break
    again+=$(comm -12 <(echo "$claimed") <(claims "host$seed-again"))
done
is "$unfair" "" "the host beside itself: nothing is wrong with the runs but what others do"
if [ -n "$spoilt" ]; then
    skip "too much goes on beside this: $spoilt" 3
else
    is "$again" "" "twenty runs of the host against itself claim no difference, or not twice"
    runs=$(for seed in $(seq 20); do cells "host$seed"; done | awk '$3 == "host#2" && $5 < $6')
    # One whose lines were seen too late would have a time of 0, and no ratio.
    is "$(awk '{ runs[$1]++ } END { for (name in runs) if (runs[name] == 20) print name }' <<<"$runs" |
        sort | xargs)" "prime stream zip" "each of their headlines has a ratio and an interval"
    # Of twenty ratios 19 or 20 are on one side once in 25,000 times.
    is "$(awk '{ above[$1] += $4 > 1 } END { for (name in above)
        if (above[name] < 2 || above[name] > 18) print name, above[name] }' <<<"$runs")" "" \
        "and in none of the headlines is the second one the slower, or the faster, each time"
fi

# ---- Known effects ---------------------------------------------------------------------------

run "$BOXMARK" run -q --no-plots -p smoke -w prime --blocks 6 -o "$SCRATCH/delay" -e mock -e mock:delay=1.5
status_is 0 "a run with a deliberate delay"
is "$(cells delay | grep 'delay=1.5')" "prime time mock:delay=1.5 1.5 1.5 1.5 worse" \
    "the delay is recovered exactly"

# One CPU for both, half of its time for the container: in each period of 100 ms it runs for 50 ms. How
# much of a period's share is there when the work begins, and is not waited for when it ends, differs: up
# to 50 ms in either direction of the whole. Another 1 % for the kernel's tick.
half() {
    rm -rf "$SCRATCH/quota"
    run "$BOXMARK" run -q --no-plots -p smoke -w prime --cpus 1 --set prime.limit=2000 --set prime.events=40000 \
        --blocks 6 -e host -e container:cpu_quota=50% -o "$SCRATCH/quota"
    host_s=$(tail -n +2 "$SCRATCH/quota/samples.csv" 2>/dev/null | tr -d '"' |
        awk -F, '$4 == "host" && $6 == "prime" && $7 == "time" { print $12 }' | sort -n | sed -n 3p)
    covered=$(cells quota 2>/dev/null | awk -v slack="0$host_s" '$3 ~ /quota/ && slack > 0 { slack = 0.05 / slack + 0.02
        print ($5 <= 2 + slack && $6 >= 2 - slack), $7 }')
}
# What others do may be in the audit, or only make the interval wide.
disturbed() {
    grep -q 'load: others used' <<<"$output" || [[ $covered = *inconclusive ]]
}
for _ in 1 2 3; do
    half
    if [ "$covered" = "1 worse" ] || ! disturbed; then
        break
    fi
done
if [ "$status" -eq 3 ] || [ ! -e "$SCRATCH/quota/samples.csv" ]; then
    skip "no container with a quota here: $(head -1 <<<"$errors")"
elif ! grep -q '"cpu_quota_us":' "$SCRATCH/quota/journal.jsonl"; then
    skip "no quota without a cgroup of one's own"
elif [ "$covered" != "1 worse" ] && disturbed; then
    skip "others use this CPU, too: $(cells quota | tail -1)"
else
    is "$covered" "1 worse" "half a CPU takes twice as long (the host $host_s s): $(cells quota | tail -1)"
fi

# ---- Untrustworthy on purpose ----------------------------------------------------------------

run "$BOXMARK" run -q --no-plots -p smoke -w prime --blocks 2 --set prime.events=40 -o "$SCRATCH/skew" \
    -e mock -e mock:skew=0.98
status_is 5 "a guest clock that runs 2 % slow makes the run untrustworthy"
like "$output" "guest_clock" "and the clock is named"
is "$(cells skew | grep -c 'skew.*untrustworthy$')" 1 "its verdict is taken"

# A busy neighbour on the envelope's only CPU.
cpu=$("$BOXMARK" run -p smoke -e host --cpus 1 --dry-run | sed -n 's/.*CPUs \([0-9]*\),.*/\1/p' | head -1)
timeout 60 taskset -c "$cpu" sh -c 'while :; do :; done' &
neighbour=$!
cleanup eval "kill $neighbour 2>/dev/null"
run "$BOXMARK" run -q --no-plots -p smoke -w prime --cpus 1 --set prime.limit=10000 --set prime.events=16000 \
    -o "$SCRATCH/busy" -e host
kill "$neighbour" 2>/dev/null
wait "$neighbour" 2>/dev/null
status_is 5 "a busy neighbour makes the run untrustworthy"
like "$output" "load: others used" "and the load is named"

# A disk that holds back what it was given, and one that ignores flushes, beside honest ones. So much that
# its writing takes many times what the counters may be late. What others write on this disk meanwhile may
# hide it: then once more.
for _ in 1 2 3; do
    rm -rf "$SCRATCH/caches"
    run "$BOXMARK" run -q --no-plots -p smoke -w disk --set disk.bytes=192M -o "$SCRATCH/caches" \
        -e host -e vm -e vm:cache=writeback -e vm:cache=unsafe
    [ -e "$SCRATCH/caches/summary.json" ] || break
    # CHECK ENVIRONMENT TOUCHES STATE of all items.
    audited=$(awk -F'"' '/^ *"name":/ { name = $4 } /^ *"environment":/ { environment = $4 }
        /^ *"touches":/ { touches = $4 } /^ *"state":/ { print name, environment, touches, $4 }' \
        "$SCRATCH/caches/summary.json")
    held_back=$(grep -cE '^page_cache vm:cache=[a-z]* disk/(seq_write|rand_write|fsync)\* failing$' <<<"$audited")
    [ "$held_back" -lt 6 ] || break
done
if [ "$status" -eq 3 ]; then
    skip "no virtual machine here: $(head -1 <<<"$errors")" 5
else
    status_is 5 "a disk that ignores flushes makes the run untrustworthy"
    is "$(grep -E '^flush .* failing$' <<<"$audited")" "flush vm:cache=unsafe disk/* failing" "and the flush is named"
    if grep -q '^page_cache host disk/\* noted$' <<<"$audited"; then
        skip "the file system of $SCRATCH has no block device" 3
    else
        is "$held_back" 6 "writing that reaches the disk later, or never, is not to be trusted, nor is fsync"
        is "$(grep -cE '^page_cache (host|vm) disk/(seq|rand)_(read|write)\* (ok|noted)$' <<<"$audited")" 8 \
            "what the others write and read is"
        like "$(grep -o '"section":"rand_write_time".*' "$SCRATCH/caches/journal.jsonl" | head -1)" \
            '"disk_written_bytes":[0-9]' "the journal has what each section wrote"
    fi
fi

done_testing
