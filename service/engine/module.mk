# SPDX-License-Identifier: Apache-2.0
archives += service/engine/calls
service/engine/calls.src := service/engine/admission.c service/engine/batch_text.c service/engine/call.c service/engine/call_catalog.c \
	service/engine/call_documents.c service/engine/call_query.c service/engine/control.c service/engine/flow.c service/engine/json.c \
	service/engine/members.c service/engine/pool.c service/engine/told.c service/engine/work.c

programs += service/engine/redoubt-engine
service/engine/redoubt-engine.src  := service/engine/main.c
# The engine and what it is made of, top down; its tests link the same. Not := because the other folders come later.
engine_libs = service/engine/calls $(sql_libs) $(store_own) service/keys/keys service/api/api common/keyring/keyring
service/engine/redoubt-engine.libs = $(engine_libs) common/common
service/engine/redoubt-engine.pkgs := $(common_pkgs) sqlite3 yyjson libpcre2-8

installs += service/engine/redoubt-engine:/usr/lib/redoubt \
	service/engine/redoubt-engine.service:/usr/lib/systemd/system \
	service/engine/redoubt-engine-accounts.socket:/usr/lib/systemd/system \
	service/engine/redoubt-engine-appliance.socket:/usr/lib/systemd/system
