# SPDX-License-Identifier: Apache-2.0
http_fuzzers := authorization request target
fuzzers += $(http_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach f,$(http_fuzzers),\
	$(eval tests/fuzz/fuzz-$(f).src := tests/fuzz/fuzz-$(f).c)\
	$(eval tests/fuzz/fuzz-$(f).libs := service/http/http common/common $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(f).pkgs := $(common_pkgs) libllhttp))
