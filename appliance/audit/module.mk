# SPDX-License-Identifier: Apache-2.0
archives += appliance/audit/ledger
appliance/audit/ledger.src := appliance/audit/entry.c appliance/audit/epoch.c appliance/audit/export.c appliance/audit/folder.c \
	appliance/audit/ledger.c appliance/audit/ledger_epoch.c appliance/audit/ledger_intents.c \
	appliance/audit/ledger_open.c appliance/audit/ledger_proof.c appliance/audit/ledger_publish.c \
	appliance/audit/ledger_room.c appliance/audit/ledger_space.c \
	appliance/audit/merkle.c appliance/audit/note.c appliance/audit/source.c appliance/audit/tar.c appliance/audit/tile.c \
	appliance/audit/verify.c \
	appliance/audit/verify_proof.c appliance/audit/wal.c

# What a program that links the ledger needs from outside, besides common's.
audit_pkgs := yyjson

programs += appliance/audit/redoubt-audit
appliance/audit/redoubt-audit.src  := appliance/audit/exports.c appliance/audit/main.c appliance/audit/reads.c appliance/audit/review.c
appliance/audit/redoubt-audit.libs := appliance/audit/ledger appliance/bus/bus common/common
appliance/audit/redoubt-audit.pkgs := $(common_pkgs) $(audit_pkgs)

audit_units := /usr/lib/systemd/system
installs += appliance/audit/redoubt-audit:/usr/lib/redoubt \
	appliance/audit/redoubt-audit.service:$(audit_units) \
	appliance/audit/redoubt-audit-accounts.socket:$(audit_units) \
	appliance/audit/redoubt-audit-appliance.socket:$(audit_units) \
	appliance/audit/redoubt-audit-engine.socket:$(audit_units) \
	appliance/audit/redoubt-audit-keys.socket:$(audit_units) \
	appliance/audit/org.redoubt.Audit1.conf:/usr/share/dbus-1/system.d
