# SPDX-License-Identifier: Apache-2.0
# The rig of the console's tests: the real daemons on a message bus of their own, people who sign in, and a
# terminal to look at. Source it at the start of a test; it moves the test into the tools tree and into
# namespaces of its own. Set O to the build to try.
# shellcheck shell=sh disable=SC2034 # some variables are for the tests

[ -e /etc/redoubt-tools ] || exec image/tools/enter "$0" "$@"
[ "${RIG:-}" = inside ] || exec env RIG=inside unshare --mount "$0" "$@"
. tests/lib/tap.sh

O=${O:-build/release}
dir=$(mktemp -d /tmp/redoubt-rig.XXXXXX)
chmod 755 "$dir"
log=$dir/log
started=
rig_end() {
	tmux -S "$dir/tmux" kill-server 2>/dev/null || :
	for pid in $started; do kill "$pid" 2>/dev/null || :; done
	wait
	umount -l /etc/passwd /run/userdb 2>/dev/null || :
	rm -rf "$dir"
}
trap rig_end EXIT
trap 'exit 1' HUP INT PIPE TERM

export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$dir/bus" REDOUBT_RUN="$dir/run" REDOUBT_STATE="$dir/state" \
	LC_ALL=C.UTF-8

# People by uid, as accounts gives them out: the first admin, then in the order they are added.
ann=20000
ben=20001

# in_background UID COMMAND... : start a daemon as a user; its output goes to the log.
in_background() {
	uid=$1
	shift
	setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@" >>"$log" 2>&1 &
	pid=$!
	started="$started $pid"
}

# as UID COMMAND... : run a command as a person.
as() {
	uid=$1
	shift
	setpriv --reuid "$uid" --regid 920 --clear-groups "$@"
}

# redoubt UID ARGUMENT... : the command line as a person.
redoubt() {
	uid=$1
	shift
	as "$uid" "$dir/bin/redoubt" "$@"
}

rig_users() {
	grep -v ^redoubt- /etc/passwd >"$dir/passwd"
	while read -r name uid; do
		echo "$name:x:$uid:$uid::/:/usr/sbin/nologin" >>"$dir/passwd"
	done <<-END
		redoubt-accounts 903
		redoubt-audit 904
		redoubt-appliance 905
		redoubt-tty 908
		ann 20000
		ben 20001
	END
	mount --bind "$dir/passwd" /etc/passwd
}

rig_folders() {
	mkdir -p "$dir/run" "$dir/state/accounts" "$dir/state/audit" "$dir/credentials" "$dir/bin"
	cp "$O/tui/cli/redoubt" "$O/tui/console/redoubt-console" "$dir/bin/"
	chown 903 "$dir/state/accounts"
	chown 904 "$dir/state/audit"
	chmod 777 "$dir/run"
	ssh-keygen -q -t ed25519 -N '' -C ann@desk -f "$dir/ann"
	ssh-keygen -q -t ed25519 -N '' -C ben@desk -f "$dir/ben"
	head -c 32 /dev/urandom >"$dir/credentials/grant"
	cat >"$dir/credentials/config" <<-END
		{ "version": 1, "hostname": "redoubt-1",
		  "admin": { "name": "ann", "email": "ann@example.org", "ssh_key": "$(cat "$dir/ann.pub")" } }
	END
	chmod -R a+rX "$dir"
	: >"$log"
	chmod 666 "$log"
}

# The default policy of a system bus, and the policy files that the image gets.
rig_bus() {
	{
		cat <<-END
			<busconfig><type>system</type><listen>unix:path=$dir/bus</listen><auth>EXTERNAL</auth>
			<policy context="default">
			<allow user="*"/><deny own="*"/><deny send_type="method_call"/><allow send_type="signal"/>
			<allow send_requested_reply="true" send_type="method_return"/>
			<allow send_requested_reply="true" send_type="error"/>
			<allow receive_type="method_call"/><allow receive_type="method_return"/>
			<allow receive_type="error"/><allow receive_type="signal"/>
			<allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
			</policy>
		END
		for policy in appliance/*/org.redoubt.*.conf; do echo "<include>$PWD/$policy</include>"; done
		echo "</busconfig>"
	} >"$dir/bus.conf"
	in_background 0 dbus-daemon --config-file="$dir/bus.conf" --nofork --nopidfile
	tap_until 5 test -S "$dir/bus"
}

rig_audit() {
	rm -f "$dir"/run/audit-*.sock
	in_background 904 "$O/tests/lib/activate" "accounts=seqpacket:$dir/run/audit-accounts.sock" \
		"engine=seqpacket:$dir/run/audit-engine.sock" \
		"appliance=seqpacket:$dir/run/audit-appliance.sock" -- "$O/appliance/audit/redoubt-audit"
	audit_pid=$pid
	tap_until 5 test -S "$dir/run/audit-appliance.sock"
	chmod 777 "$dir"/run/*.sock
}

rig_accounts() {
	CREDENTIALS_DIRECTORY="$dir/credentials" in_background 903 "$O/appliance/accounts/redoubt-accounts"
	accounts_pid=$pid
	tap_until 5 redoubt $ann whoami
}

rig_appliance() {
	in_background 905 "$O/appliance/manager/redoubt-appliance"
	appliance_pid=$pid
	tap_until 5 redoubt $ann status
}

# Everything up, with ann as the first admin.
rig_start() {
	rig_users
	rig_folders
	rig_bus
	rig_audit
	rig_accounts
	rig_appliance
}

# --- a terminal ----------------------------------------------------------------------------------

# terminal NAME WIDTH HEIGHT UID : a terminal in which a person's console runs. What the shell that
# started it says after it has ended stands there, too. TERMINAL_ENV goes before it.
terminal() {
	tmux -S "$dir/tmux" -f /dev/null new-session -d -s "$1" -x "$2" -y "$3" \
		"env ${TERMINAL_ENV:-TERM=tmux-256color} setpriv --reuid $4 --regid 920 --clear-groups $dir/bin/redoubt-console; echo the console said \$?; sleep 1000"
}

keys() {
	tmux -S "$dir/tmux" send-keys -t "$@"
}

# type_text NAME TEXT
type_text() {
	tmux -S "$dir/tmux" send-keys -t "$1" -l -- "$2"
}

screen() {
	tmux -S "$dir/tmux" capture-pane -p -t "$1"
}

# There and not there: whether a screen has a line that matches.
has() { screen "$1" | grep -Eq -- "$2"; }
lacks() { ! has "$1" "$2"; }

# sees NAME PATTERN : wait up to ten seconds for a line; else show the screen.
sees() { tap_until 10 has "$1" "$2" || { screen "$1"; return 1; }; }
loses() { tap_until 10 lacks "$1" "$2" || { screen "$1"; return 1; }; }
