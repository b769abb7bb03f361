# SPDX-License-Identifier: Apache-2.0
column_fuzzers := filter floats ints strings
fuzzers += $(column_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach f,$(column_fuzzers),\
	$(eval tests/fuzz/fuzz-$(f).src := tests/fuzz/fuzz-$(f).c)\
	$(eval tests/fuzz/fuzz-$(f).libs := service/column/column common/common $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(f).pkgs := $(common_pkgs)))
