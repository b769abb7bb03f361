#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shows that each fuzzer's corpus reaches the parser that it is for: at least 70 % of the lines of the functions in
# parsers.tsv. Without that, a fuzzer that stops at a first check looks as good as one that does its work.
#
#   sh tests/fuzz/coverage.sh [FUZZER...]     after its build, which `make coverage` does
set -u

least=70
O=${O:-build/cover}
table=tests/fuzz/parsers.tsv

# What gcov says of the functions of one source that are asked for: lines reached, lines in all.
lines_of() { # SOURCE[:FUNCTIONS]
	source=${1%%:*}
	case $1 in *:*) functions=${1#*:} ;; *) functions='.*' ;; esac
	gcov --function-summaries --no-output --object-file "$O/${source%.*}.o" "$source" 2>/dev/null |
		awk -F "'" -v functions="^($functions)\$" '
			/^(Function|File) / { wanted = /^Function/ && $2 ~ functions && $2 !~ /_at$/ }
			wanted && /^Lines executed:/ {
				split($0, part, /[:%]/); n = $0; sub(/.* /, "", n)
				got += part[2] * n / 100; all += n; wanted = 0
			}
			END { printf "%.0f %d\n", got, all }'
}

# What the corpus of one fuzzer reaches of all that it is for, in percent; 0 if there is nothing of that name.
reached_by() { # FUZZER SOURCE...
	fuzzer=$1
	shift
	set +f
	find "$O" -name '*.gcda' -delete
	"$O/tests/fuzz/fuzz-$fuzzer" tests/fuzz/corpus/"$fuzzer"/* >/dev/null 2>&1
	for part; do lines_of "$part"; done |
		awk '$2 == 0 { nothing = 1 } { got += $1; all += $2 } END { print all && !nothing ? int(got * 100 / all) : 0 }'
}

missing=
for file in tests/fuzz/fuzz-*.c; do
	name=${file#tests/fuzz/fuzz-}
	grep -q "^${name%.c}	" $table || missing="$missing ${name%.c}"
done
[ -z "$missing" ] || printf 'not '
printf 'ok 1 - %s says of every fuzzer what it is for%s\n' $table "$missing"

n=1
while IFS='	' read -r fuzzer sources; do
	case $fuzzer in '#'*) continue ;; esac
	[ $# -eq 0 ] || case " $* " in *" $fuzzer "*) ;; *) continue ;; esac
	n=$((n + 1))
	set -f # the sources are words, and no patterns
	# shellcheck disable=SC2086
	percent=$(reached_by "$fuzzer" $sources)
	set +f
	[ "$percent" -ge "$least" ] || printf 'not '
	printf 'ok %d - the corpus of %s reaches %d %% of its parser\n' $n "$fuzzer" "$percent"
done <$table
echo "1..$n"
