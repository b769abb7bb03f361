# SPDX-License-Identifier: Apache-2.0
keys_fuzzers := keyring keys-proto
fuzzers += $(keys_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach f,$(keys_fuzzers),\
	$(eval tests/fuzz/fuzz-$(f).src := tests/fuzz/fuzz-$(f).c)\
	$(eval tests/fuzz/fuzz-$(f).libs := appliance/keys/keys common/keyring/keyring common/common $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(f).pkgs := $(common_pkgs) $(keys_pkgs)))
