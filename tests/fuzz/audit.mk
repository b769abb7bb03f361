# SPDX-License-Identifier: Apache-2.0
audit_fuzzers := entry note tile
fuzzers += $(audit_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach f,$(audit_fuzzers),\
	$(eval tests/fuzz/fuzz-$(f).src := tests/fuzz/fuzz-$(f).c)\
	$(eval tests/fuzz/fuzz-$(f).libs := appliance/audit/ledger common/common $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(f).pkgs := $(common_pkgs) $(audit_pkgs)))
