# SPDX-License-Identifier: Apache-2.0
archives += appliance/keys/keys
appliance/keys/keys.src := appliance/keys/serve.c appliance/keys/tcti.c appliance/keys/tpm.c

# What a program that speaks to the TPM needs from outside, besides common's.
keys_pkgs := tss2-esys tss2-mu

programs += appliance/keys/redoubt-keys
appliance/keys/redoubt-keys.src  := appliance/keys/main.c
appliance/keys/redoubt-keys.libs := appliance/keys/keys common/keyring/keyring common/common
appliance/keys/redoubt-keys.pkgs := $(common_pkgs) $(keys_pkgs)

keys_units := /usr/lib/systemd/system
installs += appliance/keys/redoubt-keys:/usr/lib/redoubt \
	appliance/keys/redoubt-keys.service:$(keys_units) \
	appliance/keys/redoubt-keys-engine.socket:$(keys_units) \
	appliance/keys/redoubt-keys.service.d/20-needs.conf:$(keys_units)/redoubt-keys.service.d
