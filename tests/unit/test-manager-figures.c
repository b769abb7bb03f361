/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "appliance/manager/figures.h"
#include "common/base.h"
#include "tests/lib/tap.h"

static bool meminfo_is_read_by_its_keys(void)
{
	static const char TEXT[] =
		"MemTotal:        2039812 kB\nMemFree:  1 kB\nSwapFree: 18446744073709551615 kB\n";

	CHECK_EQ(figures_meminfo(TEXT, "MemTotal:"), 2039812ull * 1024);
	CHECK_EQ(figures_meminfo(TEXT, "MemFree:"), 1024u);
	CHECK_EQ(figures_meminfo(TEXT, "Mem"), 0u);
	CHECK_EQ(figures_meminfo(TEXT, "SwapFree:"), 0u); /* does not fit: not believed */
	CHECK_EQ(figures_meminfo("", "MemTotal:"), 0u);
	return true;
}

static bool values_lose_their_quotes_and_are_cut_to_fit(void)
{
	static const char TEXT[] = "NAME=\"Debian\"\nVERSION_ID=13\nEMPTY=\nLAST=x";
	char got[8];

	CHECK(figures_value(TEXT, "NAME", got, sizeof(got)) && strcmp(got, "Debian") == 0);
	CHECK(figures_value(TEXT, "VERSION_ID", got, sizeof(got)) && strcmp(got, "13") == 0);
	CHECK(figures_value(TEXT, "EMPTY", got, sizeof(got)) && got[0] == '\0');
	CHECK(figures_value(TEXT, "LAST", got, sizeof(got)) && strcmp(got, "x") == 0);
	CHECK(!figures_value(TEXT, "VERSION", got, sizeof(got)) && got[0] == '\0');
	CHECK(figures_value("A=0123456789\n", "A", got, sizeof(got)) &&
	      strcmp(got, "0123456") == 0);
	return true;
}

static bool a_machine_has_memory_and_a_name(void)
{
	struct figures figures;

	figures_read(&figures);
	CHECK(figures.mem_total > 0);
	CHECK(figures.hostname[0] != '\0');
	CHECK(strchr(figures.load, '.'));
	return true;
}

static bool the_surroundings_stay_the_same_when_nothing_happens(void)
{
	CHECK_EQ(figures_surroundings(), figures_surroundings());
	return true;
}

int main(void)
{
	(void)setenv("REDOUBT_RUN", "/nonexistent", true);
	RUN(meminfo_is_read_by_its_keys);
	RUN(values_lose_their_quotes_and_are_cut_to_fit);
	RUN(a_machine_has_memory_and_a_name);
	RUN(the_surroundings_stay_the_same_when_nothing_happens);
	return tap_done();
}
