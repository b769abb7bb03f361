# SPDX-License-Identifier: Apache-2.0
# What the executor alone takes for the benchmark's queries; built on request.

archives += tests/lib/snapshots
tests/lib/snapshots.src := tests/lib/snapshots.c

helpers += tests/bench/exec
tests/bench/exec.src  := tests/bench/exec.c
tests/bench/exec.libs := tests/lib/snapshots $(exec_libs) common/common
tests/bench/exec.pkgs := $(common_pkgs) yyjson
