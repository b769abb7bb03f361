#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Hold every unit of ours, and sshd's, to the exposure limit that it was given:
#
#   hardening/exposure.sh [FOLDER...]     FOLDER: where to look for units (default: the whole tree)
#
# Prints TAP. Runs in the tools tree, which has systemd's own units to lay our drop-ins over.
# The figures are those of `systemd-analyze security`, times ten.
set -eu

cd "$(dirname -- "$0")/.."
limits=${REDOUBT_EXPOSURE_LIMITS:-hardening/exposure-limits.txt}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
units=$root/usr/lib/systemd/system

# One root that holds nothing but units: ours as installed, and those of Debian we have drop-ins for.
stage() {
	mkdir -p "$units" "$root/etc"
	find "$@" \( -name build -o -name .git \) -prune -o -path '*.service.d/*.conf' -print \
		-o -name 'redoubt-*.service' -print -o -name 'redoubt-*.socket' -print |
		while read -r file; do
			folder=$(basename -- "$(dirname -- "$file")")
			case $folder in *.service.d) ;; *) folder=. ;; esac
			install -D -m 0644 "$file" "$units/$folder/$(basename -- "$file")"
		done
	for folder in "$units"/*.service.d; do
		unit=$(basename -- "$folder" .d)
		[ -e "$units/$unit" ] || [ ! -e "/usr/lib/systemd/system/$unit" ] ||
			cp "/usr/lib/systemd/system/$unit" "$units/"
	done
	# The programs need not be built: only their being there is looked at.
	sed -n 's/^Exec[A-Z][A-Za-z]*=[-@:+!|]*\([^ ]*\).*/\1/p' "$units"/*.service | sort -u |
		while read -r program; do install -D -m 0755 /dev/null "$root$program"; done
}

# The limit of a unit: the first line of the table whose pattern fits.
limit_of() {
	while read -r pattern limit _; do
		case $pattern in '' | '#'*) continue ;; esac
		# shellcheck disable=SC2254 # it is a pattern
		case $1 in $pattern) echo "$limit"; return ;; esac
	done <"$limits"
}

check() {
	number=0 failed=0
	for file in "$units"/*.service; do
		unit=$(basename -- "$file")
		limit=$(limit_of "$unit")
		[ -n "$limit" ] || { echo "# $unit: no limit given, not ours"; continue; }
		number=$((number + 1)) verdict=ok
		loaded=$(printf %s "$unit" | sed 's/@\.service$/@1.service/')
		systemd-analyze security --offline=yes --root="$root" --threshold="$limit" "$loaded" \
			>"$root/report" 2>&1 || verdict='not ok'
		score=$(sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p' "$root/report")
		[ -n "$score" ] || verdict='not ok' score='unknown'
		echo "$verdict $number - $unit has exposure $score, limit $((limit / 10)).$((limit % 10))"
		[ "$verdict" = ok ] || { failed=1; grep -E '✗|[Ff]ail|rror' "$root/report" | sed 's/^/# /'; }
	done
	echo "1..$number"
	[ "$number" -gt 0 ] && [ "$failed" = 0 ]
}

if [ $# -eq 0 ]; then
	for folder in service appliance tui hardening image; do
		[ ! -d "$folder" ] || set -- "$@" "$folder"
	done
fi
stage "$@"
check
