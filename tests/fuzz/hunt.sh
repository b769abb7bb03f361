#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs each fuzzer for a few seconds on its corpus, two at a time: no input may make a parser crash, leak or hang.
#
#   sh tests/fuzz/hunt.sh [FUZZER...]     after `make fuzz BUILD=fuzz CC=clang`, which `make hunt` does
#
# SECONDS_EACH (5) and SEED (1) are the caller's to set: a long hunt has other ones. What a fuzzer finds to be new stays in
# $O/found/FUZZER, what breaks a parser beside it.
set -u

O=${O:-build/fuzz}
export O SECONDS_EACH="${SECONDS_EACH:-5}" SEED="${SEED:-1}"
[ $# -gt 0 ] || for file in tests/fuzz/fuzz-*.c; do
	name=${file#tests/fuzz/fuzz-}
	set -- "$@" "${name%.c}"
done

mkdir -p "$O/found"
# shellcheck disable=SC2016 # the inner shell expands
printf '%s\n' "$@" | xargs -P 2 -I FUZZER sh -c '
	mkdir -p "$O/found/FUZZER"
	"$O/tests/fuzz/fuzz-FUZZER" -max_total_time="$SECONDS_EACH" -seed="$SEED" -rss_limit_mb=4096 -timeout=60 \
		-print_final_stats=1 -artifact_prefix="$O/found/FUZZER-" "$O/found/FUZZER" tests/fuzz/corpus/FUZZER \
		>"$O/found/FUZZER.log" 2>&1
	echo $? >"$O/found/FUZZER.status"'

n=0
for fuzzer; do
	n=$((n + 1))
	runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$O/found/$fuzzer.log")
	if [ "$(cat "$O/found/$fuzzer.status")" -eq 0 ]; then
		printf 'ok %d - %s survives %s inputs\n' $n "$fuzzer" "$runs"
	else
		printf 'not ok %d - %s\n' $n "$fuzzer"
		grep -v '^#[0-9]' "$O/found/$fuzzer.log" | tail -n 40 | sed 's/^/# /'
	fi
done
echo "1..$n"
