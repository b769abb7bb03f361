#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hardening/firewall.nft in a network of its own: a box, an outside, a cable between them.
# Prints TAP; needs root, the tools tree and $O/appliance/worker/redoubt-worker.
set -eu

cd "$(dirname -- "$0")/../.."
[ -e /etc/redoubt-tools ] || exec image/tools/enter env O="${O:-build/release}" tests/integration/firewall.sh "$@"
[ "${1:-}" = inside ] || exec unshare --mount --net tests/integration/firewall.sh inside
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

dir=$(mktemp -d)
started=
end() {
	for pid in $started; do kill "$pid" 2>/dev/null || :; done
	rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' HUP INT PIPE TERM

# The appliance's users, by whom the rules go.
grep -v -E '^(systemd-network|systemd-timesync|redoubt-imds):' /etc/passwd >"$dir/passwd"
cat >>"$dir/passwd" <<'END'
systemd-network:x:998:998::/:/usr/sbin/nologin
systemd-timesync:x:997:997::/:/usr/sbin/nologin
redoubt-imds:x:906:906::/:/usr/sbin/nologin
END
mount --bind "$dir/passwd" /etc/passwd

in_background() { "$@" >/dev/null 2>&1 & started="$started $!"; }
in_background unshare --net sleep 300
outside=$!
tap_until 5 sh -c "[ \"\$(readlink /proc/$outside/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
out() { nsenter --target "$outside" --net "$@"; }

ip link add cable type veth peer name cable netns "$outside"
ip link set lo up
ip address add 10.9.0.1/24 dev cable
ip link set cable up
ip route add default via 10.9.0.2
out ip link set lo up
for address in 10.9.0.2/24 10.9.0.3/24 169.254.169.254/32; do out ip address add $address dev cable; done
out ip link set cable up

for port in 22 80 443 8080; do in_background ncat --keep-open --listen 10.9.0.1 "$port"; done
for port in 80 9000 53; do in_background out ncat --keep-open --listen "$port"; done
tap_until 5 out ncat -z -w 1 10.9.0.1 8080 # there is no firewall yet: the listeners are up

reaches() { out ncat -z -w 1 "$@"; }
as() { uid=$1; shift; setpriv --reuid "$uid" --clear-groups ncat -z -w 1 "$@"; }
counted() { [ "$(nft list counter inet redoubt "$1" | sed -n 's/.*packets \([0-9]*\) .*/\1/p')" -gt 0 ]; }
flood() { for _ in $(seq 45); do reaches -s 10.9.0.3 10.9.0.1 22 || return 1; done; }

tap "the rules load" nft --file hardening/firewall.nft
tap "they load again over themselves" nft --file hardening/firewall.nft
tap "ssh is shut until a list of sources is loaded" not reaches 10.9.0.1 22
nft add element inet redoubt ssh_sources4 "{ 0.0.0.0/0 }"
for port in 22 80 443; do tap "port $port can be reached" reaches 10.9.0.1 $port; done
tap "port 8080 cannot, though somebody listens there" not reaches 10.9.0.1 8080
tap "what is dropped is counted" counted dropped_in

tap "root cannot connect out" not as 0 10.9.0.2 9000
tap "a configured target can be reached" sh -c '
	nft add element inet redoubt out_tcp4 "{ 10.9.0.2 . 9000 }" && ncat -z -w 1 10.9.0.2 9000'
tap "another port of it cannot" not as 0 10.9.0.2 53
tap "timesyncd may ask for names" as 997 10.9.0.2 53
tap "timesyncd may not go elsewhere" not as 997 10.9.0.2 80
tap "redoubt-imds reaches the metadata service" as 906 169.254.169.254 80
tap "root does not reach it" not as 0 169.254.169.254 80
tap "root does not reach it even when it is a configured target" sh -c '
	nft add element inet redoubt out_tcp4 "{ 169.254.169.254 . 80 }" && ! ncat -z -w 1 169.254.169.254 80'
tap "redoubt-imds reaches nothing else" not as 906 10.9.0.2 80
tap "refused metadata requests are counted" counted imds_refused

tap "a flood of ssh connections is cut" not flood
tap "and counted" counted ssh_limited
tap "it does not shut out others" reaches 10.9.0.1 22
tap "ssh can be limited to its sources" sh -c '
	printf "%s\n" "flush set inet redoubt ssh_sources4" \
		"add element inet redoubt ssh_sources4 { 10.9.0.3, 192.0.2.0/24 }" | nft --file -'
tap "another source is dropped then" not reaches 10.9.0.1 22
tap "and counted as refused" counted ssh_refused
tap "https is not touched by it" reaches 10.9.0.1 443
tap "nothing is forwarded" shows 'hook forward .* policy drop' nft list chain inet redoubt forward

# --- the sets, as the worker writes them from a configuration ---------------------------------------
worker=${O:-build/release}/appliance/worker/redoubt-worker
mkdir -p "$dir/state/config"
ssh-keygen -q -t ed25519 -N '' -C ann -f "$dir/ann"
configure() { # configure SSH FIREWALL: JSON, or "null" for what is left out; writes $dir/sets.nft
	jq -n --arg key "$(cat "$dir/ann.pub")" --argjson ssh "$1" --argjson firewall "$2" \
		'{ version: 1, hostname: "box", admin: { name: "ann", ssh_key: $key }, ssh: $ssh, firewall: $firewall }
			| with_entries(select(.value != null))' >"$dir/state/config/config.json"
	REDOUBT_STATE=$dir/state "$worker" firewall >"$dir/sets.nft"
}
load() { nft --check --file "$dir/sets.nft" && nft --file "$dir/sets.nft"; }
# What the file wants and what the kernel has, a line "SET ELEMENT" each.
sets='ssh_sources4 ssh_sources6 out_tcp4 out_tcp6 out_udp4 out_udp6'
wanted() { sed -n 's/^add element inet redoubt \([a-z0-9_]*\) { \(.*\) }$/\1 \2/p' "$dir/sets.nft" |
	awk '{ set = $1; sub(/^[^ ]* /, ""); n = split($0, e, /, */); for (i = 1; i <= n; i++) print set, e[i] }' | sort; }
in_force() {
	for set in $sets; do
		nft --numeric list set inet redoubt "$set" | tr '\n\t' '  ' | sed -n 's/.*elements = { *\([^}]*[^} ]\) *}.*/\1/p' |
			awk -v set="$set" '{ n = split($0, e, /, */); for (i = 1; i <= n; i++) print set, e[i] }'
	done | sort
}
exact() { load && [ "$(wanted)" = "$(in_force)" ] || { wanted; echo "in force:"; in_force; return 1; }; }
out_rules() { # out_rules TO:PORT:PROTOCOL...: the JSON of firewall
	printf '%s\n' "$@" | jq -R 'capture("^(?<to>.*):(?<port>[0-9]+):(?<protocol>...)$") | .port |= tonumber' | jq -s '{ out: . }'
}
closed() { nft --file hardening/firewall.nft && not reaches 10.9.0.1 22; }

tap "as shipped, before any configuration, nobody reaches ssh" closed
configure null null
tap "without ssh.sources everybody does, because that is loaded" sh -c "grep -q '0.0.0.0/0' '$dir/sets.nft' && grep -q '::/0' '$dir/sets.nft'"
tap "what is in force is what is configured" exact
tap "and ssh can be reached" reaches 10.9.0.1 22
configure '{ "sources": [] }' null
tap "an empty list of sources is nobody" exact
tap "and ssh is shut" not reaches 10.9.0.1 22
configure '{ "sources": ["10.9.0.3", "10.9.0.3/32", "10.9.0.3", "192.0.2.0/25", "192.0.2.128/25", "192.0.2.7", "fd00::/8", "fd00::1"] }' \
	"$(out_rules 10.9.0.0/24:9000:tcp 10.9.0.2:9000:tcp 10.9.0.2:9000:tcp 10.0.0.0/8:9000:tcp 10.9.0.2:53:tcp 10.9.0.0/24:53:udp \
		0.0.0.0/0:123:udp 10.1.2.3:123:udp fd00::/8:443:tcp fd00::1:443:tcp ::/0:853:tcp fe80::1:853:tcp)"
tap "targets that overlap, are nested or are given twice load" exact
tap "loading them again changes nothing" exact
tap "the sources are those configured, not everybody" not reaches -s 10.9.0.2 10.9.0.1 22
tap "who is listed comes in" reaches -s 10.9.0.3 10.9.0.1 22
tap "what the nested targets allow can be reached" ncat -z -w 1 10.9.0.2 9000
tap "another port cannot" not ncat -z -w 1 10.9.0.2 80
configure null "$(out_rules 255.255.255.255:65535:udp 0.0.0.0:1:tcp 127.0.0.0/8:22:tcp 224.0.0.0/4:1:udp ::ffff:10.0.0.1:1:tcp ::1:1:udp \
	0.0.0.0/1:7:tcp 128.0.0.0/1:7:tcp ff00::/8:65535:udp ::/1:7:tcp 8000::/1:7:tcp)"
tap "addresses at the edges load" exact
configure null "$(out_rules 169.254.169.254:80:tcp 169.254.0.0/16:80:tcp)"
tap "the metadata service cannot be opened by a target" sh -c "nft --file '$dir/sets.nft' && ! ncat -z -w 1 169.254.169.254 80"
configure '{ "sources": ["10.9.0.3"] }' null
load
before=$(in_force)
printf 'flush set inet redoubt ssh_sources4\nadd element inet redoubt ssh_sources4 { 0.0.0.0/0 }\nadd element inet redoubt out_tcp4 { 10.0.0.0/8 . 1, 10.1.0.0/16 . 1 }\n' >"$dir/sets.nft"
tap "elements that overlap are refused before anything is touched" not load
tap "and if they were loaded, not even a part would be" sh -c "! nft --file '$dir/sets.nft'"
tap "the sets are what they were" [ "$(in_force)" = "$before" ]
tap "who is not listed still does not come in" not reaches -s 10.9.0.2 10.9.0.1 22
tap_done
