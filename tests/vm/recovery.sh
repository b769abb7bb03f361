#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What opens the data volume: the recovery key taken and confirmed, another TPM, the recovery key typed, the new
# TPM bound, and the old one again: locked, and unlocked by the same words.
#
# Promises: D4 D5
set -u

cd "$(dirname -- "$0")/../.." || exit
[ -e /etc/redoubt-tools ] || exec image/tools/enter sh tests/vm/recovery.sh
. tests/lib/vm.sh

admin() { vm_ssh ann "$@" </dev/null; }
types_key() { # types_key KEY: into the console's form, until it is ready
	serial
	wait_for 120 serial_shows 'recovery key or passphrase' || return
	tmux_ send-keys -l "$1"
	tmux_ send-keys Enter
	wait_for 180 ready || return
	tmux_ kill-server
}

vm_prepare || exit 1
vm_make_key
vm_write_config ann
tap "D4: the first boot, with TPM A" boot 'TPM A'
tap "D4: the admin signs in" tap_until 120 vm_ssh ann whoami
key=$(admin recovery-key take)
tap "D4: the recovery key is shown again as long as nobody has it" [ "$(admin recovery-key take)" = "$key" ]
tap "D4: a guess does not erase it" not admin recovery-key confirm 000000
tap "D4: its last group does" admin recovery-key confirm "${key##*-}"
tap "D4: then it is there no more" not admin recovery-key take
vm_stop

mv "$vm_dir/tpm" "$vm_dir/tpm.a"
vm_prepare
tap "D4: with TPM B it boots" boot 'TPM B' answers
tap "D4: and is locked" tap_until 120 is_503 locked
tap "D4 D5: the recovery key opens volume and keyring" types_key "$key"
vm_stop
mv "$vm_dir/tpm" "$vm_dir/tpm.b"
mv "$vm_dir/tpm.a" "$vm_dir/tpm"
tap "D4 D5: with TPM A again it is ready by itself" boot 'TPM A again'
vm_stop
mv "$vm_dir/tpm" "$vm_dir/tpm.a"
mv "$vm_dir/tpm.b" "$vm_dir/tpm"
tap "D4: with TPM B again it boots" boot 'TPM B again' answers
tap "D4 D5: and opens by the same words" types_key "$key"
binds() { printf '%s\n' "$1" | vm_ssh ann tpm bind; }
tap "D4: a wrong key binds nothing" not binds 000000-111111-222222-333333-444444-555555-666666-777777
tap "D4: the right one binds TPM B" binds "$key"
vm_stop
tap "D4: TPM B opens it by itself" boot 'TPM B, bound'
vm_stop
mv "$vm_dir/tpm" "$vm_dir/tpm.b"
mv "$vm_dir/tpm.a" "$vm_dir/tpm"
tap "D4: with TPM A it boots" boot 'TPM A, no longer bound' answers
tap "D4: and is locked" tap_until 120 is_503 locked
tap "D4 D5: and opens by the same words" types_key "$key"
tap_done
