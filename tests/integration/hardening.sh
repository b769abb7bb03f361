#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# redoubt-check as a program, and that its table asks for what the files in hardening/ set.
# Prints TAP; needs $O/hardening/check/redoubt-check.
set -eu

cd "$(dirname -- "$0")/../.."
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/hardening.sh "$@"
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

check=${O:-build/release}/hardening/check/redoubt-check
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT PIPE TERM

# A table of controls that hold wherever this runs, and one of a control that does not.
echo yes >"$dir/file"
{
	printf 'H-TST-001\tequals\t%s\tyes\tThe file says yes\tan example\n' "$dir/file"
	printf 'H-TST-002\tfile-absent\t%s/none\t\tThe other file is absent\t\n' "$dir"
} >"$dir/good.tsv"
{ cat "$dir/good.tsv"; printf 'H-TST-003\tequals\t%s\tno\tThe file says no\t\n' "$dir/file"; } >"$dir/bad.tsv"
printf 'H-TST-001\tequals\n' >"$dir/broken.tsv"

exits() { want=$1; shift; got=0; "$@" || got=$?; [ "$got" = "$want" ]; }
tap "all controls hold: exit 0" exits 0 "$check" --here --controls "$dir/good.tsv"
tap "one does not: exit 1" exits 1 "$check" --here --controls "$dir/bad.tsv"
tap "and it is named, with the reason" shows '"id":"H-TST-003",.*"result":"fail","detail":".*says yes"' \
	"$check" --here --controls "$dir/bad.tsv"
tap "every line of the answer is JSON with four fields" sh -c \
	"'$check' --here --controls '$dir/bad.tsv' | jq -es 'length == 3 and all(keys == [\"detail\",\"id\",\"result\",\"title\"])'"
tap "TAP says the same" shows '^not ok 3 - H-TST-003' "$check" --tap --controls "$dir/bad.tsv"
tap "a broken table is refused with its place" shows 'control 1 is not six fields' \
	"$check" --here --controls "$dir/broken.tsv"
tap "and does not pass" exits 1 "$check" --here --controls "$dir/broken.tsv"
tap "no table does not pass" exits 1 "$check" --here --controls "$dir/none.tsv"
tap "an unknown option is wrong usage" exits 2 "$check" --nonsense
tap "the shipped table can be listed" shows '^H-CMD-001  ' "$check" --list --controls hardening/controls.tsv
tap "the whole answer fits a worker's reply" sh -c \
	"[ \"\$('$check' --here --controls hardening/controls.tsv | wc -c)\" -lt 49152 ]"

# Asked through the service's socket, as the worker does.
mkdir "$dir/run"
export REDOUBT_RUN="$dir/run"
tap "without the service nothing passes" exits 1 "$check"
serve() { # serve TABLE
	[ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null || :; rm -f "$dir/run/check.sock"; }
	systemd-socket-activate --accept --inetd --listen="$dir/run/check.sock" \
		"$check" --here --controls "$1" >/dev/null 2>&1 &
	server=$!
	tap_until 5 test -S "$dir/run/check.sock"
}
serve "$dir/good.tsv"
tap "the service's answer is passed on" shows '"id":"H-TST-002"' "$check"
tap "and its verdict: 0" exits 0 "$check"
serve "$dir/bad.tsv"
tap "and its verdict: 1" exits 1 "$check"

# The table against the files it is about: each control's line must stand in one of them.
agrees() { # agrees KIND LINE FILE...: LINE is an awk expression of a (argument) and e (expected)
	kind=$1 line=$2; shift 2
	awk -F '\t' -v kind="$kind" '!/^#/ && $2 == kind { a = $3; e = $4; n++; print '"$line"' }
		END { exit n == 0 }' hardening/controls.tsv >"$dir/asked" || return 1
	cat "$@" >"$dir/set"
	! grep -Fxv -f "$dir/set" "$dir/asked"
}
tap "the command line sets what the table asks for" agrees cmdline 'e == "" ? a : a "=" e' hardening/cmdline
tap "the kernel settings are those that the table asks for" agrees sysctl 'a " = " e' \
	hardening/sysctl/90-redoubt.conf hardening/sysctl/sysctl-late.conf
tap "the settings in files are those that the table asks for" agrees setting 'substr(a, index(a, ":") + 1) " " e' \
	hardening/sshd/sshd_config hardening/sysctl/90-redoubt.conf
tap_done
