# SPDX-License-Identifier: Apache-2.0
# What the executor alone takes for the benchmark's queries; built on request.
exec_libs := service/exec/exec service/chunk/chunk service/value/value service/column/column service/disk/disk

archives += tests/lib/snapshots
tests/lib/snapshots.src := tests/lib/snapshots.c

helpers += tests/bench/exec
tests/bench/exec.src  := tests/bench/exec.c
tests/bench/exec.libs := tests/lib/snapshots $(exec_libs) common/common
tests/bench/exec.pkgs := $(common_pkgs) yyjson
