/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * errand: one call on its way: authorised, recorded, done, answered. What methods*.c share.
 *
 * Layer 2 (appliance/manager). Only for methods*.c.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/manager/manager.h"
#include "common/base.h"

struct errand;

struct method_rule {
	const char *privilege; /* nullptr: nobody but the local console */
	bool console;	   /* the local console may without asking accounts, in any of the states */
	uint32_t states;   /* in which it can be called at all */
	enum job_kind job; /* JOB_KIND_COUNT: none, answer says it all */
	const char *code;  /* of its event; nullptr: it is not recorded by us */
	void (*answer)(struct errand *op, const struct job_done *done);
	bool on_query; /* its argument names the query that it is done to */
};

struct errand {
	struct manager *manager;
	struct bus_call *call;
	const struct method_rule *rule;
	char person[256];
	uint64_t intent;
	char *argument, *second; /* copies, wiped at the end; "" if the method has none */
};

/*
 * Say an event of the rule's code.
 *
 * text       a sentence for its detail, or ""
 * ret_index  may be nullptr
 *
 * Returns as ledger_record().
 */
[[nodiscard]] int errand_record(struct errand *op, enum audit_decision decision,
				enum audit_outcome outcome, const char *text, uint64_t *ret_index);

/* Answer with the queries of the caller's keys. */
void queries_own(struct errand *op, const struct job_done *done);

/* Answer with all queries. */
void queries_all(struct errand *op, const struct job_done *done);

/* End a query of the caller's keys, whose number is the second argument; record the outcome and answer. */
void queries_kill_own(struct errand *op, const struct job_done *done);

/* End any query, as queries_kill_own(). */
void queries_kill_any(struct errand *op, const struct job_done *done);
