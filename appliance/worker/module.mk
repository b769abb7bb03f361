# SPDX-License-Identifier: Apache-2.0
archives += appliance/worker/worker
appliance/worker/worker.src := appliance/worker/apply.c appliance/worker/boot.c \
	appliance/worker/config.c appliance/worker/config_job.c appliance/worker/config_lines.c appliance/worker/disk.c appliance/worker/era.c appliance/worker/files.c \
	appliance/worker/handover.c appliance/worker/nets.c appliance/worker/identity.c appliance/worker/jobs.c appliance/worker/key_jobs.c \
	appliance/worker/recovery.c appliance/worker/run.c appliance/worker/setup.c \
	appliance/worker/smbios.c appliance/worker/ssh_key.c appliance/worker/stored.c appliance/worker/volume.c \
	common/crypto/cert.c

worker_pkgs := $(common_pkgs) libcryptsetup blkid yyjson

programs += appliance/worker/redoubt-worker
appliance/worker/redoubt-worker.src  := appliance/worker/main.c
appliance/worker/redoubt-worker.libs := appliance/worker/worker common/keyring/keyring common/common
appliance/worker/redoubt-worker.pkgs := $(worker_pkgs)

installs += appliance/worker/redoubt-worker:/usr/lib/redoubt \
	$(foreach unit,redoubt-worker.socket redoubt-worker@.service redoubt-folders.service \
		redoubt-setup.service redoubt-renew.service redoubt-renew.timer redoubt-renew.path,\
		appliance/worker/$(unit):/usr/lib/systemd/system) \
	$(foreach unit,redoubt-worker@ redoubt-folders redoubt-setup redoubt-renew,\
		appliance/worker/$(unit).service.d/20-needs.conf:/usr/lib/systemd/system/$(unit).service.d)

# The units that belong to no program: they carry out what the worker has prepared.
box_units := redoubt-data.target var-lib-redoubt.mount \
	var-lib-redoubt-swap-swapfile.swap redoubt-journal-flush.service redoubt-network.path \
	redoubt-network.service redoubt-firewall-change.path redoubt-firewall-change.service redoubt-firewall-sets.service \
	redoubt-front-reload.path redoubt-front-reload.service redoubt-tty@.service
box_needs := redoubt-journal-flush redoubt-network redoubt-firewall-change redoubt-firewall-sets redoubt-front-reload redoubt-tty@

installs += $(box_units:%=image/units/%:/usr/lib/systemd/system) \
	$(foreach unit,$(box_needs),\
		image/units/$(unit).service.d/20-needs.conf:/usr/lib/systemd/system/$(unit).service.d) \
	image/units/multi-user.target.d/20-redoubt-tty.conf:/usr/lib/systemd/system/multi-user.target.d \
	image/units/udev/60-redoubt-data.rules:/usr/lib/udev/rules.d \
	image/units/tmpfiles/redoubt.conf:/usr/lib/tmpfiles.d \
	image/units/network/80-redoubt-dhcp.network:/usr/lib/systemd/network
