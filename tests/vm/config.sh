#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a launcher gives at a later boot: another configuration, one with a typing error. And what an admin changes.
#
# Promises: G3 E4 D1
set -u

cd "$(dirname -- "$0")/../.." || exit
[ -e /etc/redoubt-tools ] || exec image/tools/enter sh tests/vm/config.sh
. tests/lib/vm.sh

admin() { vm_ssh ann "$@" </dev/null; }
names() { openssl s_client -connect "127.0.0.1:$vm_https_port" </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName; }

vm_prepare || exit 1
vm_make_key
vm_write_config ann
cp "$vm_dir/config.json" "$vm_dir/first.json"
tap "the first boot takes what the launcher gives" boot first
tap "the admin signs in" tap_until 120 admin whoami
tap "the firewall's sets are what is configured" says 'H-NET-009 +pass' admin hardening check
vm_stop

jq '.hostname = "evil" | .ssh = { sources: ["192.0.2.0/24"] } | .tls = { names: ["evil.example.org"] }
	| .firewall = { out: [ { to: "0.0.0.0/0", port: 443, protocol: "tcp" } ] }' "$vm_dir/first.json" >"$vm_dir/config.json"
tap "G3: with another configuration it boots" boot another
tap "G3: and the admin signs in, from where the stored one allows it" tap_until 120 admin whoami
tap "G3: the status says that they differ" tap_until 60 says 'differs and was not taken' admin status
tap "G3: so does the ledger, with both hashes" shows "stored [0-9a-f]{64}, launcher's $(sha256sum <"$vm_dir/config.json" | cut -c1-64), not taken" \
	admin audit list --filter config.differs --json
tap "G3: no certificate was signed for the new name" not says 'evil' names
tap "config diff says what it would change" says '^\+ ssh.sources 192.0.2.0/24' admin config diff
tap "it is taken only by its hash" shows 'say which' admin config accept 000000000000
tap "D1: the host name is an admin's to set" says 'holds, before' admin config set hostname fort
tap "D1: and the TLS names" says 'holds, before' admin config set tls-names fort.example.org localhost 127.0.0.1
tap "D1: HTTPS has them at once" tap_until 60 says 'fort.example.org' names
tap "and the machine its name" tap_until 60 says '^Host: +fort' admin status
tap "E4: who shuts himself out must confirm it" says 'taken back in 5 minutes' admin config set ssh-sources 10.0.2.0/24
tap "and does" says 'stays' admin config confirm
tap "the set is in force" says 'H-NET-009 +pass' admin hardening check
vm_stop

printf '{ "version": 1, "hostnam' >"$vm_dir/config.json"
tap "G3: with a typing error outside it boots" boot 'a typing error'
tap "G3: the admin signs in" tap_until 120 admin whoami
tap "G3: and is told of it" tap_until 60 says 'not valid and was not taken' admin status
tap "what was set has stayed" says '^Host: +fort' admin status
tap "the ledger verifies" says valid admin audit verify
vm_stop
tap_done
