#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real redoubt-appliance on a bus of its own with real workers, and redoubt-imds against a stand-in of EC2's
# service. No disk of this machine is given to anybody. Prints TAP; needs the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
export O="${O:-build/release}"
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/box.sh "$@"
# A mount namespace of our own, for /etc/passwd.
[ "${1:-}" = inside ] || exec unshare --mount tests/integration/box.sh inside

# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

here=$(pwd)
dir=$(mktemp -d)
chmod 0755 "$dir"
stop() { # stop NAME: the process that was started under this name
	[ ! -s "$dir/$1.pid" ] || kill "$(cat "$dir/$1.pid")" 2>/dev/null || :
	rm -f "$dir/$1.pid"
}
trap 'stop imds; stop appliance; stop worker; stop bus; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT PIPE TERM

appliance_uid=905 tty_uid=908 stranger_uid=909
{
	cat /etc/passwd
	for user in appliance:$appliance_uid tty:$tty_uid stranger:$stranger_uid; do
		echo "redoubt-${user%:*}:x:${user#*:}:${user#*:}::/:/usr/sbin/nologin"
	done
} >"$dir/passwd"
mount --bind "$dir/passwd" /etc/passwd
mkdir -p "$dir/run" "$dir/state"
chmod 0777 "$dir/run"
ssh-keygen -q -t ed25519 -N '' -C ann -f "$dir/ann"
export REDOUBT_RUN="$dir/run" REDOUBT_STATE="$dir/state" DBUS_SYSTEM_BUS_ADDRESS="unix:path=$dir/bus"

as() { # as UID COMMAND...: run it as that user
	uid=$1; shift
	setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
}

# --- redoubt-appliance and workers ---------------------------------------------------------------

cat >"$dir/bus.conf" <<END
<busconfig>
  <type>system</type><listen>unix:path=$dir/bus</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><deny own="*"/><deny send_type="method_call"/>
    <allow send_type="signal"/><allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/>
    <allow receive_type="error"/><allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>$here/appliance/manager/org.redoubt.Appliance1.conf</include>
</busconfig>
END
dbus-daemon --config-file="$dir/bus.conf" --nofork --nopidfile >"$dir/bus.log" 2>&1 &
echo $! >"$dir/bus.pid"
systemd-socket-activate --accept --seqpacket --fdname=job --listen "$dir/run/worker.sock" -E REDOUBT_RUN -E REDOUBT_STATE \
	"$O/appliance/worker/redoubt-worker" >"$dir/worker.log" 2>&1 &
echo $! >"$dir/worker.pid"
tap_until 10 test -S "$dir/run/worker.sock" -a -S "$dir/bus"
chmod 0777 "$dir/run/worker.sock"
# Not by as(): in the background that is a shell of its own, and ending it would leave the daemon.
setpriv --reuid $appliance_uid --regid $appliance_uid --clear-groups "$O/appliance/manager/redoubt-appliance" \
	>"$dir/appliance.log" 2>&1 &
echo $! >"$dir/appliance.pid"

call() { # call UID METHOD [SIGNATURE ARGUMENT...]
	uid=$1 method=$2; shift 2
	as "$uid" busctl --address="unix:path=$dir/bus" --timeout=20 call org.redoubt.Appliance1 \
		/org/redoubt/Appliance1 org.redoubt.Appliance1 "$method" "$@"
}
state_is() { call $tty_uid Status | grep -q "\"state\" s \"$1\""; }
config() { # config DEVICE: a valid configuration
	printf '{"version":1,"hostname":"box","admin":{"name":"ann","ssh_key":"%s"},"volumes":{"data":{"device":"%s"}}}' \
		"$(cat "$dir/ann.pub")" "$1"
}

tap "a machine without a configuration comes up unconfigured" tap_until 20 state_is unconfigured
tap "it says what to do" says "there is no configuration yet" call $tty_uid Status
tap "a stranger learns nothing" shows "You may not do this" call $stranger_uid Status
tap "a stranger cannot give a configuration" shows "only the machine's own console can" \
	call $stranger_uid Provision s "$(config /dev/redoubt-none)"
tap "a configuration that is not JSON is refused with the place" shows "is not JSON: .* at byte" \
	call $tty_uid Provision s "{"
tap "a wrong field is named" shows "there is no key .hostnam. here; known are: version, hostname" \
	call $tty_uid Provision s '{"version":1,"hostnam":"x"}'
tap "and it stays unconfigured" tap_until 5 state_is unconfigured
tap "one of 24 KiB is refused" shows "longer than|24 KiB" call $tty_uid Provision s "$(head -c 25000 /dev/zero | tr '\0' ' ')"
tap "nothing can be unlocked while nothing is locked" shows "only while the appliance is locked" \
	call $tty_uid Unlock s "some key"
tap "what needs the volume says that there is none" shows "The appliance is unconfigured" \
	call $tty_uid TakeRecoveryKey
tap "a configuration for a disk that is not there says so" shows "/dev/redoubt-none is not there" \
	call $tty_uid Provision s "$(config /dev/redoubt-none)"
tap "the appliance says it has failed, and why" tap_until 5 state_is failed
tap "the network of the configuration is in force" grep -q 'DHCP=yes' "$dir/run/network/10-redoubt.network"
tap "the firewall's sets are filled" grep -q 'ssh_sources4 { 0.0.0.0/0 }' "$dir/run/firewall/sets.nft"
kill -9 "$(cat "$dir/worker.pid")"
tap "without workers a method still answers" says "failed" call $tty_uid Status
tap "redoubt-appliance has lived through all this" kill -0 "$(cat "$dir/appliance.pid")"

# --- redoubt-worker by hand ----------------------------------------------------------------------

tap "a worker without a connection says so and ends" shows "the job ended without an answer" \
	"$O/appliance/worker/redoubt-worker" </dev/null
tap "unknown arguments are refused" not "$O/appliance/worker/redoubt-worker" format
tap "--help explains" says "SOCK_SEQPACKET" "$O/appliance/worker/redoubt-worker" --help
config /dev/vdb >"$dir/good.json"
jq '.network = { address: "10.0.0.5/24", gateway: "10.0.1.1" }' "$dir/good.json" >"$dir/gateway.json"
jq '.network = { address: "10.0.0.0/24" }' "$dir/good.json" >"$dir/address.json"
jq '.ssh = { sources: ["10.1.2.3/8"] }' "$dir/good.json" >"$dir/bits.json"
jq '.firewal = {}' "$dir/good.json" >"$dir/typo.json"
takes() { "$O/appliance/worker/redoubt-worker" check-config <"$dir/$1.json"; }
tap "check-config takes what the appliance takes" takes good
tap "and says why of what it does not" shows "network.gateway: is not in the address's network" takes gateway
tap "publish-ec2 refuses it with the same words" shows "would not take .*network.gateway: is not in" image/publish-ec2 --config "$dir/gateway.json"
tap "a network's own address as a machine's, too" shows "network.address: is the network's own" image/publish-ec2 --config "$dir/address.json"
tap "bits behind a prefix, too" shows 'the network is "10.0.0.0/8"' image/publish-ec2 --config "$dir/bits.json"
tap "a mistyped key, too" shows 'there is no key "firewal"' image/publish-ec2 --config "$dir/typo.json"
tap "a good one gets as far as the image" shows "there is no .*image|cannot be called" image/publish-ec2 --config "$dir/good.json" --name x

# --- redoubt-imds --------------------------------------------------------------------------------

# answer TOKEN-STATUS DATA-STATUS FILE: serve as EC2's metadata service would, until stopped.
cat >"$dir/answer" <<'END'
#!/bin/sh
read -r method path _
token='' cr=$(printf '\r')
while read -r line && [ "$line" != "$cr" ]; do
	case $line in X-aws-ec2-metadata-token:*) token=${line#*: } token=${token%"$cr"} ;; esac
done
reply() { printf 'HTTP/1.1 %s X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' "$1" "$(wc -c <"$2")"; cat "$2"; }
case $method$path in
PUT/latest/api/token) reply "$1" "$4" ;;
GET/latest/user-data) [ "$token" = "$(cat "$4")" ] && reply "$2" "$3" || reply 401 /dev/null ;;
*) reply 404 /dev/null ;;
esac
END
chmod 0755 "$dir/answer"
printf 'TOKEN==' >"$dir/token"
port=18$((100 + $$ % 800))
imds() { # imds TOKEN-STATUS DATA-STATUS FILE [TOKEN-FILE]: run redoubt-imds against that service
	rm -rf "$dir/run/imds"
	mkdir "$dir/run/imds"
	ncat -l -k 127.0.0.1 "$port" --sh-exec "exec $dir/answer $1 $2 $3 ${4:-$dir/token}" 2>/dev/null &
	echo $! >"$dir/imds.pid"
	tap_until 5 ncat -z 127.0.0.1 "$port"
	status=0
	"$O/appliance/imds/redoubt-imds" --from "http://127.0.0.1:$port" || status=$?
	stop imds
	wait "$!" 2>/dev/null || :
	return $status
}
config /dev/vdb >"$dir/data"
head -c 16385 /dev/zero >"$dir/long"
printf 'a token\nof two lines' >"$dir/badtoken"
tap "user data is fetched by IMDSv2" imds 200 200 "$dir/data"
tap "and lies there whole" cmp "$dir/data" "$dir/run/imds/user-data"
tap "an instance without user data is no error" imds 200 404 /dev/null
tap "and leaves nothing" not test -e "$dir/run/imds/user-data"
tap "no token, no data" not imds 403 200 "$dir/data"
tap "a token that is none is not sent on" not imds 200 200 "$dir/data" "$dir/badtoken"
tap "more than 16 KiB is refused" not imds 200 200 "$dir/long"
tap "a redirect is not followed" not imds 200 302 /dev/null
tap "nothing is left after a refusal" not test -e "$dir/run/imds/user-data"
tap "elsewhere it does nothing" "$O/appliance/imds/redoubt-imds"

tap_done
