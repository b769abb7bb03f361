# SPDX-License-Identifier: Apache-2.0
archives += tests/lib/ledger
tests/lib/ledger.src := tests/lib/ledger.c

accounts_tests := access accounts-config accounts-rate accounts-store apikey frontlink sshkey sshkeys
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

# The gate between accounts and the name service.
tests += tests/unit/test-userdb
tests/unit/test-userdb.src := tests/unit/test-userdb.c
tests/unit/test-userdb.libs := tests/lib/testlib appliance/userdb/userdb common/common
tests/unit/test-userdb.pkgs := $(common_pkgs)

# Stands in accounts' place before that gate; not installed.
helpers += tests/lib/ask-userdb
tests/lib/ask-userdb.src := tests/lib/ask-userdb.c
tests/lib/ask-userdb.libs := common/common
tests/lib/ask-userdb.pkgs := $(common_pkgs)
