#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fail if a file includes an outside library's header anywhere but in that library's door (doors.txt).
set -eu
find common service appliance tui hardening image tests -name '*.[ch]' -exec grep -Hn '^#include <' {} + |
awk -v table="$(dirname -- "$0")/doors.txt" '
	BEGIN {
		while ((getline line < table) > 0) {
			n = split(line, word, " ")
			if (n < 2 || word[1] ~ /^#/)
				continue
			doors++
			pattern[doors] = word[1]
			for (i = 2; i <= n; i++)
				open[doors, word[i]] = 1
		}
		if (doors == 0) { print table ": no doors"; bad = 1 }
	}
	{
		split($0, part, ":"); header = $0
		sub(/^[^<]*</, "", header); sub(/>.*/, "", header)
		folder = part[1]; sub(/\/[^\/]*$/, "", folder)
		for (d = 1; d <= doors; d++)
			if (header ~ pattern[d] && !((d, folder) in open)) {
				printf "%s:%s: <%s> has its door elsewhere (tests/lint/doors.txt)\n", \
					part[1], part[2], header
				bad = 1
			}
	}
	END { exit bad }'
