/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "appliance/manager/manager.h"
#include "common/base.h"
#include "tests/lib/tap.h"

static char units[MANAGER_UNITS][24];
static char text[MANAGER_TEXT];

static void all(const char *state)
{
	for (size_t i = 0; i < MANAGER_UNITS; i++)
		(void)snprintf(units[i], sizeof(units[i]), "%s", state);
}

static void set(const char *unit, const char *state)
{
	for (size_t i = 0; i < MANAGER_UNITS; i++)
		if (strcmp(MANAGER_UNIT[i].name, unit) == 0)
			(void)snprintf(units[i], sizeof(units[i]), "%s", state);
}

static bool each_outcome_leads_to_the_state_people_need(void)
{
	CHECK_EQ((int)manager_state_after(JOB_OK), (int)STATE_STARTING);
	CHECK_EQ((int)manager_state_after(JOB_NEEDS_CONFIG), (int)STATE_UNCONFIGURED);
	CHECK_EQ((int)manager_state_after(JOB_LOCKED), (int)STATE_LOCKED);
	CHECK_EQ((int)manager_state_after(JOB_FOREIGN_DATA), (int)STATE_FOREIGN_DATA);
	CHECK_EQ((int)manager_state_after(JOB_NO_DISK), (int)STATE_FAILED);
	CHECK_EQ((int)manager_state_after(JOB_REFUSED), (int)STATE_UNCONFIGURED);
	CHECK_EQ((int)manager_state_after(JOB_FAULT), (int)STATE_FAILED);
	return true;
}

static bool ready_needs_every_required_unit(void)
{
	all("active");
	CHECK_EQ((int)manager_state_of_units(units, text), (int)STATE_READY);
	CHECK(text[0] == '\0');
	for (size_t i = 0; i < MANAGER_UNITS; i++) {
		all("active");
		(void)snprintf(units[i], sizeof(units[i]), "activating");
		enum state want = MANAGER_UNIT[i].required ? STATE_STARTING : STATE_READY;
		CHECK_EQ((int)manager_state_of_units(units, text), (int)want);
		CHECK(!MANAGER_UNIT[i].required || strstr(text, MANAGER_UNIT[i].name));
	}
	return true;
}

static bool a_unit_that_failed_is_named(void)
{
	all("active");
	set("redoubt-engine.service", "failed");
	set("redoubt-audit.service", "activating");
	CHECK_EQ((int)manager_state_of_units(units, text), (int)STATE_FAILED);
	CHECK(strstr(text, "redoubt-engine.service"));
	return true;
}

static bool what_nobody_needs_may_fail(void)
{
	all("active");
	set("ssh.service", "failed");
	CHECK_EQ((int)manager_state_of_units(units, text), (int)STATE_READY);
	return true;
}

static bool ssh_without_its_sources_is_not_ready(void)
{
	all("active");
	set("redoubt-firewall-sets.service", "inactive");
	CHECK_EQ((int)manager_state_of_units(units, text), (int)STATE_STARTING);
	CHECK(strstr(text, "redoubt-firewall-sets.service"));
	set("redoubt-firewall-sets.service", "failed");
	CHECK_EQ((int)manager_state_of_units(units, text), (int)STATE_FAILED);
	all("active");
	set("redoubt-firewall.service", "failed");
	CHECK_EQ((int)manager_state_of_units(units, text), (int)STATE_FAILED);
	all("active");
	set("redoubt-firewall-change.service", "failed"); /* the sets before it hold: a notice */
	CHECK_EQ((int)manager_state_of_units(units, text), (int)STATE_READY);
	return true;
}

static bool a_locked_keyring_is_told_from_other_waiting(void)
{
	all("active");
	CHECK(!manager_waits_for_keys(units));
	set("redoubt-keys.service", "activating");
	CHECK(manager_waits_for_keys(units));
	set("redoubt-engine.service", "inactive"); /* which waits for it */
	CHECK(manager_waits_for_keys(units));
	set("redoubt-setup.service", "activating");
	CHECK(!manager_waits_for_keys(units));
	all("active");
	set("redoubt-engine.service", "activating");
	CHECK(!manager_waits_for_keys(units));
	return true;
}

static bool details_are_read(void)
{
	static const char JSON[] =
		"{\"volume\":{\"device\":\"/dev/vdb\",\"cipher\":\"aes-xts-plain64\",\"keyslots\":[\"0 "
		"recovery-key\",\"1 tpm\"]},\"tls_expires\":\"2027-02-22T00:00:00Z\",\"tls_names\":[\"a\"],"
		"\"recovery_key_pending\":true,\"notices\":[\"look\"]}";
	static struct manager_details got;

	CHECK(manager_details_read(JSON, strlen(JSON), &got));
	CHECK(strcmp(got.volume_device, "/dev/vdb") == 0);
	CHECK_EQ(got.n_keyslots, 2u);
	CHECK(strcmp(got.keyslot[1], "1 tpm") == 0);
	CHECK_EQ(got.n_tls_names, 1u);
	CHECK(got.recovery_key_pending);
	CHECK_EQ(got.n_notices, 1u);
	CHECK(strcmp(got.notice[0], "look") == 0);
	CHECK(got.ca_fingerprint[0] == '\0');
	for (size_t len = 0; len < sizeof(JSON) - 1; len++)
		CHECK(!manager_details_read(JSON, len, &got));
	return true;
}

static bool more_of_a_list_than_fits_is_left_out(void)
{
	char json[2048] = "{\"volume\":{\"keyslots\":[";
	static struct manager_details got;

	for (int i = 0; i < 20; i++)
		(void)strcat(json, i ? ",\"x\"" : "\"x\""); /* NOLINT: bounded by the loop */
	(void)strcat(json, "]}}");			    /* NOLINT */
	CHECK(manager_details_read(json, strlen(json), &got));
	CHECK_EQ(got.n_keyslots, 8u);
	return true;
}

int main(void)
{
	RUN(each_outcome_leads_to_the_state_people_need);
	RUN(ready_needs_every_required_unit);
	RUN(a_unit_that_failed_is_named);
	RUN(what_nobody_needs_may_fail);
	RUN(ssh_without_its_sources_is_not_ready);
	RUN(a_locked_keyring_is_told_from_other_waiting);
	RUN(details_are_read);
	RUN(more_of_a_list_than_fits_is_left_out);
	return tap_done();
}
