# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# For the scripts of tests/crosscheck: rounds that alternate, and a table of paired ratios.
#
#   compare NAME UNIT AIM OURS_FUNCTION THEIRS_FUNCTION
#
# A function prints one or more lines "KEY VALUE" (higher is better; times: see `lower`). Every
# round runs both, the order changes from round to round, and the ratio is taken within the round.
set -uo pipefail

SRCDIR=${SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILDDIR=${BUILDDIR:-$PWD}
AGENT=${AGENT:-$BUILDDIR/boxmark-agent}
ROUNDS=${ROUNDS:-5}
DATA=${DATA:-${TMPDIR:-/tmp}}

SCRATCH=$(mktemp -d "$DATA/boxmark-crosscheck.XXXXXX") || exit 1
trap 'rm -rf -- "$SCRATCH"' EXIT
trap 'exit 130' INT TERM

lower=

heading() {
    printf '%s\n%-28s %12s %12s  %-6s %7s  %15s  %s\n' "$1" "" "ours" "theirs" "unit" "ratio" \
        "of all rounds" "aim"
}

# have PROGRAM...: false, and says so, where one is missing.
have() {
    local program
    for program; do
        command -v "$program" >/dev/null 2>&1 && continue
        echo "skipped: $program is not installed"
        return 1
    done
}

compare() {
    local name=$1 unit=$2 aim=$3 ours=$4 theirs=$5 round
    : >"$SCRATCH/values"
    for ((round = 0; round < ROUNDS; round++)); do
        if ((round % 2 == 0)); then
            "$ours" | sed "s/^/ours $round /"
            "$theirs" | sed "s/^/theirs $round /"
        else
            "$theirs" | sed "s/^/theirs $round /"
            "$ours" | sed "s/^/ours $round /"
        fi >>"$SCRATCH/values"
    done
    awk -v name="$name" -v unit="$unit" -v aim="$aim" -v lower="$lower" -v rounds="$ROUNDS" '
        function median(values, count,    i, j, kept) {
            for (i = 2; i <= count; i++)
                for (j = i; j > 1 && values[j - 1] > values[j]; j--) {
                    kept = values[j]; values[j] = values[j - 1]; values[j - 1] = kept
                }
            return count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2
        }
        !($3 in known) { known[$3]; keys[++key_count] = $3 }
        { value[$1, $2, $3] = $4 }
        END {
            for (k = 1; k <= key_count; k++) {
                key = keys[k]; count = 0
                for (round = 0; round < rounds; round++) {
                    a = value["ours", round, key]; b = value["theirs", round, key]
                    if (a + 0 <= 0 || b + 0 <= 0)
                        continue
                    ours[++count] = a; theirs[count] = b; ratio[count] = lower ? b / a : a / b
                }
                if (count == 0) {
                    printf "%-28s no figures\n", name " " key
                    continue
                }
                a = median(ours, count); b = median(theirs, count); r = median(ratio, count)
                printf "%-28s %12.5g %12.5g  %-6s %7.3f  %7.3f %7.3f  %s\n", name " " key, a, b, unit,
                    r, ratio[1], ratio[count], aim
            }
            if (key_count == 0)
                printf "%-28s no figures\n", name
        }' "$SCRATCH/values"
}
