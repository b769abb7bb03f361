#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What one key's queries may do to the others': the real front, engine, keys and ledger; accounts and appliance are played.
# Prints TAP; needs the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
export O="${O:-build/release}"
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/limits.sh "$@"
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
service_port=${service_port:-21553}
# shellcheck source=tests/lib/service.sh
. tests/lib/service.sh
service_prepare

# ask KEY TEXT [SECONDS]: a query, all of whose answer is printed, then the status.
ask() {
	curl -sk --max-time "${3:-30}" -w ' %{http_code}\n' -H "Authorization: ApiKey $1" -H 'Content-Type: application/json' \
		-d "{\"sql\":{\"query\":\"$2\"}}" "$api/queries"
}
in_background() { # in_background NAME KEY TEXT: its answer goes to a file, its process to $started
	(exec curl -sk ${source:+--interface "$source"} --max-time 120 -w ' %{http_code}\n' -H "Authorization: ApiKey $2" -H 'Content-Type: application/json' \
		-d "{\"sql\":{\"query\":\"$3\"}}" "$api/queries" >"$dir/$1.answer" 2>&1) &
	started="${started:-} $!"
}
end_background() {
	for pid in ${started:-}; do stop "$pid"; done
	started=
}
engine_says() { "$O/tests/lib/ask-engine" "$@"; }
running() { engine_says list | grep -c "works ${1:-}" | grep -qx "${2:-[1-9].*}"; }
nothing_runs() { [ -z "$(engine_says list)" ]; }
ready() { ask writer 'SELECT 1' 5 | grep -q ' 200$'; }
# The attack of the first report, as long as it may take: what runs a regular expression or a cross product does not end by itself.
never="SELECT COUNT(*) FROM UNNEST(SEQUENCE(1, 1000000) AS a), UNNEST(SEQUENCE(1, 1000000) AS b) WHERE a + b = 0"
like="SELECT LPAD('a',1000000,'a') LIKE CONCAT('%',LPAD('a',500000,'a'),'b%') AS r"
underscores="SELECT LPAD('a',1000000,'a') LIKE CONCAT('%',LPAD('_',500000,'a_'),'b%') AS r"

start_audit
start_keys
start_front
start_engine
start_grants
tap 'front reaches engine' tap_until 10 ready
curl -sk -o /dev/null -H 'Authorization: ApiKey writer' -d '{"name":"things"}' "$api/ws/commons/collections"
curl -sk -o /dev/null -H 'Authorization: ApiKey writer' -d '{"data":[{"_id":"1","v":1}]}' "$api/ws/commons/collections/things/docs"
point="SELECT v FROM things WHERE _id = '1'"

# --- many at once -------------------------------------------------------------------------------

tap 'the LIKE that stopped all queries is answered' says '"results":\[\{"r":false\}\].* 200$' ask slow "$like" 10
for n in 1 2 3 4 5 6; do in_background "never$n" slow "$never"; done
for n in 1 2 3; do in_background "underscores$n" slow "$underscores"; done
tap 'long queries of one key run, as many as it may have' tap_until 10 running rdt_slow '[23]'
sleep 1
point_answers() { # twenty of them, each in time
	for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		ask writer "$point" 3 | grep -q '"results":\[{"v":1}\].* 200$' || return 1
	done
}
tap "another key's point queries are answered meanwhile" point_answers
tap "so is a write" says '"status":"REPLACED".* 200$' curl -sk --max-time 5 -w ' %{http_code}\n' \
	-H 'Authorization: ApiKey writer' -d '{"data":[{"_id":"1","v":1}]}' "$api/ws/commons/collections/things/docs"
tap "and a longer query of it" says ' 200$' ask writer \
	'SELECT COUNT(*) FROM UNNEST(SEQUENCE(1, 1000000) AS a) WHERE a % 7 = 3' 20
tap 'who asks, and what, is listed' says '^[0-9]+ works rdt_slow eve [0-9]+ SELECT COUNT' engine_says list

# --- ending them --------------------------------------------------------------------------------

first=$(engine_says list | awk '/ works rdt_slow eve [0-9]* SELECT COUNT/ { print $1; exit }')
tap "a query is not ended for somebody else" says '^0$' engine_says kill "$first" ann
tap 'one is ended by its number' says '^1$' engine_says kill "$first" eve
gone() { ! engine_says list | grep -q "^$1 "; }
tap 'and is gone' tap_until 5 gone "$first"
tap 'its client is told' tap_until 5 sh -c "grep -l QUERY_CANCELLED $dir/*.answer"
tap 'what is no number of a query ends nothing' says '^0$' engine_says kill 999999
tap 'taking the key away ends all that it runs' says '^[1-9]' engine_says kill-key rdt_slow
tap 'at once' tap_until 5 nothing_runs
end_background
in_background of-eve slow "$never"
tap 'a query of a person runs' tap_until 10 running rdt_slow
tap 'it ends with the person' says '^1$' engine_says kill-key - eve
tap 'at once, too' tap_until 5 nothing_runs
end_background
in_background leaves slow "$underscores"
tap 'a query whose client will leave runs' tap_until 10 running rdt_slow
end_background
tap 'it ends when the client has left' tap_until 5 nothing_runs

# --- too many -----------------------------------------------------------------------------------

n=0
while [ "$n" -lt 75 ]; do
	source=127.0.0.$((2 + n % 3)) # front lets one address have 64 connections
	in_background "many$n" slow "$never"
	n=$((n + 1))
done
too_many() { grep -l '"error_id":"too_many_queries".*"hint":"Wait for answers.* 429$' "$dir"/many*.answer; }
tap 'more than a key may have waiting are refused, with what to do' tap_until 30 too_many
source=
tap "another key's are not" point_answers
end_background
tap 'all end with their clients' tap_until 20 nothing_runs

# --- the end ------------------------------------------------------------------------------------

for n in 1 2 3; do in_background "last$n" slow "$underscores"; done
tap 'long queries run' tap_until 10 running rdt_slow
kill -TERM "$engine"
engine_ended() { ! grep -qs "^State:.[^Z]" "/proc/$engine/status"; }
tap 'SIGTERM ends engine all the same' tap_until 5 engine_ended
engine=
end_background
tap 'and nothing had to be forced' not grep -q 'took too long' "$dir/engine.log"
tap_done
