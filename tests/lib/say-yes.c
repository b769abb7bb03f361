/* SPDX-License-Identifier: Apache-2.0 */

/*
 * say-yes: stand in for accounts on the bus, to test audit by itself: Authorize allows the one uid given.
 *
 *   say-yes UID
 */

#include <stdint.h>
#include <stdlib.h>

#include "appliance/bus/bus.h"
#include "common/base.h"
#include "common/loop.h"

static void on_authorize(struct bus_call *call, void *service)
{
	const uint64_t *allowed = service;
	bool yes = bus_arg_number(call) == *allowed;

	bus_answer_bool(call, yes);
	bus_answer_str(call, yes ? "ann" : "");
	bus_reply(call);
}

static const struct bus_method METHODS[] = { { "Authorize", "uss", "bs", on_authorize } };

int main(int argc, char **argv)
{
	uint64_t uid = argc == 2 ? strtoull(argv[1], nullptr, 10) : 0;
	struct loop *loop = nullptr;
	struct bus *bus = nullptr;

	if (argc != 2 || loop_new(&loop) ||
	    bus_new(loop, "org.redoubt.Accounts1", "/org/redoubt/Accounts1", METHODS,
		    countof(METHODS), &uid, &bus))
		return 1;
	int r = loop_run(loop, "saying yes");
	bus = bus_free(bus);
	return r < 0;
}
