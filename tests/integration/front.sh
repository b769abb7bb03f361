#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# redoubt-front on loopback, from outside: TLS, HTTP, limits, and what it does when its peers are
# not there, lie or die. accounts, engine and appliance are played by tests/lib/peers.
set -eu

cd "$(dirname -- "$0")/../.."
[ -e /etc/redoubt-tools ] || exec image/tools/enter env O="${O:-build/release}" "tests/integration/front.sh"
. tests/lib/tap.sh

O=${O:-build/release}
dir=$(mktemp -d)
export REDOUBT_RUN="$dir"
# Under a sanitizer: leaks cannot be looked for from within the sandbox.
export ASAN_OPTIONS=detect_leaks=0
https=127.0.0.1:21443 http=127.0.0.1:21080
url=https://$https/v1/orgs/self
front='' peers='' jobs=''

finish() {
	for pid in $front $peers $jobs; do kill "$pid" 2>/dev/null || :; done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

# --- helpers ------------------------------------------------------------------------------------

start_front() {
	"$O/tests/lib/activate" "https=stream:$https" "http=stream:$http" \
		"accounts=seqpacket:$dir/front-accounts.sock" "engine=seqpacket:$dir/front-engine.sock" \
		"appliance=seqpacket:$dir/front-appliance.sock" \
		-- "$O/service/front/redoubt-front" 2>>"$dir/front.log" &
	front=$!
	tap_until 5 test -S "$dir/front-appliance.sock"
	tap_until 5 curl -sk -o /dev/null "https://$https/"
}
start_peers() {
	"$O/tests/lib/peers" "$@" >"$dir/peers.log" 2>&1 &
	peers=$!
	sleep 0.3
}
stop() { # PID
	kill "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
}
# A process that has ended but that the shell has not waited for yet does not live.
lives() { grep -q '^State:[[:space:]]*[RSDTtI]' "/proc/$front/status"; }

# ask ARGUMENT... : curl with a good key; prints the body, a blank, the status.
ask() { curl -sk --max-time 20 -w ' %{http_code}\n' -H 'Authorization: ApiKey good' "$@"; }
# tell TEXT : send raw bytes over TLS, print all that comes back.
# shellcheck disable=SC2059 # the text is a format: it holds \r\n
tell() { printf "$1" | timeout 10 openssl s_client -quiet -connect "$https" 2>/dev/null || :; }
s_client() { timeout 10 openssl s_client -connect "$https" "$@" </dev/null 2>&1; }
# logged PATTERN : a peer was told so within two seconds.
logged() { tap_until 2 grep -Eq -- "$1" "$dir/peers.log" || { cat "$dir/peers.log"; return 1; }; }
sum() { # the sum that tests/lib/peers makes of a body of N times '0'
	awk -v n="$1" 'BEGIN { s = 1; for (i = 0; i < n; i++) s = (s * 31 + 48) % 4294967296; printf "%d", s }'
}

# --- by itself ----------------------------------------------------------------------------------

tap 'help is printed' says 'usage: redoubt-front' "$O/service/front/redoubt-front" --help
tap 'an unknown argument is refused' not "$O/service/front/redoubt-front" --frob
tap 'without sockets it does not start' not "$O/service/front/redoubt-front"
tap 'the sandbox refuses all it should' says '^ok 1 ' "$O/service/front/redoubt-front" --self-test

: >"$dir/front.log"
start_front
tap 'before anybody has connected it says that it is starting' \
	says 'is starting.*"NOT_READY".* 503$' ask "$url"

# What takes its time goes on beside the rest; it is looked at below.
"$O/tests/lib/crowd" "${https#*:}" 1 1 12 >"$dir/handshake" 2>&1 &
jobs="$jobs $!" wait_handshake=$!
"$O/tests/lib/crowd" "${http#*:}" 1 1 17 'GET / HTTP/1.1' >"$dir/head" 2>&1 &
jobs="$jobs $!" wait_head=$!

# --- TLS ----------------------------------------------------------------------------------------

tap 'TLS 1.3 with AES-256 is spoken' says 'New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384' s_client
tap 'key exchange is post-quantum' says 'X25519MLKEM768' s_client
tap 'also if the client did not expect it' \
	says 'Negotiated TLS1.3 group: X25519MLKEM768' s_client -groups '*X25519:X25519MLKEM768'
tap 'X25519 alone is enough' says 'Cipher is TLS_AES_256' s_client -groups X25519
tap 'ChaCha20 is spoken' says 'Cipher is TLS_CHACHA20' s_client -ciphersuites TLS_CHACHA20_POLY1305_SHA256
tap 'AES-128 is not' not s_client -ciphersuites TLS_AES_128_GCM_SHA256
tap 'P-256 and ffdhe are not' not s_client -groups P-256:ffdhe2048
for version in tls1_2 tls1_1 tls1; do
	tap "$version is refused" not s_client "-$version" -cipher ALL:@SECLEVEL=0
done
tap 'HTTP/1.1 is agreed on by ALPN' says 'ALPN protocol: http/1.1' s_client -alpn h2,http/1.1
tap 'a client that only speaks HTTP/2 is refused' not s_client -alpn h2
tap 'nothing is compressed' says 'Compression: NONE' s_client
keep_session() {
	{ printf 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'; sleep 0.3; } |
		timeout 5 openssl s_client -quiet -connect "$https" -sess_out "$dir/session" 2>/dev/null
}
tap 'a session can be kept' says '^HTTP/1.1 503 ' keep_session
tap 'and resumed' says '^Reused, TLSv1.3' s_client -sess_in "$dir/session"
tap 'but carries no early data' not says 'Max Early Data: [1-9]' \
	openssl sess_id -in "$dir/session" -noout -text
tap 'plaintext on the TLS port ends the connection' \
	not curl -s --max-time 5 "http://$https/"

# --- port 80 ------------------------------------------------------------------------------------

plain() { curl -s -i --max-time 5 "$@"; }
tap 'plain HTTP is redirected' says '^Location: https://127.0.0.1/a/b[?]c=d.$' plain "http://$http/a/b?c=d"
tap 'permanently, so that a POST stays one' says '^HTTP/1.1 308 ' plain -d secret "http://$http/a"
tap 'to the host that was meant' says '^Location: https://redoubt.example/.$' \
	plain -H 'Host: redoubt.example:8080' "http://$http/"
tap 'also by an IPv6 address' says '^Location: https://\[2001:db8::1\]/.$' \
	plain -H 'Host: [2001:db8::1]:80' "http://$http/"
tap 'but not to what is no host' says '^HTTP/1.1 400 ' plain -H 'Host: a/@b' "http://$http/"
tap 'and HSTS is not said there' not says 'Strict-Transport' plain "http://$http/"
tap 'nothing of the request comes back' not says 'secret' plain -d secret "http://$http/a"

# --- the appliance's state ----------------------------------------------------------------------

start_peers locked 'secret-detail: /dev/nvme1n1p2 of redoubt-1 is held by redoubt-setup'
tap 'while the volume is locked it says so' says 'volume is locked.*"NOT_READY".* 503$' ask "$url"
stop "$peers"
tap 'but not what came with it, which names devices' not says 'secret-detail|nvme|redoubt-1|setup' ask "$url"
tap 'nor anything about the program' not says '^(Server|X-Powered-By|X-Version|Via|Set-Cookie):' curl -sk -i --max-time 5 "$url"
tap 'also when who said so has gone' says 'volume is locked.* 503$' ask "$url"

start_peers ready 'Ready.'
tap 'it leaves to fetch the real certificate' tap_until 8 not lives
wait "$front" && front_status=0 || front_status=$?
tap 'without a complaint' test "$front_status" = 0
stop "$peers"

mkdir "$dir/credentials" "$dir/other"
for to in credentials other; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=$to" -addext 'subjectAltName=IP:127.0.0.1' \
		-keyout "$dir/$to/tls.key" -out "$dir/$to/tls.crt" 2>/dev/null
done
cp "$dir/other/tls.key" "$dir/wrong.key"
export CREDENTIALS_DIRECTORY="$dir/credentials"
start_front
tap 'it comes back with the certificate it was given' says 'CN ?= ?credentials' s_client

start_peers none
tap 'a peer that tells nothing changes nothing' says 'is starting.* 503$' ask "$url"
stop "$peers"
start_peers ready 'Ready.'
tap 'curl verifies the certificate' says '"op":1' \
	curl -s --cacert "$dir/credentials/tls.crt" -H 'Authorization: ApiKey good' "$url"

# --- who is let in ------------------------------------------------------------------------------

tap 'a good key gets an answer' says '"op":1,.* 200$' ask "$url"
for header in 'apikey good' 'Bearer good' 'Basic Z29vZDo='; do
	tap "the key is taken from \"$header\"" says ' 200$' \
		curl -sk -w ' %{http_code}\n' -H "Authorization: $header" "$url"
done
tap 'a wrong key does not' says '"AUTHEXCEPTION".* 401$' \
	curl -sk -w ' %{http_code}\n' -H 'Authorization: ApiKey bad' "$url"
tap 'no key neither' says '"AUTHEXCEPTION".* 401$' curl -sk -w ' %{http_code}\n' -A nobody "$url"
tap 'and accounts hears of it, for the ledger' logged 'check op=1 key= .*agent=nobody'
tap 'what is forbidden is forbidden' says '"FORBIDDEN".* 403$' \
	curl -sk -w ' %{http_code}\n' -H 'Authorization: ApiKey forbidden' "$url"
tap 'an unknown path is unknown only to who has a key' says '"NOTFOUND".* 404$' ask "$url/frob"
tap 'an operation of the API that is not there yet is told by its name' says '`updateCollection` is not available yet.*"NOTIMPLEMENTEDYET".* 501$' ask -X PUT "$url/ws/a/collections/b"
tap 'also only to who has a key' says ' 401$' curl -sk -w ' %{http_code}\n' -X PUT "$url/ws/a/collections/b"
tap 'and denied to others' says ' 401$' curl -sk -w ' %{http_code}\n' "$url/frob"
tap 'a wrong method is told the right ones' says '^Allow: GET, POST.$' ask -i -X PUT "$url/ws"
tap 'in the API'"'"'s words' says '"METHODNOTALLOWED".* 405$' ask -X PUT "$url/ws"
tap 'a user agent cannot forge a line of a log' says ' 200$' ask -A "$(printf 'a\377b')" "$url"
tap 'as it is made printable' logged 'agent=a[?]b '
id() { ask -i "$url" | sed -n 's/^X-Request-Id: \(.*\).$/\1/p'; }
tap 'each request has its own number' test "$(id)" != "$(id)"

# --- requests -----------------------------------------------------------------------------------

docs=$url/ws/commons/collections/movies/docs
tap 'path parts arrive decoded' says '"workspace":"a.b","collection":"c d"' \
	ask "https://$https//v1//orgs/self/ws/a%2Eb/collections/c%20d"
tap 'a small body arrives' says '"body_len":11,' ask -d '{"data":[]}' "$docs"
for size in 32768 32769 2000000 10485760; do
	head -c "$size" /dev/zero | tr '\0' 0 >"$dir/body"
	tap "a body of $size bytes arrives whole" says "\"body_len\":$size,\"body_sum\":$(sum "$size")}" \
		ask -H 'Expect: 100-continue' --data-binary "@$dir/body" "$docs"
done
tap 'a chunked body too' says '"body_len":10485760,' \
	ask -H 'Transfer-Encoding: chunked' --data-binary "@$dir/body" "$docs"
printf x >>"$dir/body"
tap 'one byte more is too much' says '"CONTENTTOOLARGE".* 413$' ask --data-binary "@$dir/body" "$docs"
tap 'also chunked' says '"CONTENTTOOLARGE".* 413$' \
	ask -H 'Transfer-Encoding: chunked' --data-binary "@$dir/body" "$docs"
tap 'also to a client that does not wait' says '"CONTENTTOOLARGE".* 413$' \
	ask -H 'Expect:' --data-binary "@$dir/body" "$docs"
tap 'a refused key is answered before the body is sent' says ' 401 0$' \
	curl -sk -w ' %{http_code} %{size_upload}\n' -H 'Expect: 100-continue' --data-binary "@$dir/body" \
	--max-filesize 100000 -H 'Content-Length: 1000000' "$docs"
big() { ask -o "$dir/big" "$url/ws/big" && [ "$(wc -c <"$dir/big")" = 3145728 ] &&
	[ "$(tr -d x <"$dir/big")" = '""' ]; }
tap 'a long answer arrives whole' big
many() { ask "$url/ws/[1-300]" | grep -c ' 200$'; }
tap 'a connection takes one request after the other' test "$(many)" = 300
tap 'they share one connection' test "$(sed -n 's/.*workspace=[0-9][0-9]* source=\([^ ]*\).*/\1/p' "$dir/peers.log" | sort -u | wc -l)" = 1
get='GET /v1/orgs/self/ws/one HTTP/1.1\r\nHost: a\r\nAuthorization: ApiKey good\r\n\r\n'
end='GET /v1/orgs/self/ws/two HTTP/1.1\r\nHost: a\r\nAuthorization: ApiKey good\r\nConnection: close\r\n\r\n'
in_order() { tell "$get$end" | grep -o '"workspace":"[a-z]*"' | tr -d '\n' | grep -q 'one.*two'; }
tap 'requests sent ahead are answered in their order' in_order
tap 'an old client is served' says '^HTTP/1.1 200 ' tell \
	'GET /v1/orgs/self HTTP/1.0\r\nAuthorization: ApiKey good\r\n\r\n'

# --- what is not HTTP ---------------------------------------------------------------------------

tap 'a smuggled length is refused' says '^HTTP/1.1 400 ' tell \
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$get"
tap 'and nothing behind it is looked at' not says '^HTTP/1.1 200 ' tell \
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$get"
tap 'rubbish is refused' says '^HTTP/1.1 400 ' tell '\001\002\003\r\n\r\n'
# shellcheck disable=SC2046 # many words are meant
tap 'a flood of headers is refused' says ' 431$' \
	ask $(seq 1 80 | sed 's/.*/-H x&:y/') "$url"
tap 'a long head is refused' says ' 431$' ask -H "x: $(head -c 20000 /dev/zero | tr '\0' a)" "$url"
tap 'a long target is refused' says ' 414$' ask "$url/$(head -c 9000 /dev/zero | tr '\0' a)"
tap 'a bad target is refused' says '"BADREQUEST".* 400$' ask "$url/%zz"

# --- peers that lie or die ----------------------------------------------------------------------

tap 'a result that could still change is not passed on' says '"INTERNALERROR".* 500$' ask "$url/ws/unsealed"
tap 'a client that leaves is known to engine' sh -c '! curl -sk --max-time 1 -H "Authorization: ApiKey good" "$1"' sh "$url/ws/slow"
tap 'which is told to stop' logged '^cancel$'
tap 'a malformed answer ends that peer, not the request of another' says '"SERVICEUNAVAILABLE".* 503$' ask "$url/ws/unbounded"
tap 'front lives' lives
stop "$peers"
tap 'without peers nothing is done' says '"SERVICEUNAVAILABLE".* 503$' ask "$url"
start_peers ready 'Ready.'
tap 'an engine that dies over a request does not take it along' says '"SERVICEUNAVAILABLE".* 503$' ask "$url/ws/crash"
stop "$peers"
start_peers ready 'Ready.'
tap 'and the next one serves' says ' 200$' ask "$url"
start_peers_again() { stop "$peers"; start_peers ready 'Ready.'; }
start_peers_again

# --- crowds -------------------------------------------------------------------------------------

curl -sk -w '%{http_code}\n' --max-time 14 -H 'Authorization: ApiKey silent' "$url" >"$dir/silent" 2>&1 &
jobs="$jobs $!" wait_silent=$!
{ printf 'POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: ApiKey good\r\nContent-Length: 1000\r\n\r\n' \
	/v1/orgs/self/ws/commons/collections/movies/docs
	for _ in $(seq 1 45); do printf x; sleep 1; done; } |
	openssl s_client -quiet -connect "$https" >"$dir/pace" 2>/dev/null &
jobs="$jobs $!" pace_start=$(date +%s)

tap 'one source gets 64 connections' says '^left 64$' "$O/tests/lib/crowd" "${http#*:}" 100 100 1
"$O/tests/lib/crowd" "${http#*:}" 1000 50 5 >"$dir/crowd" 2>&1 &
jobs="$jobs $!" wait_crowd=$!
sleep 1.5
tap 'beside a thousand silent clients another is served' says ' 200$' ask "$url"
wait "$wait_crowd" || :
tap 'who has shown no key gets half of the connections' says '^left 5[01][0-9]$' cat "$dir/crowd"
tap 'and all is well afterwards' says ' 200$' ask "$url"

# newcomers N: so many requests, each on a connection of its own from a source that has not been seen before.
newcomer=0
newcomers() {
	for _ in $(seq "$1"); do
		newcomer=$((newcomer + 1))
		curl -sk --max-time 3 --interface "127.9.0.$newcomer" -o /dev/null -w ' %{http_code}\n' \
			-H 'Authorization: ApiKey good' "$url" || :
	done
}
served() { test "$(newcomers "$1" | grep -c ' 200$')" = "$1"; }
# beside NAME PORT TEXT: 17 sources with 64 connections each send a byte of the text every second.
beside() {
	"$O/tests/lib/crowd" "$2" 1088 64 8 "$3" trickle >"$dir/crowd" 2>&1 &
	jobs="$jobs $!" wait_crowd=$!
	sleep 1.5
	tap "beside $1 who was never there before is served" served 10
	tap 'and who was there is' says ' 200$' ask "$url"
	wait "$wait_crowd" || :
	tap 'of the crowd no more than its part is left' says '^left ([0-9]|[0-9][0-9]|[1-4][0-9][0-9]|5[01][0-9])$' cat "$dir/crowd"
}
beside 'a crowd that does not shake hands' "${https#*:}" ''
tap 'a crowd that does not shake hands gets a quarter' says '^left 2[0-5][0-9]$' cat "$dir/crowd"
beside 'a crowd that shakes hands a byte a second' "${https#*:}" "$(printf '\026\003\001\077\377a')"
beside 'a crowd that asks a byte a second' "${http#*:}" 'GET / HTTP/1.1 x: a'

# --- clocks -------------------------------------------------------------------------------------

wait "$wait_handshake" "$wait_head" || :
tap 'who does not shake hands is cut off after 10 s' says '^left 0$' cat "$dir/handshake"
tap 'who does not end a head is cut off after 15 s' says '^left 0$' cat "$dir/head"
wait "$wait_silent" || :
tap 'when accounts does not answer, front does, after 10 s' says '503$' tail -n 1 "$dir/silent"
tap 'a body that trickles in is cut off' tap_until 40 grep -q '^HTTP/1.1 408 ' "$dir/pace"
tap 'after half a minute' test "$(($(date +%s) - pace_start))" -ge 29

# --- the end ------------------------------------------------------------------------------------

tap 'front has lived through all of it' lives
kill "$front"
wait "$front" && front_status=0 || front_status=$?
tap 'it ends when asked to' test "$front_status" = 0
tap 'and has not logged a key' not grep -q 'good' "$dir/front.log"

cp "$dir/wrong.key" "$dir/credentials/tls.key"
start_front
tap 'with a key of another certificate it serves a throw-away one' says 'CN ?= ?redoubt, not ready' s_client
tap 'and says why' grep -q 'no certificate could be loaded' "$dir/front.log"
tap_done
