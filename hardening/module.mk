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
