# SPDX-License-Identifier: Apache-2.0
# What hardening puts into the image besides the command line (image/build reads that itself).
hardening_units := /usr/lib/systemd/system

installs += \
	hardening/firewall.nft:/usr/lib/redoubt \
	hardening/sysctl/90-redoubt.conf:/usr/lib/sysctl.d \
	hardening/sysctl/sysctl-late.conf:/usr/lib/redoubt \
	hardening/modprobe/redoubt.conf:/usr/lib/modprobe.d \
	hardening/systemd/journald/redoubt.conf:/usr/lib/systemd/journald.conf.d \
	hardening/systemd/manager/redoubt.conf:/usr/lib/systemd/system.conf.d \
	hardening/sshd/sshd_config:/etc/ssh \
	hardening/units/redoubt-firewall.service:$(hardening_units) \
	hardening/units/redoubt-modules.service:$(hardening_units) \
	$(foreach dropin,$(sort $(wildcard hardening/units/*.d/*.conf)),\
		$(dropin):$(hardening_units)/$(notdir $(patsubst %/,%,$(dir $(dropin)))))

archives += hardening/check/check
hardening/check/check.src := hardening/check/control.c hardening/check/kinds.c hardening/check/kinds_files.c \
	hardening/check/kinds_kernel.c hardening/check/kinds_live.c hardening/check/kinds_sets.c hardening/check/probe.c

programs += hardening/check/redoubt-check
hardening/check/redoubt-check.src  := hardening/check/main.c
hardening/check/redoubt-check.libs := hardening/check/check common/common
hardening/check/redoubt-check.pkgs := $(common_pkgs)

installs += \
	hardening/check/redoubt-check:/usr/lib/redoubt \
	hardening/controls.tsv:/usr/share/redoubt \
	hardening/units/redoubt-check.socket:$(hardening_units) \
	hardening/units/redoubt-check@.service:$(hardening_units)
