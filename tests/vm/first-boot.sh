#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first boots that are not the usual one: a disk with somebody's data on it, and a machine
# that nobody has given a configuration.
#
# Promises: D2 E1 G3 H1
set -u

cd "$(dirname -- "$0")/../.." || exit
[ -e /etc/redoubt-tools ] || exec image/tools/enter sh tests/vm/first-boot.sh
. tests/lib/vm.sh

# --- foreign data --------------------------------------------------------------------------------

vm_prepare || exit 1
vm_make_key
vm_write_config ann
sum() { sha256sum <"$vm_dir/data.raw"; }
foreign_disk() { truncate -s 1G "$vm_dir/data.raw" && mke2fs -q -t ext4 -L holiday-photos "$vm_dir/data.raw"; }
tap "a disk holds somebody's file system" foreign_disk
before=$(sum)
tap "D2: with it the machine boots" boot 'foreign data' answers
tap "D2: and answers 503 that the disk is not blank" tap_until 120 is_503 'not blank'
tap "D2: the console says so" vm_wait_console 60 'foreign-data'
vm_stop
tap "D2: not a byte of it was changed" [ "$(sum)" = "$before" ]

jq '.volumes = { data: { format: "erase-foreign-data" } }' "$vm_dir/config.json" >"$vm_dir/config.new" &&
	mv "$vm_dir/config.new" "$vm_dir/config.json"
tap "D2: with the word for it in the configuration the disk is taken" boot 'erase-foreign-data'
tap "D2: and the admin signs in" tap_until 120 vm_ssh ann whoami
vm_stop

# --- no configuration ----------------------------------------------------------------------------

rm -rf "$vm_dir/tpm" "$vm_dir/data.raw" "$vm_dir/config.json" "$vm_dir/known_hosts"
vm_prepare || exit 1
tap "G3: without a configuration the machine boots" boot 'no configuration' answers
tap "G3: and answers 503 that it has none" tap_until 120 is_503 'no configuration'
serial
tap "G3 H1: the serial console asks for one" wait_for 60 serial_shows 'First configuration'

type_() { # type_ TEXT: into the field, and on to the next
	tmux_ send-keys -l "$1"
	tmux_ send-keys Tab
	sleep 0.5
}
fill_form() { # fill_form NAME: every field, and "Set up"
	tmux_ send-keys Tab # the host name stays as proposed
	type_ "$1"
	type_ ann@example.org
	type_ "$(cat "$vm_dir/demo_key.pub")"
	tmux_ send-keys Tab Tab Tab # no address, gateway and servers: DHCP
	tmux_ send-keys Enter
}
refuses_root() {
	fill_form root
	wait_for 60 console_shows 'A name starts with a-z' && is_503 'no configuration'
}
tap "G3: a name that a person may not have is refused there" refuses_root
tmux_ kill-server
vm_kill # whatever was typed, nothing is kept of it
tap "G3: it is asked again at the next boot" boot 'no configuration yet' answers
serial
tap "H1: by the same form" wait_for 120 serial_shows 'First configuration'
set_up() {
	fill_form ann
	wait_for 300 ready
}
tap "G3 H1: filled in, it becomes an appliance" set_up
tap "E1: whose admin signs in" tap_until 120 vm_ssh ann whoami
tap_done
