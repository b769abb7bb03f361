# SPDX-License-Identifier: Apache-2.0
store_fuzzers := catalog replay segment segment-file
fuzzers += $(store_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach f,$(store_fuzzers),\
	$(eval tests/fuzz/fuzz-$(f).src := tests/fuzz/fuzz-$(f).c)\
	$(eval tests/fuzz/fuzz-$(f).libs := $(store_libs) common/common $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(f).pkgs := $(common_pkgs) $(store_pkgs)))
