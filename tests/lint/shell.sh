#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script, whatever it is called, passes shellcheck.
set -eu
find . \( -path ./build -o -path ./.git \) -prune -o -type f \( -name '*.sh' -o -perm -100 \) -print | sort |
	while read -r file; do
		head -c 64 "$file" | head -n 1 | grep -Eq '^#!/bin/sh|^# SPDX' && printf '%s\n' "$file"
	done | xargs shellcheck --external-sources --severity=warning --shell=sh
