#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A unit of ours cannot loosen, in its own file, what hardening/units/redoubt-.service.d/10-sandbox.conf
# sets: that file is read later and wins. Say so where somebody tries, instead of silently not doing it.
# Also: a drop-in that loosens belongs in NAME.service.d/20-needs.conf, and every unit is described.
set -eu
base=hardening/units/redoubt-.service.d/10-sandbox.conf
status=0
bad() { printf '%s\n' "$*"; status=1; }

keys=$(sed -n 's/^\([A-Z][A-Za-z]*\)=.*/\1/p' "$base" | sort -u | paste -sd '|')
[ -n "$keys" ] || bad "$base: no settings found"

units=$(find service appliance tui hardening image -name 'redoubt-*.service')
[ -n "$units" ] || bad "no units found"
for unit in $units; do
	grep -nE "^($keys)=" "$unit" | while read -r line; do
		printf '%s:%s: has no effect here, %s is read later; put it into %s.d/20-needs.conf\n' \
			"$unit" "$line" "$base" "${unit##*/}"
	done | grep . && status=1
	grep -q '^Description=.' "$unit" || bad "$unit: no Description="
done

dropins=$(find service appliance tui hardening image -path '*/redoubt-*.service.d/*.conf' ! -path "$base")
for file in $dropins; do
	unit=$(basename -- "$(dirname -- "$file")" .d)
	case ${file##*/} in
	[2-9][0-9]-*.conf) ;;
	*) bad "$file: must be called 20-something.conf or higher, to be read after $base" ;;
	esac
	printf '%s\n' "$units" | grep -q "/$unit\$" || bad "$file: there is no unit $unit"
done
exit $status
