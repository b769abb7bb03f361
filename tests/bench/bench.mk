# SPDX-License-Identifier: Apache-2.0
# The benchmark against other engines: make bench. Its programs run on the developer's machine only.
bench_helpers := generate redoubt sqlite
helpers += $(bench_helpers:%=tests/bench/%)
$(foreach h,$(bench_helpers),\
	$(eval tests/bench/$(h).src := tests/bench/$(h).c)\
	$(eval tests/bench/$(h).libs := common/common)\
	$(eval tests/bench/$(h).pkgs := $(common_pkgs)))
tests/bench/redoubt.src  += tests/bench/measure.c
tests/bench/redoubt.pkgs += libcurl
tests/bench/sqlite.src   += tests/bench/measure.c
tests/bench/sqlite.pkgs  += sqlite3
