/* SPDX-License-Identifier: Apache-2.0 */
#include "hardening/check/kinds.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "hardening/check/control.h"
#include "hardening/check/probe.h"

/* clang-format off */
const struct kind KINDS[] = {
	{ "cmdline", kind_cmdline, "the kernel was started with OPTION, or OPTION=EXPECTED" },
	{ "sysctl", kind_sysctl, "the kernel setting KEY has the value EXPECTED" },
	{ "word", kind_word, "the file ARGUMENT holds the word EXPECTED" },
	{ "equals", kind_equals, "the file ARGUMENT holds EXPECTED and nothing else" },
	{ "module-absent", kind_module_absent, "none of the MODULES is loaded or in the image" },
	{ "efi-variable", kind_efi_variable, "the firmware's variable NAME-GUID has the value EXPECTED" },
	{ "dm", kind_dm, "the file system at PATH lies on a device-mapper device whose uuid begins with EXPECTED" },
	{ "swap", kind_swap, "all swap in use lies below PATH" },
	{ "mount", kind_mount, "the file system at PATH is mounted with all of the options EXPECTED" },
	{ "file-absent", kind_file_absent, "none of the PATHS is there" },
	{ "program-absent", kind_program_absent, "none of the PROGRAMS is in the image" },
	{ "file-mode", kind_file_mode, "PATH is there and gives nobody more rights than the octal mode EXPECTED" },
	{ "no-setuid", kind_no_setuid, "no file below PATH gains rights by being run" },
	{ "no-passwords", kind_no_passwords, "no account of the shadow file ARGUMENT has a password" },
	{ "only-root", kind_only_root, "root alone has uid 0 in the file ARGUMENT" },
	{ "setting", kind_setting, "the first line KEY of the file PATH (argument PATH:KEY) says EXPECTED" },
	{ "listen", kind_listen, "the PROTOCOL's (tcp, udp) listening ports are among EXPECTED" },
	{ "nft-policy", kind_nft_policy, "the chain CHAIN of table inet redoubt ends in EXPECTED" },
	{ "nft-rule", kind_nft_rule, "the chain CHAIN of table inet redoubt has a rule with the text EXPECTED" },
	{ "nft-sets", kind_nft_sets, "the SETS of table inet redoubt hold what the program EXPECTED says is configured, and nothing else" },
	{ "unit", kind_unit, "the unit's processes run, and each has in /proc/PID/status the values EXPECTED" },
};
/* clang-format on */
const size_t KINDS_COUNT = countof(KINDS);

bool detail_fails(struct detail *detail, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(detail->text, sizeof(detail->text), format, args);
	va_end(args);
	for (char *at = detail->text; *at; at++) /* one line, whatever a file or program said */
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	return false;
}

bool kind_holds(const struct probe *probe, const struct control *control, struct detail *detail)
{
	detail->text[0] = '\0';
	for (size_t i = 0; i < KINDS_COUNT; i++)
		if (strcmp(KINDS[i].name, control->kind) == 0)
			return KINDS[i].check(probe, control, detail);
	return detail_fails(detail, "there is no kind of check called %s", control->kind);
}
