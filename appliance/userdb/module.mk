# SPDX-License-Identifier: Apache-2.0
archives += appliance/userdb/userdb
appliance/userdb/userdb.src := appliance/userdb/records.c appliance/userdb/serve.c appliance/userdb/wish.c

programs += appliance/userdb/redoubt-userdb
appliance/userdb/redoubt-userdb.src  := appliance/userdb/main.c
appliance/userdb/redoubt-userdb.libs := appliance/userdb/userdb common/common
appliance/userdb/redoubt-userdb.pkgs := $(common_pkgs)

installs += appliance/userdb/redoubt-userdb:/usr/lib/redoubt \
	appliance/userdb/redoubt-userdb.service:/usr/lib/systemd/system \
	appliance/userdb/redoubt-userdb.socket:/usr/lib/systemd/system \
	appliance/userdb/redoubt-userdb.tmpfiles.conf:/usr/lib/tmpfiles.d
