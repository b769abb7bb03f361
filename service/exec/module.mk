# SPDX-License-Identifier: Apache-2.0
archives += service/exec/exec
service/exec/exec.src := $(sort $(wildcard service/exec/*.c))
