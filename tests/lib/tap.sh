# SPDX-License-Identifier: Apache-2.0
# TAP from shell scripts. Source it; end with tap_done.
# shellcheck shell=sh

tap_number=0
tap_failed=0

# tap NAME COMMAND... : one test point; ok if the command succeeds. Its output is shown if it fails.
tap() {
	tap_name=$1
	shift
	tap_number=$((tap_number + 1))
	if tap_said=$("$@" 2>&1); then
		printf 'ok %d - %s\n' "$tap_number" "$tap_name"
	else
		tap_failed=1
		printf 'not ok %d - %s\n' "$tap_number" "$tap_name"
		printf '%s\n' "$tap_said" | tail -n 40 | sed 's/^/# /'
	fi
}

# not COMMAND... : succeeds if the command fails.
not() { ! "$@"; }

# says PATTERN COMMAND... : succeeds if the command succeeds and prints a line that matches.
says() {
	says_pattern=$1
	shift
	says_text=$("$@" 2>&1) || { printf '%s\n' "$says_text"; return 1; }
	printf '%s\n' "$says_text" | grep -Eq -- "$says_pattern" ||
		{ printf 'no line like "%s" in:\n%s\n' "$says_pattern" "$says_text"; return 1; }
}

# shows PATTERN COMMAND... : succeeds if the command prints a line that matches, whatever its status.
shows() {
	shows_pattern=$1
	shift
	shows_text=$("$@" 2>&1) || :
	printf '%s\n' "$shows_text" | grep -Eq -- "$shows_pattern" ||
		{ printf 'no line like "%s" in:\n%s\n' "$shows_pattern" "$shows_text"; return 1; }
}

# tap_until SECONDS COMMAND... : try again and again until the command succeeds or the time is up.
tap_until() {
	tap_deadline=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$tap_deadline" ] || return 1
		sleep 0.2
	done
}

tap_done() {
	printf '1..%d\n' "$tap_number"
	exit "$tap_failed"
}
