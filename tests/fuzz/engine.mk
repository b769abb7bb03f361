# SPDX-License-Identifier: Apache-2.0
engine_fuzzers := call document patch regex sql zone
fuzzers += $(engine_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach f,$(engine_fuzzers),\
	$(eval tests/fuzz/fuzz-$(f).src := tests/fuzz/fuzz-$(f).c)\
	$(eval tests/fuzz/fuzz-$(f).libs := $(engine_libs) common/common $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(f).pkgs := $(common_pkgs) sqlite3 yyjson libpcre2-8))
