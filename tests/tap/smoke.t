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
like "$(sed -n 1p <<<"$output")" '^\{"type":"hello","boxmark":2,"version":"[0-9.]+"\}$' \
    "its first line is hello with the protocol's version"
like "$(sed -n 2p <<<"$output")" "\"agent_sha256\":\"$(sha256sum "$AGENT" | cut -d' ' -f1)\"" \
    "it knows its own SHA-256"
like "$(sed -n 3p <<<"$output")" '"type":"end","id":2' "quit is answered"

talk '{"type":"run","id":7,"workload":"null","paced":false,"parameters":{}}'
is "$status" 0 "the agent ends with success when its input ends"
like "$output" '"type":"begin","id":7' "a request begins"
like "$output" '"type":"end","id":7' "a request ends"

talk '{"type":"run","id":1,"workload":"no-such-work","paced":false,"parameters":{}}' \
    '{"type":"run","id":2,"workload":"null","paced":false,"parameters":{"x":1}}' \
    '{"type":"run","id":3,"workload":"null","paced":false,"parameters":{}}'
like "$output" '"type":"error","id":1,"code":"bad-request"' "an unknown workload is refused"
like "$output" '"type":"error","id":2,"code":"bad-request"' "an unknown parameter is refused"
like "$output" '"type":"end","id":3' "after a refusal it goes on"

for nonsense in 'hello' '{}' '[]' '{"type":"run"}' '{"type":"run","id":-1}' \
    '{"type":"quit","id":1,"id":2}' '{"type":"hello","boxmark":1,"version":"1"}x' \
    '{"type":"run","id":1,"workload":"../../etc","paced":false,"parameters":{}}'; do
    talk "$nonsense"
    is "$status" 1 "nonsense ends the agent with failure: $nonsense"
    like "$output" '"type":"error","id":0' "and it says so"
done

# Paced, it waits for "go" at both ends of a section.
calls='{"type":"run","id":3,"workload":"calls","paced":true,"parameters":{"calls":5,"iterations":2}}'
go='{"type":"go","id":3}'
talk "$calls" "$go" "$go" "$go" "$go" '{"type":"quit","id":4}'
is "$status" 0 "a paced request ends with success"
is "$(grep -c '"type":"st' <<<"$output")" 4 "its sections begin and end"
is "$(grep -cE '"type":"stop".*"waited_ns":[1-9]' <<<"$output")" 2 "it says how long it waited"
like "$output" '"type":"end","id":3.*"digest":"5 calls".*"type":"end","id":4' "and goes on to the next"
talk "$calls" "$go"
is "$status" 0 "where nobody answers any more, it does not wait"
like "$output" '"type":"end","id":3' "and comes to its end"
for nonsense in '{"type":"quit","id":3}' '{"type":"go","id":2}' 'go'; do
    talk "$calls" "$go" "$nonsense"
    is "$status" 1 "instead of \"go\": $nonsense"
    like "$output" '"type":"error","id":0,"code":"(bad-request|failed)"' "and it says so"
    is "$(tail -1 <<<"$output" | grep -c '"type":"error"')" 1 "and nothing more"
done

talk "${calls/true/false}" "$go" '{"type":"quit","id":4}'
is "$status" 1 "a \"go\" that nobody waits for"
like "$(tail -1 <<<"$output")" '"type":"error","id":0,"code":"bad-request".*go' "is said to be one"

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
