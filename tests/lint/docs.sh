#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the documents point to exists: every path in back quotes below the folders of the tree.
set -eu
status=0
for doc in README.md docs/*.md; do
	[ -e "$doc" ] || continue
	paths=$(grep -o '`[^`]*`' "$doc" | tr -d '`' |
		grep -E '^(common|service|appliance|tui|image|hardening|tests|docs)/[^ <>*:]*$|^\.ci/run$' | sort -u || :)
	for path in $paths; do
		[ -e "$path" ] || [ -e "$path.h" ] || { printf '%s: there is no %s\n' "$doc" "$path"; status=1; }
	done
done
# Every promise has its row, once.
for id in A1 A2 A3 A4 A5 B1 B2 B3 C1 C2 C3 C4 D1 D2 D3 D4 D5 D6 D7 E1 E2 E3 E4 E5 E6 F1 F2 F3 F4 G1 G2 G3 G4 G5 H1 H2 I1 J1 J2; do
	[ ! -e docs/security-design.md ] || [ "$(grep -c "^| $id |" docs/security-design.md)" = 1 ] ||
		{ printf 'docs/security-design.md: promise %s has not exactly one row\n' "$id"; status=1; }
done
exit $status
