# SPDX-License-Identifier: Apache-2.0
# Stands in for accounts and appliance in engine's integration tests; not installed.
helpers += tests/lib/ask-engine
tests/lib/ask-engine.src := tests/lib/ask-engine.c
tests/lib/ask-engine.libs := common/common
tests/lib/ask-engine.pkgs := $(common_pkgs)
helpers += tests/lib/grants
tests/lib/grants.src := tests/lib/grants.c
tests/lib/grants.libs := common/common
tests/lib/grants.pkgs := $(common_pkgs)

engine_tests := admission answers call flow patch pool sql sql-busy sql-clauses sql-cluster sql-compare sql-functions sql-grammar sql-limits sql-regex sql-scratch sql-time told value zone
tests += $(engine_tests:%=tests/unit/test-%)
threaded += tests/unit/test-call tests/unit/test-pool tests/unit/test-told $(filter tests/unit/test-sql%,$(tests))
$(foreach t,$(engine_tests),$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c))
$(foreach t,$(engine_tests),$(eval tests/unit/test-$(t).libs := $(engine_libs) tests/lib/testlib tests/lib/ledger common/common))
$(foreach t,$(engine_tests),$(eval tests/unit/test-$(t).pkgs := $(common_pkgs) sqlite3 yyjson libpcre2-8))
