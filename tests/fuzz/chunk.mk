# SPDX-License-Identifier: Apache-2.0
chunk_fuzzers := builder chunk
fuzzers += $(chunk_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach f,$(chunk_fuzzers),\
	$(eval tests/fuzz/fuzz-$(f).src := tests/fuzz/fuzz-$(f).c)\
	$(eval tests/fuzz/fuzz-$(f).libs := service/chunk/chunk service/column/column service/value/value common/common $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(f).pkgs := $(common_pkgs) yyjson))
