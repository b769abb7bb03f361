#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The console in a terminal, against the real daemons: what a person does and sees. Prints TAP.
set -eu
cd "$(dirname -- "$0")/../.."
# shellcheck source=tests/lib/console.sh
. tests/lib/console.sh
rig_start

run() { "$@"; }
cursor_on() { # NAME PATTERN: the terminal's cursor stands on a line that matches
	y=$(tmux -S "$dir/tmux" display-message -p -t "$1" '#{cursor_y}')
	screen "$1" | sed -n "$((y + 1))p" | grep -Eq -- "$2"
}
resize() { tmux -S "$dir/tmux" resize-window -t "$1" -x "$2" -y "$3"; }
colours() { tmux -S "$dir/tmux" capture-pane -p -e -t "$1" | grep -q "$(printf '\033\\[[0-9;]*3[0-7]m')"; }

terminal a 80 24 $ann
tap "the dashboard comes up" sees a '^State +'
tap "it says who is where" sees a 'ann@'
tap "it shows the ledger" sees a 'Ledger +ok, [0-9]+ entries'
tap "and its last events" sees a 'session.open'
tap "the keys stand at the bottom" sees a '^F1 Help .*F10 Quit'
tap "in colour" colours a

keys a F3
tap "F3 shows the people" sees a '^ann +admin +active'
keys a a
tap "a opens the form" sees a 'Add a person'
type_text a ben
keys a Tab
type_text a ben@example.org
keys a Tab
keys a Right
keys a Space
keys a Enter
tap "a person can be added" sees a '^ben +member +active'
tap "and it is said" sees a 'Added'
keys a Down
tap "the cursor stands on the person selected" tap_until 5 cursor_on a '^ben'
keys a Enter
tap "Enter shows the person's SSH keys" sees a 'SSH keys of ben'
keys a a
tap "a opens the form for one" sees a 'Public key'
tmux -S "$dir/tmux" set-buffer "$(cat "$dir/ben.pub")"
tmux -S "$dir/tmux" paste-buffer -p -t a
keys a Enter
tap "a pasted key is taken" sees a "SHA256:.*ben@desk"
tap "the command line sees it, too" says ben@desk redoubt $ann ssh-key list ben
keys a Escape

keys a r
tap "r shows the roles as they are" sees a '\[x\] member'
keys a Right Right Space Enter
tap "they can be changed" sees a '^ben +member, rea'
keys a s
tap "s asks before it suspends" sees a 'Suspend ben\?'
keys a y
tap "and then does" sees a '^ben .*suspended'
keys a s
tap "and resumes without asking" sees a '^ben .*active'

keys a 4
tap "4 shows the API keys, as F4 does" sees a 'Your API keys'
keys a c
tap "c opens the form" sees a 'Make an API key'
type_text a loader
keys a Enter Enter Enter
tap "the key is shown" sees a 'rdt_[A-Za-z0-9]{49}'
keys a Escape
tap "a slip of the finger does not take it away" sees a 'rdt_[A-Za-z0-9]{49}'
keys a Enter
tap "Enter does" loses a 'rdt_[A-Za-z0-9]{49}'
tap "and it is in the list" sees a '^loader +admin +ACTIVE'
tap "what was shown is not in the scrollback" not sh -c "tmux -S $dir/tmux capture-pane -p -S - -t a | grep -Eq 'rdt_[A-Za-z0-9]{49}'"
redoubt $ann key create other --role member >/dev/null
tap "a key made elsewhere appears by itself" sees a '^other '
keys a x
tap "x asks for the name" sees a 'Type its name'
type_text a nonsense
keys a Enter
tap "another name is not taken" sees a 'another name'
keys a C-u
type_text a loader
keys a Enter
tap "the name is" loses a '^loader '

keys a F5
tap "F5 shows the ledger, newest first" sees a 'Entries 0 to [0-9]+'
tap "the deletion stands in it" sees a 'api-key.delete|key.delete'
keys a Enter
tap "Enter shows an entry in full" sees a 'leaf_hash'
keys a q
keys a v
tap "v verifies the ledger" sees a 'verdict +valid'
keys a Escape
keys a /
tap "/ opens the filter" sees a 'Show only entries with'
type_text a person.add
keys a Enter
tap "the filter is applied" sees a 'only with: person.add'
tap "to all of it" loses a 'session.open'
keys a '?'
tap "? shows the help" sees a 'Proof'
keys a q

resize a 40 10
tap "a window of 40x10 works" sees a '^ 2 Dash'
keys a F3
tap "with people" sees a '^ben '
resize a 30 5
tap "a smaller one says what it needs" sees a 'Make it 40 x 10'
resize a 200 50
tap "a large one works" sees a '^ben +member, read-only'
resize a 80 24
tap "and back" sees a 'F3 People'
run kill "$audit_pid"
wait "$audit_pid" 2>/dev/null || :
keys a F2
tap "a service that is away is said to be" sees a 'Ledger +The audit service'
rig_audit
tap "and comes back by itself" sees a 'Ledger +ok'
keys a F10
tap "F10 leaves" sees a 'the console said 0'
tap "the session's end is in the ledger" says 'session.close' redoubt $ann audit list

terminal b 80 24 $ben
tap "who may not read people is told" run sees b 'State'
keys b F3
tap "in the accounts service's words" sees b 'PEOPLE_READ'
tap "and is not offered what only admins do" lacks b 'a Add'
keys b o
tap "one's own keys are there" sees b 'ben@desk'
keys b C-c
tap "Ctrl-C leaves" sees b 'the console said 0'

TERMINAL_ENV="TERM=tmux-256color NO_COLOR=1" terminal c 80 24 $ann
tap "NO_COLOR is honoured" sees c '^State'
tap "with not one colour" not colours c
TERMINAL_ENV="-u LC_ALL -u LANG TERM=vt100" terminal d 80 24 $ann
tap "a VT100 works" sees d '^State'
keys d '?'
tap "with frames of ASCII" sees d '^\+- Dashboard -+\+'
TERMINAL_ENV="TERM=linux" terminal e 80 24 $ann
tap "the Linux console works" sees e '^State'
TERMINAL_ENV="TERM=made-up" terminal f 80 24 $ann
tap "an unknown terminal is taken for an xterm" sees f '^State'
TERMINAL_ENV="TERM=dumb" terminal g 80 24 $ann
tap "a dumb one is told what to do" sees g 'give a verb'

terminal h 80 24 908
tap "the machine's own console shows the dashboard" sees h '^State'
keys h F3 F5
tap "and nothing else" lacks h 'People'
tap "and how to get help" sees h '^F1 Help'
tap_done
