# SPDX-License-Identifier: Apache-2.0
# The worker's parsers of outside bytes.
worker_fuzzers := config smbios
fuzzers += $(worker_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach f,$(worker_fuzzers),\
	$(eval tests/fuzz/fuzz-$(f).src := tests/fuzz/fuzz-$(f).c)\
	$(eval tests/fuzz/fuzz-$(f).libs := appliance/worker/worker common/keyring/keyring common/common $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(f).pkgs := $(worker_pkgs)))
