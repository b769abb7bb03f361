#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hardening/firewall.nft in a network of its own: a box, an outside, a cable between them.
# Prints TAP; needs root and the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/firewall.sh "$@"
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
tap_done
