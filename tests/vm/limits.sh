#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What one API key's queries may do on the real machine, and who ends them: by verb, with the key, with the owner.
#
# Promises: C2 C4 F1
set -u

cd "$(dirname -- "$0")/../.." || exit
[ -e /etc/redoubt-tools ] || exec image/tools/enter sh tests/vm/limits.sh
. tests/lib/vm.sh

vm_prepare || exit 1
vm_make_key
vm_write_config ann
tap "the machine boots" boot 'limits'
admin() { vm_ssh ann "$@" </dev/null; }
tap "its admin signs in" tap_until 120 admin whoami
key_of() { admin key create "$1" --role read-only --json | jq -r .key; }
slow=$(key_of slow)
fast=$(key_of fast)
never="SELECT COUNT(*) FROM UNNEST(SEQUENCE(1, 1000000) AS a), UNNEST(SEQUENCE(1, 1000000) AS b) WHERE a + b = 0"
like="SELECT LPAD('a',1000000,'a') LIKE CONCAT('%',LPAD('a',500000,'a'),'b%') AS r"
ask() { # ask KEY TEXT SECONDS
	curl -sk --max-time "$3" -w ' %{http_code}\n' -H "Authorization: ApiKey $1" -H 'Content-Type: application/json' \
		-d "{\"sql\":{\"query\":\"$2\"}}" "$url/v1/orgs/self/queries"
}
in_background() { # in_background NAME: with the slow key; what comes goes to a file
	(exec curl -sk --max-time 120 -H "Authorization: ApiKey $slow" -H 'Content-Type: application/json' \
		-d "{\"sql\":{\"query\":\"$never\"}}" "$url/v1/orgs/self/queries" >"$vm_dir/$1.answer" 2>&1) &
}
listed() { admin query list --all --json | jq -e "length $1" >/dev/null; }
told() { grep -l QUERY_CANCELLED "$vm_dir/$1.answer"; }

tap "the LIKE that stopped all queries is answered" says '"r":false.* 200$' ask "$slow" "$like" 60
for n in 1 2 3 4; do in_background "q$n"; done
tap "who asks what is listed" tap_until 60 says '^[0-9]+ +ann +rdt_[A-Za-z0-9]+ +running .* SELECT COUNT' admin query list --all
tap "another key is answered meanwhile" says ' 200$' ask "$fast" 'SELECT 1' 20
first=$(admin query list --json | jq -r '[.[] | select(.state == "running")][0].id')
tap "what is no query is not ended" not admin query kill 999999
tap "one is ended by the verb" admin query kill "$first"
ended() { ! admin query list --json | jq -e ".[] | select(.id == \"$first\")" >/dev/null; }
tap "and is gone" tap_until 20 ended
tap "the ledger has it, before and after" says "query.kill +query $first +.*done" admin audit list --filter query.kill
tap "the key is suspended" admin key suspend slow
tap "C2: and all its queries are gone" tap_until 20 listed '== 0'
tap "whose clients are told" tap_until 20 told q4
tap "the other key goes on" says ' 200$' ask "$fast" 'SELECT 1' 20
vm_stop
tap_done
