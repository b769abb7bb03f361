#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our units under a real systemd, without a virtual machine: the tools tree's systemd boots in a container with what
# `make install` installs. The data volume is a tmpfs; kernel settings and devices are left to tests/vm.
# HTTPS is left to it as well: the appliance is not ready without a disk that it can encrypt.
# Proves: every unit starts, each daemon's --self-test finds its sandbox tight, sockets and the bus work across it.
# Prints TAP; needs root, the tools tree and the programs in $O.
set -eu

cd "$(dirname -- "$0")/../.."
[ -e /etc/redoubt-tools ] || exec image/tools/enter env O="${O:-build/release}" tests/integration/units.sh "$@"
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root, to make namespaces for systemd"; exit 0; }
[ "${1:-}" = inside ] || exec unshare --mount --pid --fork --mount-proc --kill-child tests/integration/units.sh inside
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

O=${O:-build/release}
dir=$(mktemp -d /tmp/redoubt-units-XXXXXX)
root=$dir/root
container=
end() {
	[ -z "$container" ] || kill -KILL "$container" 2>/dev/null || :
	[ -z "${KEEP_LOG:-}" ] || cp "$dir/console" "$KEEP_LOG"
	umount -l "$root/usr" "$root/etc" 2>/dev/null || :
	rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' HUP INT PIPE TERM

# --- a root: the tree's /usr and /etc, ours laid over them -----------------------------------------
for part in usr etc; do
	mkdir -p "$root/$part" "$dir/upper-$part" "$dir/work-$part"
	mount -t overlay -o "lowerdir=/$part,upperdir=$dir/upper-$part,workdir=$dir/work-$part" overlay "$root/$part"
done
mkdir -p "$root/var" "$root/run" "$root/tmp" "$root/dev" "$root/proc" "$root/sys" "$root/root"
ln -s usr/bin "$root/bin"; ln -s usr/sbin "$root/sbin"; ln -s usr/lib "$root/lib"; ln -s usr/lib64 "$root/lib64"
make --no-print-directory -s O="$O" DESTDIR="$root" install
cp -r image/mkosi.extra/. "$root/"
cp "$O/tests/lib/ask-keys" "$O/tests/lib/ask-userdb" "$root/usr/lib/redoubt/"
rm -f "$root/etc/machine-id"
echo 5e1f7e57000000000000000000000001 >"$root/etc/machine-id"
rm -f "$root/etc/systemd/system/"*.wants/* "$root/etc/systemd/system/"*.service
for account in systemd-timesync:997 systemd-network:998 messagebus:996; do
	grep -q "^${account%:*}:" "$root/etc/passwd" || echo "${account%:*}:x:${account#*:}:${account#*:}::/:/usr/sbin/nologin" >>"$root/etc/passwd"
	grep -q "^${account%:*}:" "$root/etc/group" || echo "${account%:*}:x:${account#*:}:" >>"$root/etc/group"
done
grep -q ^tss: "$root/etc/group" || echo tss:x:995: >>"$root/etc/group"
systemd-sysusers --root="$root" >/dev/null 2>&1
systemctl --root="$root" preset-all >/dev/null 2>&1
# What a container cannot: real disks, consoles, sysctls.
cat >"$root/etc/systemd/system/var-lib-redoubt.mount" <<'END'
[Unit]
Description=The data volume, in memory
DefaultDependencies=no
[Mount]
What=tmpfs
Where=/var/lib/redoubt
Type=tmpfs
Options=mode=0755,nodev,nosuid,noexec
END
mkdir -p "$root/etc/systemd/system/redoubt-setup.service.d"
printf '[Service]\nEnvironment=REDOUBT_STATE=/var/lib/redoubt\n' \
	>"$root/etc/systemd/system/redoubt-setup.service.d/90-no-device-mapper.conf"
for unit in redoubt-modules.service systemd-udevd.service systemd-sysctl.service getty.target systemd-logind.service \
	systemd-resolved.service tmp.mount redoubt-tty@ttyS0.service redoubt-tty@tty1.service; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# --- boot ------------------------------------------------------------------------------------------
# Descriptors and environment of whoever runs the test do not belong in there.
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_LOCK=0 systemd-nspawn --quiet --directory="$root" --boot \
	--keep-unit --register=no --private-network --link-journal=no --console=read-only --machine=redoubt-units \
	--uuid=5e1f7e57000000000000000000000001 --capability=all systemd.log_target=console systemd.log_level=notice \
	</dev/null >"$dir/console" 2>&1 &
container=$!

init=
find_init() {
	# nspawn has two children on the way; the init is the one whose first argument is systemd
	for pid in $(pgrep -f 'lib/systemd/systemd .*systemd.log_target=console'); do
		[ "$(readlink "/proc/$pid/exe")" != /usr/lib/systemd/systemd ] || { init=$pid; return 0; }
	done
	return 1
}
tap_until 20 find_init || { sed 's/^/# /' "$dir/console"; echo "Bail out! systemd does not start"; exit 1; }
find_init
box() { nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup -- "$@"; }
systemctl_() { box systemctl --no-pager "$@"; }
journal() { box journalctl --no-pager --output=cat "$@"; }
# active UNIT: it runs, or will within ten seconds; else what it said.
active() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		case $(systemctl_ show --property=ActiveState --value "$1") in
		active) return 0 ;;
		activating | reloading | deactivating) sleep 1 ;;
		*) [ -n "$(systemctl_ show --property=Job --value "$1")" ] || break # its turn comes
			sleep 1 ;;
		esac
	done
	systemctl_ status --lines=30 "$1" || :
	return 1
}
tap_until 60 systemctl_ is-active multi-user.target || :

for unit in redoubt-firewall systemd-networkd dbus-broker systemd-journald redoubt-appliance; do
	tap "$unit.service runs" active "$unit.service"
done
tap "front listens before there is a volume" active redoubt-front.socket

# --- the volume --------------------------------------------------------------------------------------
box mkdir -p -m 0700 /run/redoubt/setup
ssh-keygen -q -t ed25519 -N '' -C ann -f "$dir/ann"
jq -n --arg key "$(cat "$dir/ann.pub")" '{ version: 1, hostname: "redoubt-units",
	admin: { name: "ann", email: "ann@example.org", ssh_key: $key } }' >"$dir/config.json"
box sh -c 'cat >/run/redoubt/setup/config.json' <"$dir/config.json"
tap "the volume is set up" systemctl_ start redoubt-data.target
for unit in redoubt-setup redoubt-audit redoubt-keys redoubt-userdb redoubt-accounts redoubt-engine redoubt-front ssh; do
	tap "$unit.service runs" active "$unit.service"
done
tap "no unit has failed" sh -c "[ -z \"\$(nsenter --target $init --mount --pid -- systemctl --failed --quiet --no-legend)\" ]"
tap "the bus knows the three services" sh -c "nsenter --target $init --mount --pid --net -- busctl list --no-pager |
	grep -c -E '^org.redoubt.(Accounts1|Audit1|Appliance1) .*redoubt-' | grep -qx 3"


# --- the collections' keys ---------------------------------------------------------------------------
ask_keys() { # ask_keys USER ARGUMENT...: as that user
	who=$1
	shift
	box setpriv --reuid "$who" --regid "$who" --clear-groups /usr/lib/redoubt/ask-keys "$@"
}
uuid=0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5b
tap "engine gets a collection key made, across keys and ledger" says '^ok$' ask_keys redoubt-engine create $uuid
tap "and a data key" says '^ok [0-9a-f]{64} ' ask_keys redoubt-engine new $uuid log
tap "nobody else may ask" shows '^unavailable$' ask_keys redoubt-accounts new $uuid log

# --- as a person ----------------------------------------------------------------------
net() { nsenter --target "$init" --net -- "$@"; }
as_ann() {
	net timeout 60 ssh -F none -i "$dir/ann" -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR ann@127.0.0.1 "$@" </dev/null
}
first_sign_in() { says 'ann' as_ann whoami || { journal --unit=ssh.service --lines=20; return 1; }; }
tap "the first admin signs in by the key of the configuration" first_sign_in
tap "she can make an API key, across sshd, bus, accounts and ledger" says '"key": *"rdt_' \
	as_ann key create test --role admin --json
as_ann person list --json >"$dir/people"
tap "what is not a verb does not run" not as_ann /bin/sh -c id
ledger() { as_ann audit list --count 500 --json; }
ledger_has() { # ledger_has JQ-CONDITION [NUMBER]: as many entries for which it holds, at least one
	ledger >"$dir/ledger" && jq -e "[.[] | select($1)] | length ${2:->= 1}" "$dir/ledger" >/dev/null || { jq -c ".[] | {code, actor, source, outcome, detail}" "$dir/ledger" | head -20; return 1; }
}
tap "a verb is a session in the ledger, with the key and where it came from" ledger_has \
	".code == \"session.open\" and .actor == \"ann\" and (.source | test(\"^127.0.0.1:[0-9]+\")) and (.detail | test(\"SHA256:.*whoami\"))"
tap "and its end is there too" ledger_has ".code == \"session.close\" and (.detail | test(\"whoami\"))"
tap "verbs count as last sign-in" sh -c "jq -e '.[0].last_login | length > 10' '$dir/people'"
tap "no sign-in leaves an intent that nothing closes" ledger_has ".code == \"ssh.sign-in\" or .code == \"ledger.outcome-unknown\" or .code == \"ssh.no-session\"" "== 0"
tap "what is read is there" ledger_has ".code == \"person.list\" and .actor == \"ann\""
hang() { # a console that is killed, as a connection that breaks would
	net timeout -s KILL 4 ssh -tt -F none -i "$dir/ann" -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR ann@127.0.0.1 </dev/zero >/dev/null 2>&1 || :
	sleep 1
}
TERM=xterm hang
tap "a console that is killed ends its session as well" ledger_has ".code == \"session.close\" and (.detail | test(\"console\"))"
turned_away() {
	for name in nobody-such nobody-else root; do
		net timeout 20 ssh -F none -i "$dir/ann" -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
			-o UserKnownHostsFile=/dev/null "$name@127.0.0.1" status </dev/null >/dev/null 2>&1 || :
	done
	sleep 1
}
turned_away
tap "a name that is nobody's is there, with where it came from" ledger_has \
	".code == \"ssh.denied\" and .actor == \"nobody-such\" and (.source | test(\"^127.0.0.1:[0-9]+\"))"
tap "further names from there are counted, not listed" ledger_has ".code == \"ssh.denied\"" "<= 2"
as_ann audit export >"$dir/ledger.tar" 2>"$dir/ledger.err" || :
key=$(as_ann audit status --json | jq -r .vkey)
tap "the ledger can be had by ssh, and verifies here" "$O/tui/cli/redoubt" audit verify "$dir/ledger.tar" --vkey "$key" --max-age 1h
tap "the ledger has it and verifies" says 'valid' as_ann audit verify

# --- who may be a user of the system -----------------------------------------------------------------
as_accounts() { box setpriv --reuid redoubt-accounts --regid redoubt-accounts --clear-groups "$@"; }
wish() { as_accounts /usr/lib/redoubt/ask-userdb ann 20000 "$@"; }
unknown() { ! box getent passwd "$@"; }
tap "redoubt-userdb.service runs" active redoubt-userdb.service
tap "the user records are root's" shows '^root:root 755$' box stat -c '%U:%G %a' /run/userdb
tap "the first admin is a user, with our group and shell" shows '^ann:x:20000:920:.*:/:/usr/bin/redoubt-console$' box getent passwd ann
tap "accounts cannot write a record itself" not as_accounts sh -c 'echo "{}" >/run/userdb/eve.user'
tap "nor remove one" not as_accounts rm -f /run/userdb/ann.user
tap "a wish for uid 0 is refused" shows '^taken, refused 1$' wish eve 0
tap "and nobody is called so" unknown eve
tap "one for the name root is refused" shows '^taken, refused 1$' wish root 20001
tap "so root is who it was" shows '^root:x:0:0:' box getent passwd root
tap "and the uid is nobody" unknown 20001
tap "one for a user of the system is refused" shows '^taken, refused 1$' wish redoubt-audit 20001
tap "one below the people's uids is refused" shows '^taken, refused 1$' wish eve 19999
tap "and one above" shows '^taken, refused 1$' wish eve 60000
for who in eve 19999 60000; do
	tap "$who is no user" unknown "$who"
done
tap "a second name for a uid is refused" shows '^taken, refused 1$' wish eve 20000
tap "and is nobody" unknown eve
tap "she whose uid it is stays" shows '^ann:x:20000:' box getent passwd 20000
tap "a path is refused as a name" shows '^taken, refused 1$' wish ../../etc/eve 20001
tap "nobody else may wish" shows '^unavailable$' box setpriv --reuid redoubt-engine --regid redoubt-engine --clear-groups /usr/lib/redoubt/ask-userdb ann 20000
added() { as_ann person add bea bea@example.org --role member >/dev/null && shows '^bea:x:20001:920:' box getent passwd bea; }
tap "a person who is added is a user when that is answered" added

# --- the check service: what does not need the real machine holds here too ---------------------------
box /usr/lib/redoubt/redoubt-check >"$dir/checks" 2>&1 || : # the container's kernel is not hardened
control_holds() { grep -q "\"id\":\"$1\".*\"result\":\"pass\"" "$dir/checks" || { grep "$1" "$dir/checks"; return 1; }; }
for id in SVC-001 SVC-002 SVC-003 SVC-004 SVC-005 SVC-006 SVC-007 SVC-009 SVC-010 SVC-011 SSH-001 SSH-012 NET-003 NET-004 NET-005 \
	NET-006 NET-007 NET-008 NET-009 NET-002 VOL-002 VOL-008 VOL-009 VOL-010 VOL-011 VOL-012 VOL-013 VOL-014 VOL-015; do
	tap "control H-$id holds: $(grep "H-$id" hardening/controls.tsv | cut -f5)" control_holds "H-$id"
done

# --- the firewall's sets ------------------------------------------------------------------------------
tap "the firewall's sets are loaded" active redoubt-firewall-sets.service
tap "before sshd was started" sh -c "
	at() { nsenter --target $init --mount --pid -- systemctl show --property=ActiveEnterTimestampMonotonic --value \$1; }
	[ \"\$(at redoubt-firewall-sets)\" -le \"\$(at ssh)\" ] && [ \"\$(at redoubt-firewall)\" -le \"\$(at systemd-networkd)\" ]"
box cp /run/redoubt/firewall/sets.nft /run/sets.good
systemctl_ stop ssh.service redoubt-firewall-sets.service
box sh -c 'printf "flush set inet redoubt ssh_sources4\nadd element inet redoubt out_tcp4 { 10.0.0.0/8 . 1, 10.1.0.0/16 . 1 }\n" >/run/redoubt/firewall/sets.nft'
tap "sets that do not load are a failure" not systemctl_ start redoubt-firewall-sets.service
tap "sshd does not start then" not systemctl_ start ssh.service
tap "and does not listen" sh -c "! nsenter --target $init --net -- ncat -z 127.0.0.1 22"
tap "the sets are what they were" says 'elements = \{ 0.0.0.0/0 \}' box nft list set inet redoubt ssh_sources4
box cp /run/sets.good /run/redoubt/firewall/sets.nft
systemctl_ reset-failed redoubt-firewall-sets.service redoubt-firewall-change.service 2>/dev/null || :
tap "with sets that load it starts" systemctl_ start ssh.service
tap "and listens" tap_until 5 net ncat -z 127.0.0.1 22
box nft add element inet redoubt out_tcp4 '{ 192.0.2.1 . 9 }'
box /usr/lib/redoubt/redoubt-check >"$dir/checks" 2>&1 || :
tap "an element that nobody has configured fails the control" grep -q '"id":"H-NET-009".*"result":"fail".*192.0.2.1' "$dir/checks"
box nft delete element inet redoubt out_tcp4 '{ 192.0.2.1 . 9 }'

# --- self-tests, each in its own unit's sandbox ----------------------------------------------------
self_test() { # self_test PROGRAM: run it instead of the daemon, under everything else of the unit
	unit=redoubt-$1.service
	box mkdir -p "/run/systemd/system/$unit.d"
	printf '[Service]\nType=oneshot\nRestart=no\nWatchdogSec=0\nExecStartPre=\nExecStart=\nExecStart=/usr/lib/redoubt/redoubt-%s --self-test\n' "$1" |
		box sh -c "cat >/run/systemd/system/$unit.d/90-self-test.conf"
	systemctl_ daemon-reload
	systemctl_ stop "$unit" 2>/dev/null
	if systemctl_ restart "$unit"; then result=0; else result=1; fi
	said=$(journal --unit="$unit" --invocation=0)
	box rm "/run/systemd/system/$unit.d/90-self-test.conf"
	systemctl_ daemon-reload
	systemctl_ reset-failed "$unit" 2>/dev/null || :
	printf '%s\n' "$said"
	[ "$result" = 0 ] && printf '%s\n' "$said" | grep -q '^ok 1 ' && ! printf '%s\n' "$said" | grep -q '^not ok'
}
for program in front engine accounts userdb audit keys appliance; do
	tap "redoubt-$program finds its sandbox tight" self_test "$program"
done
tap_done
