# SPDX-License-Identifier: Apache-2.0
fuzzers += tests/fuzz/fuzz-proto
tests/fuzz/fuzz-proto.src  := tests/fuzz/fuzz-proto.c
tests/fuzz/fuzz-proto.libs := common/common $(fuzz_main)
tests/fuzz/fuzz-proto.pkgs := $(common_pkgs)
