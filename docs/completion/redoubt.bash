# SPDX-License-Identifier: Apache-2.0
# Completion of redoubt(1) for bash. Source it, or put it into bash-completion's folder.
# tests/tui/docs.sh holds it against the program.

_redoubt() {
	local word=${COMP_WORDS[COMP_CWORD]} verb="${COMP_WORDS[1]} ${COMP_WORDS[2]}" words
	declare -A second=(
		[person]="list add role suspend resume remove"
		[ssh-key]="list add remove"
		[key]="list create suspend resume delete"
		[role]="list"
		[audit]="export list show proof status verify"
		[certificate]="ca install renew"
		[config]="status show diff accept pin unpin set edit confirm rollback"
		[recovery-key]="confirm new take"
		[hardening]="check"
		[power]="off reboot"
		[query]="kill list"
		[tpm]="bind"
	)
	declare -A options=(
		["person add"]="--role"
		["key list"]="--all --owner"
		["key create"]="--role --expires"
		["key suspend"]="--owner"
		["key resume"]="--owner"
		["key delete"]="--owner"
		["query list"]="--all"
		["query kill"]="--all"
		["audit list"]="--count --filter --before"
		["audit export"]="--from"
		["audit verify"]="--vkey --from --max-age"
		["recovery-key new"]="--current"
	)

	if [ "$COMP_CWORD" -eq 1 ]; then
		words="${!second[*]} status whoami unlock help --help --version"
	elif [ "$COMP_CWORD" -eq 2 ] && [ -n "${second[${COMP_WORDS[1]}]-}" ]; then
		words=${second[${COMP_WORDS[1]}]}
	elif [ "${word:0:1}" = - ]; then
		words="--json --help ${options[$verb]-}"
	fi
	mapfile -t COMPREPLY < <(compgen -W "${words-}" -- "$word")
}
complete -F _redoubt redoubt
