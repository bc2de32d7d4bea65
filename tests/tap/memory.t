#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# One allocation fails, or all from then on (tests/tools/memory.c), at seeded places of a run and of a
# report: no crash, words, and the exit code of an internal error.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

if grep -q '^SANITIZE_CFLAGS = .*sanitize' "$BUILDDIR/Makefile"; then
    skip_all "the sanitizers bring allocators of their own"
fi
PLACES=${PLACES:-12}
RANDOM=${SEED:-20261}
library=$BUILDDIR/tests/tools/memory.so
mkdir "$SCRATCH/data"
work=(run --no-plots -q -p smoke -e mock:label=a -e mock:label=b -w prime --blocks 2 --seed 7
    --data "$SCRATCH/data")

# short_of WHOSE CODES NAME COMMAND...: allocations of the program (""), or of a library, fail at
# $PLACES places, once and forever; other exit codes than these are wrong. "@" becomes a fresh
# folder, with a copy of $SCRATCH/sample where there is one.
short_of() {
    local whose=$1 allowed=$2 name=$3 how i place allocations bad='' codes='' fresh=$SCRATCH/fresh
    local preload=(env LD_PRELOAD="$library" ${whose:+MEMORY_OF="$whose"})
    shift 3
    for ((i = 0; i <= 2 * PLACES; i++)); do
        rm -rf "$fresh"
        [ ! -e "$SCRATCH/sample" ] || cp -a "$SCRATCH/sample" "$fresh"
        if ((i == 0)); then
            run "${preload[@]}" MEMORY_COUNT="$SCRATCH/count" "$BOXMARK" "${@/#@/$fresh}"
            allocations=$(<"$SCRATCH/count")
            continue
        fi
        how=once
        ((i % 2)) || how=forever
        place=$(((RANDOM << 15 | RANDOM) % allocations + 1))
        run timeout --kill-after=10 60 "${preload[@]}" MEMORY_FAILS=$how MEMORY_FAILS_AT=$place \
            "$BOXMARK" "${@/#@/$fresh}"
        codes+=" $status"
        [[ " $allowed " == *" $status "* ]] || bad+="$how at $place: exit code $status: ${errors:0:200}; "
        [ "$status" = 0 ] || [ -n "$errors" ] || bad+="$how at $place: no words; "
    done
    is "$bad" "" "$name, ${whose:-program}: out of memory at $((2 * PLACES)) of $allocations allocations"
    like "$codes" ' 70' "$name, ${whose:-program}: an internal error is told"
    diag "exit codes:$(tr ' ' '\n' <<<"$codes" | sort -n | uniq -c | awk 'NF == 2 { printf " %s:%s", $2, $1 }')"
}

run env LD_PRELOAD="$library" MEMORY_COUNT="$SCRATCH/count" "$BOXMARK" "${work[@]}" -o "$SCRATCH/whole"
if [ "$(cat "$SCRATCH/count" 2>/dev/null || echo 0)" -lt 100 ]; then
    diag "$errors"
    skip_all "the library is not preloaded here"
fi
# Without memory, that library takes sound text for wrong: exit code 2.
short_of '' '0 3 5 70' 'a run' "${work[@]}" -o @
short_of libjansson '0 2 3 5 70' 'a run' "${work[@]}" -o @
is "$(ls -A "$SCRATCH/data")" "" "a run: no data is left"

cp -a "$SCRATCH/whole" "$SCRATCH/sample"
short_of '' '0 70' 'a report' report @
short_of libjansson '0 2 70' 'a report' report @

done_testing
