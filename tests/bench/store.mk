# SPDX-License-Identifier: Apache-2.0
# What the store alone takes to load and to stream the benchmark's documents; built on request.
helpers += tests/bench/store
tests/bench/store.src  := tests/bench/store.c
tests/bench/store.libs := $(store_libs) common/common
tests/bench/store.pkgs := $(common_pkgs) $(store_pkgs)
