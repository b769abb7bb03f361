#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The API from outside: the real front, engine, keys and ledger; accounts and appliance are played by tests/lib/grants.
# Prints TAP; needs the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
export O="${O:-build/release}"
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/api.sh "$@"
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

# shellcheck source=tests/lib/service.sh
. tests/lib/service.sh
service_prepare

# ask METHOD PATH [BODY]: with the key in $key; prints the body, a blank, the status.
key=writer
ask() {
	if [ $# -gt 2 ]; then set -- "$1" "$2" -d "$3"; fi
	ask_method=$1 ask_path=$2
	shift 2
	curl -sk --max-time 60 -w ' %{http_code}\n' -X "$ask_method" -H "Authorization: ApiKey $key" \
		-H 'Content-Type: application/json' "$@" "$api$ask_path"
}
with_key() { key=$1; shift; "$@"; }
docs=/ws/commons/collections/things/docs
# query TEXT [MEMBERS]: run it; MEMBERS go beside sql, each with a comma before it.
query() { # the text is put into JSON as it is: no double quotes, no backslashes, unless escaped
	ask POST /queries "{\"sql\":{\"query\":\"$1\"${3:-}}${2:-}}"
}
ready() { query 'SELECT 1' | grep -q ' 200$'; }

tap 'help is printed' says '^usage: redoubt-engine' "$O/service/engine/redoubt-engine" --help
tap 'an unknown argument is refused' not "$O/service/engine/redoubt-engine" --frob
tap 'the sandbox refuses all it should' not says '^not ok' "$O/service/engine/redoubt-engine" --self-test
tap 'without the key of the grants it does not start' \
	not env CREDENTIALS_DIRECTORY="$dir/run" "$O/service/engine/redoubt-engine"

start_audit
start_keys
start_front
start_engine
start_grants
tap 'front reaches engine' tap_until 10 ready

# --- catalog ------------------------------------------------------------------------------------

tap 'the organisation has an id' says '"data":\{"id":"[0-9a-f-]{36}".* 200$' ask GET ''
tap 'one is who the key belongs to' says '^\{.*"email":"ann@example.org".*"roles":\["admin"\]' ask GET /users/self
tap 'commons exists' says '"name":"commons","description":"default workspace","collection_count":0' ask GET /ws
tap 'a workspace is made' says '"data":\{.*"name":"a.b".* 200$' ask POST /ws '{"name":"a.b","description":"x"}'
tap 'but not twice' says '"type":"ALREADYEXISTS".* 409$' ask POST /ws '{"name":"a.b"}'
tap 'nor with a name that is none' says '"type":"INVALIDINPUT".* 400$' ask POST /ws '{"name":"a b"}'
tap 'one that does not exist is said to' says '"message":"Workspace with name \\"nope\\" does not exist","message_key":"WORKSPACE_NOT_FOUND","type":"NOTFOUND".* 404$' ask GET /ws/nope
tap 'a collection is made' says '"name":"things".*"workspace":"commons","status":"CREATED","sources":\[\].* 200$' \
	ask POST /ws/commons/collections '{"name":"things"}'
tap 'then it is ready' says '"status":"READY".*"doc_count":0.* 200$' ask GET /ws/commons/collections/things
tap 'and listed' says '"name":"things"' ask GET /collections
tap 'a workspace that holds it is not deleted' says '"type":"DEPENDENTRESOURCES".* 409$' sh -c "
	curl -sk -o /dev/null -d '{\"name\":\"c\"}' -H 'Authorization: ApiKey writer' $api/ws/a.b/collections
	curl -sk -w ' %{http_code}\n' -X DELETE -H 'Authorization: ApiKey writer' $api/ws/a.b"
tap 'an ingest transformation is refused, not passed over' says '"type":"NOTIMPLEMENTEDYET".* 501$' \
	ask POST /ws/commons/collections '{"name":"masked","field_mapping_query":{"sql":"SELECT * EXCEPT(email) FROM _input"}}'
tap 'and nothing was made' says ' 404$' ask GET /ws/commons/collections/masked
tap 'events are there, with nothing but data around them' says '^\{"data":\{.*"name":"_events".*\}\} 200$' ask GET /ws/commons/collections/_events
tap 'and cannot be deleted' says ' 400$' ask DELETE /ws/commons/collections/_events

# --- documents ----------------------------------------------------------------------------------

tap 'documents are added' says '"_id":"1","status":"ADDED","error":null,"patch_id":null\},\{"_collection":"things","_id":"[0-9a-f-]{36}-2","status":"ADDED".*"last_offset":"f2:' \
	ask POST "$docs" '{"data":[{"_id":"1","name":"Ann","tags":["p","q"],"n":null,"at":{"x":[1,2.5,true]}},{"name":"Bob"}]}'
tap 'one with the same _id is replaced' says '"status":"REPLACED"' ask POST "$docs" '{"data":[{"_id":"1","name":"Ann","tags":["p","q"],"n":null,"at":{"x":[1,2.5,true]}}]}'
tap 'a bad one does not hold up the rest' says '"status":"ERROR","error":\{"message":"Field `_id` must be.*\},\{.*"_id":"3","status":"ADDED".* 200$' \
	ask POST "$docs" '{"data":[{"_id":7},{"_id":"3","v":1.0}]}'
tap 'a body that is no JSON is refused with the place' says 'not valid JSON.*at byte 10.*"BADREQUEST".* 400$' ask POST "$docs" '{"data":[{]}'
tap 'a body without data is refused' says '`data` must be a list.* 400$' ask POST "$docs" '{}'
tap 'a collection that does not exist is said to' says 'Collection \\"nope\\" does not exist in workspace \\"commons\\".*"COLLECTION_DOES_NOT_EXIST".* 404$' ask POST /ws/commons/collections/nope/docs '{"data":[]}'
tap 'an offset has been reached' says '"passed":true' ask POST /ws/commons/collections/things/offsets/commit '{"name":["f2:0:1:0:---9"]}'
tap 'a document is patched' says '"status":"PATCHED","error":null,"patch_id":"[0-9a-f-]{36}"' \
	ask PATCH "$docs" '{"data":[{"_id":"3","patch":[{"op":"INCREMENT","path":"/v","value":2},{"op":"add","path":"/w","value":[1]}]}]}'
tap 'to what was meant' says '"results":\[\{"v":3.0,"w":\[1\]\}\]' query "SELECT v, w FROM things WHERE _id = '3'"
tap 'a patch of nothing is an error' says '"status":"ERROR","error":\{"message":"There is no document' ask PATCH "$docs" '{"data":[{"_id":"9","patch":[]}]}'
tap 'a document is deleted' says '"status":"DELETED"' ask DELETE "$docs" '{"data":[{"_id":"3"}]}'
tap 'and gone' says '"results":\[\]' query "SELECT * FROM things WHERE _id = '3'"
awk 'BEGIN { printf "{\"data\":["; for (i = 0; i < 20000; i++) printf "%s{\"_id\":\"b%d\",\"i\":%d,\"pad\":\"%0100d\"}", i ? "," : "", i, i, i; printf "]}" }' >"$dir/big.json"
tap '20,000 documents go in at once' says '"_id":"b19999","status":"ADDED"' ask POST "$docs" "@$dir/big.json"
sed 's/]}$/,{}]}/' "$dir/big.json" >"$dir/more.json"
tap 'one more is too many' says 'Too many documents: 20001.* 400$' ask POST "$docs" "@$dir/more.json"
tap 'a long answer comes whole' says '"i":19999,' sh -c "curl -sk --compressed -d '{\"sql\":{\"query\":\"SELECT i, pad FROM things WHERE i IS NOT NULL ORDER BY i\"}}' -H 'Authorization: ApiKey reader' $api/queries"

awk 'BEGIN { printf "{\"data\":["; for (i = 0; i < 2000; i++) printf "%s{\"_id\":\"bad%d\",\"v\":%s}", i ? "," : "", i, i == 1000 ? "1e400" : i == 1500 ? "\"\\ud800\"" : "\"\\u00e9\\n\""; printf "]}" }' >"$dir/bad.json"
tap 'a number beyond every range, and half a character, cost their documents only' says '"_id":null,"status":"ERROR","error":\{"message":"The document is not valid JSON: number is infinity.*"_id":"bad1001","status":"ADDED".*"_id":null,"status":"ERROR".*"_id":"bad1999","status":"ADDED".* 200$' ask POST "$docs" "@$dir/bad.json"
tap 'and the others are whole' says '"n":1998' query "SELECT COUNT(*) n FROM things WHERE _id LIKE 'bad%' AND LENGTH(v) = 2"
tap 'a mistyped option is named, with what was meant' says '`retention_sec` is not known; did you mean `retention_secs`.*"INVALIDINPUT".* 400$' ask POST /ws/commons/collections '{"name":"typo","retention_sec":3600}'

# --- queries ------------------------------------------------------------------------------------

tap 'an answer has the shape that clients expect' \
	says '^\{"results":\[\{"\?field0":1\}\],"query_id":"[0-9a-f-]{36}:[0-9a-z]{7}:0","status":"COMPLETED","collections":\[\],"aliases":\[\],"column_fields":\[\{"name":"\?field0","type":""\}\],"stats":\{"elapsed_time_ms":[0-9]+,"throttled_time_micros":0,"cpu_time_micros":[0-9]+,[^}]*\}\} 200$' query 'SELECT 1'
tap 'events can be counted' says '"results":\[\{"\?count":0\}\],.*"collections":\["commons._events"\].*"column_fields":\[\{"name":"\?count","type":""\}\]' query 'Select count(*) from _events;'
tap 'a field that is missing has no key, null has' says '"results":\[\{"name":"Ann","n":null\},\{"name":"Bob"\}\]' query 'SELECT name, n FROM things WHERE name IS NOT NULL ORDER BY name'
tap 'nested fields and elements are found' says '"results":\[\{"b":2.5,"t":"q","c":true\}\]' query "SELECT at.x[2] b, tags[2] t, at['x'][3] AS c FROM commons.things WHERE _id = '1'"
tap 'parameters are bound' says '"results":\[\{"name":"Ann"\}\]' query 'SELECT name FROM things WHERE _id = : id' '' ',"parameters":[{"name":"id","type":"string","value":"1"}]'
tap 'one without a value is named' says 'Parameter `id` has no value.* 400$' query 'SELECT :id'
tap 'a function that does not exist has its place' says '"message":"Function `COUT` not found.","message_key":null,"type":"QUERY_ERROR","line":1,"column":8,.*"error_id":"function_not_found".*"hint":"Did you mean `COUNT`\?".* 400$' query 'SELECT COUT(*) FROM _events;'
tap 'a collection that does not exist has a hint' says 'does not exist in workspace \\"commons\\"; did you mean \\"things\\"[?].*"line":1,"column":15.* 400$' query 'SELECT * FROM thing'
tap 'a query that takes too long is ended' says '"type":"QUERY_TIMEOUT".*"query_id":"[^"]+".* 408$' query 'SELECT COUNT(*) FROM things a, things b WHERE CONCAT(a.pad, b.pad) LIKE '"'%x%'" ',"timeout_ms":200'
tap 'more rows than wanted at first need pages, which are not there yet' says '"NOTIMPLEMENTEDYET".* 501$' query 'SELECT i FROM things' ',"max_initial_results":5'
tap 'fewer do not' says '"results_total_doc_count":2,"pagination":\{.*"next_cursor":null' query 'SELECT i FROM things WHERE i < 2' ',"max_initial_results":5'
tap 'asynchronous queries are refused' says ' 501$' query 'SELECT 1' ',"async":true'
tap 'a query is checked without being run' says '^\{"aliases":\[\],"views":\[\],"name":\[\],"collections":\["commons.things"\],"parameters":\["p"\]\} 200$' ask POST /queries/validations '{"sql":{"query":"SELECT :p FROM things"}}'

# --- keys ---------------------------------------------------------------------------------------

kept=/ws/commons/collections/kept
ask POST /ws/commons/collections '{"name":"kept"}' >/dev/null
ask POST $kept/docs '{"data":[{"_id":"before"}]}' >/dev/null
tap 'a new collection has the first version of its key' says '"encryption_key":\{"version":1,"rotated_at":null\}\}\} 200$' ask GET $kept
tap 'its key is rotated, without a body' says '^\{"data":\{.*"name":"kept".*"encryption_key":\{"version":2,"rotated_at":"20[0-9T:-]*Z"\}\}\} 200$' ask POST $kept/rotate_key
ask POST $kept/docs '{"data":[{"_id":"after"}]}' >/dev/null
all_kept() { query 'SELECT _id FROM kept ORDER BY _id'; }
tap 'what was written before and after is there' says '"results":\[\{"_id":"after"\},\{"_id":"before"\}\]' all_kept
tap 'the key of a collection that does not exist is not rotated' says '"COLLECTION_DOES_NOT_EXIST".* 404$' ask POST /ws/commons/collections/nope/rotate_key
tap 'nor that of one that is built in' says 'is built in.* 400$' ask POST /ws/commons/collections/_events/rotate_key
tap 'another method is none' says '"METHODNOTALLOWED".* 405$' ask GET $kept/rotate_key
tap 'whoever may only read may not rotate' with_key reader says '"type":"FORBIDDEN".* 403$' ask POST $kept/rotate_key
stop "$keys"
keys=''
tap 'without redoubt-keys nothing is rotated' says '"type":"SERVICEUNAVAILABLE".*"error_id":"keys_unavailable".* 503$' ask POST $kept/rotate_key
tap 'and no collection made' says '"error_id":"keys_unavailable".* 503$' ask POST /ws/commons/collections '{"name":"keyless"}'
tap 'but what is open is served' says '"_id":"after".* 200$' all_kept
start_keys
tap 'with it, the key is rotated again' says '"encryption_key":\{"version":3,.* 200$' ask POST $kept/rotate_key
tap 'of which all can be told' says '"name":"kept".*"encryption_key":\{"version":3,"rotated_at":"20' ask GET $kept

# --- who may ------------------------------------------------------------------------------------

tap 'a reader may query' with_key reader says ' 200$' query 'SELECT 1'
tap 'but not write' with_key reader says '"type":"FORBIDDEN".* 403$' ask POST "$docs" '{"data":[{}]}'
for bad in forged stale other; do
	tap "a grant that is $bad is refused" with_key $bad says '"type":"AUTHEXCEPTION".* 401$' query 'SELECT 1'
done

# --- the ledger ---------------------------------------------------------------------------------

entries() { "$O/tests/lib/audit-check" --list "$dir/state/audit"; }
sleep 1.2
tap 'a query is in the ledger with its text' says 'SELECT v, w FROM things' grep -rah 'SELECT v, w FROM things' "$dir/state/audit"
tap 'a write is there with its intent and its outcome' says '[2-9]|[0-9]{2}' sh -c "grep -rao 'api.documents.patch' '$dir/state/audit' | wc -l"
rotations() { # what the ledger has of them: each outcome and how often
	entries | awk '$3 ~ /rotate/ { n[$3 " " $4]++ } END { for (k in n) print k, n[k] }' | sort | paste -sd,
}
tap 'a rotation is there with its intent and its outcome, also one that failed' \
	says '^api.collection.rotate_key done 2,api.collection.rotate_key failed 3,api.collection.rotate_key intent 5,key.rotate done 2,key.rotate intent 2$' rotations
tap 'no value of a document or parameter is' not grep -raq 'Bob' "$dir/state/audit"
stop "$audit"
audit=''
rm -f "$dir/run/audit-engine.sock"
tap 'without the ledger nothing is written' says '"type":"SERVICEUNAVAILABLE".*"error_id":"audit_unavailable".* 503$' ask POST "$docs" '{"data":[{"_id":"unrecorded"}]}'
tap 'and nothing is read' says '"error_id":"audit_unavailable".* 503$' query 'SELECT 1'
start_audit
tap 'with it, all goes on' tap_until 10 ready
tap 'and what was refused is not there' says '"results":\[\]' query "SELECT * FROM things WHERE _id = 'unrecorded'"

# --- the processes come and go ------------------------------------------------------------------

stop "$engine" KILL
tap 'without engine front says so' says ' 503$' query 'SELECT 1'
start_engine
tap 'engine comes back' tap_until 10 ready
tap 'a rotated key opens all of the collection after that' says '"results":\[\{"_id":"after"\},\{"_id":"before"\}\]' all_kept
tap 'and is still the third' says '"encryption_key":\{"version":3,"rotated_at":"20' ask GET $kept
tap 'with every document' says '"results":\[\{"\?COUNT":22000\}\]' query 'SELECT COUNT(*) FROM things'

# Thirty power cuts while documents go in; one that was acknowledged must be there for good.
ask POST /ws/commons/collections '{"name":"acks"}' >/dev/null
adder() {
	n=0
	while [ ! -e "$dir/enough" ]; do
		n=$((n + 1))
		case $(ask POST /ws/commons/collections/acks/docs "{\"data\":[{\"_id\":\"k$n\"},{\"_id\":\"l$n\"}]}") in
		*'"_id":"k'$n'","status":"ADDED"'*' 200') echo "$n" >>"$dir/acked" ;;
		esac
	done
}
: >"$dir/acked"
adder &
adder=$!
kills=0
while [ "$kills" -lt 30 ]; do
	sleep "0.$((kills % 5 + 2))"
	stop "$engine" KILL
	start_engine
	kills=$((kills + 1))
done
tap_until 10 ready
: >"$dir/enough"
wait "$adder"
stop "$engine" KILL
start_engine
tap_until 10 ready
acked=$(wc -l <"$dir/acked")
tap "documents went in between 30 power cuts ($acked pairs)" test "$acked" -gt 30
every_ack_is_there() {
	query 'SELECT _id FROM acks' | grep -o '"[kl][0-9]*"' | tr -d '"' | sort >"$dir/found"
	sed 's/^/k/' "$dir/acked" >"$dir/k"
	sed 's/^/l/' "$dir/acked" >"$dir/l"
	sort "$dir/k" "$dir/l" | comm -23 - "$dir/found" >"$dir/missing"
	[ ! -s "$dir/missing" ] || { cat "$dir/missing"; return 1; }
}
tap 'every acknowledged one is there' every_ack_is_there
whole_batches() { # of a batch all or nothing
	sed -n 's/^k//p' "$dir/found" | sort >"$dir/k"
	sed -n 's/^l//p' "$dir/found" | sort | cmp "$dir/k" -
}
tap 'and of each request all or nothing' whole_batches
tap 'their number is right' says "\"doc_count\":$(wc -l <"$dir/found")," ask GET /ws/commons/collections/acks

# --- many at once -------------------------------------------------------------------------------

write_pairs() { # of values that add up to nothing
	for n in 1 2 3 4 5 6 7 8; do
		ask POST /ws/commons/collections/crowd/docs "{\"data\":[{\"_id\":\"p$1-$n\",\"v\":$n},{\"_id\":\"q$1-$n\",\"v\":-$n}]}"
	done
}
ask_sums() { for _ in 1 2 3 4 5 6 7 8; do query 'SELECT SUM(v) AS s FROM crowd GROUP BY v > 99'; done; }
many_at_once() {
	pids=
	for i in 1 2 3; do
		write_pairs $i >"$dir/wrote.$i" & pids="$pids $!"
		ask_sums >"$dir/asked.$i" & pids="$pids $!"
	done
	# shellcheck disable=SC2086 # they are several
	wait $pids
	cat "$dir"/wrote.* | grep -c 'ADDED.* 200$'
	grep -Ehc '"results":\[(\{"s":0\})?\].* 200$' "$dir"/asked.* | paste -sd+ - | sed 's/$/ right/'
}
tap 'a collection for a crowd' says ' 200$' ask POST /ws/commons/collections '{"name":"crowd"}'
crowd=$(many_at_once)
tap 'three who write at once are all served' says '^24$' printf '%s\n' "$crowd"
tap 'and three who ask meanwhile see whole batches' says '^8\+8\+8 right$' printf '%s\n' "$crowd"
tap 'their number is right' says '^\{"results":\[\{"n":48,"s":0\}\]' query 'SELECT COUNT(*) AS n, SUM(v) AS s FROM crowd'

long_query() { # for minutes, in the background; $! is curl's, and when that goes the query is cancelled
	exec curl -sk -o /dev/null -H 'Authorization: ApiKey writer' -H 'Content-Type: application/json' "$api/queries" \
		-d '{"sql":{"query":"SELECT COUNT(*) FROM things a, things b, things c WHERE CONCAT(a.pad, b.pad, c.pad) LIKE '"'%x%'"'"}}'
}
long_query & long=$!
long_query & longer=$!
tap 'a short query overtakes two long ones' says '"n":48.* 200$' query 'SELECT COUNT(*) AS n FROM crowd'
tap 'so does a write' says 'ADDED.* 200$' ask POST /ws/commons/collections/crowd/docs '{"data":[{"v":0}]}'
tap 'which go on meanwhile' kill -0 "$long" "$longer"
stop "$long"
stop "$longer"

stop "$grants"
stop "$front"
rm -f "$dir"/run/front-*.sock
start_front
start_grants
tap 'engine finds a new front' tap_until 15 ready
rings=$(find "$dir/state/keyring" -name '*-*' | wc -l)
tap 'a collection is deleted' says '"name":"things","workspace":"commons","sources":\[\].* 200$' ask DELETE /ws/commons/collections/things
tap 'nothing of it is in the files in clear' not grep -raq '000000000000000019998' "$dir/state/engine"
tap 'and its key is destroyed' test "$(find "$dir/state/keyring" -name '*-*' | wc -l)" = $((rings - 1))
kill "$engine"
ended=0
wait "$engine" || ended=$?
engine=''
tap 'engine ends when asked, without complaint' test "$ended" = 0
tap 'nothing ended in a fault of ours' not grep -Eq 'not carried out|runtime error|(Address|Thread)Sanitizer' "$dir/engine.log"
tap_done
