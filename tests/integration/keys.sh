#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real redoubt-keys with the real ledger: with the volume's secret and without, with one TPM (swtpm) and another, killed again and
# again, on a failing disk. Prints TAP; needs the tools tree.
# shellcheck disable=SC2046 # answers are taken apart into words on purpose
set -eu

cd "$(dirname -- "$0")/../.."
export O="${O:-build/release}"
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/keys.sh "$@"

# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

dir=$(mktemp -d /tmp/redoubt-keys-XXXXXX)
audit='' keys='' tpm='' load=''
stop() { # stop PID: end a process of ours and wait for it
	[ -z "$1" ] || { kill "$1" 2>/dev/null || :; wait "$1" 2>/dev/null || :; }
}
trap 'stop "$load"; stop "$keys"; stop "$audit"; stop "$tpm"; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT PIPE TERM

export REDOUBT_RUN="$dir/run" TSS2_LOG=all+none
mkdir -p "$REDOUBT_RUN" "$dir/credentials"

A=0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5b
B=11111111-2222-4333-8444-555555555555

ask() { "$O/tests/lib/ask-keys" "$@"; }
fresh() { # fresh NAME: an empty state folder
	export REDOUBT_STATE="$dir/$1"
	ring=$REDOUBT_STATE/keyring
	mkdir -p "$ring" "$REDOUBT_STATE/audit"
}
start_audit() {
	"$O/tests/lib/activate" keys="seqpacket:$REDOUBT_RUN/audit-keys.sock" -- "$O/appliance/audit/redoubt-audit" \
		>>"$dir/log" 2>&1 &
	audit=$!
	tap_until 10 test -e "$REDOUBT_STATE/audit/vkey" || :
}
# start [COMMAND...]: start the daemon, under a command if given.
start() {
	"$@" "$O/tests/lib/activate" engine="seqpacket:$REDOUBT_RUN/keys-engine.sock" -- \
		"$O/appliance/keys/redoubt-keys" >>"$dir/log" 2>&1 &
	keys=$!
	tap_until 10 takes_signals || :
}
takes_signals() { # it has got as far as its loop, or has ended
	! grep -q '^State:[[:space:]]*[RSDTtI]' "/proc/$keys/status" || grep -q '^SigBlk:.*4...$' "/proc/$keys/status"
}
finish() { # end the daemon as systemd does; $ended is its exit status
	kill "$keys" 2>/dev/null || :
	wait "$keys" && ended=0 || ended=$?
	keys=
}
killed() {
	kill -KILL "$keys" 2>/dev/null || :
	wait "$keys" 2>/dev/null || :
	keys=
}
start_tpm() { # start_tpm NAME: a TPM of that name, with its state
	mkdir -p "$dir/$1"
	swtpm socket --tpm2 --tpmstate dir="$dir/$1" --server type=unixio,path="$dir/tpm.sock" \
		--flags not-need-init,startup-clear >>"$dir/log" 2>&1 &
	tpm=$!
	tap_until 10 test -S "$dir/tpm.sock"
}
stop_tpm() {
	stop "$tpm"
	tpm=
	rm -f "$dir/tpm.sock"
}
hex() { od -An -v -tx1 | tr -d ' \n'; }
in_folder() { cat "$ring"/* | hex | grep -q "$1"; } # in_folder HEX: a file of the keyring has it

# --- the file provider, and what may be asked ----------------------------------------------------

fresh plain
start_audit
start
tap 'a collection gets a key' says '^ok$' ask create "$A"
tap 'again: the same' says '^ok$' ask create "$A"
tap 'and a data key' says '^ok [0-9a-f]{64} [0-9a-f]{130}$' ask new "$A" segments
set -- $(ask new "$A" segments)
key=$2 wrapped=$3
tap 'which it unwraps' says "^ok $key" ask unwrap "$A" segments "$wrapped"
tap 'for no other purpose' shows '^not-authentic$' ask unwrap "$A" log "$wrapped"
tap 'nor another collection' sh -c "$O/tests/lib/ask-keys create $B && $O/tests/lib/ask-keys unwrap $B segments $wrapped | grep -qx not-authentic"
case $wrapped in *0) changed=${wrapped%?}1 ;; *) changed=${wrapped%?}0 ;; esac
tap 'nor with a changed digit' shows '^not-authentic$' ask unwrap "$A" segments "$changed"
tap 'it rotates' says '^ok$' ask rotate "$A"
tap 'and still unwraps what was' says "^ok $key" ask unwrap "$A" segments "$wrapped"
set -- $(ask rewrap "$A" segments "$wrapped")
tap 'and wraps it anew' says "^ok $key" ask unwrap "$A" segments "$3"
tap 'what is no request ends that connection' says '^closed$' ask garbage
tap 'and nothing else' says "^ok $key" ask unwrap "$A" segments "$wrapped"
tap 'no data key lies in the folder' not in_folder "$key"
tap 'the files are for nobody else' sh -c "[ -z \"\$(find $ring -type f ! -perm 0600)\" ]"
tap 'the key is destroyed' says '^ok$' ask destroy "$A"
tap 'and unwraps nothing any more' shows '^absent$' ask unwrap "$A" segments "$wrapped"
tap 'its file is gone' sh -c "[ -z \"\$(find $ring -name '*$A*')\" ]"
tap 'nor does a new key of the same name' sh -c "$O/tests/lib/ask-keys create $A && $O/tests/lib/ask-keys unwrap $A segments $wrapped | grep -qx not-authentic"
finish
tap 'it ends when asked to' [ "$ended" = 0 ]
sleep 1.2 # the ledger shows what is signed, and signs once a second
tap 'the ledger has each change as intent and outcome' sh -c "
	$O/tests/lib/audit-check --list $REDOUBT_STATE/audit >$dir/entries; cat $dir/entries
	[ \"\$(grep -c key.create $dir/entries)\" = 6 ] && [ \"\$(grep -c key.rotate $dir/entries)\" = 2 ] &&
	[ \"\$(grep -c key.destroy $dir/entries)\" = 2 ]"
start
tap 'a new process knows the keys that are there' says '^ok ' ask new "$B" segments
stop "$audit"
audit=
tap 'without the ledger nothing changes' shows '^unavailable$' ask destroy "$B"
tap 'but data keys are given' says '^ok ' ask new "$B" segments
finish

# --- killed --------------------------------------------------------------------------------------

fresh killed
start_audit
round=0
while [ $round -lt 25 ]; do
	start
	ask work 100000 >>"$dir/done" 2>/dev/null &
	load=$!
	sleep "0.$((round * 7 % 3))$((round * 3 % 10))"
	killed
	wait "$load" 2>/dev/null || :
	load=
	round=$((round + 1))
done
start
grep -E '^(kept|destroyed) [^ ]+ [^ ]+ [0-9a-f]{130}$' "$dir/done" >"$dir/whole" || :
echo "# $(wc -l <"$dir/whole") collections, $(grep -c ^destroyed "$dir/whole") destroyed"
tap 'after 25 kills many lives were acknowledged' [ "$(wc -l <"$dir/whole")" -gt 100 ]
tap 'every kept key is there, every destroyed one is not' sh -c "$O/tests/lib/ask-keys check <$dir/whole"
tap 'nothing half is left' sh -c "[ -z \"\$(find $ring -name '.*' -type f)\" ]"
finish
rm -f "$dir/done"

# A kill before each call that changes the disk, in a fixed order of requests.
changing=pwrite64,fsync,renameat,unlinkat
killed_at_each_call() {
	for n in $(seq 1 "$1"); do
		rm -rf "$ring"
		mkdir -p "$ring"
		start strace -D -f -qq -o /dev/null -e signal=none -e trace=$changing \
			-e inject="$changing:signal=KILL:when=$n"
		ask work 4 >"$dir/call" 2>/dev/null || :
		killed
		start
		ask check <"$dir/call" >"$dir/verdict" || { echo "call $n: $(cat "$dir/verdict")"; return 1; }
		ask work 3 >/dev/null || { echo "call $n: serves no more"; return 1; }
		finish
		[ "$ended" = 0 ] || { echo "call $n: does not end"; return 1; }
		[ -z "$(find "$ring" -name '.*' -type f)" ] || { echo "call $n: something half is left"; return 1; }
	done
}
tap 'killed at any call that changes the disk, it comes back whole' killed_at_each_call 40

failing() { # every write fails from the nth on: faults are told, nothing is lost
	rm -rf "$ring"
	mkdir -p "$ring"
	start strace -D -f -qq -o /dev/null -e signal=none -e trace=fsync -e inject="fsync:error=EIO:when=$1+"
	ask work 20 >"$dir/call" 2>/dev/null && { echo "all of it worked"; return 1; }
	finish
	start
	ask check <"$dir/call" || return 1
	finish
}
tap 'a failing sync is told, and what was acknowledged holds' failing 15
stop "$audit"
audit=

# --- what opens the volume opens the keyring -------------------------------------------------------

fresh volume
start_audit
export REDOUBT_TPM="$dir/tpm.sock"
export CREDENTIALS_DIRECTORY="$dir/credentials"
head -c 32 /dev/urandom >"$dir/secret"
cp "$dir/secret" "$CREDENTIALS_DIRECTORY/volume"
printf '\n' >"$CREDENTIALS_DIRECTORY/recovery"
start
tap 'with the secret of the volume it needs no TPM' says '^ok$' ask create "$A"
set -- $(ask new "$A" segments)
key=$2 wrapped=$3
finish
start_tpm one
start
tap 'one TPM is no matter' says "^ok $key" ask unwrap "$A" segments "$wrapped"
finish
stop_tpm
start_tpm two
start
tap 'nor is another, nor the first again' says "^ok $key" ask unwrap "$A" segments "$wrapped"
finish
head -c 32 /dev/urandom >"$CREDENTIALS_DIRECTORY/volume"
start
tap 'the secret of another volume opens nothing' shows '^unavailable$' ask unwrap "$A" segments "$wrapped"
finish
tap 'the secret is not in the folder' not in_folder "$(hex <"$dir/secret")"
for round in 1 2 3 4 5 6; do # killed while the file is made
	rm -rf "$ring"
	mkdir -p "$ring"
	cp "$dir/secret" "$CREDENTIALS_DIRECTORY/volume"
	start strace -D -f -qq -o /dev/null -e signal=none -e trace=$changing -e inject="$changing:signal=KILL:when=$round"
	killed
	start
	ask create "$A" >/dev/null || break
	finish
done
tap 'killed while it is made, it comes back whole' [ "$round" = 6 ]
stop_tpm

for what in --help --self-test; do
	tap "redoubt-keys $what" "$O/appliance/keys/redoubt-keys" $what
done
tap_done
