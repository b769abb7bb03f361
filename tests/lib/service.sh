# SPDX-License-Identifier: Apache-2.0
# The real front, engine, keys and ledger on this machine; accounts and appliance are played by tests/lib/grants. Source it
# in the tools tree, in the checkout's root, with $O set, and call service_prepare, then the starts.
#
# Sets $dir (their folder; removed at the end), $https, $api and the process numbers $audit $keys $front $engine $grants.
# shellcheck shell=sh disable=SC2034 # these are for whoever sources this

dir=${service_dir:-$(mktemp -d)}
https=127.0.0.1:${service_port:-21543}
api=https://$https/v1/orgs/self
front='' engine='' audit='' keys='' grants=''
# Under a sanitizer: leaks cannot be looked for from within the sandbox.
export REDOUBT_RUN="$dir/run" REDOUBT_STATE="$dir/state" CREDENTIALS_DIRECTORY="$dir/cred" ASAN_OPTIONS=detect_leaks=0

stop() { # stop PID [SIGNAL]: end a process of ours and wait for it
	[ -z "$1" ] || { kill "-${2:-TERM}" "$1" 2>/dev/null || :; wait "$1" 2>/dev/null || :; }
}
service_stop() { stop "$grants"; stop "$engine"; stop "$front"; stop "$keys"; stop "$audit"; }
trap 'service_stop; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT PIPE TERM

# Folders, the key of the grants and a certificate; under a throw-away one front leaves as soon as the appliance is ready.
service_prepare() {
	mkdir -p "$dir/run" "$dir/state/engine" "$dir/state/audit" "$dir/state/keyring" "$dir/cred"
	head -c 32 /dev/urandom >"$dir/cred/grant"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test -days 2 \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$dir/cred/tls.key" -out "$dir/cred/tls.crt" 2>/dev/null
}

start_audit() {
	rm -f "$dir"/run/audit-*.sock
	"$O/tests/lib/activate" "engine=seqpacket:$dir/run/audit-engine.sock" \
		"keys=seqpacket:$dir/run/audit-keys.sock" -- \
		"$O/appliance/audit/redoubt-audit" 2>>"$dir/audit.log" &
	audit=$!
	tap_until 10 test -S "$dir/run/audit-engine.sock"
}
start_keys() { # without a TPM: the master key is a file
	rm -f "$dir/run/keys-engine.sock"
	"$O/tests/lib/activate" "engine=seqpacket:$dir/run/keys-engine.sock" -- \
		"$O/appliance/keys/redoubt-keys" 2>>"$dir/keys.log" &
	keys=$!
	tap_until 10 test -S "$dir/run/keys-engine.sock"
}
start_engine() {
	rm -f "$dir"/run/engine-*.sock
	"$O/tests/lib/activate" "appliance=seqpacket:$dir/run/engine-appliance.sock" \
		"accounts=seqpacket:$dir/run/engine-accounts.sock" -- "$O/service/engine/redoubt-engine" 2>>"$dir/engine.log" &
	engine=$!
}
start_front() {
	"$O/tests/lib/activate" "https=stream:$https" "accounts=seqpacket:$dir/run/front-accounts.sock" \
		"engine=seqpacket:$dir/run/front-engine.sock" "appliance=seqpacket:$dir/run/front-appliance.sock" \
		-- "$O/service/front/redoubt-front" 2>>"$dir/front.log" &
	front=$!
	tap_until 10 test -S "$dir/run/front-appliance.sock"
}
start_grants() {
	"$O/tests/lib/grants" "$dir/cred/grant" 2>>"$dir/grants.log" &
	grants=$!
}
