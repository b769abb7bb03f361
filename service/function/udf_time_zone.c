/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf_time.h"

#include <errno.h>
#include <inttypes.h>
#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sqlite3.h>

#include "service/function/zones.h"
#include "service/value/civil.h"

/* Under this name the connection has its struct zones, as client data. */
static const char ZONES[] = "zones";

static void free_zones(void *zones)
{
	(void)zones_free(zones);
}

/* An interval as the name of a fixed offset. Returns whether it can be one. */
static bool offset_name(int64_t us, char ret[16])
{
	constexpr int64_t longest = INT64_C(18) * 3600 * SECOND_US;
	int64_t seconds = us / SECOND_US;

	if (us < -longest || us > longest || us % SECOND_US != 0)
		return false;
	char sign = seconds < 0 ? '-' : '+';
	seconds = seconds < 0 ? -seconds : seconds;
	(void)snprintf(ret, 16, "%c%02d:%02d:%02d", sign, (int)(seconds / 3600),
		       (int)(seconds / 60 % 60), (int)(seconds % 60));
	return true;
}

bool udf_time_zone(sqlite3_context *ctx, sqlite3_value *arg, const struct zone **ret)
{
	struct zones *zones = sqlite3_get_clientdata(sqlite3_context_db_handle(ctx), ZONES);
	char fixed[16] = "";
	struct text name = { .at = fixed };
	struct value value;

	udf_value(arg, &value);
	if (value.tag == VALUE_NULL)
		return false;
	if (value.tag == VALUE_INTERVAL && offset_name(value.i, fixed))
		name.len = strlen(fixed);
	else if (!udf_text(ctx, arg, &name))
		return false;
	int r = zones ? zones_find(zones, name.at, name.len, ret) : -EIO;
	if (r == ZONES_UNKNOWN)
		udf_fail(ctx,
			 "There is no time zone `%.40s`; name one as in 'Europe/Oslo', or give an "
			 "offset as in '+02:00'.",
			 name.at);
	else if (r == -ENOMEM)
		sqlite3_result_error_nomem(ctx);
	else if (r)
		udf_fail(ctx, "The time zone `%.40s` cannot be read.", name.at);
	return r == 0;
}

/* A timestamp AT TIME ZONE z is the datetime there; of a datetime (or date) there it is the timestamp. */
static void at_zone(sqlite3_context *ctx, int, sqlite3_value **args)
{
	const struct zone *zone;
	struct value value;
	int64_t us;

	if (!udf_time_moment(ctx, args[0], &value, &us) || !udf_time_zone(ctx, args[1], &zone))
		return;
	if (value.tag == VALUE_TIMESTAMP) {
		value.tag = VALUE_DATETIME;
		udf_time_return(ctx, &value, zone_to_local(zone, us));
	} else {
		value.tag = VALUE_TIMESTAMP;
		udf_time_return(ctx, &value, zone_to_utc(zone, us));
	}
}

int udf_register_time_zone(sqlite3 *db)
{
	static const struct udf FUNCTIONS[] = {
		{ "rd_at_zone", 2, at_zone, nullptr },
	};
	struct zones *zones = nullptr;

	int r = zones_new(ZONES_FOLDER, &zones);
	if (r)
		return r;
	if (sqlite3_set_clientdata(db, ZONES, zones, free_zones) != SQLITE_OK)
		return -ENOMEM; /* SQLite has freed them */
	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
