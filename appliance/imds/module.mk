# SPDX-License-Identifier: Apache-2.0
archives += appliance/imds/imds
appliance/imds/imds.src := appliance/imds/imds.c

programs += appliance/imds/redoubt-imds
appliance/imds/redoubt-imds.src  := appliance/imds/main.c
appliance/imds/redoubt-imds.libs := appliance/imds/imds common/common
appliance/imds/redoubt-imds.pkgs := $(common_pkgs) libcurl

installs += appliance/imds/redoubt-imds:/usr/lib/redoubt \
	appliance/imds/redoubt-imds.service:/usr/lib/systemd/system \
	appliance/imds/redoubt-imds.service.d/20-needs.conf:/usr/lib/systemd/system/redoubt-imds.service.d
