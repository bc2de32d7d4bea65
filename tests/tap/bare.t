#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Old kernels, bare machines, odd surroundings, simulated where they cannot be had: calls that are not
# there, no KVM, caches that nobody sees, one CPU, no HOME, other locales, names of every kind. (Kinds of
# control groups and missing user namespaces: tests/worlds/run.)
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

DENY=$BUILDDIR/tests/tools/deny
quick=(run --no-plots -q -p smoke --blocks 1 --seed 5)

# readiness ENVIRONMENT [COMMAND...]: as the doctor says, in these surroundings.
readiness() {
    "${@:2}" "$BOXMARK" doctor --json 2>/dev/null |
        sed -n "/\"name\": \"$1\"/,/\"readiness\"/s/.*\"readiness\": \"\([a-z]*\)\".*/\1/p"
}

# works NAME OUT COMMAND...: a run; tiny work may well be untrustworthy (5).
works() {
    local name=$1 out=$2
    shift 2
    run timeout 300 "$@" -o "$out"
    like "$status" '^(0|5)$' "$name"
    [[ $status =~ ^(0|5)$ ]] || diag "$errors"
}

boxes=(-e host)
[ "$(readiness container)" = missing ] || boxes+=(-e container)

# ---- Calls that older kernels do not have ----------------------------------------------------------

"$DENY" getpid=38 -- true
if [ $? -eq 77 ]; then
    skip "no seccomp filter can be had here" 5
else
    # ENOSYS is 38. clone3 came with 5.3, pidfd_open too, openat2 with 5.6, close_range with 5.9.
    for calls in clone3=38 'pidfd_open=38 pidfd_send_signal=38' io_uring_setup=38 \
        'clone3=38 pidfd_open=38 openat2=38 close_range=38 faccessat2=38 io_uring_setup=38'; do
        # shellcheck disable=SC2086 # one argument a call
        works "a kernel without ${calls//=38/}" "$SCRATCH/deny-${calls%%=*}-${#calls}" \
            "$DENY" $calls -- "$BOXMARK" "${quick[@]}" -w prime,disk,startup "${boxes[@]}"
    done
    like "$(cat "$SCRATCH"/deny-io_uring_setup-*/journal.jsonl)" 'pwritev2' \
        "without io_uring the disk is written in another way, and that is noted"
fi

# ---- Machines --------------------------------------------------------------------------------------

if [ "$(id -u)" -eq 0 ] && [ -e /dev/kvm ] &&
    unshare -m --propagation private mount --bind /dev/null /dev/kvm 2>/dev/null; then
    # shellcheck disable=SC2016 # for the shell inside
    run unshare -m --propagation private sh -c 'mount --bind /dev/null /dev/kvm && exec "$1" doctor' sh "$BOXMARK"
    status_is 0 "the doctor of a machine whose /dev/kvm is none"
    unlike "$output" 'microguest +ready' "says that the micro-guest is not ready"
else
    skip "no /dev/kvm, or not root: what is simulated here is so" 2
fi
works "a machine whose caches hwloc does not see" "$SCRATCH/flat" \
    env HWLOC_SYNTHETIC=pu:2 HWLOC_THISSYSTEM=1 "$BOXMARK" "${quick[@]}" -w stream,prime -e mock
works "one CPU" "$SCRATCH/one" taskset -c "$(taskset -pc $$ | sed 's/.*: \([0-9]*\).*/\1/')" \
    "$BOXMARK" "${quick[@]}" -w prime "${boxes[@]}"
like "$(cat "$SCRATCH/one/run.json")" '"cpu_count": 1|"cpus": 1|"count": 1|"cpu_list": "[0-9]*"' \
    "is what every environment got"

# ---- Surroundings ----------------------------------------------------------------------------------

works "no HOME, no PATH, nothing" "$SCRATCH/nothing" \
    env -i BOXMARK_LOCKS="$SCRATCH" BOXMARK_AGENT="$AGENT" "$BOXMARK" "${quick[@]}" -w prime "${boxes[@]}"
works "closed standard streams" "$SCRATCH/closed" \
    bash -c 'exec "$@" <&- >&- 2>&-' bash "$BOXMARK" "${quick[@]}" -w prime "${boxes[@]}"
is "$(head -c 7 "$SCRATCH/closed/samples.csv")" "schema," "do not mix with what is stored"

"$BOXMARK" "${quick[@]}" -w prime,zip -e mock:label=a -e mock:label=b,delay=1.5 -o "$SCRATCH/plain" \
    >"$SCRATCH/plain.table" 2>/dev/null
for name in de_DE.UTF-8 tr_TR.UTF-8; do # commas in numbers; an i that is not I
    if ! mkdir -p "$SCRATCH/locales" || ! command -v localedef >/dev/null 2>&1 ||
        ! localedef -i "${name%%.*}" -f UTF-8 "$SCRATCH/locales/$name" 2>/dev/null; then
        skip "the locale $name cannot be made here" 3
        continue
    fi
    # glibc never frees what it makes of LOCPATH.
    works "the locale $name" "$SCRATCH/$name" env ASAN_OPTIONS=detect_leaks=0 LOCPATH="$SCRATCH/locales" LC_ALL="$name" \
        "$BOXMARK" "${quick[@]}" -w prime,zip -e mock:label=a -e mock:label=b,delay=1.5
    is "$(<"$SCRATCH/$name/samples.csv")" "$(<"$SCRATCH/plain/samples.csv")" "$name: the same rows"
    run env ASAN_OPTIONS=detect_leaks=0 LOCPATH="$SCRATCH/locales" LC_ALL="$name" "$BOXMARK" report "$SCRATCH/$name"
    unlike "$output" '[0-9],[0-9]' "$name: numbers with a point"
done

# ---- Names -----------------------------------------------------------------------------------------

for name in 'with blanks' $'two\nlines' 'Größe-日本' '-dash' 'comma,colon:quote"'"'" '$(touch gone)' '%s%n'; do
    folder=$SCRATCH/names/$name
    mkdir -p "$folder/data"
    works "a folder named $(printf %q "$name")" "$folder/run" \
        "$BOXMARK" "${quick[@]}" -w prime,disk "${boxes[@]}" --data "$folder/data"
    run "$BOXMARK" report "$folder/run"
    like "$status" '^(0|5)$' "can be reported"
    is "$(ls -A "$folder/data")" "" "and nothing is left in it"
done

done_testing
