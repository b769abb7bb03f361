#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real redoubt-accounts and redoubt-audit on a bus of their own, each as its own user, with the bus policies and
# the user records of the appliance. Prints TAP; needs the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
export O="${O:-build/release}"
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/accounts.sh "$@"
# A mount namespace of our own, for /etc/passwd and the like.
[ "${1:-}" = inside ] || exec unshare --mount tests/integration/accounts.sh inside

# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

here=$(pwd)
dir=$(mktemp -d)
chmod 0755 "$dir"
trap 'stop asker; stop accounts; stop userdb; stop audit; stop bus; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT PIPE TERM

# --- the machine around the daemons --------------------------------------------------------------

accounts_uid=903 audit_uid=904 sshkeys_uid=907 tty_uid=908 appliance_uid=905
{
	cat /etc/passwd
	for user in accounts:$accounts_uid audit:$audit_uid sshkeys:$sshkeys_uid tty:$tty_uid \
		appliance:$appliance_uid; do
		echo "redoubt-${user%:*}:x:${user#*:}:${user#*:}::/:/usr/sbin/nologin"
	done
} >"$dir/passwd"
{ cat /etc/group; echo 'redoubt-people:x:920:'; } >"$dir/group"
mount --bind "$dir/passwd" /etc/passwd
mount --bind "$dir/group" /etc/group
printf 'passwd: files systemd\ngroup: files systemd\nshadow: files systemd\n' >"$dir/nsswitch"
mount --bind "$dir/nsswitch" /etc/nsswitch.conf
mkdir -p /run/userdb "$dir/state/accounts" "$dir/state/audit" "$dir/run" "$dir/cred"
chown $accounts_uid "$dir/state/accounts"
chown $audit_uid "$dir/state/audit"
chmod 0700 "$dir/state/accounts" "$dir/state/audit"
chmod 0777 "$dir/run"

key() { # key NAME OPTIONS...: make a key pair
	name=$1; shift
	ssh-keygen -q -N '' -C "$name" -f "$dir/$name" "$@"
}
print_of() { ssh-keygen -lf "$dir/$1.pub" | cut -d' ' -f2; }
like() { print_of "$1" | sed 's/+/[+]/g'; } # the same as a pattern
key ann -t ed25519
key ann2 -t ed25519
key bob -t rsa -b 3072
key weak -t rsa -b 2048
key ec -t ecdsa

head -c 64 /dev/urandom >"$dir/cred/grant"
printf '{"version":1,"hostname":"redoubt-1","admin":{"name":"ann","email":"ann@example.org","ssh_key":"%s"}}' \
	"$(cat "$dir/ann.pub")" >"$dir/cred/config"
chmod 0644 "$dir/cred/grant" "$dir/cred/config"

cat >"$dir/bus.conf" <<END
<busconfig>
  <type>system</type><listen>unix:path=$dir/bus</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><deny own="*"/><deny send_type="method_call"/>
    <allow send_type="signal"/><allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/>
    <allow receive_type="error"/><allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>$here/appliance/accounts/org.redoubt.Accounts1.conf</include>
  <include>$here/appliance/audit/org.redoubt.Audit1.conf</include>
</busconfig>
END
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$dir/bus" REDOUBT_STATE="$dir/state" REDOUBT_RUN="$dir/run"
export CREDENTIALS_DIRECTORY="$dir/cred"
dbus-daemon --config-file="$dir/bus.conf" --nofork --nopidfile >"$dir/bus.log" 2>&1 &
echo $! >"$dir/bus.pid"

as() { # as UID COMMAND...: run it as that user
	uid=$1; shift
	setpriv --reuid="$uid" --regid="$uid" --clear-groups "$@"
}
is_gone() { ! kill -0 "$1" 2>/dev/null || grep -q "^State:.Z" "/proc/$1/status"; }
stop() { # stop NAME [SIGNAL]: end a process of ours, whoever started it, and wait until it has gone
	[ -s "$dir/$1.pid" ] || return 0
	stop_pid=$(cat "$dir/$1.pid")
	kill "-${2:-TERM}" "$stop_pid" 2>/dev/null || :
	tap_until 10 is_gone "$stop_pid"
	rm -f "$dir/$1.pid"
}
start_audit() {
	rm -f "$dir"/run/audit-*.sock
	setpriv --reuid=$audit_uid --regid=$audit_uid --clear-groups "$O/tests/lib/activate" \
		accounts="seqpacket:$dir/run/audit-accounts.sock" \
		engine="seqpacket:$dir/run/audit-engine.sock" \
		appliance="seqpacket:$dir/run/audit-appliance.sock" -- \
		"$O/appliance/audit/redoubt-audit" >>"$dir/audit.log" 2>&1 9>&- &
	echo $! >"$dir/audit.pid"
	tap_until 10 test -S "$dir/run/audit-appliance.sock"
	chmod 0666 "$dir"/run/audit-*.sock
}
start_userdb() {
	rm -f "$dir/run/userdb.sock"
	"$O/tests/lib/activate" userdb="seqpacket:$dir/run/userdb.sock" -- \
		"$O/appliance/userdb/redoubt-userdb" >>"$dir/userdb.log" 2>&1 9>&- &
	echo $! >"$dir/userdb.pid"
	tap_until 10 test -S "$dir/run/userdb.sock"
	chown $accounts_uid "$dir/run/userdb.sock"
}
start_accounts() {
	rm -f "$dir/run/accounts-sshkeys.sock"
	setpriv --reuid=$accounts_uid --regid=$accounts_uid --clear-groups "$O/tests/lib/activate" \
		sshkeys="seqpacket:$dir/run/accounts-sshkeys.sock" -- \
		"$O/appliance/accounts/redoubt-accounts" >>"$dir/accounts.log" 2>&1 9>&- &
	echo $! >"$dir/accounts.pid"
	tap_until 10 test -S "$dir/run/accounts-sshkeys.sock"
	chmod 0666 "$dir/run/accounts-sshkeys.sock"
	tap_until 10 call 20000 WhoAmI
}

call() { # call UID METHOD [SIGNATURE ARGUMENT...]: a method of Accounts1, as that user
	caller=$1; shift
	as "$caller" busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" --timeout=20 call \
		-- org.redoubt.Accounts1 /org/redoubt/Accounts1 org.redoubt.Accounts1 "$@"
}
review() { # review UID METHOD [SIGNATURE ARGUMENT...]: a method of Audit1, as that user
	caller=$1; shift
	as "$caller" busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" --timeout=20 call \
		org.redoubt.Audit1 /org/redoubt/Audit1 org.redoubt.Audit1 "$@"
}
keys_of() { # keys_of USER FINGERPRINT: as sshd asks, for a client of ours
	as $sshkeys_uid "$O/appliance/accounts/redoubt-authorized-keys" "$@" "192.0.2.1 22 192.0.2.9 4711"
}
nothing() { # nothing COMMAND...: succeeds if the command succeeds and prints nothing
	nothing_said=$("$@") && [ -z "$nothing_said" ]
}
recorded() { # recorded PATTERN: the newest 50 events have one like it
	says "$1" review 20000 List tus 18446744073709551615 50 ''
}

mkfifo "$dir/questions"
"$O/tests/lib/ask-access" "$dir/cred/grant" <"$dir/questions" >"$dir/answers" &
echo $! >"$dir/asker.pid"
exec 9>"$dir/questions"
ask() { # ask OPERATION KEY: what front would be answered
	before=$(wc -l <"$dir/answers")
	echo "$1 $2" >&9
	tap_until 15 more_answers_than "$before" && tail -n 1 "$dir/answers"
}
more_answers_than() { [ "$(wc -l <"$dir/answers")" -gt "$1" ]; }

# --- the first admin -----------------------------------------------------------------------------

start_audit
start_userdb
start_accounts
tap 'The first admin comes from the configuration' says '"name" s "ann" "email" s "ann@example.org" "roles" as 1 "admin"' call 20000 WhoAmI
tap 'and the ledger says so' recorded 'person.bootstrap'
tap 'The name service knows ann, with the console as shell' says '^ann:x:20000:920:.*:/:/usr/bin/redoubt-console$' getent passwd ann
tap 'by uid too' says '^ann:' getent passwd 20000
tap 'No password fits ann, and she is not locked' says '^ann:\*:' getent shadow ann
tap 'and she is of the group that sshd lets in' says 'redoubt-people' id -Gn ann
tap 'Her key is answered, restricted' says "^restrict,pty $(cut -d' ' -f1,2 "$dir/ann.pub" | sed 's/+/[+]/g')\$" keys_of ann "$(print_of ann)"
tap 'which leaves no intent that nothing closes' not recorded "ssh.sign-in"
tap 'Another key is not, and that is no failure' nothing keys_of ann "$(print_of ann2)"
tap 'and recorded as well' recorded "ssh.denied.*source\" s \"192.0.2.9:4711.*$(like ann2)"
tap "The key command says what is wrong with its arguments" not keys_of

# --- who may call --------------------------------------------------------------------------------

tap 'Root is nobody' shows 'not a person of this appliance' call 0 WhoAmI
tap 'nor is another user of the system' shows 'not a person' call $audit_uid ListPeople
tap 'Only the daemon may have its name' not as 20000 busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su org.redoubt.Accounts1 4
tap 'The serial console is the local-console' says '"roles" as 1 "local-console"' call $tty_uid WhoAmI
tap 'and sees no people' shows 'PEOPLE_READ' call $tty_uid ListPeople
tap 'A call with other types is refused' not call 20000 AddPerson ss bob ''

# --- people --------------------------------------------------------------------------------------

tap 'An admin adds a person' call 20000 AddPerson ssas bob '' 1 member
tap 'who is there at once' says '^bob:x:20001:' getent passwd bob
tap 'A name is given once' shows 'already' call 20000 AddPerson ssas bob '' 1 member
tap 'A name of the system is refused' shows 'lower-case' call 20000 AddPerson ssas root '' 1 member
tap 'A role must exist' shows 'no role .wizard' call 20000 AddPerson ssas eve '' 1 wizard
tap 'The console role is not to be had' shows 'no role .local-console' call 20000 AddPerson ssas eve '' 1 local-console
tap 'A member cannot add people' shows 'PEOPLE_WRITE' call 20001 AddPerson ssas eve '' 1 member
tap 'nor make themselves admin' shows 'PEOPLE_WRITE' call 20001 SetRoles sas bob 1 admin
tap 'and the ledger has the refusal' recorded 'person.set-roles.*bob'
tap 'The last admin stays' shows 'no admin' call 20000 RemovePerson s ann
tap 'is not suspended' shows 'no admin' call 20000 SetState ss ann suspended
tap 'and not demoted' shows 'no admin' call 20000 SetRoles sas ann 1 member
tap 'All are listed' says 'aa\{sv\} 2 .*"bob".*"member".*"active"' call 20000 ListPeople
tap 'and that they were is in the ledger, once for a connection' recorded 'person.list.*"ann"'
tap 'A session says when the last one was' says '"last_login" s ""' call 20001 SessionOpen ssss "$(print_of bob)" pts/0 "192.0.2.8 5 192.0.2.1 22" console
tap 'and is in the ledger with key and address' recorded "session.open.*bob.*192.0.2.8:5.*$(like bob)"
tap 'its end too, when its connection goes' tap_until 5 recorded 'session.close.*bob.*192.0.2.8:5.*seconds'
tap 'the next one says so' says "last_login\" s \"20.*pts/0 $(like bob)" call 20001 SessionOpen ssss "$(print_of bob)" pts/1 "" "status"

# --- SSH keys ------------------------------------------------------------------------------------

tap 'A person adds a key of their own' says "$(like bob)" call 20001 AddSshKey ss '' "$(cat "$dir/bob.pub")"
tap 'which is answered at once' says '^restrict,pty ssh-rsa ' keys_of bob "$(print_of bob)"
tap 'A short RSA key is refused with the reason' shows '3072 bits' call 20001 AddSshKey ss '' "$(cat "$dir/weak.pub")"
tap 'so is an ECDSA key' shows 'ECDSA' call 20001 AddSshKey ss '' "$(cat "$dir/ec.pub")"
tap 'and a private key, which is not recorded' shows 'private key' call 20001 AddSshKey ss '' "$(cat "$dir/bob")"
tap 'A key is one persons only' shows 'in use' call 20001 AddSshKey ss '' "$(cat "$dir/ann.pub")"
tap 'Nobody adds keys to others' shows 'PEOPLE_WRITE' call 20001 AddSshKey ss ann "$(cat "$dir/ann2.pub")"
tap 'but an admin' says "$(like ann2)" call 20000 AddSshKey ss ann "$(cat "$dir/ann2.pub")"
tap 'Keys are listed with size and comment' says '"ssh-rsa" "bits" t 3072 "comment" s "bob"' call 20001 ListSshKeys s ''
tap 'A removed key' call 20001 RemoveSshKey ss '' "$(print_of bob)"
tap 'is not answered any more' nothing keys_of bob "$(print_of bob)"

# --- API keys, and what front is answered --------------------------------------------------------

tap 'A key worth more than its maker is refused' shows 'worth more' call 20001 CreateApiKey sss etl admin ''
made=$(call 20001 CreateApiKey sss etl member '')
api_key=$(printf '%s' "$made" | sed 's/.*"key" s "\([^"]*\)".*/\1/')
tap 'A key is shown when it is made' test ${#api_key} = 53
tap 'and not listed again' not says "$api_key" call 20001 ListApiKeys s ''
tap 'nor in the database' not grep -rqF "$api_key" "$dir/state"
tap 'It opens the API' says "^granted bob member rdt_" ask api.query "$api_key"
tap 'A member may make and delete collections' says '^granted bob member' ask api.collection.delete "$api_key"
tap 'but has not the custody of their keys' says '^denied 403 FORBIDDEN .*ROTATE_KEY_WS' ask api.collection.rotate_key "$api_key"
tap 'No key does not' says '^denied 401 AUTHEXCEPTION No API key' ask api.query -
tap 'nor does a mistyped one' says '^denied 401 AUTHEXCEPTION This is not' ask api.query "${api_key%?}~"
tap 'A missing privilege is named' says '^granted bob' ask api.documents.add "$api_key"
rm -f "$dir/run/engine-accounts.sock" # ask-engine stands in engine's place and says what it is told
"$O/tests/lib/ask-engine" hear >"$dir/engine.heard" 9>&- &
hears=$!
tap_until 5 test -S "$dir/run/engine-accounts.sock"
heard() { tap_until 5 grep -qx -- "$1" "$dir/engine.heard" || { cat "$dir/engine.heard"; return 1; }; }
tap 'A suspended key' call 20001 SetApiKeyState sss '' etl SUSPENDED
tap 'has its queries ended' heard "$(printf %.10s "$api_key") -"
tap 'opens nothing' says '^denied 401 AUTHEXCEPTION The API key is suspended' ask api.query "$api_key"
tap 'until it is active' call 20001 SetApiKeyState sss '' etl ACTIVE
tap 'A demoted owner' call 20000 SetRoles sas bob 1 read-only
tap 'demotes the key at once' says '^denied 403 FORBIDDEN .*WRITE_DATA_WS' ask api.documents.add "$api_key"
tap 'which still reads' says '^granted bob' ask api.query "$api_key"
tap 'A suspended owner' call 20000 SetState ss bob suspended
tap 'has all queries of his ended' heard '- bob'
tap 'suspends the key' says '^denied 401 AUTHEXCEPTION The owner' ask api.query "$api_key"
tap 'and is out of the console' shows 'suspended' call 20001 WhoAmI
tap 'Active again' call 20000 SetState ss bob active
tap 'A frame that is none ends the connection' says '^gone' ask garbage -
tap 'and nothing else: the next question is answered' says '^granted bob' ask api.query "$api_key"
tap 'Others may not touch the key' shows 'API_KEYS_ALL' call 20001 DeleteApiKey ss ann x
: >"$dir/engine.heard"
tap 'A deleted key' call 20001 DeleteApiKey ss '' etl
tap 'has its queries ended, too' heard "$(printf %.10s "$api_key") -"
kill "$hears" && rm -f "$dir/run/engine-accounts.sock"
call 20001 CreateApiKey sss gone read-only '' >/dev/null
tap 'A key is deleted even if engine cannot be told' call 20001 DeleteApiKey ss '' gone
tap 'is not known' says '^denied 401 AUTHEXCEPTION The API key is not known' ask api.query "$api_key"

# --- audit asks ----------------------------------------------------------------------------------

tap 'Audit may ask who may what' says '^bs true "ann"' call $audit_uid Authorize uss 20000 AUDIT_READ ''
tap 'and hears no' says '^bs false "bob"' call $audit_uid Authorize uss 20001 AUDIT_READ ''
tap 'nobody is not anybody' says '^bs false ""' call $audit_uid Authorize uss 4242 AUDIT_READ ''
tap 'People may not ask' shows 'own services' call 20000 Authorize uss 20000 AUDIT_READ ''
tap 'So a member reads no ledger' not review 20001 List tus 18446744073709551615 1 ''

# --- without the ledger --------------------------------------------------------------------------

stop audit
rm -f "$dir"/run/audit-*.sock
tap 'Without the ledger nobody is added' shows 'ledger' call 20000 AddPerson ssas eve '' 1 member
tap 'nor does a session open' shows 'cannot record the session' call 20000 SessionOpen ssss "" "" "" x
tap 'nor let into the API' says '^denied 503 SERVICEUNAVAILABLE' ask api.user.self -
start_audit
tap 'With it, nobody was added' not getent passwd eve
tap 'and people sign in again' says '^restrict,pty' keys_of ann "$(print_of ann)"

# --- killed in the middle ------------------------------------------------------------------------

storm() { # add and remove people until told to stop
	while [ ! -e "$dir/enough" ]; do
		call 20000 AddPerson ssas "p$1" "p$1@example.org" 2 member read-only
		call 20000 RemovePerson s "p$1"
	done >/dev/null 2>&1
}
whole() { # every person has uid and roles, and exactly these have records
	call 20000 ListPeople >"$dir/list" || return 1
	tr ' ' '\n' <"$dir/list" | grep -c '^"uid"$' >"$dir/n"
	[ "$(grep -o '"roles" as [12] ' "$dir/list" | wc -l)" = "$(cat "$dir/n")" ] || return 1
	[ "$(find /run/userdb -name '[a-z]*.user' | wc -l)" = "$(cat "$dir/n")" ] || return 1
	[ "$(find /run/userdb -name '.*' -type f | wc -l)" = 0 ]
}
killed() {
	rm -f "$dir/enough"
	storm 1 & one=$!
	storm 2 & two=$!
	sleep "$1"
	stop accounts KILL
	touch "$dir/enough"
	wait "$one" "$two" || :
	start_accounts
	whole
}
for pause in 0.61 0.83 1.07; do
	tap "Killed after $pause s, it comes back with nothing half done" killed $pause
done
tap 'and the ledger verifies' says '"verdict" s "valid' review 20000 Verify st '' 0

# --- the sandbox ---------------------------------------------------------------------------------

tap 'A removed person' call 20000 RemovePerson s bob
tap 'is gone from the name service' not getent passwd bob
tap 'and from the bus' shows 'not a person' call 20001 WhoAmI
tap 'From inside, the daemon cannot do what it must not' as $accounts_uid "$O/appliance/accounts/redoubt-accounts" --self-test
tap_done
