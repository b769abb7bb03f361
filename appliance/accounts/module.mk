# SPDX-License-Identifier: Apache-2.0
archives += appliance/accounts/accounts
appliance/accounts/accounts.src := appliance/accounts/access.c appliance/accounts/accounts.c \
	appliance/accounts/apikey.c appliance/accounts/config.c appliance/accounts/denials.c appliance/accounts/enginelink.c appliance/accounts/frontlink.c \
	appliance/accounts/methods.c appliance/accounts/methods_keys.c appliance/accounts/methods_people.c \
	appliance/accounts/rate.c appliance/accounts/sessions.c appliance/accounts/sshkey.c appliance/accounts/sshkeys.c appliance/accounts/sshlog.c \
	appliance/accounts/store.c appliance/accounts/store_keys.c appliance/accounts/store_people.c \
	appliance/accounts/userdb.c

# Archives and packages of whatever links accounts.
accounts_libs := appliance/accounts/accounts appliance/bus/bus common/common
accounts_pkgs := $(common_pkgs) libssh sqlite3 yyjson

programs += appliance/accounts/redoubt-accounts appliance/accounts/redoubt-authorized-keys
appliance/accounts/redoubt-accounts.src  := appliance/accounts/redoubt-accounts.c
appliance/accounts/redoubt-accounts.libs := $(accounts_libs)
appliance/accounts/redoubt-accounts.pkgs := $(accounts_pkgs)
appliance/accounts/redoubt-authorized-keys.src  := appliance/accounts/redoubt-authorized-keys.c
appliance/accounts/redoubt-authorized-keys.libs := common/common
appliance/accounts/redoubt-authorized-keys.pkgs := $(common_pkgs)

installs += appliance/accounts/redoubt-accounts:/usr/lib/redoubt \
	appliance/accounts/redoubt-authorized-keys:/usr/lib/redoubt \
	appliance/accounts/redoubt-accounts.service:/usr/lib/systemd/system \
	appliance/accounts/redoubt-accounts-sshkeys.socket:/usr/lib/systemd/system \
	appliance/accounts/redoubt-accounts-sshlog.socket:/usr/lib/systemd/system \
	appliance/accounts/org.redoubt.Accounts1.conf:/usr/share/dbus-1/system.d
