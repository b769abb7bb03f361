#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real redoubt-audit: killed again and again, on a full disk, on a failing one, reviewed over a bus of its own.
# Prints TAP; needs the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
export O="${O:-build/release}"
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/audit.sh "$@"
# A mount namespace of our own, for the small disk.
[ "${1:-}" = inside ] || exec unshare --mount tests/integration/audit.sh inside

# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

dir=$(mktemp -d)
chmod 0755 "$dir"
audit='' load='' bus='' accounts=''
stop() { # stop PID: end a process of ours and wait for it
	[ -z "$1" ] || { kill "$1" 2>/dev/null || :; wait "$1" 2>/dev/null || :; }
}
trap 'stop "$load"; stop "$audit"; stop "$accounts"; stop "$bus"; umount "$dir/small" 2>/dev/null || :; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT PIPE TERM

export REDOUBT_RUN="$dir/run" DBUS_SYSTEM_BUS_ADDRESS="unix:path=$dir/bus"
mkdir -p "$REDOUBT_RUN" "$dir/small"

fresh() { # fresh NAME: an empty state folder
	export REDOUBT_STATE="$dir/$1"
	ledger=$REDOUBT_STATE/audit
	mkdir -p "$ledger"
}
# start [COMMAND...]: start the daemon, under a command if given.
start() {
	rm -f "$REDOUBT_RUN"/*.sock
	"$@" "$O/tests/lib/activate" engine="seqpacket:$REDOUBT_RUN/audit-engine.sock" \
		accounts="seqpacket:$REDOUBT_RUN/audit-accounts.sock" -- \
		"$O/appliance/audit/redoubt-audit" 2>>"$dir/log" &
	audit=$!
	tap_until 10 takes_signals || :
}
# The daemon has got as far as its loop: SIGTERM is blocked and read there, no longer deadly. (Or it
# has ended already, as those that are killed on purpose have.)
takes_signals() {
	! grep -q '^State:[[:space:]]*[RSDTtI]' "/proc/$audit/status" || grep -q '^SigBlk:.*4...$' "/proc/$audit/status"
}
finish() { # end the daemon as systemd does; $ended is its exit status. Not within tap: only its parent can wait for it
	kill "$audit" 2>/dev/null || :
	wait "$audit" && ended=0 || ended=$?
	audit=
}
append() { "$O/tests/lib/audit-load" audit-engine.sock "$@"; }
verify() { "$O/tests/lib/audit-check" "$ledger" "$(cat "$ledger/vkey")"; }
entries() { "$O/tests/lib/audit-check" --list "$ledger"; }
verdict() { # verdict NUMBER: verifying ends with it
	verify && set -- "$1" 0 || set -- "$1" $?
	[ "$1" = "$2" ]
}

# --- appending -----------------------------------------------------------------------------------

fresh plain
start
tap 'events of 64 clients are appended' append 5000 64
tap 'an event under the name of the ledger itself is refused' shows '^refused ' append 1 1 x epoch.rotate
sleep 1.2
tap 'a second later everything is signed' verdict 0
finish
tap 'it ends when asked to' [ "$ended" = 0 ]
tap 'and leaves nothing unsigned' verdict 0
tap 'every event is there once' says '^5000$' sh -c "$O/tests/lib/audit-check --list '$ledger' | grep -c ' event-'"

# --- killed --------------------------------------------------------------------------------------

fresh killed
round=0
while [ $round -lt 60 ]; do
	start
	append 100000 8 "r$round" >>"$dir/acked" 2>/dev/null &
	load=$!
	sleep "0.$((round * 7 % 4))$((round * 3 % 10))"
	kill -KILL "$audit"
	wait "$audit" 2>/dev/null || :
	wait "$load" 2>/dev/null || :
	load=
	round=$((round + 1))
done
start
finish
tap 'after sixty kills it starts and ends' [ "$ended" = 0 ]
tap 'the ledger verifies' verdict 0
grep -v refused "$dir/acked" | sort >"$dir/acked.sorted"
entries | cut -d' ' -f1,2 | sort >"$dir/entries.sorted"
acked=$(wc -l <"$dir/acked.sorted")
echo "# $acked events acknowledged"
tap 'more than a thousand events were acknowledged' [ "$acked" -gt 1000 ]
tap 'each acknowledged event is at its index' sh -c "[ -z \"\$(comm -23 '$dir/acked.sorted' '$dir/entries.sorted')\" ]"

# A kill before each of the first calls that change the disk: the new ledger, its start, the change of keys.
changing=pwrite64,fdatasync,fsync,renameat,unlinkat,ftruncate,mkdirat,fallocate
killed_at_each_call() {
	for n in $(seq 1 "$1"); do
		fresh "call-$n"
		[ "$2" = new ] || { start; append 300 4 >/dev/null 2>&1; kill -KILL "$audit"; wait "$audit" || :; }
		start strace -D -f -qq -o /dev/null -e signal=none \
			-e trace=$changing -e inject="$changing:signal=KILL:when=$n"
		sleep 0.3
		kill "$audit" 2>/dev/null || :
		wait "$audit" 2>/dev/null || :
		start
		append 1 1 >/dev/null || { echo "call $n: takes nothing: $(tail -n 3 "$dir/log")"; return 1; }
		finish
		[ "$ended" = 0 ] || { echo "call $n: does not start again"; return 1; }
		verify >/dev/null || { echo "call $n: $(verify)"; return 1; }
		rm -rf "${dir:?}/call-$n"
	done 2>/dev/null
	return 0
}

# --- a disk that fails ---------------------------------------------------------------------------

fresh failing
start
append 100 4 >/dev/null 2>&1
finish
start strace -D -f -qq -o /dev/null -e signal=none -e trace=fdatasync -e inject=fdatasync:error=EIO:when=12+
sleep 0.5
append 100 1 >"$dir/failing.out" 2>/dev/null || :
tap 'a sync that fails is told to whoever waits' grep -q '^refused ' "$dir/failing.out"
finish
tap 'and ends the process, as failed' [ "$ended" = 1 ]
start
tap 'which starts anew' append 10 1
finish
tap 'with a ledger that verifies' verdict 0
tap 'and every event that was acknowledged' sh -c "
	$O/tests/lib/audit-check --list '$ledger' | cut -d' ' -f1,2 | sort >'$dir/entries.sorted'
	grep -v refused '$dir/failing.out' | sort | comm -23 - '$dir/entries.sorted' | grep -q . && exit 1 || :"

# --- a full disk ---------------------------------------------------------------------------------

mount -t tmpfs -o size=24m none "$dir/small"
fresh small/state
start
append 50 2 >/dev/null 2>&1
head -c 100M /dev/zero >"$dir/small/filler" 2>/dev/null || :
append 20000 4 >"$dir/full.out" 2>/dev/null || :
tap 'on a full disk an event is refused' shows 'refused the data volume is full' grep -m1 refused "$dir/full.out"
tap 'but not one that frees space' append 1 1 cleaner api.collection.delete
head -c 100M /dev/zero >>"$dir/small/filler" 2>/dev/null || :
append 40000 8 x api.collection.delete >"$dir/fuller.out" 2>/dev/null || :
tap 'until the reserve is used up too' grep -q '^refused ' "$dir/fuller.out"
tap 'the process lives' kill -0 "$audit"
rm "$dir/small/filler"
sleep 2.5
tap 'with space again events are taken again' append 100 4
finish
tap 'it ends when asked to, after all that' [ "$ended" = 0 ]
tap 'the ledger verifies after all that' verdict 0
cat "$dir/full.out" "$dir/fuller.out" | grep -v refused | sort >"$dir/acked.sorted"
entries | cut -d' ' -f1,2 | sort >"$dir/entries.sorted"
tap 'no acknowledged event is lost' sh -c "[ -z \"\$(comm -23 '$dir/acked.sorted' '$dir/entries.sorted')\" ]"

# --- tampering, and the daemon's own alarm -------------------------------------------------------

fresh tampered
start
append 100 4 >/dev/null 2>&1
finish
cp "$ledger/checkpoint" "$dir/kept"
start
append 100 4 >/dev/null 2>&1
finish
tap 'an earlier checkpoint fits' verify "$dir/kept"
segment=$(ls "$ledger"/wal/*.seg)
size=$(stat -c %s "$segment")
truncate -s $((size - 1000)) "$segment"
start
tap 'a ledger cut short takes nothing' shows '^refused entries that were signed are missing|^refused an entry is damaged' append 1 1
finish
tap 'and verifying it says so' not verify

# --- review over a bus ---------------------------------------------------------------------------

cat >"$dir/bus.conf" <<END
<busconfig>
  <type>system</type><listen>unix:path=$dir/bus</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="*"/><allow receive_type="*"/>
    <allow send_destination="*"/>
  </policy>
</busconfig>
END
dbus-daemon --config-file="$dir/bus.conf" --nofork --nopidfile 2>>"$dir/log" &
bus=$!
tap_until 10 test -S "$dir/bus"
"$O/tests/lib/say-yes" 0 &
accounts=$!
fresh reviewed
start
append 700 4 >/dev/null 2>&1
review() {
	busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" --timeout=20 call org.redoubt.Audit1 \
		/org/redoubt/Audit1 org.redoubt.Audit1 "$@"
}
tap 'Status tells size and state' says '"size" t 702 .*"state" s "ok"' review Status
tap 'List yields the newest first' says '^aa\{sv\} 2 .*"index" t 702 .*"index" t 701 ' \
	review List tus 18446744073709551615 2 ''
tap 'List filters, case apart, in the whole ledger' says '"code" s "epoch.rotate"' \
	review List tus 18446744073709551615 500 EPOCH.Rotate
tap 'List yields only what fits' says '^aa\{sv\} 0$' review List tus 18446744073709551615 5 nowhere
tap 'List goes on before an index' says '^aa\{sv\} 1 .*"index" t 0 ' review List tus 1 5 ''
tap 'List refuses a count of nothing or too many' shows 'One to 500' review List tus 1 501 ''
tap 'Get shows the entry itself' says '"entry" s .*api.documents.add.*"leaf_hash" s "[0-9a-f]{64}"' review Get t 5
tap 'Get of what is not there says so' shows 'There is no entry 70000' review Get t 70000
tap 'Proof gives a proof' says 'c2sp.org/tlog-proof@v1.nindex 701' review Proof t 701
tap 'Verify finds it valid' says '"verdict" s "valid' review Verify st "" 0
tap 'who has looked is in the ledger, once for a connection' says '"code" s "audit.show" "actor" s "ann"' \
	review List tus 18446744073709551615 50 audit.show
tap 'and is left out of what the dashboard asks for' not says '"code" s "audit.' review List tus 18446744073709551615 50 -reads
tap 'somebody else may not look' shows 'AUDIT_READ' \
	setpriv --reuid=65534 --clear-groups busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" call \
	org.redoubt.Audit1 /org/redoubt/Audit1 org.redoubt.Audit1 List tus 1 5 ''
redoubt=$O/tui/cli/redoubt
export_to() { file=$1; shift; "$redoubt" audit export "$@" >"$dir/$file"; }
vkey() { cat "$ledger/vkey"; }
at_exit() { # at_exit NUMBER COMMAND...: ends with that status
	want=$1; shift
	"$@" && got=0 || got=$?
	[ "$got" = "$want" ] || { echo "status $got"; return 1; }
}
tap "audit export writes a tar and says how many entries it holds" shows "redoubt: [0-9]+ entries, from 0 on" export_to one.tar
tap "which verifies as it is" says "valid" at_exit 0 "$redoubt" audit verify "$dir/one.tar" --vkey "$(vkey)"
mkdir "$dir/copy"
tap "any tar unpacks it" tar -C "$dir/copy" -xf "$dir/one.tar"
tap "and what comes out verifies" at_exit 0 "$redoubt" audit verify "$dir/copy" --vkey "$(vkey)"
tap "there is no private key in it" not sh -c "tar -tf '$dir/one.tar' | grep -x -e key -e key.next -e intents -e reserve"
tap "each file of it that the ledger still has is the same" sh -c "cd '$dir/copy' &&
	find . -type f ! -name checkpoint ! -path '*.p/*' -exec cmp {} '$ledger'/{} ';' >'$dir/differ'; [ ! -s '$dir/differ' ]"
tap "that somebody has all of it is in the ledger" says '"code" s "ledger.exported" "actor" s "ann".*size' \
	review List tus 18446744073709551615 5 ledger.exported
cp "$dir/copy/checkpoint" "$dir/kept-1"
append 400 4 >/dev/null 2>&1
have=$(sed -n 2p "$dir/kept-1")
tap "what is new since then is exported alone" export_to two.tar --from "$have"
tap "without what was full by then" not sh -c "tar -tf '$dir/two.tar' | grep -qx tile/entries/000"
tap "alone it is incomplete" at_exit 3 "$redoubt" audit verify "$dir/two.tar" --vkey "$(vkey)"
tar -C "$dir/copy" -xf "$dir/two.tar"
tap "over the first it is whole" at_exit 0 "$redoubt" audit verify "$dir/copy" --vkey "$(vkey)" --from "$dir/kept-1" --max-age 1h
cp "$dir/copy/checkpoint" "$dir/kept-2"
cat "$dir/one.tar" "$dir/two.tar" >"$dir/both.tar"
tap "so are both in one file" at_exit 0 "$redoubt" audit verify "$dir/both.tar" --vkey "$(vkey)"
tap "an older copy is incomplete against a checkpoint kept since" at_exit 3 \
	"$redoubt" audit verify "$dir/one.tar" --vkey "$(vkey)" --from "$dir/kept-2"
sleep 2.1 # times are whole seconds
tap "a copy is stale when its checkpoint is older than it may be" at_exit 3 \
	"$redoubt" audit verify "$dir/one.tar" --vkey "$(vkey)" --max-age 1s
head -c $(($(stat -c %s "$dir/both.tar") / 3)) "$dir/both.tar" >"$dir/cut.tar"
tap "a copy that was cut off says how much is there" shows "(of the [0-9]+ entries that the checkpoint promises|Entry [0-9]+ of the [0-9]+)" \
	"$redoubt" audit verify "$dir/cut.tar" --vkey "$(vkey)"
tap "wrong use of it is 1, not a verdict" at_exit 1 "$redoubt" audit verify "$dir/one.tar"
tap "the appliance itself compares with a checkpoint kept elsewhere" shows "valid" \
	sh -c "'$redoubt' audit verify --from - --max-age 1h <'$dir/kept-2'"
sed "2s/.*/999999/" "$dir/kept-2" >"$dir/kept-3"
tap "and says if it has gone back" at_exit 3 "$redoubt" audit verify --from "$dir/kept-3"
tap "more than there is cannot be gone on from" shows "fewer entries" export_to no.tar --from 999999
tap "nobody can say that they have what they have not taken" shows "No copy of that size" review MarkExported t 5
"$redoubt" audit export 2>/dev/null | head -c 10 >/dev/null || :
sleep 0.5
tap "an export to a reader that goes away is recorded as failed" says '"outcome" s "failed"' \
	review List tus 18446744073709551615 1 ledger.export
stop "$accounts"
accounts=
tap 'without accounts nobody may look' shows 'AUDIT_READ' review List tus 1 5 ''
tap 'but Status is for all' says '"state" s "ok"' review Status
tap 'appending does not mind' append 10 2
finish
tap 'it ends when asked to, with a bus' [ "$ended" = 0 ]

tap 'killed before any of its first forty calls, a new ledger is whole at the next start' killed_at_each_call 40 new
tap 'so is one that was there' killed_at_each_call 40 old
tap '--help tells what it is' says 'writes the ledger' "$O/appliance/audit/redoubt-audit" --help
tap 'an unknown argument is refused' not "$O/appliance/audit/redoubt-audit" --frobnicate
tap 'the self-test finds nothing that works' "$O/appliance/audit/redoubt-audit" --self-test
tap_done
