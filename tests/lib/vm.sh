# SPDX-License-Identifier: Apache-2.0
# The rig of the tests in tests/vm: one machine in a folder of its own, on ports of its own, and a
# terminal to look at it. Source it in the tools tree, in the checkout's root. Sets $vm_dir, $url.
# shellcheck shell=sh

vm_dir=$(mktemp -d /tmp/redoubt-vm-XXXXXX)
vm_https_port=$((20000 + $$ % 10000)) vm_http_port=$((30000 + $$ % 10000)) vm_ssh_port=$((40000 + $$ % 10000))
boot_limit=600 # seconds; emulated, on a machine that is busy with other things
url=https://127.0.0.1:$vm_https_port
. image/lib.sh
. tests/lib/tap.sh

exec 9>"${XDG_CACHE_HOME:-$HOME/.cache}/redoubt/vm.lock"
flock 9 # one emulated machine at a time is all that two cores carry

# What a test made besides its machine and removes at the end; a test may define its own.
vm_forget() { :; }
vm_finish() {
	[ -z "${KEEP_VM:-}" ] || return
	vm_kill
	tmux_ kill-server 2>/dev/null
	vm_forget
	rm -rf "$vm_dir"
}
trap vm_finish EXIT
trap 'exit 1' INT TERM

answers() { curl -sk -o /dev/null --max-time 20 "$url/"; }

# Ready is when a missing key is 401, which accounts says; before that front says 503.
ready() { [ "$(curl -sk -o /dev/null -w '%{http_code}' --max-time 20 "$url/v1/orgs/self")" = 401 ]; }

# is_503 TEXT: it answers that it is not ready, with this text.
is_503() { shows "$1.* 503\$" curl -sk --max-time 20 -w ' %{http_code}\n' "$url/v1/orgs/self"; }

# boot WHAT [UNTIL]: start it and wait until it is ready, or what else is asked for.
boot() {
	printf '# booting (%s)\n' "$1"
	started=$(date +%s)
	vm_start && tap_until "$boot_limit" "${2:-ready}" || return
	printf '# it answered after %d s\n' $(($(date +%s) - started))
}

tmux_() { tmux -L "redoubt$$" "$@"; }
console_shows() { tmux_ capture-pane -p | grep -Eq -- "$1"; }

# Look at the serial console. It paints only what changes, so whoever comes later asks for all of it.
serial() { tmux_ new-session -d -x 80 -y 24 "image/console $vm_dir"; }
serial_shows() {
	tmux_ send-keys C-l
	sleep 1
	console_shows "$1"
}

# wait_for SECONDS COMMAND...: as tap_until; shows the terminal if it does not happen.
wait_for() { tap_until "$@" || { tmux_ capture-pane -p; return 1; }; }
