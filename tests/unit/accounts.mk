# SPDX-License-Identifier: Apache-2.0
archives += tests/lib/ledger
tests/lib/ledger.src := tests/lib/ledger.c

accounts_tests := access accounts-config accounts-rate accounts-store apikey frontlink sshkey sshkeys userdb
tests += $(accounts_tests:%=tests/unit/test-%)
threaded += tests/unit/test-frontlink tests/unit/test-sshkeys # theirs is the ledger's
$(foreach t,$(accounts_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := tests/lib/testlib tests/lib/ledger $(accounts_libs))\
	$(eval tests/unit/test-$(t).pkgs := $(accounts_pkgs)))

# Stands in front's place in accounts' integration test; not installed.
helpers += tests/lib/ask-access
tests/lib/ask-access.src := tests/lib/ask-access.c
tests/lib/ask-access.libs := common/common
tests/lib/ask-access.pkgs := $(common_pkgs)
