# SPDX-License-Identifier: Apache-2.0
# Random queries, answered in three ways that must agree.
tests += tests/oracle/test-oracle
threaded += tests/oracle/test-oracle
tests/oracle/test-oracle.src  := $(sort $(wildcard tests/oracle/*.c))
tests/oracle/test-oracle.libs := $(sql_libs) $(store_own) service/keys/keys common/keyring/keyring tests/lib/testlib common/common
tests/oracle/test-oracle.pkgs := $(common_pkgs) sqlite3 yyjson libpcre2-8
