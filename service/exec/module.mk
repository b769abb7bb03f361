# SPDX-License-Identifier: Apache-2.0
archives += service/exec/exec
service/exec/exec.src := $(sort $(wildcard service/exec/*.c))
# What links with it, but for what has snapshots.
exec_libs := service/exec/exec service/chunk/chunk service/value/value service/column/column service/disk/disk
