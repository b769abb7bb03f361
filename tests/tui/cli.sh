#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command line against the real daemons: what it prints, in both forms, and how it ends. Prints TAP.
set -eu
cd "$(dirname -- "$0")/../.."
# shellcheck source=tests/lib/console.sh
. tests/lib/console.sh
rig_start

# ends CODE COMMAND... : succeeds if the command ends with this code.
ends() {
	code=$1
	shift
	got=0
	said=$("$@" 2>&1 </dev/null) || got=$?
	[ "$got" -eq "$code" ] || { printf 'ended with %s\n%s\n' "$got" "$said"; return 1; }
}

# json FILTER UID ARGUMENT... : succeeds if jq finds the filter true of the JSON printed.
json() {
	filter=$1
	shift
	redoubt "$@" --json </dev/null | jq -e "$filter" >/dev/null
}

# one_verb UID LINE : what sshd does with `ssh host LINE`.
one_verb() { as "$1" "$dir/bin/redoubt-console" -c "$2" </dev/null; }

add_ben_key() { redoubt $ann ssh-key add ben <"$dir/ben.pub"; }

tap "whoami says who one is" says '^Name: +ann$' redoubt $ann whoami
tap "and in JSON" json '.name == "ann" and (.roles == ["admin"])' $ann whoami
tap "status works" says '^State:' redoubt $ann status
tap "status in JSON has numbers as numbers" json '.mem_total > 0' $ann status
tap "a person is added" ends 0 redoubt $ann person add ben ben@example.org --role member
tap "a second time it exists" ends 1 redoubt $ann person add ben ben@example.org --role member
tap "the list shows the person" says '^ben +ben@example.org +member +active' redoubt $ann person list
tap "the list in JSON is an array of objects" json 'length == 2 and .[1].name == "ben"' $ann person list
tap "a person's SSH key comes from standard input" says 'SHA256:' add_ben_key
tap "or as arguments" says 'SHA256:' redoubt $ann ssh-key add "$(ssh-keygen -q -t ed25519 -N '' -C two -f "$dir/two" && cat "$dir/two.pub")"
tap "its fingerprint is ssh-keygen's" says "$(ssh-keygen -lf "$dir/ben.pub" | cut -d' ' -f2 | sed 's/[+]/[+]/g')" redoubt $ann ssh-key list ben
tap "a key that is none is refused" ends 1 redoubt $ann ssh-key add ssh-ed25519 AAAA
tap "the other's key can be removed by its fingerprint" ends 0 redoubt $ann ssh-key remove ann "$(ssh-keygen -lf "$dir/two.pub" | cut -d' ' -f2)"
tap "a key is made and shown" says '^Key \(shown only now\): +rdt_[A-Za-z0-9]{49}$' redoubt $ann key create loader --role member
tap "the list does not show it again" not says 'rdt_[A-Za-z0-9]{49}' redoubt $ann key list
tap "a key is made in JSON" json '.key | test("^rdt_[A-Za-z0-9]{49}$")' $ann key create other --role read-only --expires never
tap "a key is suspended" ends 0 redoubt $ann key suspend loader
tap "and shown to be" says '^rdt_.* loader +ann +member +SUSPENDED' redoubt $ann key list
tap "and resumed" ends 0 redoubt $ann key resume loader
tap "and deleted" ends 0 redoubt $ann key delete loader
tap "what is not there ends with 4" ends 4 redoubt $ann key delete loader
tap "somebody else's list is denied with 3" ends 3 redoubt $ben key list --all
tap "the ledger is denied with 3" ends 3 redoubt $ben audit list
tap "a denial in JSON names the error" shows '"error": "Denied"' redoubt $ben audit list --json
tap "one's own keys are not denied" ends 0 redoubt $ben key list
tap "the ledger shows what was done" says ' ann +key.create|api-key.create +loader' redoubt $ann audit list
tap "the ledger is filtered" json 'length > 0 and all(.decision == "deny")' $ann audit list --filter deny
tap "counted" json 'length == 2' $ann audit list --count 2
tap "and begun before an index" json '.[0].index == 2' $ann audit list --before 3
tap "an entry is shown" says '^Code: +person.bootstrap' redoubt $ann audit show 3
tap "an entry that is not there ends with 4" ends 4 redoubt $ann audit show 999999
tap "the ledger verifies" says '^Verdict: +valid' redoubt $ann audit verify
proof_comes() { says tlog-proof redoubt $ann audit proof 1; }
tap "a proof is printed" tap_until 5 proof_comes
tap "roles are listed" json 'map(.name) | contains(["admin", "member", "read-only"])' $ann role list
tap "a person is suspended" ends 0 redoubt $ann person suspend ben
tap "and may then do nothing" ends 3 redoubt $ben key list
tap "and is resumed" ends 0 redoubt $ann person resume ben
tap "roles are set" ends 0 redoubt $ann person role ben read-only member
tap "to just these" json '.[1].roles | sort == ["member", "read-only"]' $ann person list
tap "the last admin cannot be removed" not redoubt $ann person remove ann

offline() {
	vkey=$(redoubt $ann audit status --json | jq -r .vkey)
	rm -rf "$dir/copy"
	cp -r "$dir/state/audit" "$dir/copy"
	"$dir/bin/redoubt" audit verify "$dir/copy" --vkey "$vkey"
}
valid() { offline || [ $? -eq 4 ]; } # 4: entries of the last second are not signed yet
tampered() {
	valid || return 1
	file=$(find "$dir/copy" -path '*entries*' -type f | head -n 1)
	printf 'X' | dd of="$file" bs=1 seek=40 conv=notrunc 2>/dev/null
	got=0
	"$dir/bin/redoubt" audit verify "$dir/copy" --vkey "$vkey" || got=$?
	[ "$got" -eq 2 ]
}
tap "a copy of the ledger verifies offline" valid
tap "a copy with one byte changed does not, and ends with 2" tampered
tap "a folder without a key is not understood" ends 1 redoubt $ann audit verify "$dir/copy"

tap "no verb shows the help and ends with 2" ends 2 redoubt $ann
tap "an unknown verb ends with 2" ends 2 redoubt $ann frobnicate
tap "a missing argument ends with 2" ends 2 redoubt $ann person add ben
tap "an argument too many ends with 2" ends 2 redoubt $ann whoami there
tap "an option of another verb ends with 2" ends 2 redoubt $ann whoami --count 3
tap "a number that is none ends with 2" ends 2 redoubt $ann audit show x
tap "help ends with 0" ends 0 redoubt $ann help
tap "help of a verb ends with 0" says '^  key create NAME' redoubt $ann key create --help
tap "help of what is not there ends with 2" ends 2 redoubt $ann help frobnicate

tap "ssh runs a verb" says '"name": "ann"' one_verb $ann "whoami --json"
tap "also with the program's name before it" says '"name": "ann"' one_verb $ann "redoubt whoami --json"
tap "quotes keep words together" ends 0 one_verb $ann "key create 'my key' --role member"
tap "and the key has that name" json 'map(.name) | contains(["my key"])' $ann key list
tap "it is no shell" shows 'this is no shell' one_verb $ann "whoami; id"
tap "a program is not run" ends 2 one_verb $ann "/bin/sh"
tap "nor scp's other end" ends 2 one_verb $ann "scp -t /tmp"
tap "nor sftp's" ends 2 one_verb $ann "internal-sftp"
tap "an open quote is refused" ends 2 one_verb $ann "key create 'x"
tap "the console without a terminal says what to do" shows 'give a verb' as $ann "$dir/bin/redoubt-console" </dev/null
tap "the console refuses other arguments" ends 2 as $ann "$dir/bin/redoubt-console" -l

printf '\033]0;x\007' >"$dir/escape"
escape() { redoubt $ann audit list --filter "$(cat "$dir/escape")" && redoubt $ann person add "$(cat "$dir/escape")" a@b.c --role member; }
no_escape() { ! escape 2>&1 | grep -q "$(printf '\033')"; }
tap "no escape sequence is printed back" no_escape

kill "$accounts_pid" && wait "$accounts_pid" 2>/dev/null || :
tap "a service that is away is said to be" shows 'accounts service is not running' redoubt $ann whoami
tap "and ends with 1" ends 1 redoubt $ann whoami
tap_done
