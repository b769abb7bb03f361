#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A disk that is full: deleting works, and once there is room writing goes on by itself. The real front, engine, keys and ledger;
# engine's folder is a small file system of its own. Prints TAP; needs the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
export O="${O:-build/release}"
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/full.sh "$@"
if [ -z "${full_inside:-}" ]; then # a file system can be mounted only in a name space of one's own
	full_inside=1 exec unshare --user --map-root-user --mount sh "$0" "$@"
fi
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
service_port=${service_port:-21743}
# shellcheck source=tests/lib/service.sh
. tests/lib/service.sh
service_prepare
mount -t tmpfs -o size=96m,mode=0700 none "$dir/state/engine"

ask() { # ask METHOD PATH [BODY]: prints the body, a blank, the status
	if [ $# -gt 2 ]; then set -- "$1" "$2" -d "$3"; fi
	ask_method=$1 ask_path=$2
	shift 2
	curl -sk --max-time 60 -w ' %{http_code}\n' -X "$ask_method" -H 'Authorization: ApiKey writer' \
		-H 'Content-Type: application/json' "$@" "$api$ask_path"
}
ready() { ask POST /queries '{"sql":{"query":"SELECT 1"}}' | grep -q ' 200$'; }
count() { ask POST /queries "{\"sql\":{\"query\":\"SELECT COUNT(*) AS n FROM $1\"}}"; }

start_audit
start_keys
start_front
start_engine
start_grants
tap 'front reaches engine' tap_until 10 ready
for name in a b small; do ask POST /ws/commons/collections "{\"name\":\"$name\"}" >/dev/null; done
tap 'a document is stored' says '"ADDED".* 200$' ask POST /ws/commons/collections/small/docs '{"data":[{"_id":"1"},{"_id":"2"}]}'

# Nothing that repeats, so that it takes its room on the disk too: 6 MB of hex digits from a cipher's stream.
batch() { # batch N
	head -c 3000000 /dev/zero | openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$1")" -iv 00 2>/dev/null | od -An -v -tx1 -w1500 |
		awk -v n="$1" 'BEGIN { printf "{\"data\":[" } { gsub(/ /, ""); printf "%s{\"_id\":\"%d-%d\",\"v\":\"%s\"}", (NR > 1 ? "," : ""), n, NR, $0 } END { printf "]}" }'
}
fill() { # until the disk is full; each batch into a, b
	for n in $(seq 60); do
		batch "$n" >"$dir/batch"
		for to in a b; do
			ask POST "/ws/commons/collections/$to/docs" "@$dir/batch" >"$dir/said"
			grep -q ' 200$' "$dir/said" || return 0
		done
	done
	return 1
}
tap 'the disk becomes full' fill
tap 'which is said' says 'data volume is full.*"RESOURCEEXCEEDED".* 429$' cat "$dir/said"
for _ in 1 2 3; do ask POST /ws/commons/collections/b/docs "@$dir/batch" >/dev/null; done
head -c 100000000 /dev/zero >"$dir/state/engine/ballast" 2>/dev/null || : # by nobody's doing of ours: to the last byte
tap 'to the last byte' test "$(df --output=avail "$dir/state/engine" | tail -n 1)" -lt 64
tap 'queries go on' says ' 200$' count small
tap 'a document is deleted' says '"status":"DELETED".* 200$' ask DELETE /ws/commons/collections/small/docs '{"data":[{"_id":"1"}]}'
tap 'and gone' says '"n":1' count small
tap 'nothing is added to what deleting needs' says ' 429$' ask POST /ws/commons/collections/small/docs '{"data":[{"_id":"3"}]}'
tap 'a collection is deleted' says '"name":"a".* 200$' ask DELETE /ws/commons/collections/a
rm -f "$dir/state/engine/ballast"
tap 'another too' says '"name":"b".* 200$' ask DELETE /ws/commons/collections/b
ask POST /ws/commons/collections/small/docs '{"data":[{"_id":"4"}]}' >"$dir/first" || :
room() { [ "$(df --output=avail "$dir/state/engine" | tail -n 1)" -gt 40000 ]; }
tap 'there is room again' tap_until 20 room
tap 'the next write goes through, without a restart' says '"ADDED".* 200$' ask POST /ws/commons/collections/small/docs '{"data":[{"_id":"5"}]}'
reserve() { [ "$(stat -c %s "$dir/state/engine/reserve")" = 16777216 ]; }
tap 'what deleting needs has been put aside again' tap_until 5 reserve
stop "$engine"
start_engine
tap 'after a restart' tap_until 10 ready
tap 'all is as it was said to be' says '"n":[23]' count small
service_stop
umount "$dir/state/engine"
tap_done
