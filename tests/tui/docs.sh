#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Manual pages and completion say what the program does: each is held against its table of verbs. Prints TAP.
set -eu
cd "$(dirname -- "$0")/../.."
[ -e /etc/redoubt-tools ] || exec image/tools/enter "$0" "$@"
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

O=${O:-build/release}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# The verbs as the program lists them: the words in lower case at the start of each line.
"$O/tui/cli/redoubt" help | sed -n '/^options:/,$d; s/^  \([a-z-]*\( [a-z][a-z-]*\)\{0,1\}\).*/\1/p' >"$dir/verbs"
"$O/tui/cli/redoubt" help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' >"$dir/options"
sed -n 's/^[*]\([a-z-]*\( [a-z-]*\)\{0,1\}\)[*].*/\1/p' docs/man/redoubt.1.scd | grep -v -e '^ssh$' -e '^redoubt' -e '^--' |
	sort -u >"$dir/man"
sed -n 's/^[*]\(--[a-z-]*\)[*].*/\1/p' docs/man/redoubt.1.scd | sort -u >"$dir/man-options"

# completes WORD... : what bash offers after these words, the last of which is being typed.
completes() {
	bash -c '. docs/completion/redoubt.bash; COMP_WORDS=(redoubt "$@"); COMP_CWORD=$#; _redoubt; printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}
all_verbs_complete() {
	while read -r first second; do
		completes "$first" | grep -qx -- "$first" || { echo "$first"; return 1; }
		[ -z "$second" ] || completes "$first" "$second" | grep -qx -- "$second" || { echo "$first $second"; return 1; }
	done <"$dir/verbs"
}
all_offered_are_verbs() {
	for first in $(completes '' | grep -v ^--); do
		grep -q "^$first\( \|\$\)" "$dir/verbs" || { echo "$first"; return 1; }
		for second in $(completes "$first" ''); do
			grep -qx "$first $second" "$dir/verbs" || { echo "$first $second"; return 1; }
		done
	done
}
# Each option that the help of a verb names is offered after it, and no other.
options_complete() {
	grep -v ^help "$dir/verbs" >"$dir/two"
	while read -r first second; do
		[ -n "$second" ] || continue
		"$O/tui/cli/redoubt" "$first" "$second" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort >"$dir/want"
		completes "$first" "$second" -- | sort >"$dir/got"
		diff "$dir/want" "$dir/got" || { echo "$first $second"; return 1; }
	done <"$dir/two"
}

tap "the program lists its verbs" test "$(wc -l <"$dir/verbs")" -gt 25
tap "the manual has each verb and no other" sh -c "sort -u $dir/verbs | diff - $dir/man"
tap "the manual has each option and no other" sh -c "sort $dir/options >$dir/a; diff $dir/a $dir/man-options"
for page in docs/man/*.scd; do
	tap "$page is well-formed" sh -c "scdoc <$page >$dir/page && man --warnings -l $dir/page >/dev/null"
done
tap "bash completes each verb" all_verbs_complete
tap "and offers nothing that is none" all_offered_are_verbs
tap "and each verb's options" options_complete
tap_done
