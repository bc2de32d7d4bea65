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

claims=0 compared=0
for seed in $(seq 20); do
    "$BOXMARK" run -q --no-plots -p smoke -w prime,zip,stream --seed "$seed" -o "$SCRATCH/host$seed" -e host -e host \
        >/dev/null 2>&1
    compared=$((compared + $(cells "host$seed" | grep -c '#2 ')))
    claims=$((claims + $(cells "host$seed" | grep -cE ' (better|worse)$')))
done
ok "twenty smoke runs of the host against itself are compared ($compared cells)" [ "$compared" -ge 60 ]
is "$claims" 0 "and no difference is claimed"

# ---- Known effects ---------------------------------------------------------------------------

run "$BOXMARK" run -q --no-plots -p smoke -w prime --blocks 6 -o "$SCRATCH/delay" -e mock -e mock:delay=1.5
status_is 0 "a run with a deliberate delay"
is "$(cells delay | grep 'delay=1.5')" "prime time mock:delay=1.5 1.5 1.5 1.5 worse" \
    "the delay is recovered exactly"

# One CPU for both, half of its time for the container; long enough for many periods of the quota.
# The last period's share is not waited for: up to 50 ms of some 400 ms less than twice.
run "$BOXMARK" run -q --no-plots -p smoke -w prime --cpus 1 --set prime.limit=2000 --set prime.events=12000 --blocks 6 \
    -e host -e container:cpu_quota=50% -o "$SCRATCH/quota"
if [ "$status" -eq 3 ] || [ ! -e "$SCRATCH/quota/samples.csv" ]; then
    skip "no container with a quota here: $(head -1 <<<"$output")"
elif ! grep -q '"cpu_quota_us":' "$SCRATCH/quota/journal.jsonl"; then
    skip "no quota without a cgroup of one's own"
elif grep -q 'load: others used' <<<"$output"; then
    skip "others use this CPU, too: the host would not get all of it either"
else
    is "$(cells quota | awk '$3 ~ /quota/ { print ($5 <= 2.0 && $6 >= 1.85) }')" 1 \
        "half a CPU takes twice as long: $(cells quota | tail -1)"
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

run "$BOXMARK" run -q --no-plots -p smoke -w disk -o "$SCRATCH/unsafe" -e host -e vm:cache=unsafe
if [ "$status" -eq 3 ]; then
    skip "no virtual machine here: $(head -1 <<<"$output")" 2
else
    status_is 5 "a disk that ignores flushes makes the run untrustworthy"
    like "$output" "flush" "and the flush is named"
fi

done_testing
