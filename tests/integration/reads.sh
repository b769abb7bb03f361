#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No read goes unrecorded: the real front, engine, keys and ledger; accounts and appliance are played by tests/lib/grants.
# Prints TAP; needs the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
export O="${O:-build/release}"
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/reads.sh "$@"
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
service_port=${service_port:-21563}
# shellcheck source=tests/lib/service.sh
. tests/lib/service.sh
service_prepare

ask() { # ask PATH BODY: its answer, then the status
	curl -sk --max-time 60 -w ' %{http_code}\n' -H 'Authorization: ApiKey writer' -H 'Content-Type: application/json' \
		-d "$2" "$api$1"
}
query() { ask /queries "{\"sql\":{\"query\":\"$1\"}}"; }
ready() { query 'SELECT 1' | grep -q ' 200$'; }
entries() { "$O/tests/lib/audit-check" --list "$dir/state/audit"; } # INDEX TARGET CODE OUTCOME
in_ledger() { grep -rahq -e "$1" "$dir/state/audit/tile" "$dir/state/audit/wal"; }

start_audit
start_keys
start_front
start_engine
start_grants
tap 'the service is up' tap_until 10 ready
ask /ws/commons/collections '{"name":"movies"}' >/dev/null
ask /ws/commons/collections/movies/docs '{"data":[{"_id":"a","year":1994,"secret":{"name":"Bob"}}]}' >/dev/null

# --- what is told --------------------------------------------------------------------------------

tap 'a query is answered' says '"n":1.* 200$' query 'SELECT COUNT(*) AS n FROM movies WHERE year = 1994 AND secret.name IS NOT NULL'
sleep 1.2
tap 'its collections and fields are in the ledger' in_ledger \
	'"code":"api.query".*"target":"commons.movies".*"outcome":"intent".*"fields":\[[^]]*"commons.movies.year"'
tap 'and the hash of its text' in_ledger '"sql_sha256":"[0-9a-f]\{64\}".*"collections":\["commons.movies"\]'
told() { entries | awk '$2 == "commons.movies" && $3 == "api.query" { n[$4]++ } END { for (k in n) print k, n[k] }' | sort | paste -sd,; }
tap 'the intent has its outcome' says '^done 1,intent 1$' told
comment=$(printf '%2100s' '')
tap 'a long comment' says ' 200$' query "/*$comment*/ SELECT secret FROM movies"
control=$(printf '%.0s\\u0001' $(seq 2030))
tap 'and two thousand control characters' says ' 200$' query "/*$control*/ SELECT secret FROM movies WHERE year > 0"
sleep 1.2
tap 'hide no statement' in_ledger '"sql_end":"[^"]*SELECT secret FROM movies".*"fields":\["commons.movies.secret"\]'
tap 'neither of them' in_ledger '"sql":"/\*\\u0001.*"sql_end":"[^"]*SELECT secret FROM movies WHERE year > 0"'
tap 'nor does a text that is no query' says ' 400$' query 'SELEKT secret FROM movies'
sleep 1.2
tap 'which is told, too' in_ledger '"outcome":"failed".*"sql":"SELEKT secret FROM movies"'
tap 'reading a collection has its intent and its outcome' says ' 200$' \
	curl -sk -w ' %{http_code}\n' -H 'Authorization: ApiKey writer' "$api/ws/commons/collections/movies"
sleep 1.2
gets() { entries | awk '$3 == "api.collection.get" { print $4 }' | sort | paste -sd,; }
tap 'both in the ledger' says '^done,intent$' gets

# --- killed between the intent and the answer ----------------------------------------------------

never='SELECT COUNT(*) FROM movies m, UNNEST(SEQUENCE(1, 1000000) AS a), UNNEST(SEQUENCE(1, 1000000) AS b) WHERE m.year + a + b = 0'
(exec curl -sk --max-time 60 -H 'Authorization: ApiKey writer' -H 'Content-Type: application/json' \
	-d "{\"sql\":{\"query\":\"$never\"}}" "$api/queries" >"$dir/never.answer" 2>&1) &
client=$!
begun() { in_ledger '"outcome":"intent".*SEQUENCE(1, 1000000)'; }
tap 'what a query that does not end reads is in the ledger while it runs' tap_until 10 begun
stop "$engine" KILL
stop "$client"
unknown() { entries | grep -q 'ledger.outcome-unknown'; }
tap 'when engine dies, that its outcome is unknown is, too' tap_until 10 unknown
start_engine
tap 'engine comes back' tap_until 10 ready

# --- the ledger dies between them ----------------------------------------------------------------

(exec curl -sk --max-time 60 -w ' %{http_code}\n' -H 'Authorization: ApiKey writer' -H 'Content-Type: application/json' \
	-d '{"timeout_ms":3000,"sql":{"query":"'"$never"'"}}' "$api/queries" >"$dir/lost.answer" 2>&1) &
client=$!
twice() { [ "$(grep -raho '"outcome":"intent"[^}]*SEQUENCE(1, 1000000)' "$dir/state/audit/wal" | wc -l)" -ge 2 ]; }
tap_until 10 twice || :
stop "$audit" KILL
start_audit
wait "$client" || :
tap 'an answer whose intent the ledger has lost sight of is not given' says '"error_id":"audit_unavailable".* 503$' cat "$dir/lost.answer"
tap 'then all goes on' tap_until 10 ready

stop "$engine"; engine=''
stop "$audit"; audit=''
tap 'the ledger verifies' "$O/tests/lib/audit-check" "$dir/state/audit" "$(cat "$dir/state/audit/vkey")"

tap_done
