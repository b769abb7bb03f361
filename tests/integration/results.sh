#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Long answers whose clients read slowly, with the real front, engine, keys and ledger: what they take of memory is bounded,
# other keys' queries go on, and who reads too slowly is cut off. Prints TAP; needs the tools tree. Takes three quarters of a minute.
set -eu

cd "$(dirname -- "$0")/../.."
export O="${O:-build/release}"
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/results.sh "$@"
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
service_port=${service_port:-21643}
# shellcheck source=tests/lib/service.sh
. tests/lib/service.sh
service_prepare

readers=24
long="{\"sql\":{\"query\":\"SELECT RPAD('', 900000, 'x') AS v FROM UNNEST(SEQUENCE(1, 100) AS i)\"}}" # 90 MB
ask() { # ask KEY BODY ARGUMENT...: a query; prints what curl is asked to write
	ask_key=$1 ask_body=$2
	shift 2
	curl -sk --max-time 60 -H "Authorization: ApiKey $ask_key" -d "$ask_body" "$@" "$api/queries"
}
ready() { ask reader '{"sql":{"query":"SELECT 1"}}' | grep -q '"COMPLETED"'; }
status() { ask "$@" -o "$dir/answer" -w '%{http_code}\n'; }
memfds() { # MiB of memfds that front and engine hold, each once
	for fd in "/proc/$front/fd"/* "/proc/$engine/fd"/*; do
		case $(readlink "$fd" || :) in
		/memfd:*) stat -L -c '%i %s' "$fd" 2>/dev/null || : ;;
		esac
	done | sort -u | awk '{ n += $2 } END { printf "%d\n", n / 1048576 }'
}
resident() { awk '$1 == "VmRSS:" { printf "%d\n", $2 / 1024 }' "/proc/$1/status"; } # MiB
in_all() { # MiB that may be: what front gives credit for, a sixth of the machine's memory from 256 to 512 MiB
	awk '/^MemTotal/ { n = int($2 / 1024 / 6); print (n < 256 ? 256 : n > 512 ? 512 : n) }' /proc/meminfo
}
at_most() { [ "$1" -le "$2" ] || { echo "$1 is more than $2"; return 1; }; }

start_audit
start_keys
start_front
start_engine
start_grants
tap 'front reaches engine' tap_until 10 ready
tap 'a long answer comes whole' test "$(ask reader "$long" | wc -c)" -gt 90000000

# --- many slow readers of one key ---------------------------------------------------------------

most=0
for i in $(seq "$readers"); do
	curl -sk --max-time 100 --limit-rate 40k -o /dev/null -w '%{http_code}\n' -H 'Authorization: ApiKey reader' \
		-d "$long" "$api/queries" >"$dir/slow.$i" &
	slow="${slow:-} $!"
done
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	now=$(memfds)
	[ "$now" -le "$most" ] || most=$now
	sleep 0.5
done
refused() { cat "$dir"/slow.* | grep -c '^429$'; }
tap 'of those that one key asks for, most are refused' at_most 18 "$(refused)"
tap 'but not all' at_most "$(refused)" 23
tap 'what waits for them is half of what may be' at_most "$most" "$(($(in_all) / 2))"
tap 'engine itself does not keep them' at_most "$(resident "$engine")" 700
tap 'nor does front' at_most "$(resident "$front")" 200
tap 'that key still gets a short answer' says '^200$' status reader '{"sql":{"query":"SELECT 1"}}'
tap 'it is told why it gets no long one' says '"RESOURCEEXCEEDED".*still being read' ask reader "$long"
began=$(date +%s)
tap 'another key gets a long one' says '^200$' status other-reader "$long"
tap 'at once' at_most "$(($(date +%s) - began))" 5
tap 'and whole' at_most 90000000 "$(wc -c <"$dir/answer")"
tap 'a client that leaves gives back what it held' sh -c "kill $slow 2>/dev/null; :"
wait_free() { [ "$(memfds)" -lt 10 ]; }
tap 'nothing is left of it' tap_until 5 wait_free
tap 'and the key gets a long answer again' says '^200$' status reader "$long"

# --- one that reads too slowly ------------------------------------------------------------------

curl -sk --max-time 100 --limit-rate 2k -o /dev/null -H "Authorization: ApiKey reader" -d "$long" "$api/queries" &
slow=$!
held() { ! wait_free; }
tap 'one that is read slowly lies in memory' tap_until 10 held
tap 'who reads less than 16 KiB a second is cut off after half a minute' tap_until 35 wait_free
kill "$slow" 2>/dev/null || :

# --- ends of processes --------------------------------------------------------------------------

ask reader "$long" --limit-rate 40k -o /dev/null &
tap_until 10 sh -c "ls -l /proc/$front/fd | grep -q memfd:"
stop "$engine" KILL
start_engine
tap 'a new engine serves' tap_until 10 ready
tap 'also a long answer' says '^200$' status reader "$long"
service_stop
tap_done
