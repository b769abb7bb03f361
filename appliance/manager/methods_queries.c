/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/manager/engine_link.h"
#include "appliance/manager/errand.h"
#include "common/log.h"

/* Whose queries: all, or the caller's own. */
struct queries {
	struct errand *op;
	bool all;
};

static void put_query(void *userdata, const struct query_state *query)
{
	const struct queries *queries = userdata;
	struct bus_call *call = queries->op->call;
	char id[24];

	if (!queries->all && strcmp(query->person, queries->op->person) != 0)
		return;
	(void)snprintf(id, sizeof(id), "%" PRIu64, query->number);
	bus_row_begin(call);
	bus_put_str(call, "id", id);
	bus_put_str(call, "person", query->person);
	bus_put_str(call, "key", query->key_id);
	bus_put_str(call, "state", query->works ? "running" : "waiting");
	bus_put_number(call, "age_s", query->age_us / 1'000'000);
	bus_put_number(call, "cpu_ms", query->cpu_us / 1000);
	bus_put_str(call, "text", query->text);
	bus_row_end(call);
}

static const char NO_ENGINE[] =
	"The engine does not answer; redoubt-engine is perhaps being started anew.";

static void list_queries(struct errand *op, bool all)
{
	struct queries queries = { op, all };

	bus_rows_begin(op->call);
	int r = engine_link_list(put_query, &queries);
	bus_rows_end(op->call);
	if (r)
		bus_fail(op->call, BUS_FAILED, "%s", NO_ENGINE);
	else
		bus_reply(op->call);
}

void queries_own(struct errand *op, const struct job_done *)
{
	list_queries(op, false);
}

void queries_all(struct errand *op, const struct job_done *)
{
	list_queries(op, true);
}

static void kill_query(struct errand *op, bool all)
{
	struct query_kill kill = { .number = strtoull(op->second, nullptr, 10) };
	bool found = false;

	if (!all)
		(void)snprintf(kill.person, sizeof(kill.person), "%s", op->person);
	int r = engine_link_kill(&kill, &found);
	if (errand_record(op, AUDIT_NO_DECISION, found ? AUDIT_DONE : AUDIT_FAILED, "", nullptr) !=
	    LEDGER_OK)
		log_event(LOG_ERR, EVENT_LEDGER, 0, "an outcome is not in the ledger",
			  op->rule->code);
	if (r)
		bus_fail(op->call, BUS_FAILED, "%s", NO_ENGINE);
	else if (!found)
		bus_fail(op->call, BUS_NOT_FOUND, "There is no query %s%s.", op->second,
			 all ? "" : " of yours");
	else
		bus_reply(op->call);
}

void queries_kill_own(struct errand *op, const struct job_done *)
{
	kill_query(op, false);
}

void queries_kill_any(struct errand *op, const struct job_done *)
{
	kill_query(op, true);
}
