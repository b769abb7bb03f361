#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boots the image just built and uses it as a stranger would: over HTTPS, SSH and the console. Proves on a real
# kernel, disk, TPM and network what no other test can. Runs in the tools tree; with root it also scans the ports.
#
# Promises: A1 A2 A3 B2 C1 C2 C4 D1 D2 D4 E1 E4 F1 F2 F4 G1 G2 G3 G4 G5 H1 J1
set -u

cd "$(dirname -- "$0")/../.." || exit
[ -e /etc/redoubt-tools ] || exec image/tools/enter sh tests/vm/appliance.sh

. tests/lib/vm.sh

data=${XDG_CACHE_HOME:-$HOME/.cache}/redoubt/vega-datasets-2.11.0
tap_device=rdt$$
vm_forget() {
	ip link del "$tap_device" 2>/dev/null
	ip netns del "$tap_device" 2>/dev/null
}

ca=$vm_dir/ca.pem
secret_text=clear-text-that-must-never-touch-the-disk-$$

# --- how to talk to it ---------------------------------------------------------------------------

# api METHOD PATH [DATA]: one API call with $key; prints the body, fails on a status of 400 and up.
api() {
	method=$1 path=$2
	shift 2
	curl -sS --fail-with-body --max-time 300 --cacert "$ca" -X "$method" \
		-H "Authorization: ApiKey $key" -H 'Content-Type: application/json' \
		${1+--data-binary "$1"} "$url/v1/orgs/self$path"
}

# status CURL_ARGUMENT...: only the HTTP status.
status() { curl -s -o /dev/null -w '%{http_code}\n' --max-time 60 --cacert "$ca" "$@"; }

query() { api POST /queries "$(jq -n --arg q "$1" '{sql: {query: $q}}')"; }

# query_is SQL FILTER VALUE: the answer, through a jq filter, is the value.
query_is() {
	got=$(query "$1") || { printf '%s\n' "$got"; return 1; }
	[ "$(printf '%s' "$got" | jq -r "$2")" = "$3" ] || { printf '%s\n' "$got" | head -c 2000; return 1; }
}

admin() { vm_ssh ann "$@" </dev/null; }

# load COLLECTION FILE: create it and add the documents of a JSON array in batches of 20,000.
load() {
	api POST /ws/commons/collections "{\"name\":\"$1\"}" >/dev/null || return
	rm -rf "$vm_dir/batch"
	mkdir "$vm_dir/batch"
	jq -c '.[]' "$2" | split -l 20000 - "$vm_dir/batch/part-" # the API's limit a request
	for part in "$vm_dir"/batch/part-*; do
		jq -cs '{data: .}' "$part" >"$vm_dir/batch/body"
		api POST "/ws/commons/collections/$1/docs" "@$vm_dir/batch/body" >"$vm_dir/batch/answer" ||
			{ head -c 2000 "$vm_dir/batch/answer"; return 1; }
	done
}

# --- before the first boot -----------------------------------------------------------------------

if [ ! -d "$data" ]; then
	mkdir -p "$data"
	(cd "$data" && npm pack --silent vega-datasets@2.11.0 >/dev/null && tar xzf ./*.tgz)
fi
flights=$(find "$data" -name flights-200k.json) movies=$(find "$data" -name movies.json)

vm_prepare || exit 1
vm_make_key
ssh-keygen -q -t ed25519 -N '' -C evil -f "$vm_dir/evil"
jq -n --arg key "$(cat "$vm_dir/demo_key.pub")" '{ version: 1, hostname: "redoubt-test",
	admin: { name: "ann", email: "ann@example.org", ssh_key: $key },
	tls: { names: ["localhost", "127.0.0.1"] } }' >"$vm_dir/config.json"

# A launcher that tries to get in by every door that systemd leaves open (G2, G3).
credential() { printf -- '-smbios type=11,value=io.systemd.credential.binary:%s=%s ' "$1" "$(printf %s "$2" | base64 -w0)"; }
evil_unit='[Service]
ExecStart=/usr/bin/systemctl poweroff --force --force
'
vm_hostile="$(credential ssh.authorized_keys.root "$(cat "$vm_dir/evil.pub")")
$(credential ssh.ephemeral-authorized_keys-all "$(cat "$vm_dir/evil.pub")")
$(credential passwd.plaintext-password.root evil)
$(credential systemd.extra-unit.evil.service "$evil_unit")
$(credential systemd.unit-dropin.multi-user.target "[Unit]
Wants=evil.service")
-smbios type=11,value=redoubt.shell=yes"

if [ "$(id -u)" -eq 0 ] && ip tuntap add dev "$tap_device" mode tap 2>/dev/null; then
	scan="-netdev tap,id=scan,ifname=$tap_device,script=no,downscript=no -device virtio-net-pci,netdev=scan,mac=52:54:00:52:44:54"
	scan_address=fe80::5054:ff:fe52:4454
fi
vm_extra="$vm_hostile ${scan:-}"

# --- first boot ----------------------------------------------------------------------------------

tap "J1 G1 G3: the image boots under Secure Boot with a TPM and answers over HTTPS" boot 'first'
tap "E1: the admin of the configuration signs in with the key" tap_until 120 admin whoami
tap "G3: a hostile launcher cannot add a root key" not ssh -q -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
	-o UserKnownHostsFile=/dev/null -i "$vm_dir/evil" -p "$vm_ssh_port" root@127.0.0.1 status
tap "G3: nor a key for the admin" not ssh -q -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
	-o UserKnownHostsFile=/dev/null -i "$vm_dir/evil" -p "$vm_ssh_port" ann@127.0.0.1 status
tap "G3: nor start a unit of its own, which would have switched the machine off" vm_running

admin certificate ca >"$ca" 2>/dev/null
tap "D1: the CA's certificate comes over SSH and HTTPS verifies with it" says '^401$' status "$url/v1/orgs/self"

key=$(admin key create smoke --role admin --json | jq -r .key)
tap "C2: a key made over SSH works over HTTPS" says '"data"' api GET ''
tap "C2: no key is refused" says '^401$' status "$url/v1/orgs/self"
tap "C2: a wrong key is refused" says '^401$' status -H 'Authorization: ApiKey rdt_wrong' "$url/v1/orgs/self"
tap "A3: an error has the API's shape" shows '"type": *"AUTHEXCEPTION"' \
	curl -sS --cacert "$ca" "$url/v1/orgs/self"

tap "A1: movies are loaded" load movies "$movies"
tap "A1: 231,083 flights are loaded" load flights "$flights"
tap "A2: they are counted" query_is 'SELECT COUNT(*) AS n FROM commons.flights' '.results[0].n' 231083
tap "A2: a filter, group and order give the right answer" query_is \
	'SELECT "Major Genre" AS genre, COUNT(*) AS n FROM movies WHERE "Major Genre" IS NOT NULL GROUP BY "Major Genre" ORDER BY n DESC LIMIT 1' \
	'.results[0].genre' "$(jq -r '[.[]."Major Genre" | select(. != null)] | group_by(.) | max_by(length)[0]' "$movies")"
add_secret() {
	api POST /ws/commons/collections '{"name":"secrets"}' >/dev/null &&
		says '"ADDED"' api POST /ws/commons/collections/secrets/docs \
			"{\"data\":[{\"_id\":\"1\",\"word\":\"$secret_text\",\"n\":1,\"ok\":true}]}" &&
		query_is 'SELECT word FROM secrets WHERE _id = '"'1'" '.results[0].word' "$secret_text"
}
tap "A1: a document is visible to queries as soon as it is acknowledged" add_secret
rotate_key() {
	says '"version": *2' api POST /ws/commons/collections/secrets/rotate_key &&
		says '"ADDED"' api POST /ws/commons/collections/secrets/docs '{"data":[{"_id":"2","word":"later"}]}' &&
		both_words
}
both_words() { query_is 'SELECT word FROM secrets ORDER BY _id' '[.results[].word] | join(" ")' "$secret_text later"; }
tap "D5: a collection's key is rotated, and what was written before and after is read" rotate_key
tap "A3: an unknown function is an error with its place" shows '"column": *8' query 'SELECT COUT(*) FROM movies'

ro_key=$(admin key create reader --role read-only --json | jq -r .key)
tap "C1: a read-only key may query" says '^200$' status -H "Authorization: ApiKey $ro_key" -H 'Content-Type: application/json' \
	-d '{"sql":{"query":"SELECT 1"}}' "$url/v1/orgs/self/queries"
tap "C1: and may not write" says '^403$' status -H "Authorization: ApiKey $ro_key" -H 'Content-Type: application/json' \
	-d '{"name":"x"}' "$url/v1/orgs/self/ws/commons/collections"
tap "C1 D5: nor rotate a key" says '^403$' status -H "Authorization: ApiKey $ro_key" -X POST \
	"$url/v1/orgs/self/ws/commons/collections/secrets/rotate_key"
suspend() {
	admin key suspend reader >/dev/null &&
		says '^401$' status -H "Authorization: ApiKey $ro_key" "$url/v1/orgs/self"
}
tap "C2: a suspended key is refused at once" suspend

tap "D1: HTTP answers only a redirect to HTTPS" says '^308 https://' \
	curl -s -o /dev/null -w '%{http_code} %{redirect_url}\n' -H 'Host: redoubt.example.org' "http://127.0.0.1:$vm_http_port/v1/orgs/self"
tap "D1: TLS 1.2 is refused" not curl -sk --tls-max 1.2 -o /dev/null "$url/"
tap "D1: plaintext on 443 is refused" not curl -s -o /dev/null "http://127.0.0.1:$vm_https_port/"
tap "D1: the key exchange is post-quantum hybrid" shows 'X25519MLKEM768' \
	sh -c "openssl s_client -brief -connect 127.0.0.1:$vm_https_port </dev/null"

# --- SSH and the console -------------------------------------------------------------------------

ssh_audit() { ssh-audit --skip-rate-test -p "$vm_ssh_port" 127.0.0.1; }
tap "E1: ssh-audit finds nothing to fail or warn about" ssh_audit
refuses_passwords() {
	! ssh -o BatchMode=no -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=0 -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -p "$vm_ssh_port" ann@127.0.0.1 status 2>"$vm_dir/ssh.err" &&
		grep -q 'Permission denied (publickey)' "$vm_dir/ssh.err"
}
tap "E1: only publickey is offered, passwords are not" refuses_passwords
tap "E1: forwarding is refused" shows 'administratively prohibited' ssh -o BatchMode=yes -o IdentitiesOnly=yes \
	-o "UserKnownHostsFile=$vm_dir/known_hosts" -i "$vm_dir/demo_key" -p "$vm_ssh_port" -W 127.0.0.1:22 ann@127.0.0.1
tap "E1: nothing but verbs runs" not admin /bin/sh -c id

console() {
	tmux_ new-session -d -x 80 -y 24 "ssh -tt -p $vm_ssh_port -i $vm_dir/demo_key -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=$vm_dir/known_hosts ann@127.0.0.1" &&
		tap_until 60 console_shows 'redoubt-test'
}
tap "H1: signing in opens the console with the dashboard" console
people_screen() {
	tmux_ send-keys F3
	wait_for 30 console_shows 'ann@example.org'
}
tap "H1: the people are listed" people_screen
audit_screen() {
	tmux_ send-keys F5
	wait_for 30 console_shows 'api\.|ssh\.'
}
tap "H1 F4: the ledger is listed" audit_screen
tmux_ send-keys F10 2>/dev/null
tmux_ kill-server 2>/dev/null

remove_key() {
	ssh-keygen -q -t ed25519 -N '' -C bob -f "$vm_dir/bob" &&
		admin person add bob bob@example.org --role read-only >/dev/null &&
		vm_ssh ann ssh-key add bob <"$vm_dir/bob.pub" >/dev/null &&
		bob whoami >/dev/null &&
		admin ssh-key remove bob "$(ssh-keygen -lf "$vm_dir/bob.pub" | cut -d' ' -f2)" >/dev/null &&
		! bob whoami
}
bob() {
	ssh -q -p "$vm_ssh_port" -i "$vm_dir/bob" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new \
		-o "UserKnownHostsFile=$vm_dir/known_hosts" bob@127.0.0.1 "$@" </dev/null
}
tap "C4 E1: a person is added, signs in, loses the key and is out at once" remove_key

# --- inside: hardening, ledger, encryption -------------------------------------------------------

hardening() {
	admin hardening check >"$vm_dir/hardening" || { cat "$vm_dir/hardening"; return 1; }
}
tap "G4 G5: every hardening control holds on the running box" hardening
sed 's/^/# /' "$vm_dir/hardening"
tap "F1 F2: the ledger verifies" says 'valid' admin audit verify
tap "F1: the API calls are in it" says 'api.documents.add' admin audit list --count 500
rotation_is_recorded() {
	admin audit list --count 500 --filter rotate_key >"$vm_dir/rotations" && grep -q intent "$vm_dir/rotations" &&
		grep -q 'done' "$vm_dir/rotations" && grep -q deny "$vm_dir/rotations"
}
tap "F1 D5: so are the rotation, before and after it was done, and the one that was denied" rotation_is_recorded
tap "F1: the denials are in it" says 'deny' admin audit list --count 500 --filter deny
if [ -n "${scan:-}" ]; then
	ip netns add "$tap_device" && ip link set "$tap_device" netns "$tap_device" &&
		ip -n "$tap_device" link set "$tap_device" up &&
		ip -n "$tap_device" -6 address add fe80::99/64 dev "$tap_device" nodad
	open_ports() {
		ip netns exec "$tap_device" nmap -6 -Pn -n -e "$tap_device" -p- -sS --min-rate 3000 --max-retries 2 -oG - "$scan_address%$tap_device" |
			grep -o '[0-9]*/open/tcp' | sort -n | tr '\n' ' '
	}
	tap "E4: a scan of all ports finds 22, 80 and 443 only" says '^22/open/tcp 443/open/tcp 80/open/tcp $|^22/open/tcp 80/open/tcp 443/open/tcp $' open_ports
fi
recovery_key=$(admin recovery-key take)
shown_again=$(admin recovery-key take)
tap "D4: the recovery key stays until somebody says that they have it" test "$shown_again" = "$recovery_key"
tap "D4: not by a guess" not admin recovery-key confirm 000000
tap "D4: by its last group" admin recovery-key confirm "${recovery_key##*-}"
tap "D4: then it is there no more" not admin recovery-key take

# --- power cut -----------------------------------------------------------------------------------

acknowledge_until_the_plug_is_pulled() {
	api POST /ws/commons/collections '{"name":"power"}' >/dev/null || return
	i=0
	while [ "$i" -lt 40 ]; do
		i=$((i + 1))
		api POST /ws/commons/collections/power/docs "{\"data\":[{\"_id\":\"$i\"}]}" >/dev/null 2>&1 || break
		acknowledged=$i
		[ "$i" -ne 20 ] || (sleep 1; vm_kill) &
	done
	wait
	! vm_running && [ "${acknowledged:-0}" -ge 20 ]
}
acknowledged=0
acknowledge_until_the_plug_is_pulled
tap "A1 D2: the plug is pulled while documents are written" test "$acknowledged" -ge 20
luks() { says 'cipher: aes-xts-plain64' cryptsetup luksDump "$vm_dir/data.raw" && says 'PBKDF: *argon2id' cryptsetup luksDump "$vm_dir/data.raw" &&
	says 'Key: *512 bits' cryptsetup luksDump "$vm_dir/data.raw" && says 'systemd-tpm2' cryptsetup luksDump "$vm_dir/data.raw"; }
tap "D2: the data disk is LUKS2, aes-xts with 512 bits, argon2id for the recovery key, a TPM token" luks
tap "D2: a string ingested earlier is nowhere in clear on the data disk" not grep -aq "$secret_text" "$vm_dir/data.raw"
tap "D2: nor is a film's title" not grep -aqE 'The Land Girls|First Love, Last Rites' "$vm_dir/data.raw"

# shellcheck disable=SC2034 # image/lib.sh uses it
vm_extra=
tap "D4: the second boot opens the volume unattended" boot 'after the power cut'
tap "A1: every acknowledged document is there" query_is 'SELECT COUNT(*) AS n FROM power' ".results[0].n >= $acknowledged" true
tap "A1: so are the others" query_is 'SELECT COUNT(*) AS n FROM flights' '.results[0].n' 231083
tap "D5: so is what was written under both versions of a key" both_words
tap "F2: the ledger verifies after the power cut" says 'valid' admin audit verify

# --- the wrong key, and the way back -------------------------------------------------------------

vm_stop
mv "$vm_dir/tpm" "$vm_dir/tpm.good"
vm_prepare
tap "D4: with another TPM it boots" boot 'with another TPM' answers
tap "D4: and answers 503 that it is locked" tap_until 120 is_503 locked
tap "D4: the console says so" vm_wait_console 60 'locked'
unlock() {
	serial
	wait_for 60 serial_shows 'recovery key or passphrase' || return
	tmux_ send-keys -l "$recovery_key"
	tmux_ send-keys Enter
	wait_for 120 opened
}
opened() { query_is 'SELECT COUNT(*) AS n FROM flights' '.results[0].n' 231083; }
tap "D4: the recovery key typed on the serial console opens it, data untouched" unlock
tmux_ kill-server 2>/dev/null

# --- more kernel options than were signed ---------------------------------------------------------

vm_kill
vm_extra='-smbios type=11,value=io.systemd.stub.kernel-cmdline-extra=evil_option=1'
refuses_options() {
	vm_start && vm_wait_console "$boot_limit" 'command line is not the signed one' && ! answers
}
tap "G2: a launcher that adds a kernel option gets a machine that stops" refuses_options
vm_extra=

# --- a flipped bit -------------------------------------------------------------------------------

vm_kill
rm -rf "$vm_dir/tpm"
mv "$vm_dir/tpm.good" "$vm_dir/tpm"
vm_root_disk=$vm_dir/root.raw
# shellcheck disable=SC2154 # from image/lib.sh
cp --sparse=always "$vm_image" "$vm_root_disk"
flip() {
	root_start=$(sfdisk --json "$vm_root_disk" | jq '.partitiontable.partitions[] | select(.name | test("^root$|root-x86-64$|^redoubt"; "i")) | .start' | head -n 1)
	[ -n "$root_start" ] || return
	at=$((root_start * 512 + 1024 + 4)) # inside the file system's superblock
	byte=$(od -An -tu1 -j "$at" -N 1 "$vm_root_disk" | tr -d ' ')
	printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$vm_root_disk" bs=1 seek="$at" conv=notrunc status=none
}
tap "G2: a bit of the root partition is flipped" flip
stays_down() { vm_start && vm_wait_console "$boot_limit" 'verity device corrupted|the boot stops' && ! answers; }
tap "G2: and the machine does not come up" stays_down
tap_done
