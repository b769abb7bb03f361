#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A read-only key tries to fill a small volume through the ledger; then the volume is full for other reasons. The real front,
# engine, keys and ledger; accounts and appliance are played. Prints TAP; needs the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
export O="${O:-build/release}"
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/ledger-room.sh "$@"
# A mount namespace of our own, for the small volume.
[ "${1:-}" = inside ] || exec unshare --mount tests/integration/ledger-room.sh inside
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
service_port=${service_port:-21573}
# shellcheck source=tests/lib/service.sh
. tests/lib/service.sh
trap 'service_stop; umount "$dir/state" 2>/dev/null || :; rm -rf "$dir"' EXIT
mkdir -p "$dir/state"
mount -t tmpfs -o size=64m none "$dir/state"
service_prepare

start_audit() { # with accounts' socket, too
	rm -f "$dir"/run/audit-*.sock
	"$O/tests/lib/activate" "engine=seqpacket:$dir/run/audit-engine.sock" \
		"accounts=seqpacket:$dir/run/audit-accounts.sock" "keys=seqpacket:$dir/run/audit-keys.sock" -- \
		"$O/appliance/audit/redoubt-audit" 2>>"$dir/audit.log" &
	audit=$!
	tap_until 10 test -S "$dir/run/audit-engine.sock"
}
ask() { # ask KEY METHOD PATH [BODY]: its answer, then the status
	ask_key=$1 ask_method=$2 ask_path=$3
	shift 3
	curl -sk --max-time 60 -w ' %{http_code}\n' -X "$ask_method" -H "Authorization: ApiKey $ask_key" \
		-H 'Content-Type: application/json' ${1:+-d "$1"} "$api$ask_path"
}
query() { ask "$1" POST /queries '{"sql":{"query":"SELECT COUNT(*) FROM movies"}}'; }
ready() { query writer | grep -q ' [24]0[04]$'; }
accounts_says() { "$O/tests/lib/audit-load" audit-accounts.sock 1 1 by-hand "$1"; } # an event with this code is taken
free_kb() { df -k --output=avail "$dir/state" | tail -n 1 | tr -d ' '; }
fill() { # fill KB: leave so much free
	filler_kb=$(($(free_kb) - $1))
	[ "$filler_kb" -le 0 ] || head -c "${filler_kb}k" /dev/zero >>"$dir/state/filler" 2>/dev/null || :
}
text=$(printf '%1500s' '' | tr ' ' x)
attack() { # attack N: so many queries with long texts of the read-only key; prints the statuses
	curl -skZ --parallel-max 8 --max-time 120 -w '%{http_code}\n' -o /dev/null -H 'Authorization: ApiKey reader' \
		-H 'Content-Type: application/json' -d "{\"sql\":{\"query\":\"SELECT COUNT(*) FROM movies -- $text\"}}" \
		"$api/queries?n=[1-$1]"
}

start_audit
start_keys
start_front
start_engine
start_grants
tap 'the service is up' tap_until 10 ready
ask writer POST /ws/commons/collections '{"name":"movies"}' >/dev/null
ask writer POST /ws/commons/collections '{"name":"doomed"}' >/dev/null
ask writer POST /ws/commons/collections/movies/docs '{"data":[{"_id":"a"}]}' >/dev/null

# --- the attack ----------------------------------------------------------------------------------

before=$(free_kb)
attack 3000 >"$dir/statuses" || :
answered=$(grep -c 200 "$dir/statuses" || :) limited=$(grep -c 429 "$dir/statuses" || :)
echo "# $answered answered, $limited limited, $((before - $(free_kb))) KiB taken"
tap 'a read-only key gets a share of the room and then 429' [ "$answered" -gt 100 -a "$limited" -gt 100 ]
tap 'with a sentence that says so' says 'share of the room that the audit ledger has left.* 429$' query reader
tap 'most of the room is left' [ "$(free_kb)" -gt $((before * 2 / 3)) ]
tap 'another key goes on' says ' 200$' query writer
sleep 2.2
tap 'the ledger says who was limited' grep -raq '"code":"ledger.share-used-up".*"actor":"ann/rdt_reader","count":' "$dir/state/audit"
tap 'an admin takes the key away' accounts_says api-key.delete

# --- the volume is full --------------------------------------------------------------------------

fill 12000
tap 'before the ledger has none, engine takes no more documents' says '"message":"The data volume is full.* 429$' \
	ask writer POST /ws/commons/collections/movies/docs '{"data":[{"_id":"b"}]}'
tap 'while queries go on' says ' 200$' query writer
fill 1500
sleep 1.5
tap 'below the floor a query is refused' says '"error_id":"audit_unavailable".* 503$' query writer
tap 'an admin signs in' accounts_says session.open
tap 'and by SSH' accounts_says ssh.sign-in
tap 'takes a key away' accounts_says api-key.delete
tap 'suspends a person' accounts_says person.set-state
tap 'and a collection is deleted' says ' 200$' ask writer DELETE /ws/commons/collections/doomed
fill 0
tap 'with nothing at all left an admin signs in' accounts_says session.open
tap 'and takes a key away' accounts_says api-key.delete
tap 'but an ordinary event is not taken' not accounts_says api-key.create
"$O/tests/lib/audit-load" audit-accounts.sock 20000 8 many ssh.sign-in >"$dir/many" 2>/dev/null || :
tap 'who signs in without end is limited' grep -q '^refused its actor has used up' "$dir/many"

stop "$audit" KILL
fill 0
start_audit
tap 'after a restart on the full volume an admin signs in' accounts_says appliance.unlock
tap 'and an ordinary event is still not taken' not accounts_says api-key.create

# --- room is made --------------------------------------------------------------------------------

rm "$dir/state/filler"
goes_on() { query writer | grep -q ' 200$'; }
tap 'when room is made all goes on by itself' tap_until 10 goes_on
tap 'documents, too' says '"status":"ADDED".* 200$' ask writer POST /ws/commons/collections/movies/docs '{"data":[{"_id":"c"}]}'
tap 'what is set aside is whole again' [ "$(stat -c %s "$dir/state/audit/reserve")" = $((16 << 20)) ]
stop "$engine"; engine=''
stop "$audit"; audit=''
tap 'the ledger verifies after all that' "$O/tests/lib/audit-check" "$dir/state/audit" "$(cat "$dir/state/audit/vkey")"
tap_done
