#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real sshd with hardening/sshd/sshd_config on loopback: who gets in, how, and what ssh-audit says.
# People come from user records as in the appliance. Prints TAP; needs root and the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/sshd.sh "$@"
# A mount namespace of our own, for /etc/passwd and the like.
[ "${1:-}" = inside ] || exec unshare --mount tests/integration/sshd.sh inside

# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

port=4922
dir=$(mktemp -d)
run=/run/redoubt-sshd-test # root's alone, as sshd demands of a command's path
mkdir -p "$run" /run/sshd /run/userdb
sshd=
trap '[ -z "$sshd" ] || kill "$sshd"; rm -rf "$dir" "$run"' EXIT
trap 'exit 1' HUP INT PIPE TERM

overlay() { # overlay FILE SED-SCRIPT: FILE as it is here, changed
	sed "$2" "$1" >"$dir/overlay-${1##*/}"
	mount --bind "$dir/overlay-${1##*/}" "$1"
}
overlay /etc/passwd '$a redoubt-sshkeys:x:907:907::/:/usr/sbin/nologin'
overlay /etc/group '$a redoubt-sshkeys:x:907:\nredoubt-people:x:920:'
printf 'passwd: files systemd\ngroup: files systemd\nshadow: files systemd\n' >"$dir/nsswitch"
mount --bind "$dir/nsswitch" /etc/nsswitch.conf

person() { # person NAME UID GID
	printf '{"userName":"%s","uid":%s,"gid":%s,"disposition":"regular","homeDirectory":"/","shell":"%s"}' \
		"$1" "$2" "$3" "$run/shell" >"/run/userdb/$1.user"
	printf '{"privileged":{"hashedPassword":["*"]}}' >"/run/userdb/$1.user-privileged"
	ln -sf "$1.user" "/run/userdb/$2.user"
	ln -sf "$1.user-privileged" "/run/userdb/$2.user-privileged"
	chmod 0600 "/run/userdb/$1.user-privileged"
}
person ann 20000 920
person eve 20001 65534

# The login shell and the key command. The command names a key only if a file of that name is there.
cat >"$run/shell" <<'END'
#!/bin/sh
echo "shell $*; TERM=${TERM:-} LANG=${LANG:-} EVIL=${EVIL:-} NO_COLOR=${NO_COLOR:-}"
read -r auth <"$SSH_USER_AUTH" && echo "auth $auth"
echo "connection $SSH_CONNECTION"
END
cat >"$run/keys" <<END
#!/bin/sh
[ "\$(id -un)" = redoubt-sshkeys ] || exit 1
[ "\$#" = 3 ] && echo "\$1 \$3" >>"$run/asked" || exit 1
cat "$run/known/\$1/\$(echo "\$2" | tr / _)" 2>/dev/null || :
END
chmod 0755 "$run/shell" "$run/keys"
: >"$run/asked"; chmod 0666 "$run/asked"
mkdir -p "$run/known/ann" "$run/known/eve" "$run/known/root"

key() { # key NAME OPTIONS...: make a key pair
	name=$1; shift
	ssh-keygen -q -N '' -C "$name" -f "$dir/$name" "$@"
}
know() { # know PERSON KEY: what accounts would answer
	print=$(ssh-keygen -lf "$dir/$2.pub" | cut -d' ' -f2 | tr / _)
	echo "restrict,pty $(cat "$dir/$2.pub")" >"$run/known/$1/$print"
	chmod 0644 "$run/known/$1/$print"
}
key good -t ed25519; key other -t ed25519; key short -t rsa -b 2048; key long -t rsa -b 3072
key nist -t ecdsa
for person in ann eve root; do know $person good; done
know ann short; know ann long; know ann nist

ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
# Only what cannot be the same here: port, paths, and no penalties for this machine.
sed -e "s|^Port .*|Port $port\nListenAddress 127.0.0.1\nPidFile $run/pid\nPerSourcePenaltyExemptList 127.0.0.0/8|" \
	-e "s|^HostKey .*|HostKey $dir/host|" \
	-e "s|^AuthorizedKeysCommand /usr/lib/redoubt/redoubt-authorized-keys|AuthorizedKeysCommand $run/keys|" \
	hardening/sshd/sshd_config >"$dir/config"

client() { # client KEY PERSON ARGUMENTS...
	with=$1 as=$2; shift 2
	timeout 20 ssh "$@" -F none -i "$dir/$with" -p "$port" -o IdentitiesOnly=yes -o BatchMode=yes \
		-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR "$as@127.0.0.1"
}
sftp_works() {
	printf 'pwd\n' | timeout 20 sftp -b - -F none -i "$dir/good" -P "$port" -o BatchMode=yes \
	-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no ann@127.0.0.1
}
with_terminal() { TERM=xterm-mono client good ann -tt; }
with_variables() { EVIL=1 NO_COLOR=1 LANG=xx client good ann -o 'SendEnv=EVIL NO_COLOR LANG'; }
denied='Permission denied \(publickey\)'

tap "the configuration is complete and right" /usr/sbin/sshd -t -f "$dir/config"
# With the rights that its unit leaves it, and no more. (audit_write: the unit's RestrictAddressFamilies=
# hides the kernel's audit socket, nothing here does; sshd gives up if it finds it and may not write.)
rights=$(sed -n 's/^CapabilityBoundingSet=//p' hardening/units/ssh.service.d/10-redoubt.conf |
	tr 'A-Z' 'a-z' | sed 's/cap_/+/g; s/ /,/g')
setpriv --bounding-set="-all,$rights,+audit_write" --inh-caps=-all --no-new-privs \
	/usr/sbin/sshd -D -f "$dir/config" -E "$dir/log" &
sshd=$!
tap_until 5 test -s "$run/pid"

tap "a key that accounts names gets a person in" shows 'shell ' client good ann
tap "the session knows the key it came in by" shows 'auth publickey ssh-ed25519' client good ann
tap "the session knows where its client is, first" shows "connection 127.0.0.1 [0-9]+ 127.0.0.1 $port$" client good ann
tap "the key command is told where the client is, after where the server is" grep -Eq "^ann 127\.0\.0\.1 $port 127\.0\.0\.1 [0-9]+\$" "$run/asked"
tap "a person who asks for a terminal gets one" shows 'TERM=xterm-mono' with_terminal
tap "a 3072-bit RSA key gets in" shows 'shell ' client long ann
tap "a 2048-bit RSA key does not" shows "$denied" client short ann
tap "a NIST curve key does not" shows "$denied" client nist ann
tap "a key that accounts does not name does not" shows "$denied" client other ann
tap "root does not get in, even with a key that accounts names" shows "$denied" client good root
tap "who is not one of redoubt-people does not get in" shows "$denied" client good eve
tap "nobody is asked for a password" shows "$denied" \
	client other ann -o PreferredAuthentications=password,keyboard-interactive
tap "a client without post-quantum key exchange is turned away" shows 'no matching key exchange' \
	client good ann -o KexAlgorithms=curve25519-sha256 -o LogLevel=INFO
tap "connections are not forwarded" shows 'stdio forwarding failed' \
	client good ann -W "127.0.0.1:$port"
tap "files are not served" not sftp_works
tap "variables other than the listed ones are not taken" shows 'LANG=C.UTF-8 EVIL= NO_COLOR=1' \
	with_variables
rm "$run/known/ann/"*
tap "a key taken away is refused at the next sign-in" shows "$denied" client good ann
tap "the banner names no distribution" not shows Debian sh -c "echo | timeout 5 nc 127.0.0.1 $port"
tap "ssh-audit finds nothing to fail or warn of" \
	sh -c "ssh-audit --skip-rate-test -p $port 127.0.0.1 >'$dir/audit' 2>&1; status=\$?; cat '$dir/audit'
	[ \$status = 0 ] && ! grep -E '\[(fail|warn)\]' '$dir/audit'"

tap_done
