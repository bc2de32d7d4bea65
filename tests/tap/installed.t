#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# For `make installcheck`: what `make install` wrote is complete and works.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"
cd "$SCRATCH" || exit 1
unset BOXMARK_AGENT BOXMARK_PLOTS

isnt "$(dirname "$BOXMARK")" "$BUILDDIR" "this is not the build folder's program"
file_exists "$MANUAL" "the manual page"
ok "the completion" bash -n "$BASH_COMPLETION"
file_exists "$REFERENCE/felter2014.csv" "the reference data"
run "$BOXMARK" run -p smoke -e host -w prime --dry-run
like "$output" "$AGENT" "the agent is the installed one"
run "$BOXMARK" run -p smoke -e host -w prime,disk -q -o out --data .
like "$status" '^(0|5)$' "a run by the installed program ends"
file_exists out/samples.csv "with samples"
ok "and figures, where there is gnuplot" sh -c '! command -v gnuplot || test -s out/plots/prime.svg'
[ "$status" = 0 ] || diag "$errors"
run "$BOXMARK" list references
like "$output" felter "it finds the reference data"

done_testing
