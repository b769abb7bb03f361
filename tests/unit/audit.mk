# SPDX-License-Identifier: Apache-2.0
# Tools that the ledger's integration tests use; not installed.
helpers += tests/lib/audit-load tests/lib/audit-check tests/lib/say-yes
tests/lib/audit-load.src   := tests/lib/audit-load.c
tests/lib/audit-load.libs  := common/common
tests/lib/audit-load.pkgs  := $(common_pkgs)
tests/lib/say-yes.src      := tests/lib/say-yes.c
tests/lib/say-yes.libs     := appliance/bus/bus common/common
tests/lib/say-yes.pkgs     := $(common_pkgs)
tests/lib/audit-check.src  := tests/lib/audit-check.c
tests/lib/audit-check.libs := appliance/audit/ledger common/common
tests/lib/audit-check.pkgs := $(common_pkgs) $(audit_pkgs)

audit_tests := export ledger ledger-room merkle note tile verify wal
tests += $(audit_tests:%=tests/unit/test-%)
$(foreach t,$(audit_tests),$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c))
$(foreach t,$(audit_tests),$(eval tests/unit/test-$(t).libs := appliance/audit/ledger common/common tests/lib/testlib))
$(foreach t,$(audit_tests),$(eval tests/unit/test-$(t).pkgs := $(common_pkgs) $(audit_pkgs)))
