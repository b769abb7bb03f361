# SPDX-License-Identifier: Apache-2.0
fuzzers += tests/fuzz/fuzz-segment
tests/fuzz/fuzz-segment.src := tests/fuzz/fuzz-segment.c
tests/fuzz/fuzz-segment.libs := $(store_libs) common/common $(fuzz_main)
tests/fuzz/fuzz-segment.pkgs := $(common_pkgs) $(store_pkgs)
