#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A lint that cannot fail proves nothing: each is given a small tree that is right, then one wrong thing at a time.
# Prints TAP; runs in the tools tree.
set -eu

cd "$(dirname -- "$0")/../.."
[ -e /etc/redoubt-tools ] || exec image/tools/enter tests/integration/lints.sh "$@"
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

here=$PWD
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

put() { # put FILE: its text from standard input
	mkdir -p "$(dirname -- "$1")"
	cat >"$1"
}

# --- a tree in which all is right ----------------------------------------------------------------
cd "$dir"
mkdir -p common service appliance/audit tui image tests hardening/units/redoubt-.service.d
cp -r "$here/tests/lint" tests/
cp "$here/hardening/exposure.sh" "$here/hardening/exposure-limits.txt" hardening/
cp "$here/hardening/units/redoubt-.service.d/10-sandbox.conf" hardening/units/redoubt-.service.d/
put common/part.h <<'END'
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * part: an example.
 */
/* Do it. */
[[nodiscard]] int part_do(void);
END
put common/part.c <<'END'
/* SPDX-License-Identifier: Apache-2.0 */
#include "common/part.h"
END
put appliance/audit/main.c <<'END'
/* SPDX-License-Identifier: Apache-2.0 */
#include "common/part.h"
END
put appliance/audit/redoubt-audit.service <<'END'
# SPDX-License-Identifier: Apache-2.0
[Unit]
Description=An example
[Service]
User=redoubt-audit
ExecStart=/usr/lib/redoubt/redoubt-audit
END
put tool.sh <<'END'
#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
echo "$1"
END
for lint in headers layers doors licence shell units exposure; do
	tap "$lint.sh is content with a tree that is right" "tests/lint/$lint.sh"
done

# finds LINT TEXT FILE: with FILE as on standard input, the lint fails and says TEXT; then it is as before.
finds() {
	lint=$1 text=$2 file=$3
	[ ! -e "$file" ] || cp "$file" "$dir/kept"
	put "$file"
	if said=$("tests/lint/$lint.sh" 2>&1); then passed=1; else passed=0; fi
	if [ -e "$dir/kept" ]; then mv "$dir/kept" "$file"; else rm "$file"; fi
	[ "$passed" = 0 ] && printf '%s\n' "$said" | grep -q -- "$text" ||
		{ printf 'the lint passed: %s; it said:\n%s\n' "$passed" "$said"; return 1; }
}
spdx='/* SPDX-License-Identifier: Apache-2.0 */'

tap "headers.sh finds a prototype without its contract" finds headers 'without a comment' common/bad.h <<END
$spdx
#pragma once
/*
 * bad: an example.
 */

void bad_do(void);
END
tap "headers.sh finds an ignorable result" finds headers 'not \[\[nodiscard' common/bad.h <<END
$spdx
#pragma once
/*
 * bad: an example.
 */
/* Do it. */
int bad_do(void);
END
tap "headers.sh finds a header that may be read twice" finds headers 'no #pragma once' common/bad.h <<END
$spdx
/*
 * bad: an example.
 */
END
tap "headers.sh finds a header without a purpose" finds headers 'purpose' common/bad.h <<END
$spdx
#pragma once
END
tap "layers.sh finds an include that points up" finds layers 'common may not include from appliance/audit' \
	common/bad.c <<END
#include "appliance/audit/entry.h"
END
tap "layers.sh finds a folder that the table does not know" finds layers 'may not include' new/../tui/odd/bad.c <<END
#include "common/part.h"
END
tap "doors.sh finds a library used outside its door" finds doors 'openssl/evp.h' appliance/audit/bad.c <<END
#include <openssl/evp.h>
END
tap "doors.sh finds sd-bus outside its door" finds doors 'sd-bus.h' common/bad.c <<END
#include <systemd/sd-bus.h>
END
tap "licence.sh finds a file without its licence" finds licence 'common/bad.c' common/bad.c <<END
int bad;
END
tap "shell.sh finds a script with a mistake" finds shell 'SC2154' bad.sh <<'END'
#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
echo "$nobody_sets_this"
END
tap "units.sh finds a setting that has no effect" finds units 'PrivateNetwork=no: has no effect' \
	appliance/audit/redoubt-audit.service <<END
[Unit]
Description=An example
[Service]
PrivateNetwork=no
END
tap "units.sh finds a drop-in that would replace the sandbox" finds units 'must be called' \
	appliance/audit/redoubt-audit.service.d/10-sandbox.conf <<END
[Service]
PrivateNetwork=no
END
tap "units.sh finds a drop-in for a unit that is not there" finds units 'there is no unit' \
	appliance/audit/redoubt-adit.service.d/20-needs.conf <<END
[Service]
PrivateNetwork=no
END
tap "exposure.sh finds a unit that takes too much back" finds exposure 'not ok .* redoubt-audit.service' \
	appliance/audit/redoubt-audit.service.d/20-needs.conf <<END
[Service]
PrivateNetwork=no
PrivateUsers=no
ProtectSystem=no
NoNewPrivileges=no
CapabilityBoundingSet=CAP_SYS_ADMIN CAP_NET_ADMIN
END

# --- binaries ------------------------------------------------------------------------------------
put main.c <<'END'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
	char text[64];
	strcpy(text, argv[argc - 1]);
	return puts(text) < 0;
}
END
good='-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fPIE -fstack-protector-strong
	-pie -Wl,-z,relro,-z,now,-z,noexecstack'
elf() { # elf FLAGS...: build with the good flags and these, then check
	# shellcheck disable=SC2086 # words
	gcc $good -w -o main main.c "$@" && "$here/hardening/check-elf.sh" main
}
elf_finds() { text=$1; shift; ! said=$(elf "$@" 2>&1) && printf '%s\n' "$said" | grep -q -- "$text"; }
tap "check-elf.sh is content with our flags" elf
tap "check-elf.sh finds a binary at a fixed address" elf_finds 'no PIE' -no-pie -fno-pie
tap "check-elf.sh finds late binding" elf_finds 'no BIND_NOW' -Wl,-z,lazy
tap "check-elf.sh finds writable relocations" elf_finds 'no full RELRO' -Wl,-z,norelro
tap "check-elf.sh finds an executable stack" elf_finds 'no non-executable stack' -Wl,-z,execstack
tap "check-elf.sh finds an unprotected stack" elf_finds 'no stack protector' -fno-stack-protector
tap "check-elf.sh finds unchecked string functions" elf_finds 'no fortified calls' -U_FORTIFY_SOURCE
tap "check-elf.sh finds a search path for libraries" elf_finds 'no clean RUNPATH' -Wl,-rpath,/tmp
tap_done
