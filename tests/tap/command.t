#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Any machine over a command: real runs with a plain command and over ssh, and all that is refused.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"

export XDG_CONFIG_HOME=$SCRATCH/config
definitions=$XDG_CONFIG_HOME/boxmark/environments.d
mkdir -p "$definitions"

# measure FOLDER ARGUMENT...: a short run.
measure() {
    local folder=$SCRATCH/$1
    shift
    run "$BOXMARK" run -p smoke -w null,prime -o "$folder" "$@"
}

# ---- On the command line ---------------------------------------------------------------------

measure local -e host -e 'command:exec={agent} --data {data},label=local'
status_is 0 "a plain command is measured beside the host"
like "$output" 'local +[0-9.]+' "its label stands in the table"
unlike "$(grep '"environment":"local"' "$SCRATCH/local/journal.jsonl")" '"type":"failure"' \
    "nothing failed"
like "$(grep '"environment":"local"' "$SCRATCH/local/journal.jsonl")" '"out_of_reach":false' \
    "an agent in the command's own session is held by the envelope"

measure noisy -e host \
    -e "command:label=noisy,exec=sh -c 'echo Last login: never; echo; exec {agent} --data {data}'"
like "$(grep '"type":"instance","utc"[^}]*"environment":"noisy"' "$SCRATCH/noisy/journal.jsonl")" \
    '"noise":"Last login: never"' "what is printed before the agent's first line is passed over"

run "$BOXMARK" run -p smoke -w null -o "$SCRATCH/yes" -e 'command:exec=yes yes'
status_is 3 "a command that says the same without end is no agent"
like "$errors" 'it printed: yes \| \.\.\.[^|]*$' "and what it says is shown once"

run "$BOXMARK" run --dry-run -p smoke -w null \
    -e 'command:label=there,copy=cp {agent} /x,start=true,exec=echo {cpus},stop=false'
status_is 0 "a dry run runs none of the commands"
like "$output" 'copy \(once, before the first start\): cp /.*boxmark-agent /x' "it shows copy"
like "$output" 'exec \(.*\): echo [0-9]+' "it shows exec with its placeholders filled"

refuse() {
    local spec=$1 expected=$2 words=$3
    run "$BOXMARK" run -p smoke -w null -o "$SCRATCH/refused" -e "$spec"
    status_is "$expected" "refused: $spec"
    like "$errors" "$words" "with the reason"
}

refuse "command:exec=ssh 'guest1" 2 "the quote ' at character 5 does not close"
refuse 'command:exec="ssh guest1' 2 'a quote does not close'
refuse 'command:exek=true' 2 'unknown key "exek".*did you mean "exec"'
refuse 'command:exec={agnet}' 2 'unknown placeholder "agnet"'
refuse 'command:exec=true,label=vm' 2 'name of a kind of environment'
refuse 'command' 3 'it needs a command.*'
refuse 'command:exec=boxmark-no-such-program' 3 'boxmark-no-such-program does not exist'
refuse 'command:exec=true,copy=/nonexistent/scp' 3 '"copy": the program /nonexistent/scp does not'
refuse "command:exec=true,copy=sh -c 'echo no route to host >&2; exit 9'" 3 \
    '"copy": sh exited with status 9: no route to host.*by itself: sh -c '
refuse "command:exec=true,copy=sh -c 'exit 4'" 3 '"copy": sh exited with status 4 without a word'
refuse "command:exec=true,start=sh -c 'echo no such domain >&2; exit 5'" 3 \
    '"start": sh exited with status 5: no such domain'

# A program for another processor: the machine's number in the ELF header is nobody's.
cp "$AGENT" "$SCRATCH/foreign"
printf '\376\376' | dd of="$SCRATCH/foreign" bs=1 seek=18 conv=notrunc status=none
measure foreign-run -e host -e "command:label=here,exec=$SCRATCH/foreign" \
    -e "command:label=there,exec=sh -c '$SCRATCH/foreign; exit \$?'"
like "$errors" 'here: cannot be started:.*is not a program for this machine' \
    "an agent for another processor is named"
like "$errors" 'there: cannot be started:.*another processor architecture' \
    "on the other side of a shell, too"

if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
    mkdir "$SCRATCH/noexec"
    # shellcheck disable=SC2016 # for the inner shell
    run unshare -m sh -c 'mount -t tmpfs -o noexec none "$1/noexec" && cp "$AGENT" "$1/noexec/agent" &&
        exec "$BOXMARK" run -p smoke -w null -o "$1/noexec-run" -e host \
            -e "command:label=here,exec=$1/noexec/agent" \
            -e "command:label=there,exec=sh -c $1/noexec/agent"' sh "$SCRATCH"
    like "$errors" 'here: cannot be started:.*not mounted noexec' "a noexec file system is named"
    like "$errors" 'there: cannot be started:.*mounted noexec' \
        "on the other side of a shell, too"
else
    skip "no mount namespaces here" 2
fi

# However a run ends, nothing of it stays, and `stop` is run.
# end_run SIGNAL STATUS: while the agent, which is not the command's own process, works.
end_run() {
    local folder=$SCRATCH/end-$1 harness
    mkdir "$folder"
    "$BOXMARK" run -q -p smoke -w prime --set prime.events=100000000 -o "$folder/run" \
        --data "$folder" >/dev/null 2>&1 </dev/null \
        -e "command:exec=sh -c '{agent} --data {data}; true',stop=touch $folder/stopped" &
    harness=$!
    for _ in $(seq 300); do
        [ -z "$(processes_with "boxmark-agent --data $folder")" ] || break
        sleep 0.1
    done
    sleep 1
    kill "-$1" "$harness"
    wait "$harness" 2>/dev/null
    is "$?" "$2" "SIG$1 ends a run"
    for _ in $(seq 100); do
        [ -n "$(processes_with "$folder")" ] || break
        sleep 0.1
    done
    is "$(processes_with "$folder")" "" "after SIG$1 no process is left"
    ok "and stop was run" test -e "$folder/stopped"
    is "$(find "$folder" -name 'instance.*')" "" "and the instance's data are gone"
}
end_run INT 130
end_run KILL 137

# ---- In a file -------------------------------------------------------------------------------

cat >"$definitions/mine.ini" <<'END'
# Mine.
[command]
  exec  = {agent} --data {data}
  label = my machine
END
echo '[command]
exec = "ssh guest1' >"$definitions/broken.ini"
echo '[container]
net = host' >"$definitions/host.ini"

run "$BOXMARK" list environments
status_is 0 "environments are listed"
like "$output" "mine +$definitions/mine.ini" "one in a file is among them"
like "$output" "broken +not usable: .*broken.ini, line 2, key \"exec\": the quote" \
    "one that cannot be used is named with its file, line and key"
like "$output" "host +not usable: host is a built-in name" "a built-in name cannot be taken"
run "$BOXMARK" doctor
like "$output" 'mine +ready' "doctor knows it"
like "$output" 'broken +missing .*line 2, key "exec"' "and says what is wrong with another"

measure mine -e host -e mine -e mine
status_is 0 "it is used by its name"
like "$output" 'my machine#2' "twice for an A/A comparison"
run "$BOXMARK" run -o "$SCRATCH/broken" -e broken
status_is 2 "a file with an error is refused"
run "$BOXMARK" run -o "$SCRATCH/broken" -e mien
status_is 2 "an unknown name is refused"
like "$errors" 'did you mean "mine"' "with the nearest, of files too"

for file in "$SRCDIR"/environments/examples/*.ini; do
    name=$(basename "$file" .ini)
    cp "$file" "$definitions/example-$name.ini"
done
run "$BOXMARK" list environments
for file in "$SRCDIR"/environments/examples/*.ini; do
    name=$(basename "$file" .ini)
    like "$output" "example-$name +/" "the example can be read: $name"
    rm "$definitions/example-$name.ini"
done

# ---- Over ssh --------------------------------------------------------------------------------

sshd=$(command -v sshd || ls /usr/sbin/sshd 2>/dev/null)
if [ -z "$sshd" ] || ! command -v ssh >/dev/null; then
    skip "no ssh server is installed" 8
    done_testing
    exit
fi

# An empty folder that the server wants, root or not: its default is made by its service.
ssh_folder=$SCRATCH/ssh
mkdir -p "$ssh_folder"
chmod 700 "$SCRATCH" "$ssh_folder"
ssh-keygen -q -t ed25519 -N '' -f "$ssh_folder/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$ssh_folder/key"
cp "$ssh_folder/key.pub" "$ssh_folder/authorized_keys"
port=$((20000 + $$ % 20000))
cat >"$ssh_folder/sshd_config" <<END
Port $port
ListenAddress 127.0.0.1
HostKey $ssh_folder/host_key
AuthorizedKeysFile $ssh_folder/authorized_keys
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
PermitUserRC no
END
cat >"$ssh_folder/config" <<END
Host guest1
    HostName 127.0.0.1
    Port $port
    User $(id -un)
    IdentityFile $ssh_folder/key
    IdentitiesOnly yes
    UserKnownHostsFile $ssh_folder/known_hosts
    StrictHostKeyChecking accept-new
    BatchMode yes
    LogLevel ERROR
END
if [ "$(id -u)" -eq 0 ] && [ ! -d /run/sshd ]; then
    # The server refuses to start without the folder that it would lock itself into.
    mkdir -p /run/sshd && cleanup rmdir /run/sshd
fi
"$sshd" -D -e -f "$ssh_folder/sshd_config" 2>"$ssh_folder/log" &
server=$!
stop_server() {
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
}
cleanup stop_server
for _ in $(seq 50); do
    ssh -F "$ssh_folder/config" guest1 true 2>"$ssh_folder/refusal" </dev/null && break
    sleep 0.1
done
if ! ssh -F "$ssh_folder/config" guest1 true </dev/null 2>/dev/null; then
    skip "the ssh server does not let us in: $(tail -n 1 "$ssh_folder/log" "$ssh_folder/refusal" |
        tr '\n' ' ')" 8
    done_testing
    exit
fi

there=$SCRATCH/there
mkdir "$there"
cat >"$definitions/guest1.ini" <<END
[command]
copy = scp -q -F $ssh_folder/config {agent} guest1:$there/agent
exec = ssh -F $ssh_folder/config guest1 $there/agent --data $there
shell = ssh -F $ssh_folder/config guest1
END
measure ssh -e host -e guest1
status_is 0 "a machine over ssh is measured"
journal=$(grep '"environment":"guest1"' "$SCRATCH/ssh/journal.jsonl")
unlike "$journal" '"type":"failure"' "nothing failed"
like "$journal" '"out_of_reach":true' "what is beyond reach is known to be"
like "$output" 'guest1: reach: the other side of a command: no limit' "the audit says so"
is "$(ls -A "$there")" agent "only the agent that was copied is left on the other side"

sed -i "s|agent --data|agent-of-another-name --data|" "$definitions/guest1.ini"
measure lost -e host -e guest1
like "$errors" 'guest1: cannot be started:.*no such program on the other side' \
    "an agent that is not there is named"

# The server's process of this connection goes while the agent works.
cat >"$definitions/guest1.ini" <<END
[command]
exec = ssh -F $ssh_folder/config guest1 "sh -c '$there/agent --data $there & sleep 1; kill -9 \$!'"
END
run "$BOXMARK" run -p smoke -w prime --set prime.events=2000000 -o "$SCRATCH/cut" -e host -e guest1
like "$errors" 'guest1: .*the command ' "an agent that is lost is diagnosed"
is "$(processes_with "$there/agent")" "" "and leaves no process"

stop_server
sed -i "s|^exec.*|exec = ssh -F $ssh_folder/config guest1 $there/agent|" "$definitions/guest1.ini"
measure down -e host -e guest1
like "$errors" 'guest1: cannot be started:.*the connection failed.*(refused|closed)' \
    "a server that is down is named"

done_testing
