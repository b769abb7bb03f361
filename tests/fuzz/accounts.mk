# SPDX-License-Identifier: Apache-2.0
accounts_fuzzers := access-check api-key accounts-config ssh-key
fuzzers += $(accounts_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach f,$(accounts_fuzzers),\
	$(eval tests/fuzz/fuzz-$(f).src := tests/fuzz/fuzz-$(f).c)\
	$(eval tests/fuzz/fuzz-$(f).libs := $(accounts_libs) $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(f).pkgs := $(accounts_pkgs)))
