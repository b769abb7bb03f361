#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every file that somebody wrote says its licence in its first lines.
set -eu
find . \( -path ./build -o -path ./.git -o -path ./tests/fuzz/corpus \) -prune -o -type f \
	\( -name '*.[chy]' -o -name '*.sh' -o -name '*.mk' -o -name '*.conf' -o -name '*.service' \
	-o -name '*.socket' -o -name '*.target' -o -name '*.mount' -o -name '*.path' -o -name '*.timer' \
	-o -name '*.swap' -o -name '*.tsv' -o -name '*.nft' -o -name '*.rules' -o -name Makefile -o -perm -100 \) \
	-print | sort | {
	status=0
	while read -r file; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' && continue
		echo "$file: no \"SPDX-License-Identifier: Apache-2.0\" in its first three lines"
		status=1
	done
	exit $status
}
