# SPDX-License-Identifier: Apache-2.0
# Stands in for accounts, engine and appliance in front's integration test; not installed.
helpers += tests/lib/peers
tests/lib/peers.src := tests/lib/peers.c
tests/lib/peers.libs := common/common
tests/lib/peers.pkgs := $(common_pkgs)

front_tests := missing notify routes seats source
tests += $(front_tests:%=tests/unit/test-%)
$(foreach t,$(front_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c service/front/$(t).c)\
	$(eval tests/unit/test-$(t).libs := service/http/http tests/lib/testlib common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs) libllhttp))

# Many clients at once; not installed.
helpers += tests/lib/crowd
tests/lib/crowd.src := tests/lib/crowd.c
tests/unit/test-seats.src += service/front/source.c
tests/unit/test-missing.src += service/front/routes.c
tests/unit/test-routes.src += service/front/missing.c
