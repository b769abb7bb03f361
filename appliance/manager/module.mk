# SPDX-License-Identifier: Apache-2.0
archives += appliance/manager/manager
appliance/manager/manager.src := appliance/manager/details.c appliance/manager/engine_link.c appliance/manager/figures.c \
	appliance/manager/front_link.c appliance/manager/ledger.c appliance/manager/manager.c \
	appliance/manager/methods.c appliance/manager/methods_queries.c appliance/manager/status.c appliance/manager/worker_link.c

programs += appliance/manager/redoubt-appliance
appliance/manager/redoubt-appliance.src  := appliance/manager/main.c
appliance/manager/redoubt-appliance.libs := appliance/manager/manager appliance/bus/bus common/common
appliance/manager/redoubt-appliance.pkgs := $(common_pkgs) yyjson

installs += appliance/manager/redoubt-appliance:/usr/lib/redoubt \
	appliance/manager/redoubt-appliance.service:/usr/lib/systemd/system \
	appliance/manager/redoubt-appliance.service.d/20-needs.conf:/usr/lib/systemd/system/redoubt-appliance.service.d \
	appliance/manager/org.redoubt.Appliance1.conf:/usr/share/dbus-1/system.d
