#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Has isolation become dearer? Measures, compares with a baseline, keeps reports; for any CI system.
#
#   check.sh BASELINE REPORTS [ARGUMENT of boxmark run...]
#
# Ends with the exit code of `boxmark check`: 0 nothing worse, 1 a regression, 2 not comparable,
# 3 an environment is missing, 4 inconclusive, 5 untrustworthy. Without a baseline, this run becomes
# a proposal for one, and the code is 2: to pass in silence would look like success.
#
# Environment: BOXMARK (program), RETRIES (default 2), FORMATS (further ones, such as "github").
set -u

boxmark=${BOXMARK:-boxmark}
[ $# -ge 2 ] || {
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
baseline=$1
reports=$2
shift 2

mkdir -p "$reports" || exit 2
run=$reports/run
"$boxmark" run --no-plots --output "$run" "$@" || {
    code=$?
    # 5: the check says of which metrics.
    [ "$code" -eq 5 ] || exit "$code"
}

if [ ! -e "$baseline" ]; then
    echo "No baseline: $baseline. A proposal is $reports/baseline.json: review it and keep it there." >&2
    "$boxmark" baseline "$run" -o "$reports/baseline.json"
    exit 2
fi

set -- --format "junit=$reports/junit.xml" --format "markdown=$reports/check.md" \
    --format "json=$reports/check.json" --format "gitlab=$reports/codequality.json"
for format in ${FORMATS-}; do
    set -- "$@" --format "$format"
done
exec "$boxmark" check --baseline "$baseline" --retry "${RETRIES:-2}" "$@" "$run"
