# SPDX-License-Identifier: Apache-2.0
# Boot the image in QEMU: functions for image/run, image/demo and tests/vm. Source it inside the
# tools tree, in the checkout's root, after setting what differs from the defaults below.
#
# A virtual machine lives in one folder, $vm_dir:
#   vars.fd      firmware variables with our Secure Boot keys   tpm/          the TPM's state
#   data.raw     the data disk                                  uuid          its number
#   demo_key     the first admin's SSH key                      config.json   its configuration
#   console.log  what the serial console said                   console.sock  the serial console
#   qmp.sock     QEMU's control socket                          qemu.pid, swtpm.pid
# All but the logs and sockets stay for the next start.

# shellcheck shell=sh

: "${vm_dir:=build/run}"
: "${vm_image:=build/image/redoubt.raw}"
: "${vm_https_port:=8443}" "${vm_http_port:=8080}" "${vm_ssh_port:=2222}"
: "${vm_memory:=2048}" "${vm_cpus:=2}" "${vm_data_size:=8G}"
: "${vm_extra:=}"     # more QEMU arguments, words
: "${vm_root_disk:=}" # a file to boot from that the machine may write to; default: image, read-only
: "${vm_keys:=${XDG_CACHE_HOME:-$HOME/.cache}/redoubt/keys}"

vm_say() { printf '%s\n' "$*" >&2; }
vm_die() { vm_say "$*"; return 1; }

# Whether a process named in a pid file runs.
vm_alive() { [ -s "$1" ] && kill -0 "$(cat "$1" 2>/dev/null)" 2>/dev/null; }

vm_running() { vm_alive "$vm_dir/qemu.pid"; }

# Firmware variables with the image's Secure Boot key enrolled. $1: the file to make.
vm_make_vars() {
	virt-fw-vars --loglevel ERROR --input /usr/share/OVMF/OVMF_VARS_4M.fd --output "$1" \
		--set-pk "$(cat "$vm_keys/owner.guid")" "$vm_keys/redoubt.crt" \
		--add-kek "$(cat "$vm_keys/owner.guid")" "$vm_keys/redoubt.crt" \
		--add-db "$(cat "$vm_keys/owner.guid")" "$vm_keys/redoubt.crt" \
		--secure-boot
}

# Make what the machine's folder lacks. An existing folder is kept as it is.
vm_prepare() {
	mkdir -p "$vm_dir/tpm"
	vm_dir=$(realpath "$vm_dir") # daemons leave the current folder
	vm_image=$(realpath -m "$vm_image")
	[ -e "$vm_image" ] || vm_die "there is no $vm_image: run make image first" || return
	[ -e "$vm_dir/vars.fd" ] || vm_make_vars "$vm_dir/vars.fd" || return
	[ -e "$vm_dir/uuid" ] || cat /proc/sys/kernel/random/uuid >"$vm_dir/uuid"
	[ -e "$vm_dir/data.raw" ] || truncate -s "$vm_data_size" "$vm_dir/data.raw"
}

# A key pair for the machine's first admin: $vm_dir/demo_key.
vm_make_key() {
	[ -e "$vm_dir/demo_key" ] || ssh-keygen -q -t ed25519 -N '' -C demo -f "$vm_dir/demo_key"
}

# Write the configuration that the machine reads at its first boot. $1: the admin's name.
vm_write_config() {
	jq -n --arg name "$1" --arg key "$(cat "$vm_dir/demo_key.pub")" '{
		version: 1,
		hostname: "redoubt-demo",
		admin: { name: $name, email: ($name + "@example.org"), ssh_key: $key },
		tls: { names: ["localhost", "127.0.0.1"] }
	}' >"$vm_dir/config.json"
}

vm_start_tpm() {
	rm -f "$vm_dir/swtpm.sock"
	swtpm socket --tpm2 --tpmstate "dir=$vm_dir/tpm" --terminate --daemon \
		--ctrl "type=unixio,path=$vm_dir/swtpm.sock" --pid "file=$vm_dir/swtpm.pid" \
		--log "file=$vm_dir/swtpm.log,level=1,truncate"
}

# Whether KVM is there and can do System Management Mode, without which the firmware has no Secure Boot; a machine
# that is itself virtual often offers KVM without it.
vm_kvm_works() {
	[ -r /dev/kvm ] && [ -w /dev/kvm ] &&
		printf 'quit\n' | timeout 20 qemu-system-x86_64 -nodefaults -no-user-config -display none -S -monitor stdio \
			-machine q35,smm=on -accel kvm -cpu host >/dev/null 2>&1
}

# The accelerator: the processor's own virtualisation if it works, else translation.
vm_accelerator() {
	if vm_kvm_works; then
		printf '%s' "-accel kvm -cpu host"
	else
		printf '%s' "-accel tcg,thread=multi,tb-size=1024 -cpu max"
	fi
}

vm_root_drive() {
	if [ -n "$vm_root_disk" ]; then
		printf 'file=%s' "$vm_root_disk"
	else
		printf 'file=%s,snapshot=on' "$vm_image"
	fi
}

# Start the machine in the background. Returns when QEMU runs, which is before the firmware does.
vm_start() {
	! vm_running || vm_die "$vm_dir: this machine runs already" || return
	vm_start_tpm || return
	rm -f "$vm_dir/console.log"
	smbios=
	if [ -e "$vm_dir/config.json" ]; then
		printf 'redoubt.config=%s' "$(base64 -w0 <"$vm_dir/config.json")" >"$vm_dir/smbios"
		smbios="-smbios type=11,path=$vm_dir/smbios"
	fi
	# shellcheck disable=SC2046,SC2086 # these are lists of words
	qemu-system-x86_64 -name redoubt -uuid "$(cat "$vm_dir/uuid")" -nodefaults -no-user-config -display none -daemonize \
		-machine q35,smm=on $(vm_accelerator) -smp "$vm_cpus" -m "$vm_memory" \
		-global driver=cfi.pflash01,property=secure,value=on \
		-drive if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd \
		-drive "if=pflash,format=raw,unit=1,file=$vm_dir/vars.fd" \
		-chardev "socket,id=tpm,path=$vm_dir/swtpm.sock" -tpmdev emulator,id=tpm,chardev=tpm \
		-device tpm-crb,tpmdev=tpm \
		-drive "if=none,id=root,format=raw,$(vm_root_drive)" \
		-device virtio-blk-pci,drive=root,bootindex=1,serial=root \
		-drive "if=none,id=data,format=raw,discard=unmap,file=$vm_dir/data.raw" \
		-device virtio-blk-pci,drive=data,serial=data \
		-netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$vm_https_port-:443,hostfwd=tcp:127.0.0.1:$vm_http_port-:80,hostfwd=tcp:127.0.0.1:$vm_ssh_port-:22" \
		-device virtio-net-pci,netdev=net -device virtio-rng-pci \
		-chardev "socket,id=console,path=$vm_dir/console.sock,server=on,wait=off,logfile=$vm_dir/console.log" \
		-serial chardev:console \
		-qmp "unix:$vm_dir/qmp.sock,server=on,wait=off" -pidfile "$vm_dir/qemu.pid" \
		$smbios $vm_extra
}

# Send QEMU one command.
vm_qmp() {
	printf '{"execute":"qmp_capabilities"}\n{"execute":"%s"}\n' "$1" |
		ncat -U --idle-timeout 1s "$vm_dir/qmp.sock" >"$vm_dir/qmp.log" 2>&1 || :
}

# Wait up to $1 seconds for the machine to be off.
vm_wait_off() {
	left=$(($1 * 5))
	while vm_running && [ "$left" -gt 0 ]; do
		sleep 0.2
		left=$((left - 1))
	done
	! vm_running
}

# Press the power button and wait for the machine to shut down; pull the plug after $1 seconds.
# Nobody hears the button early in the boot, so it is pressed again and again.
vm_stop() {
	presses=$((${1:-90} / 5))
	while vm_running; do
		[ "$presses" -gt 0 ] || {
			vm_say "it does not shut down; switching it off"
			vm_kill
			return
		}
		vm_qmp system_powerdown
		vm_wait_off 5 || presses=$((presses - 1))
	done
}

# Pull the plug: what the machine had not written is lost, as in a power cut.
vm_kill() {
	vm_running || return 0
	kill -9 "$(cat "$vm_dir/qemu.pid")"
	vm_wait_off 10
}

# Wait up to $1 seconds for a regular expression ($2) on the console.
vm_wait_console() {
	left=$(($1 * 5))
	while ! grep -Eaq -- "$2" "$vm_dir/console.log" 2>/dev/null; do
		vm_running || vm_die "the machine went off; the end of its console is in $vm_dir/console.log" ||
			return
		[ "$left" -gt 0 ] || vm_die "nothing like '$2' on the console" || return
		sleep 0.2
		left=$((left - 1))
	done
}

# Run a verb of the command line as the admin, over SSH. $1: the admin's name.
vm_ssh() {
	admin=$1
	shift
	ssh -q -p "$vm_ssh_port" -i "$vm_dir/demo_key" -o IdentitiesOnly=yes -o BatchMode=yes \
		-o StrictHostKeyChecking=accept-new -o "UserKnownHostsFile=$vm_dir/known_hosts" \
		-o ConnectTimeout=20 "$admin@127.0.0.1" "$@"
}
