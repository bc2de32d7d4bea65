#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The agent as a program: it greets, answers, refuses nonsense, and ends when told or left.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

# talk LINE...: one session; $output holds the agent's lines.
talk() {
    printf '%s\n' "$@" >"$SCRATCH/requests"
    output=$("$AGENT" --data "$SCRATCH" <"$SCRATCH/requests" 2>"$SCRATCH/.errors")
    status=$?
}

talk '{"type":"identify","id":1}' '{"type":"quit","id":2}'
is "$status" 0 "the agent ends with success when told to quit"
like "$(sed -n 1p <<<"$output")" '^\{"type":"hello","boxmark":1,"version":"[0-9.]+"\}$' \
    "its first line is hello with the protocol's version"
like "$(sed -n 2p <<<"$output")" "\"agent_sha256\":\"$(sha256sum "$AGENT" | cut -d' ' -f1)\"" \
    "it knows its own SHA-256"
like "$(sed -n 3p <<<"$output")" '"type":"end","id":2' "quit is answered"

talk '{"type":"run","id":7,"workload":"null","parameters":{}}'
is "$status" 0 "the agent ends with success when its input ends"
like "$output" '"type":"begin","id":7' "a request begins"
like "$output" '"type":"end","id":7' "a request ends"

talk '{"type":"run","id":1,"workload":"no-such-work","parameters":{}}' \
    '{"type":"run","id":2,"workload":"null","parameters":{"x":1}}' \
    '{"type":"run","id":3,"workload":"null","parameters":{}}'
like "$output" '"type":"error","id":1,"code":"bad-request"' "an unknown workload is refused"
like "$output" '"type":"error","id":2,"code":"bad-request"' "an unknown parameter is refused"
like "$output" '"type":"end","id":3' "after a refusal it goes on"

for nonsense in 'hello' '{}' '[]' '{"type":"run"}' '{"type":"run","id":-1}' \
    '{"type":"quit","id":1,"id":2}' '{"type":"hello","boxmark":1,"version":"1"}x' \
    '{"type":"run","id":1,"workload":"../../etc","parameters":{}}'; do
    talk "$nonsense"
    is "$status" 1 "nonsense ends the agent with failure: $nonsense"
    like "$output" '"type":"error","id":0' "and it says so"
done

head -c 70000 /dev/zero | tr '\0' 'x' >"$SCRATCH/requests"
echo >>"$SCRATCH/requests"
"$AGENT" <"$SCRATCH/requests" >"$SCRATCH/output" 2>&1
is $? 1 "a line without end is refused"

run "$AGENT" --no-such-option
status_is 2 "an unknown option is a usage error"
run "$AGENT" --version
status_is 0 "it tells its version"
like "$output" '^boxmark-agent [0-9]' "with its name"
ok "it is one static program" sh -c '! ldd "$AGENT" 2>/dev/null | grep "=>"'

done_testing
